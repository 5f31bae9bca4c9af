"""An incident is everything from the first trigger to calm: one id, exactly one `new`, updates, exactly one `end`.

Notify first: `new` goes out at the first believed subject, or once motion without one has gone on for a while. An
escalation is said at once and passes every limit; a person who joins is said at once, as long as a busy street leaves
room; a better picture only now and then. What is known of the incident is `running`'s. See design/sight.md, one
incident.
"""

from __future__ import annotations

from collections.abc import Callable

from sealcam.sight import judge_features
from sealcam.sight.aside import set_aside
from sealcam.sight.masks import Masks
from sealcam.sight.running import NOBODY, Evidence, Rank, Running, rank, since
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode, Report, Stage, Subject, Trigger, Verdict
from sealcam.sight.verdict import IncidentFeatures, Judge, Judgement

# Motion shorter than this, in fewer frames than this, with nothing recognised and no PIR, was a flicker: no incident.
FLICKER_S, FLICKER_FRAMES = 0.3, 3
# A subject that appears so long after the motion began is an incident of its own.
LEAD_S = 10.0
# A change of the threat probability that is worth a report of its own, and the gain that makes a picture better.
ESCALATION, BETTER = 0.2, 1.25
# So many who join are told at once, then one a second: a group through the gate is told one by one, and a street that
# never ends sends a sealed report of some 2 kB a second at the most. A milder verdict takes of the same allowance, and
# must have held for so long, so that a verdict on the brink does not flicker.
JOIN_BURST, JOIN_EVERY_S, MILDER_S = 8, 1.0, 2.0
_SEVERITY = {Verdict.FALSE_ALARM: 0, Verdict.BENIGN: 1, Verdict.THREAT: 2}


class _Said:
    """What the owner was told of the running incident last, and what waits to be told."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.judgement = Judgement(Verdict.FALSE_ALARM, 0.0, ())
        self.rank: Rank = NOBODY
        self.people = self.things = 0
        self.picture_quality = 0.0
        self.picture_due_ns = 0
        self.milder_since_ns: int | None = None


class Incidents:
    """Turns evidence, frame by frame, into reports. `ids` is asked once for each reported one, with its number."""

    def __init__(self, settings: SightSettings, ids: Callable[[int], str], mode: ArmMode, judge: Judge) -> None:
        self._settings = settings
        self._ids = ids
        self._judge = judge
        self._mode, self._scheduled, self._expected = mode, False, False
        self._open: Running | None = None
        self._said: _Said | None = None
        self._count = 0
        self._runs_before = 0
        self._t_ns = 0
        self.judged: IncidentFeatures | None = None  # what the judge knew last
        self._allowed, self._allowed_ns = float(JOIN_BURST), 0

    @property
    def _motion_alone_s(self) -> float:
        """Seconds for which the open incident has had motion and no subject."""
        running = self._open
        return running.motion_s if running is not None and running.subject is Subject.NONE else 0.0

    def set_mode(self, mode: ArmMode, *, scheduled: bool = False, expected: bool = False) -> None:
        """Judge by these orders from the next frame on: the arming mode, whether it is the schedule's, and whether a
        visitor is expected."""
        self._mode, self._scheduled, self._expected = mode, scheduled, expected

    def hide(self, masks: Masks) -> None:
        """Hide what these masks cover in the picture that was kept before them."""
        if self._open is not None and self._open.picture is not None:
            masks.blacken(self._open.picture)

    def step(self, evidence: Evidence) -> tuple[Report, ...]:
        """Take one frame's evidence; what there is to say now."""
        self._t_ns = evidence.frame.t_ns
        reports = [*self._calm(), *self._split(evidence)]
        if self._open is None and (evidence.moving or evidence.pir or evidence.sightings):
            self._begin(evidence)
        if self._open is not None:
            self._open.take(evidence)
            reports += self._say(self._open)
            self._runs_before = 0
        else:
            self._runs_before = self._runs_before + 1 if evidence.looked else 0
        return tuple(reports)

    def close(self) -> tuple[Report, ...]:
        """The source has ended: end what is open."""
        running, self._open = self._open, None
        return self._end(running) if running is not None else ()

    def _begin(self, evidence: Evidence) -> None:
        trigger = Trigger.MOTION
        if evidence.starting:
            trigger = Trigger.START
        elif evidence.pir and not evidence.moving:
            trigger = Trigger.PIR
        self._open = Running(trigger, since(evidence, self._t_ns), self._runs_before)

    def _split(self, evidence: Evidence) -> tuple[Report, ...]:
        """A subject that comes long after the motion began is an incident of its own; so is one that comes where the
        owner watches, long after others began to pass where he doesn't."""
        running = self._open
        if running is None or running.watched:
            return ()
        seen = zip(evidence.sightings, evidence.ways, strict=True)
        came = [s.first_ns for s, way in seen if rank(way) > running.rank and (running.rank == NOBODY or way.watched)]
        if not came or min(came) - running.started_ns < LEAD_S * 1e9:
            return ()
        return self.close()

    def _calm(self) -> tuple[Report, ...]:
        running = self._open
        if running is None or self._t_ns - running.ended_ns <= self._settings.calm_s * 1e9:
            return ()
        return self.close()

    def _judged(self, running: Running, *, worded: bool) -> Judgement:
        self.judged = features = running.features(expected=self._expected, scheduled=self._scheduled)
        return set_aside(self._judge.judge(features, self._mode, worded=worded), features)

    def _say(self, running: Running) -> tuple[Report, ...]:
        judgement, said = self._judged(running, worded=False), self._said
        if said is None:
            lasting = self._motion_alone_s >= self._settings.motion_report_s
            # What nobody watches is told in one go when it is over.
            return (self._new(running),) if lasting or running.watched else ()
        if self._must(running, judgement, said) or (self._may(running, judgement, said) and self._allow()):
            return (self._report(running, Stage.UPDATE, said, picture=False),)
        if self._t_ns >= said.picture_due_ns and running.picture_quality > BETTER * said.picture_quality:
            return (self._report(running, Stage.UPDATE, said, picture=True),)
        return ()

    def _must(self, running: Running, judgement: Judgement, said: _Said) -> bool:
        """Whether this is an escalation: of the verdict, the probability, or what it is about."""
        worse = _SEVERITY[judgement.verdict] > _SEVERITY[said.judgement.verdict]
        return worse or judgement.threat >= said.judgement.threat + ESCALATION or running.rank > said.rank

    def _may(self, running: Running, judgement: Judgement, said: _Said) -> bool:
        """Whether there is something that is worth a report if the allowance lasts."""
        if judgement.verdict is said.judgement.verdict:
            said.milder_since_ns = None
        elif said.milder_since_ns is None:
            said.milder_since_ns = self._t_ns
        held = said.milder_since_ns is not None and self._t_ns - said.milder_since_ns >= MILDER_S * 1e9
        things = running.left + running.taken > said.things
        return held or things or running.people_came > said.people

    def _allow(self) -> bool:
        """Take one from the allowance, if there is one."""
        seconds = max(0.0, (self._t_ns - self._allowed_ns) / 1e9)
        self._allowed = min(float(JOIN_BURST), self._allowed + seconds / JOIN_EVERY_S)
        self._allowed_ns = self._t_ns
        if self._allowed < 1.0:
            return False
        self._allowed -= 1.0
        return True

    def _new(self, running: Running) -> Report:
        said = self._said = _Said(self._ids(self._count))
        self._count += 1
        return self._report(running, Stage.NEW, said, picture=True)

    def _end(self, running: Running) -> tuple[Report, ...]:
        flicker = running.motion_s < FLICKER_S and running.motion_frames < FLICKER_FRAMES
        if self._said is None and running.subject is Subject.NONE and flicker and not running.pir:
            return ()
        first = (self._new(running),) if self._said is None else ()
        said, self._said = self._said, None
        return first if said is None else (*first, self._report(running, Stage.END, said, picture=True))

    def _report(self, running: Running, stage: Stage, said: _Said, *, picture: bool) -> Report:
        """What is known now. A first picture goes along, a better one where `picture` allows it: words come first."""
        judgement, best = self._judged(running, worded=True), None
        if running.rank > said.rank:  # another subject: its picture follows these words
            said.picture_quality, said.picture_due_ns = 0.0, self._t_ns
        if picture and (stage is Stage.NEW or running.picture_quality > BETTER * said.picture_quality):
            best, said.picture_quality = running.picture, running.picture_quality
            wait_s = self._settings.picture_first_s if stage is Stage.NEW else self._settings.picture_every_s
            said.picture_due_ns = self._t_ns + round(wait_s * 1e9)
        said.judgement, said.rank, said.milder_since_ns = judgement, running.rank, None
        said.people, said.things = running.people_came, running.left + running.taken
        return Report(
            stage=stage,
            incident=said.name,
            trigger=running.trigger,
            t_ns=self._t_ns,
            started_ns=running.started_ns,
            ended_ns=running.ended_ns,
            subject=running.subject,
            confidence=running.confidence,
            verdict=judgement.verdict,
            threat=judgement.threat,
            reasons=judgement.reasons,
            mode=self._mode,
            detector_runs=running.runs,
            picture=best,
            tracks=tuple(running.tracks),
            judged=() if self.judged is None else judge_features.per_mille(self.judged),
            trail=running.trail,
        )
