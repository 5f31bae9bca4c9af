"""Recall brings memory into what happens: how each thing of the incident went and looked, and what is told of it.

It follows the tracks that were evidence, gathers what they covered and looked like, asks `memory` about each, and
makes the trace of the incident that memory keeps. All that the owner watches must be known for any to be quiet: one
stranger beside the marked statue is a stranger, who passes on an ignored street is nobody. See design/sight.md, memory.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace

from sealcam.sight.focus import Look
from sealcam.sight.memory import MOST_LOOKS, MOST_PARTS, Memory, Part, Trace
from sealcam.sight.statics import shared
from sealcam.sight.tracks import Sighting
from sealcam.sight.types import Box, Report, Stage, Subject
from sealcam.sight.verdict import IncidentFeatures, Mark, Told

# So many tracks of one incident are followed; of those before, it stays known whether all were told of.
MOST_TRACKS = 64
# What an incident with several kinds of things is about, the last first.
_RANK = (Subject.NONE, Subject.ANIMAL, Subject.VEHICLE, Subject.PERSON)


@dataclass(slots=True)
class _Gone:
    """One track of the incident: what it covered, how it looked when it was most itself, and how it looks now."""

    subject: Subject
    box: Box
    looks: tuple[Look, ...]
    sights: int = 1
    told: Told | None = None
    watched: bool = False


class Recall:
    """What memory says of the running incident, and what it will keep of it."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._tracks: dict[int, _Gone] = {}
        self._strangers: set[Subject] = set()  # kinds of which one was not told of, and is not followed any more

    def step(
        self, sightings: Sequence[Sighting], size_px: tuple[int, int], watched: Container[int] | None = None
    ) -> Told | None:
        """Take what is seen now in a picture of this width and height; what the owner's marks say of all that the
        incident is about. `watched` are the tracks that stood where the owner watches (none: all did)."""
        for sighting in sightings:
            gone = self._take(sighting, shared(sighting.box, *size_px))
            gone.watched = gone.watched or watched is None or sighting.track in watched
            gone.told = self._memory.told(gone.subject, gone.box, gone.looks)
        while len(self._tracks) > MOST_TRACKS:
            outside = (number for number, gone in self._tracks.items() if not gone.watched)
            gone = self._tracks.pop(next(outside, next(iter(self._tracks))))
            if gone.watched and gone.told is None:
                self._strangers.add(gone.subject)
        return self._together()

    def traces(
        self, reports: Iterable[Report], features: IncidentFeatures | None, sightings: Sequence[Sighting]
    ) -> tuple[Trace, ...]:
        """What memory shall keep now that these were said; `features` is what the judge knew last. With an incident's
        end what is not seen any more is forgotten here."""
        found = []
        for report in reports:
            if features is not None:
                found.append(
                    Trace(
                        incident=report.incident,
                        subject=report.subject,
                        verdict=report.verdict,
                        threat=report.threat,
                        mode=report.mode,
                        features=replace(features, told=None),
                        parts=self._parts(report),
                    )
                )
            if report.stage is Stage.END:
                self._strangers.clear()
                still = {sighting.track for sighting in sightings} - set(report.tracks)
                self._tracks = {number: gone for number, gone in self._tracks.items() if number in still}
        return tuple(found)

    def _take(self, sighting: Sighting, box: Box) -> _Gone:
        gone = self._tracks.get(sighting.track)
        if gone is None:
            gone = self._tracks[sighting.track] = _Gone(sighting.subject, box, sighting.looks)
            return gone
        all_of = Box(
            min(gone.box.x0, box.x0), min(gone.box.y0, box.y0), max(gone.box.x1, box.x1), max(gone.box.y1, box.y1)
        )
        gone.box, gone.looks, gone.sights = all_of, sighting.looks, gone.sights + 1
        return gone

    def _together(self) -> Told | None:
        """One word for all of the most important kind that is watched: a threat if any is, else none unless all are
        told of, and then the one least like."""
        mine = [gone for gone in self._tracks.values() if gone.watched]
        kind = max({gone.subject for gone in mine} | self._strangers, key=_RANK.index, default=Subject.NONE)
        words = [gone.told for gone in mine if gone.subject is kind]
        known = [told for told in words if told is not None]
        threats = [told for told in known if told.mark is Mark.THREAT]
        if threats:
            return max(threats, key=lambda told: told.likeness)
        if kind in self._strangers or not known or len(known) < len(words):
            return None
        return min(known, key=lambda told: (told.look, told.place, told.likeness))

    def _parts(self, report: Report) -> tuple[Part, ...]:
        """The things of the incident that were seen most; where some are watched, of those."""
        mine = [gone for number, gone in self._tracks.items() if number in report.tracks]
        mine = [gone for gone in mine if gone.watched] or mine
        most = sorted(mine, key=lambda gone: (-_RANK.index(gone.subject), -gone.sights))[:MOST_PARTS]
        return tuple(Part(gone.subject, gone.box, gone.looks[:MOST_LOOKS]) for gone in most)
