"""Scores one run against what was drawn: who was missed, when each was told of, what was called a threat wrongly.

Pure: a run and labels in, a score out. What counts as shown is `matching`'s; sums over clips and conditions are
`tables`'. Every rule here is written for people in design/sight.md, how it is measured.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sealcam.sight.types import Subject, Verdict
from tests.eval.lives import ClipLabels, Life
from tests.eval.matching import Covered, covered, covers, on_static
from tests.eval.records import Run, Said

# A person has to be found who is visible for so long without a break and so high, of a picture of so many lines.
MUST_S, MUST_PX, LINES = 1.0, 60.0, 576.0
# A track that was given to another life for fewer looks than this only brushed it. Evidence upon nobody counts from so
# many looks on: a label's edge may be a look or two late.
MIXED_LOOKS, GHOST_LOOKS = 3, 10
# A static thing may be told of in the first minute, while the scene is learnt.
LEARN_S = 60.0


@dataclass(frozen=True, slots=True)
class Walker:
    """One labelled life as it was found. `must`: it had to be. `first_s`: first visible at the height that counts
    (none: never); `enters`: it came into view during the clip. `seen_s`, `own_s`: first covered by evidence, and by a
    track of its own; `told_s`: first report whose tracks include one that covered it before."""

    name: str
    subject: str
    must: bool
    enters: bool
    first_s: float | None
    seen_s: float | None
    own_s: float | None
    told_s: float | None
    switches: int

    @property
    def missed(self) -> bool:
        """Had to be found, and no evidence ever covered it."""
        return self.must and self.seen_s is None

    @property
    def delay_s(self) -> float:
        """Seconds from `first_s` to `told_s`: 0 where it was told of before, endless where it never was."""
        if self.told_s is None or self.first_s is None:
            return math.inf
        return max(0.0, self.told_s - self.first_s)


@dataclass(frozen=True, slots=True)
class Judged:
    """One incident: what it should have been called, what it was called last, and the highest threat that was told."""

    incident: str
    t_s: float
    subject: str
    should: str
    verdict: str
    threat: float
    threatened: bool  # called a threat in any report

    @property
    def false_threat(self) -> bool:
        """Called a threat while nobody was there."""
        return self.threatened and self.should != str(Verdict.THREAT)


@dataclass(frozen=True, slots=True)
class Restless:
    """An incident of a thing that is parked there; `learnt`: after the first minute."""

    static: str
    incident: str
    t_s: float
    learnt: bool


@dataclass(frozen=True, slots=True)
class Score:
    """All of one run. `mixed`: how often a track's number went on to another life than the one it
    began with. `ghosts`: tracks that were evidence of a person, for a while, where none was drawn."""

    walkers: tuple[Walker, ...]
    incidents: tuple[Judged, ...]
    statics: tuple[Restless, ...]
    mixed: int
    ghosts: int


def score(run: Run, labels: ClipLabels) -> Score:
    """The score of one run over a whole clip, or over an empty stretch of it (labels without lives then)."""
    matches = covered(run.seen, labels)
    return Score(
        walkers=tuple(_walker(life, run, matches, labels) for life in labels.lives),
        incidents=tuple(_judged(list(said), matches, labels) for said in _incidents(run).values()),
        statics=tuple(_restless(run, labels, {(m.t_s, m.track) for m in matches})),
        mixed=_mixed(matches),
        ghosts=_ghosts(run, labels),
    )


def must_px(labels: ClipLabels) -> float:
    """The height that counts, in pixels of this clip's picture."""
    return MUST_PX * labels.height_px / LINES


def _walker(life: Life, run: Run, matches: Sequence[Covered], labels: ClipLabels) -> Walker:
    mine = [match for match in matches if match.life == life.name]
    since = {track: min(m.t_s for m in mine if m.track == track) for track in {m.track for m in mine}}
    told = [
        said.t_s
        for said in run.said
        if said.stage != "end" and any(t in since and since[t] <= said.t_s for t in said.tracks)
    ]
    own = [match for match in mine if match.own]
    high = life.stretches_at_height(must_px(labels))
    begun_s = min((other.in_view.from_s for other in labels.lives), default=0.0)
    return Walker(
        name=life.name,
        subject=str(life.subject),
        must=life.subject is Subject.PERSON and any(stretch.length_s >= MUST_S for stretch in high),
        enters=life.in_view.from_s > begun_s,
        first_s=high[0].from_s if high else None,
        seen_s=mine[0].t_s if mine else None,
        own_s=own[0].t_s if own else None,
        told_s=min(told, default=None),
        switches=sum(a.track != b.track for a, b in pairwise(own)),
    )


def _mixed(matches: Sequence[Covered]) -> int:
    """Lives beyond the first that each track was given to, for three looks at the least."""
    looks = Counter((match.track, match.life) for match in matches if match.own)
    lives = Counter(track for (track, _), count in looks.items() if count >= MIXED_LOOKS)
    return sum(count - 1 for count in lives.values())


def _ghosts(run: Run, labels: ClipLabels) -> int:
    """Person tracks with a second's worth of looks upon nobody; who is drawn as hidden is somebody."""
    looks: Counter[int] = Counter()
    for one in run.seen:
        drawn = [box for life in labels.lives if (box := life.box_at(one.t_s)) is not None]
        looks[one.track] += one.subject == str(Subject.PERSON) and not any(covers(one.box, box) for box in drawn)
    return sum(count >= GHOST_LOOKS for count in looks.values())


def _incidents(run: Run) -> dict[str, list[Said]]:
    found: dict[str, list[Said]] = {}
    for said in run.said:
        found.setdefault(said.incident, []).append(said)
    return found


def _judged(said: Sequence[Said], matches: Sequence[Covered], labels: ClipLabels) -> Judged:
    last = said[-1]
    return Judged(
        incident=last.incident,
        t_s=said[0].t_s,
        subject=last.subject,
        should=_should(last, matches, labels),
        verdict=last.verdict,
        threat=max(one.threat for one in said),
        threatened=any(one.verdict == str(Verdict.THREAT) for one in said),
    )


def _should(last: Said, matches: Sequence[Covered], labels: ClipLabels) -> str:
    """What a camera that is armed away should call it: by who its tracks showed, else by who was in view then."""
    names = {m.life for m in matches if m.track in last.tracks and last.started_s <= m.t_s <= last.t_s}
    shown = {life.subject for life in labels.lives if life.name in names}
    if not last.tracks:
        shown = {life.subject for life in labels.lives if _there(life, last, labels)}
    if Subject.PERSON in shown:
        return str(Verdict.THREAT)
    return str(Verdict.BENIGN) if shown else str(Verdict.FALSE_ALARM)


def _there(life: Life, said: Said, labels: ClipLabels) -> bool:
    """Whether it was visible and high enough for a second of the incident; for a threat, within a second of it."""
    least_s = -MUST_S if said.verdict == str(Verdict.THREAT) else MUST_S
    return any(
        min(s.to_s, said.ended_s) - max(s.from_s, said.started_s) >= least_s
        for s in life.stretches_at_height(must_px(labels))
    )


def _restless(run: Run, labels: ClipLabels, taken: set[tuple[float, int]]) -> list[Restless]:
    """Each incident of each static thing, once, at the first report after its track was evidence upon it."""
    begin_s = min((m.t_s for m in run.moved), default=0.0)
    found: dict[tuple[str, str], Restless] = {}
    for static in labels.statics:
        since: dict[int, float] = {}
        for one in run.seen:
            if on_static(one, static) and (one.t_s, one.track) not in taken:
                since.setdefault(one.track, one.t_s)
        for said in run.said:
            if any(track in since and since[track] <= said.t_s for track in said.tracks):
                learnt = any(since[t] - begin_s >= LEARN_S for t in said.tracks if t in since)
                known = found.get((static.name, said.incident))
                if known is None or (learnt and not known.learnt):
                    found[static.name, said.incident] = Restless(static.name, said.incident, said.t_s, learnt)
    return list(found.values())
