"""Tracks turn the detector's boxes into things that persist: matched, believed after some hits, known to move.

Our own greedy matcher (overlap first, then nearness) instead of a library: a handful of boxes need no assignment
solver, and a camera that looks ten times a second sees boxes that overlap. A track is believed when it was hit often
enough, with a high enough median score, within a short window; it is *evidence* only once it moved (the gate saw motion
inside its box, or the box itself went elsewhere), so that what merely stands there is none. DESIGN section 2, step 3.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from sealcam.sight.gate import Motion
from sealcam.sight.settings import SightSettings
from sealcam.sight.statics import Statics
from sealcam.sight.types import Box, Detection, Subject

# A box belongs to a track from this overlap on; without it, from this distance of centres (in units of the square root
# of the larger area) on, so that someone fast is followed at few frames a second; never beyond this ratio of areas.
MATCH_IOU, MATCH_DISTANCE, MATCH_AREA = 0.15, 0.8, 3.0
# The share of its looks within the window in which a believed thing must be hit.
HIT_SHARE = 0.5
# Something faint is believed too if it was hit so often, with this part of the usual score, and the box went this
# share of its size: a detector's mistakes flicker or stay where they are. It is evidence while it travels.
FAINT_HITS, FAINT_SHARE, FAINT_SCORE, FAINT_WENT, FAINT_REST_S = 5, 0.6, 0.65, 0.5, 2.0
# A believed track remains evidence while hit and median keep this part of the score that it needed.
KEPT_SCORE = 0.8
# Boxes of two subjects with this overlap are one thing, and the better score says what.
ONE_THING_IOU = 0.6
# The window holds at least so many looks and at most so many seconds, however slowly the frames come.
WINDOW_LOOKS, WINDOW_LONGEST_S = 5, 4.0
# Anything moved when its box went by this share of its size (both edges the same way, so that a box cut short by a
# passer-by does not count) or grew or shrank by this factor. Someone who only stirs moved too: when this share of the
# box moved in so many hits, if it surely is a person, with this part more than the score that is needed.
WENT_SHARE, GREW, STIR_SHARE, STIR_HITS, STIR_SCORE = 0.3, 1.4, 0.05, 2, 1.2
# A track that was not hit for so long is lost.
LOST_S = 2.0
# A track that did not move within this time of its birth is a thing of the scene; a new one is looked at for so long.
STILL_S, YOUNG_S = 1.0, 3.0
# While a moving thing was seen this recently, the detector goes on looking although nothing moves.
LINGER_S = 3.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """A believed, moving subject in the frame that was just looked at. `score` is this hit's, `confidence` the median
    of the window's hits; `first_ns` is the track's first hit (ns on the source's clock)."""

    track: int
    subject: Subject
    label: str
    score: float
    confidence: float
    box: Box
    first_ns: int


class _Track:
    """One thing over time."""

    __slots__ = (
        *("anchor", "believed", "box", "boxes", "first_ns", "known", "label", "moved", "moved_ns", "number", "origin"),
        *("seen_ns", "stirs", "subject", "travelled_ns", "velocity", "window"),
    )

    def __init__(self, number: int, detection: Detection, t_ns: int, *, known: bool) -> None:
        self.number = number
        self.subject = detection.subject
        self.label = detection.label
        self.box = detection.box
        self.boxes: deque[Box] = deque(maxlen=3)
        self.origin: Box | None = None  # where it was first seen
        self.anchor: Box | None = None  # where it last rested, or had gone to
        self.first_ns = self.seen_ns = self.moved_ns = t_ns
        self.travelled_ns: int | None = None  # when it was last seen to have gone on
        self.velocity = (0.0, 0.0)
        self.window: deque[tuple[int, float]] = deque()
        self.stirs = 0
        self.believed = self.moved = False
        self.known = known  # born where a static thing is remembered: motion over it proves nothing

    def predicted(self, t_ns: int) -> Box:
        """Where it should be now if it went on as before, for at most half a second."""
        seconds = min((t_ns - self.seen_ns) / 1e9, 0.5)
        dx, dy = self.velocity[0] * seconds, self.velocity[1] * seconds
        return Box(self.box.x0 + dx, self.box.y0 + dy, self.box.x1 + dx, self.box.y1 + dy)

    def hit(self, detection: Detection, t_ns: int) -> None:
        """Take a box that was matched."""
        seconds = (t_ns - self.seen_ns) / 1e9
        if seconds > 0:
            dx = (detection.box.x0 + detection.box.x1 - self.box.x0 - self.box.x1) / 2 / seconds
            dy = (detection.box.y0 + detection.box.y1 - self.box.y0 - self.box.y1) / 2 / seconds
            self.velocity = ((self.velocity[0] + dx) / 2, (self.velocity[1] + dy) / 2)
        self.box, self.label, self.seen_ns = detection.box, detection.label, t_ns
        self.boxes.append(detection.box)
        self.window.append((t_ns, detection.score))
        if self.origin is None and len(self.boxes) == 3:
            self.origin = self.anchor = _middle(self.boxes)

    def trim(self, t_ns: int, window_ns: int) -> None:
        """Forget looks that lie before the window."""
        while len(self.window) > WINDOW_LOOKS and t_ns - self.window[0][0] > window_ns:
            self.window.popleft()
        while self.window and t_ns - self.window[0][0] > WINDOW_LONGEST_S * 1e9:
            self.window.popleft()

    def scores(self) -> list[float]:
        """The scores of the window's hits."""
        return [score for _, score in self.window if score > 0]

    def went(self, since: Box | None, share: float) -> bool:
        """Whether the box went from `since` by a share of its size, or came nearer or went away."""
        if since is None:
            return False
        now = _middle(self.boxes)
        across, down = _shift(since.x0, since.x1, now.x0, now.x1), _shift(since.y0, since.y1, now.y0, now.y1)
        if math.hypot(across, down) >= share * math.sqrt(max(1.0, since.area)):
            return True
        wider, taller = now.width / max(1.0, since.width), now.height / max(1.0, since.height)
        return min(wider, taller) >= GREW or max(wider, taller) <= 1 / GREW


def _middle(boxes: Sequence[Box]) -> Box:
    """The box of the medians of the edges."""
    return Box(
        median(b.x0 for b in boxes),
        median(b.y0 for b in boxes),
        median(b.x1 for b in boxes),
        median(b.y1 for b in boxes),
    )


def _shift(then0: float, then1: float, now0: float, now1: float) -> float:
    """How far both edges went the same way."""
    low, high = now0 - then0, now1 - then1
    return min(abs(low), abs(high)) if low * high > 0 else 0.0


def _affinity(expected: Box, seen: Box) -> float:
    """How well a box continues a track: above 0 it may, and more is better."""
    larger, smaller = max(expected.area, seen.area), min(expected.area, seen.area)
    if smaller <= 0 or larger > MATCH_AREA * smaller:
        return 0.0
    overlap = expected.iou(seen)
    if overlap >= MATCH_IOU:
        return overlap
    dx, dy = expected.x0 + expected.x1 - seen.x0 - seen.x1, expected.y0 + expected.y1 - seen.y0 - seen.y1
    away = math.hypot(dx, dy) / 2 / math.sqrt(larger)
    return MATCH_IOU * (1 - away / MATCH_DISTANCE) if away < MATCH_DISTANCE else 0.0


def _distinct(detections: Sequence[Detection]) -> list[Detection]:
    """The detections, best first, without those of another subject in the place of a better one; no broken values."""
    kept: list[Detection] = []
    for one in sorted(detections, key=lambda d: -d.score if d.score == d.score else 0.0):
        finite = all(map(math.isfinite, (one.score, one.box.x0, one.box.y0, one.box.x1, one.box.y1)))
        if finite and not any(o.subject is not one.subject and o.box.iou(one.box) >= ONE_THING_IOU for o in kept):
            kept.append(one)
    return kept


class Tracks:
    """All things in view; step it once for every look of the detector."""

    def __init__(self, settings: SightSettings) -> None:
        self._settings = settings
        self._tracks: list[_Track] = []
        self._statics = Statics()
        self._born = 0

    def step(self, t_ns: int, detections: Sequence[Detection], motion: Motion) -> tuple[Sighting, ...]:
        """Take one look's boxes; the believed, moving subjects among them, in the order of their birth."""
        detections = _distinct(detections)
        self._tracks = [track for track in self._tracks if t_ns - track.seen_ns <= LOST_S * 1e9]
        hit: set[int] = set()
        for track, detection in self._match(t_ns, detections):
            track.hit(detection, t_ns)
            hit.add(track.number)
            self._judge(track, t_ns, motion)
        for track in self._tracks:
            if track.number not in hit:
                track.window.append((t_ns, 0.0))
                track.trim(t_ns, round(self._settings.confirm_window_s * 1e9))
        return tuple(self._sighting(t) for t in self._tracks if t.number in hit and self._evident(t, t_ns))

    def live(self, t_ns: int) -> bool:
        """Whether something in view deserves a further look although nothing moves."""
        return any(
            t_ns - track.seen_ns <= LINGER_S * 1e9
            and (track.moved or (not track.known and t_ns - track.first_ns <= YOUNG_S * 1e9))
            for track in self._tracks
        )

    def _match(self, t_ns: int, detections: Sequence[Detection]) -> Iterator[tuple[_Track, Detection]]:
        """Pairs of track and detection, best first; what no track expects begins one."""
        expected = [(track, track.predicted(t_ns)) for track in self._tracks]
        pairs = sorted(
            (-affinity, track.number, index)
            for index, detection in enumerate(detections)
            for track, box in expected
            if track.subject is detection.subject and (affinity := _affinity(box, detection.box)) > 0
        )
        by_number = {track.number: track for track in self._tracks}
        taken: set[int] = set()
        for _, number, index in pairs:
            if number in by_number and index not in taken:
                taken.add(index)
                yield by_number.pop(number), detections[index]
        for index, detection in enumerate(detections):
            if index not in taken:
                self._born += 1
                known = self._statics.holds(detection.subject, detection.box)
                track = _Track(self._born, detection, t_ns, known=known)
                self._tracks.append(track)
                yield track, detection

    def _judge(self, track: _Track, t_ns: int, motion: Motion) -> None:
        """Settle, after a hit, whether the track is believed, has moved, or belongs to the scene."""
        track.trim(t_ns, round(self._settings.confirm_window_s * 1e9))
        travels = self._faint(track) and track.went(track.origin, FAINT_WENT)
        track.believed = track.believed or travels or self._solid(track, 1.0)
        stirred = motion.inside(track.box) >= STIR_SHARE
        track.stirs += stirred
        if track.went(track.anchor, WENT_SHARE):
            track.moved, track.moved_ns, track.travelled_ns = True, t_ns, t_ns
            track.anchor = _middle(track.boxes)
        elif track.subject is Subject.PERSON and not track.known and track.stirs >= STIR_HITS:
            track.moved = track.moved or self._solid(track, STIR_SCORE)
        if track.moved and stirred:
            track.moved_ns = t_ns
        self._settle(track, t_ns)

    def _solid(self, track: _Track, part: float) -> bool:
        """Whether the window's hits suffice by themselves, with this part of the score that is needed."""
        scores = track.scores()
        enough = part * self._settings.score_for(track.subject)
        often = len(scores) >= max(self._settings.confirm_hits, HIT_SHARE * len(track.window))
        return often and median(scores) >= enough

    def _faint(self, track: _Track) -> bool:
        """Whether the window's hits suffice for something that travels."""
        scores = track.scores()
        often = len(scores) >= max(FAINT_HITS, FAINT_SHARE * len(track.window))
        return often and median(scores) >= FAINT_SCORE * self._settings.score_for(track.subject)

    def _evident(self, track: _Track, t_ns: int) -> bool:
        """Whether a track that was just hit is evidence now."""
        if not track.believed or not track.moved:
            return False
        kept = KEPT_SCORE * self._settings.score_for(track.subject)
        if track.scores()[-1] >= kept and self._solid(track, KEPT_SCORE):
            return True
        travels = track.travelled_ns is not None and t_ns - track.travelled_ns <= FAINT_REST_S * 1e9
        return travels and self._faint(track)

    def _settle(self, track: _Track, t_ns: int) -> None:
        rest_s = self._settings.settle_s if track.moved else STILL_S
        if not track.believed or t_ns - track.moved_ns < rest_s * 1e9:
            return
        if track.moved:
            track.anchor = _middle(track.boxes)
        track.moved, track.known = False, True
        self._statics.remember(track.subject, track.box, t_ns)

    def _sighting(self, track: _Track) -> Sighting:
        scores = track.scores()
        return Sighting(
            track=track.number,
            subject=track.subject,
            label=track.label,
            score=scores[-1],
            confidence=median(scores),
            box=track.box,
            first_ns=track.first_ns,
        )
