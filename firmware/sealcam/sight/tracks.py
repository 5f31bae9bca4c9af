"""Tracks turn the detector's boxes into things that persist: matched, believed after some hits, known to move.

Which box continues which track is `matching`'s. A track is believed when it was hit often enough, with a high enough
median score, within a short window; it is *evidence* only once it moved (the gate saw motion inside its box, or the box
itself went elsewhere), so that what merely stands there is none. See design/sight.md, who is believed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sealcam.sight.gate import Motion
from sealcam.sight.matching import match
from sealcam.sight.settings import SightSettings
from sealcam.sight.statics import Statics
from sealcam.sight.track import Track, median
from sealcam.sight.types import Box, Detection, Subject

# The share of its looks within the window in which a believed thing must be hit.
HIT_SHARE = 0.5
# Something faint is believed too if it was hit so often, with this part of the usual score, and the box went this
# share of its size: a detector's mistakes flicker or stay where they are. It is evidence while it travels.
FAINT_HITS, FAINT_SHARE, FAINT_SCORE, FAINT_WENT, FAINT_REST_S = 5, 0.6, 0.65, 0.5, 2.0
# A believed track remains evidence while hit and median keep this part of the score that it needed.
KEPT_SCORE = 0.8
# Boxes of two subjects with this overlap are one thing, and the better score says what.
ONE_THING_IOU = 0.6
# Anything moved when its box went by this share of its size (both edges the same way, so that a box cut short by a
# passer-by does not count) or grew or shrank. Someone who only stirs moved too: when this share of the box moved in so
# many hits, if it surely is a person, with this part more than the score that is needed.
WENT_SHARE, STIR_SHARE, STIR_HITS, STIR_SCORE = 0.3, 0.05, 2, 1.2
# A track that was not hit for so long is lost; sooner while it is not believed.
LOST_S, LOST_SOON_S = 2.0, 0.7
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
        self._tracks: list[Track] = []
        self._statics = Statics()
        self._born = 0

    def step(self, t_ns: int, detections: Sequence[Detection], motion: Motion) -> tuple[Sighting, ...]:
        """Take one look's boxes; the believed, moving subjects among them, in the order of their birth."""
        detections = _distinct(detections)
        self._tracks = [track for track in self._tracks if not self._lost(track, t_ns)]
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
            and (track.moved or (track.stirs > 0 and not track.known and t_ns - track.first_ns <= YOUNG_S * 1e9))
            for track in self._tracks
        )

    def _lost(self, track: Track, t_ns: int) -> bool:
        # Where frames come slowly, one look without a hit must not lose it.
        missed = sum(1 for _, score in track.window if score == 0)
        away_ns = t_ns - track.seen_ns
        return away_ns > LOST_S * 1e9 or (not track.believed and missed > 1 and away_ns > LOST_SOON_S * 1e9)

    def _match(self, t_ns: int, detections: Sequence[Detection]) -> Iterator[tuple[Track, Detection]]:
        """Pairs of track and detection; what no track expects begins one."""
        expected = [(track.subject, track.predicted(t_ns)) for track in self._tracks]
        pairs = match(expected, [(detection.subject, detection.box) for detection in detections])
        for row, column in pairs:
            yield self._tracks[row], detections[column]
        taken = {column for _, column in pairs}
        for index, detection in enumerate(detections):
            if index not in taken:
                self._born += 1
                known = self._statics.holds(detection.subject, detection.box)
                track = Track(self._born, detection, t_ns, known=known)
                self._tracks.append(track)
                yield track, detection

    def _judge(self, track: Track, t_ns: int, motion: Motion) -> None:
        """Settle, after a hit, whether the track is believed, has moved, or belongs to the scene."""
        track.trim(t_ns, round(self._settings.confirm_window_s * 1e9))
        travels = self._faint(track) and track.went(track.origin, FAINT_WENT)
        track.believed = track.believed or travels or self._solid(track, 1.0)
        stirred = motion.inside(track.box) >= STIR_SHARE
        track.stirs += stirred
        if track.went(track.anchor, WENT_SHARE):
            track.moved, track.moved_ns, track.travelled_ns = True, t_ns, t_ns
            track.anchor = track.middle
        elif track.subject is Subject.PERSON and not track.known and track.stirs >= STIR_HITS:
            track.moved = track.moved or self._solid(track, STIR_SCORE)
        if track.moved and stirred:
            track.moved_ns = t_ns
        self._settle(track, t_ns)

    def _solid(self, track: Track, part: float) -> bool:
        """Whether the window's hits suffice by themselves, with this part of the score that is needed."""
        scores = track.scores()
        enough = part * self._settings.score_for(track.subject)
        often = len(scores) >= max(self._settings.confirm_hits, HIT_SHARE * len(track.window))
        return often and median(scores) >= enough

    def _faint(self, track: Track) -> bool:
        """Whether the window's hits suffice for something that travels."""
        scores = track.scores()
        often = len(scores) >= max(FAINT_HITS, FAINT_SHARE * len(track.window))
        return often and median(scores) >= FAINT_SCORE * self._settings.score_for(track.subject)

    def _evident(self, track: Track, t_ns: int) -> bool:
        """Whether a track that was just hit is evidence now."""
        if not track.believed or not track.moved:
            return False
        kept = KEPT_SCORE * self._settings.score_for(track.subject)
        if track.scores()[-1] >= kept and self._solid(track, KEPT_SCORE):
            return True
        travels = track.travelled_ns is not None and t_ns - track.travelled_ns <= FAINT_REST_S * 1e9
        return travels and self._faint(track)

    def _settle(self, track: Track, t_ns: int) -> None:
        rest_s = self._settings.settle_s if track.moved else STILL_S
        if not track.believed or t_ns - track.moved_ns < rest_s * 1e9:
            return
        if track.moved:
            track.anchor = track.middle
        track.moved, track.known = False, True
        self._statics.remember(track.subject, track.box, t_ns)

    def _sighting(self, track: Track) -> Sighting:
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
