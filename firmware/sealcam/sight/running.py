"""What is known of the incident that is running: its motion, its subject and what that did, its best picture.

It gathers and measures; when something is said of it is `incident`'s, what it means the judge's. Times are ns on the
source's clock. See design/sight.md, one incident.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2

from sealcam.board.protocols import Frame
from sealcam.sight import picture
from sealcam.sight.gate import Motion
from sealcam.sight.tracks import Sighting
from sealcam.sight.trail import Trails
from sealcam.sight.types import Box, Picture, Subject, Trail, Trigger
from sealcam.sight.verdict import IncidentFeatures, Told
from sealcam.sight.way import Way

# Motion that paused for so long begins anew.
PAUSE_S = 1.0
# Two boxes that share this much of the smaller one may be one person.
ONE_SHARE = 0.5
# Of an incident that never ends so many tracks are known, the newest and those in view.
MOST_TRACKS = 256
_RANK = {Subject.PERSON: 3, Subject.VEHICLE: 2, Subject.ANIMAL: 1, Subject.NONE: 0}

# What an incident is about: what stood where the owner watches comes first, then the more important subject.
Rank = tuple[bool, int]
NOBODY: Rank = (False, 0)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one frame gave. `motion` is the gate's; `moving` whether enough of it lay where the owner watches, a `share`
    of the picture. `pir`: the sensor fired since the last frame. `starting`: watching has only just begun. `ways` are
    those of the sightings, in their order. `left`, `taken`: things that have just turned out to be."""

    frame: Frame
    motion: Motion
    moving: bool
    share: float
    pir: bool
    starting: bool
    looked: bool
    sightings: tuple[Sighting, ...] = ()
    ways: tuple[Way, ...] = ()
    told: Told | None = None
    left: int = 0
    taken: int = 0


def rank(way: Way) -> Rank:
    """How important a subject is."""
    return way.watched, _RANK[way.subject]


def since(evidence: Evidence, t_ns: int) -> int:
    """When the most important of the sightings were first seen, or `t_ns` if that is earlier, ns."""
    best = max((way.watched for way in evidence.ways), default=False)
    return min([t_ns, *(way.first_ns for way in evidence.ways if way.watched is best)])


class Running:
    """The incident that is open."""

    def __init__(self, trigger: Trigger, t_ns: int, runs: int) -> None:
        self.trigger, self.runs = trigger, runs
        self.started_ns = self.ended_ns = t_ns
        self.rank, self.subject = NOBODY, Subject.NONE
        self.tracks: dict[int, None] = {}  # in the order they became evidence
        # How many watched persons came; each track with how often it came again: who comes again is told too.
        self.people_came = 0
        self._people_tracks: dict[int, int] = {}
        self.motion_frames = 0
        self.picture: Picture | None = None
        self.picture_quality = 0.0
        self.left = self.taken = 0
        self._named: dict[str, None] = {}  # every zone that any person stood in
        self._told: Told | None = None
        self._pir = self._light = False
        self._motion_first_ns: int | None = None
        self._motion_last_ns = t_ns
        self._bursts, self._spread = 0, 0.0
        self._inside, self._inside_frames = 0.0, 0
        self._motion_picture = 0.0
        self._begin_subject(t_ns)

    def _begin_subject(self, t_ns: int) -> None:
        """Another subject is what this is about from now on."""
        self.confidence, self.people = 0.0, 0
        self._hits = self._looks = 0
        self._height = self._path = self._dwell_s = 0.0
        self._approach = 1.0
        self._zones: dict[str, None] = {}
        self._entered: dict[str, None] = {}
        self._ignored: dict[str, None] = {}
        self._subject_first_ns = self._subject_last_ns = t_ns
        self._trails = Trails()

    @property
    def watched(self) -> bool:
        """Whether something stood where the owner watches."""
        return self.rank[0]

    @property
    def motion_s(self) -> float:
        """Seconds from its first to its last motion."""
        return 0.0 if self._motion_first_ns is None else (self._motion_last_ns - self._motion_first_ns) / 1e9

    @property
    def pir(self) -> bool:
        """Whether the motion sensor fired within it."""
        return self._pir

    @property
    def trail(self) -> Trail | None:
        """Where its main track stood; none without a subject."""
        return self._trails.main()

    def features(self, *, expected: bool, scheduled: bool) -> IncidentFeatures:
        """What is known so far; `expected` and `scheduled` are the owner's orders of now."""
        known = self.subject is not Subject.NONE
        return IncidentFeatures(
            subject=self.subject,
            confidence=self.confidence,
            seen_s=(self._subject_last_ns - self._subject_first_ns) / 1e9 if known else 0.0,
            motion_s=self.motion_s,
            people=self.people,
            pir=self._pir,
            light=self._light,
            hits=self._hits,
            looks=self._looks,
            height=self._height,
            path=self._path,
            dwell_s=self._dwell_s,
            approach=self._approach,
            spread=self._spread / self.motion_frames if self.motion_frames else 0.0,
            inside=self._inside / self._inside_frames if self._inside_frames else 0.0,
            bursts=self._bursts,
            zones=tuple(self._zones),
            entered=tuple(self._entered),
            left=self.left,
            taken=self.taken,
            expected=expected,
            told=self._told,
            watched=self.watched or not known,
            ignored=tuple(self._ignored),
            beside=tuple(name for name in self._named if name not in {**self._zones, **self._ignored}),
            scheduled=scheduled,
        )

    def take(self, evidence: Evidence) -> None:
        """Take what one frame gave."""
        self.runs += evidence.looked
        self._pir = self._pir or evidence.pir
        self._light = self._light or evidence.motion.whole
        self.left, self.taken = self.left + evidence.left, self.taken + evidence.taken
        if evidence.sightings:  # of all that was seen in this incident: a stranger who joins takes a word back
            self._told = evidence.told
        if evidence.moving:
            self._take_motion(evidence)
        if self.subject is Subject.NONE and (evidence.moving or evidence.pir):
            self.ended_ns = max(self.ended_ns, evidence.frame.t_ns)
            share = evidence.share if evidence.moving else 0.0
            if self.picture is None or share > self._motion_picture:
                self.picture, self._motion_picture = _picture(evidence.frame, None), share
        if evidence.sightings:
            self._take_subject(evidence)

    def _take_motion(self, evidence: Evidence) -> None:
        t_ns = evidence.frame.t_ns
        if self._motion_first_ns is None:
            self._motion_first_ns = t_ns
        if self.motion_frames == 0 or t_ns - self._motion_last_ns > PAUSE_S * 1e9:
            self._bursts += 1
        self._motion_last_ns = t_ns
        self.motion_frames += 1
        self._spread += evidence.share
        if evidence.looked:
            self._inside += _inside(evidence.motion, [sighting.box for sighting in evidence.sightings])
            self._inside_frames += 1

    def _take_subject(self, evidence: Evidence) -> None:
        t_ns = evidence.frame.t_ns
        seen = tuple(zip(evidence.sightings, evidence.ways, strict=True))
        best, way = max(seen, key=lambda one: (rank(one[1]), one[0].confidence))
        if self.subject is Subject.NONE:
            self.started_ns = since(evidence, self.started_ns)
        if rank(way) > self.rank:
            self.rank, self.subject = rank(way), best.subject
            self._begin_subject(best.first_ns)
            self.picture, self.picture_quality = None, 0.0
        for sighting, one in seen:
            if sighting.subject is Subject.PERSON:
                self._named |= one.zones | one.ignored
        self.tracks.update(dict.fromkeys(s.track for s in evidence.sightings))
        _forget(self.tracks, evidence.sightings)
        if way.watched or not self.watched:  # who only passes outside keeps nothing open that began inside
            self.ended_ns = t_ns
        shown = [one for one in seen if rank(one[1]) == self.rank]
        if shown:
            self._take_shown(evidence.frame, shown)

    def _take_shown(self, frame: Frame, shown: Sequence[tuple[Sighting, Way]]) -> None:
        """Those that the incident is about."""
        self._subject_last_ns = frame.t_ns
        for sighting, way in shown:
            self._trails.take(sighting.track, sighting.box, (frame.width, frame.height), frame.t_ns)
            self.confidence = max(self.confidence, sighting.confidence)
            if way.hits > self._hits:
                self._hits, self._looks = way.hits, way.looks
            self._height, self._path = max(self._height, way.height), max(self._path, way.path)
            self._dwell_s, self._approach = max(self._dwell_s, way.dwell_s), max(self._approach, way.approach)
            self._zones |= way.zones
            self._entered |= way.entered
            self._ignored |= way.ignored
            value = picture.quality(sighting.score, sighting.box, frame.width, frame.height)
            if value > self.picture_quality:
                self.picture, self.picture_quality = _picture(frame, sighting.box), value
        if self.subject is Subject.PERSON:
            self.people = max(self.people, _apart([sighting.box for sighting, _ in shown]))
            if self.watched:
                came = {s.track: s.times for s, _ in shown if self._people_tracks.get(s.track) != s.times}
                self.people_came += len(came)
                self._people_tracks |= came
                _forget(self._people_tracks, [sighting for sighting, _ in shown])


def _forget(tracks: dict[int, Any], seen: Sequence[Sighting]) -> None:
    """Forget the oldest tracks that are too many and not in view."""
    if len(tracks) > MOST_TRACKS:
        here = {sighting.track for sighting in seen}
        for track in [track for track in tracks if track not in here][: len(tracks) - MOST_TRACKS]:
            del tracks[track]


def _inside(motion: Motion, boxes: Sequence[Box]) -> float:
    """The share of the moved cells that lie in one of the boxes, 0 where nothing moved."""
    moved = cv2.countNonZero(motion.mask)
    if not moved or not boxes:
        return 0.0
    rest = motion.mask.copy()
    rows, columns = rest.shape
    for box in boxes:
        x0, x1 = (min(max(round(edge / motion.cell_x_px), 0), columns) for edge in (box.x0, box.x1))
        y0, y1 = (min(max(round(edge / motion.cell_y_px), 0), rows) for edge in (box.y0, box.y1))
        rest[y0:y1, x0:x1] = 0
    return 1.0 - cv2.countNonZero(rest) / moved


def _apart(boxes: Sequence[Box]) -> int:
    """How many there surely are: two boxes of which one lies mostly within the other may be one person seen twice."""
    kept: list[Box] = []
    for box in boxes:
        if all(box.intersection(other) < ONE_SHARE * min(box.area, other.area) for other in kept):
            kept.append(box)
    return len(kept)


def _picture(frame: Frame, box: Box | None) -> Picture:
    """The frame's planes; a frame owns them and nobody writes them again, so nothing is copied."""
    return Picture(y=frame.y, u=frame.u, v=frame.v, box=box, t_ns=frame.t_ns)
