"""Sums of scores: one row for each condition and strength, a system and its model; what `eval.json` says.

Negatives are counted in seconds of source: every second of an empty stretch once under each condition at each strength,
however often it was played. See design/sight.md, how it is measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sealcam.sight.types import Verdict
from sealcam_verdict.weather import Strength
from tests.eval.plan import Job, Weather
from tests.eval.rates import per_hour, poisson_upper, quantile
from tests.eval.records import Run
from tests.eval.scoring import MUST_S, Judged, Score, Walker, must_px, score


@dataclass(frozen=True, slots=True)
class Result:
    """A job with its run and its score."""

    job: Job
    run: Run
    score: Score

    @property
    def negative(self) -> bool:
        """Whether it is an empty stretch."""
        return self.job.stretch is not None


def result(job: Job, run: Run) -> Result:
    """Score a run; in an empty stretch nobody is, and statics stay."""
    labels = job.clip.labels if job.stretch is None else replace(job.clip.labels, lives=(), empty=())
    return Result(job, run, score(run, labels))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Delays in seconds, endless where somebody was never told of; rates per hour of source.

    `positives` had to be found, `missed` of them never were covered; `not_own` were covered by others' tracks alone.
    `switches` are people who changed their track, `mixed` tracks that changed their person, `ghosts` tracks of a person
    where nobody was drawn. `false_threats` are of the empty stretches, `elsewhere` of whole clips; `alarms` are all
    incidents that were told in the empty stretches. `restless` are incidents of parked things after the first minute,
    `early` before.
    """

    system: str
    model: str
    weather: str
    positives: int
    missed: int
    not_own: int
    delay_p50_s: float
    delay_p95_s: float
    entries: int
    entry_p50_s: float
    switches: int
    mixed: int
    ghosts: int
    negative_s: float
    watched_s: float
    false_threats: int
    false_threats_per_hour_upper: float
    elsewhere: int
    alarms: int
    alarms_per_hour: float
    restless: int
    early: int


def row(results: Sequence[Result], weather: str) -> Row:
    """Sum results of one system and model."""
    whole = [one for one in results if not one.negative]
    empty = [one for one in results if one.negative]
    walkers = [walker for one in whole for walker in one.score.walkers if walker.must]
    entering = [walker for walker in walkers if walker.enters]
    delays, entries = [walker.delay_s for walker in walkers], [walker.delay_s for walker in entering]
    seconds = math.fsum(one.job.stretch.length_s for one in empty if one.job.stretch is not None)
    false = sum(judged.false_threat for one in empty for judged in one.score.incidents)
    alarms = sum(len(one.score.incidents) for one in empty)
    statics = [restless for one in whole for restless in one.score.statics]
    return Row(
        system=results[0].job.system,
        model=results[0].job.model,
        weather=weather,
        positives=len(walkers),
        missed=sum(missed(one, walker) for one in whole for walker in one.score.walkers),
        not_own=sum(walker.own_s is None and walker.seen_s is not None for walker in walkers),
        delay_p50_s=quantile(delays, 0.5),
        delay_p95_s=quantile(delays, 0.95),
        entries=len(entering),
        entry_p50_s=quantile(entries, 0.5),
        switches=sum(walker.switches for one in whole for walker in one.score.walkers),
        mixed=sum(one.score.mixed for one in whole),
        ghosts=sum(one.score.ghosts for one in whole),
        negative_s=round(seconds, 2),
        watched_s=round(math.fsum(one.run.watched_s for one in empty), 1),
        false_threats=false,
        false_threats_per_hour_upper=per_hour(poisson_upper(false), seconds),
        elsewhere=sum(judged.false_threat for one in whole for judged in one.score.incidents),
        alarms=alarms,
        alarms_per_hour=per_hour(alarms, seconds),
        restless=sum(one.learnt for one in statics),
        early=sum(not one.learnt for one in statics),
    )


def missed(result: Result, walker: Walker) -> bool:
    """Whether he had to be found and wasn't; a system without boxes has found who was in view while it was alarmed."""
    if not walker.must or result.run.seen or result.job.system != "motion":
        return walker.missed
    life = next(life for life in result.job.clip.labels.lives if life.name == walker.name)
    high = life.stretches_at_height(must_px(result.job.clip.labels))
    spans = [(said.started_s, said.ended_s) for said in result.run.said if said.stage == "end"]
    # It says so a little late, and is given a second for it.
    return not any(low - MUST_S <= stretch.to_s and stretch.from_s <= upper for low, upper in spans for stretch in high)


def rows(results: Sequence[Result], weathers: Iterable[Weather]) -> list[Row]:
    """A row for each condition of each system and model, then for all mild, all hard, and all together."""
    table = []
    for system, model in dict.fromkeys((one.job.system, one.job.model) for one in results):
        mine = [one for one in results if (one.job.system, one.job.model) == (system, model)]
        groups = {str(weather): [one for one in mine if one.job.weather == weather] for weather in weathers}
        mild = [one for one in mine if one.job.weather.strength is Strength.MILD]
        hard = [one for one in mine if one.job.weather.strength is Strength.HARD]
        real = [one for one in mine if one.job.weather.strength is None]
        groups |= {"all mild": mild, "all hard": hard, "real and all mild": real + mild, "all": mine}
        table += [row(group, name) for name, group in groups.items() if group]
    return table


@dataclass(frozen=True, slots=True)
class Bin:
    """Incidents whose highest told threat lay within a tenth: how many, their mean, and how many were threats."""

    low: float
    count: int
    mean: float
    share: float


def calibration(incidents: Sequence[Judged]) -> list[Bin]:
    """The curve of reliability in tenths; empty tenths are left out."""
    bins = []
    for tenth in range(10):
        inside = [one for one in incidents if min(9, int(one.threat * 10)) == tenth]
        if inside:
            true = sum(one.should == str(Verdict.THREAT) for one in inside)
            mean = math.fsum(one.threat for one in inside) / len(inside)
            bins.append(Bin(tenth / 10, len(inside), mean, true / len(inside)))
    return bins


def confusion(incidents: Sequence[Judged]) -> dict[tuple[str, str], int]:
    """How many incidents that should have been called the first were called the second, last."""
    counts = {(str(a), str(b)): 0 for a in Verdict for b in Verdict}
    for one in incidents:
        counts[one.should, one.verdict] += 1
    return counts


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that went wrong, for the list in the report."""

    kind: str
    job: Job
    what: str
    t_s: float


def faults(results: Sequence[Result]) -> list[Fault]:
    """Every missed person, false threat, and restless static, in the results' order."""
    found = []
    for one in results:
        people = [walker for walker in one.score.walkers if missed(one, walker)]
        found += [Fault("missed", one.job, walker.name, walker.first_s or 0.0) for walker in people]
        for judged in one.score.incidents:
            if judged.false_threat:
                what = f"{judged.subject} {judged.threat:.2f}, should be {judged.should}"
                found.append(Fault("false threat", one.job, what, judged.t_s))
        found += [Fault("static", one.job, f"{s.static} alerts", s.t_s) for s in one.score.statics if s.learnt]
    return found
