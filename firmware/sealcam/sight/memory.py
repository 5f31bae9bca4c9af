"""Memory is what the owner's marks teach: the marked thing in the marked place is quiet, and nothing else is.

It keeps, of the newest incidents, what the judge knew and of each thing in them its kind, its place (the shares of the
picture that it went through) and its looks; never a pixel. `told` answers for one thing that is seen now. The safe
side comes first: a person is taken for a marked one only in the very place and by the very look, so that who walks
through the picture is none, and one mark "threat" outweighs what is like it. See design/sight.md, memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from sealcam.sight.focus import Look
from sealcam.sight.looks import likeness
from sealcam.sight.types import ArmMode, Box, Subject, Verdict
from sealcam.sight.verdict import IncidentFeatures, Mark, Told

# So many incidents are remembered, of which so many may be marked: the oldest are forgotten first, those without a
# mark before those with one. So many things of each, with so many looks.
MOST, MOST_MARKED, MOST_PARTS, MOST_LOOKS = 500, 200, 4, 2
# The same place: this overlap of what both went through; without a look to go by this much, which a thing that rests
# has and one that walks has not.
PLACE_IOU, TIGHT_IOU = 0.5, 0.7
# The same look. Of people in one place, pasted into real footage by day and in made night, 0.95 takes 3 % of the
# others for the same, and 65 to 90 % of the same for the same: design/sight.md has the curve. What is harmless anyway
# may be taken for its like from 0.9 on.
SAME_PERSON, SAME_THING = 0.95, 0.9
# What is so much more like one mark than another has nothing to do with the other.
CLEARLY = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One thing in an incident: its kind, all that its boxes covered (shares of the picture, 0 to 1), its looks."""

    subject: Subject
    box: Box
    looks: tuple[Look, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What is kept of one incident. `at_s` is the wall time of its newest report in whole seconds since 1970, 0 where
    nobody knows; `features` is what the judge knew last, `told` left out."""

    incident: str
    subject: Subject
    verdict: Verdict
    threat: float
    mode: ArmMode
    features: IncidentFeatures
    parts: tuple[Part, ...] = field(default=())
    mark: Mark | None = None
    at_s: int = 0


class Memory:
    """The newest incidents and the owner's marks on them. One thread may ask while another changes it."""

    def __init__(self, traces: Iterable[Trace] = ()) -> None:
        """Go on with what `traces` gave before, the oldest first."""
        self._replace(list(traces))

    @property
    def traces(self) -> tuple[Trace, ...]:
        """All of them, the oldest first."""
        return self._traces

    def keep(self, trace: Trace) -> None:
        """Remember an incident, or what is newly known of one; a mark on it stays."""
        before = next((one for one in self._traces if one.incident == trace.incident), None)
        if before is not None and trace.mark is None:
            trace = replace(trace, mark=before.mark)
        self._replace([*(one for one in self._traces if one is not before), trace])

    def mark(self, incident: str, mark: Mark | None) -> bool:
        """Take the owner's word on an incident, instead of one before (none: none); false if it is not remembered."""
        known = [one for one in self._traces if one.incident == incident]
        self._replace([replace(one, mark=mark) if one.incident == incident else one for one in self._traces])
        return bool(known)

    def erase(self, incidents: Iterable[str] | None = None) -> int:
        """Forget these incidents (none: all); how many there were."""
        named = None if incidents is None else set(incidents)
        kept = [] if named is None else [one for one in self._traces if one.incident not in named]
        gone = len(self._traces) - len(kept)
        self._replace(kept)
        return gone

    def told(self, subject: Subject, box: Box, looks: Sequence[Look] = ()) -> Told | None:
        """What the owner's marks say of a thing of this kind that went through this box (shares of the picture) and
        looked like all of these. A threat outweighs what is not clearly more like it, and older."""
        words = list(enumerate(self._words(subject, box, looks)))  # the newest first
        threats = [one for one in words if one[1].mark is Mark.THREAT]
        quiets = [one for one in words if one[1].mark is not Mark.THREAT]
        if not threats or not quiets:
            return max((told for _, told in words), key=lambda told: told.likeness, default=None)
        (newer_threat, threat), (newer_quiet, quiet) = (
            max(those, key=lambda one: (one[1].likeness, -one[0])) for those in (threats, quiets)
        )
        if not (quiet.place and quiet.look):
            return threat
        if abs(quiet.likeness - threat.likeness) <= CLEARLY:
            return quiet if newer_quiet < newer_threat else threat
        return max(quiet, threat, key=lambda told: told.likeness)

    def _words(self, subject: Subject, box: Box, looks: Sequence[Look]) -> Iterator[Told]:
        for trace in self._marked:
            for part in trace.parts:
                if part.subject is subject and trace.mark is not None:
                    told = _compare(part, trace.mark, box, looks)
                    if told is not None:
                        yield told

    def _replace(self, traces: list[Trace]) -> None:
        """Take these instead, within the bounds."""
        many = sum(one.mark is not None for one in traces) - MOST_MARKED
        plain = len(traces) - MOST - max(0, many)
        kept = []
        for one in traces:
            if one.mark is not None and many > 0:
                many -= 1
            elif one.mark is None and plain > 0:
                plain -= 1
            else:
                kept.append(one)
        self._traces = tuple(kept)
        self._marked = tuple(one for one in reversed(kept) if one.mark is not None)


def _compare(part: Part, mark: Mark, box: Box, looks: Sequence[Look]) -> Told | None:
    """What a mark on `part` says of something in `box` that looks like this; none: nothing."""
    overlap = part.box.iou(box)
    person = part.subject is Subject.PERSON
    if not looks or not part.looks or looks[0].shape != part.looks[0].shape:
        # Nobody can say what it looks like: place, size and kind must do, and never make a threat of something.
        if overlap < TIGHT_IOU:
            return None
        return Told(mark, overlap, place=True, look=False)
    alike = min(max(likeness(one, other) for other in part.looks) for one in looks)
    look, place = alike >= (SAME_PERSON if person else SAME_THING), overlap >= PLACE_IOU
    if not look:
        return None
    # A person's coat makes nobody harmless elsewhere; the owner's own car and cat are so everywhere.
    if mark is Mark.THREAT or place or (mark is Mark.OURS and not person):
        return Told(mark, min(1.0, max(0.0, alike)), place=place, look=True)
    return None
