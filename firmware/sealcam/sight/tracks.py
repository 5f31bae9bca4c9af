"""Tracks turn the detector's boxes into things that persist: matched, believed after some hits, known to move.

Which box continues which track is `matching`'s, who comes again is `again`'s, what belongs to the scene is `statics`'.
A track is believed when it was hit often enough, with a high enough median score, within a short window; it is
*evidence* only once it moved (the gate saw motion inside its box, or the box itself went elsewhere), so that what
merely stands there is none. See design/sight.md, who is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sealcam.sight.again import Lost
from sealcam.sight.focus import Followed, Look
from sealcam.sight.gate import Motion
from sealcam.sight.matching import distinct, match
from sealcam.sight.settings import SightSettings
from sealcam.sight.statics import Statics, shared
from sealcam.sight.stirs import alone
from sealcam.sight.track import Track
from sealcam.sight.types import Box, Detection, Subject

# The share of its looks within the window in which a believed thing must be hit.
HIT_SHARE = 0.5
# Something faint is believed too if it was hit so often, with this part of the usual score, and the box went this
# share of its size: a detector's mistakes flicker or stay where they are. It is evidence while it travels.
FAINT_HITS, FAINT_SHARE, FAINT_SCORE, FAINT_WENT, FAINT_REST_S = 5, 0.6, 0.65, 0.5, 2.0
# A believed track remains evidence while hit and median keep this part of the score that it needed.
KEPT_SCORE = 0.8
# Anything moved when its box went by this share of its size (both edges the same way, so that a box cut short by a
# passer-by does not count) or grew or shrank; in whose box the gate never saw motion, only by these larger ones: a
# detector's boxes of a poster jump too.
WENT_SHARE, UNSEEN_WENT_SHARE, UNSEEN_GREW = 0.3, 0.6, 1.8
# Someone who only stirs moved too: when this share of the box moved in so many hits, if it surely is a person, with
# this part more than the score that is needed.
STIR_SHARE, STIR_HITS, STIR_SCORE = 0.05, 2, 1.2
# Who was taken for a part of the scene must stir all by himself (`stirs`), in so many hits within so many seconds,
# while no other track covers this share of him.
OWN_HITS, OWN_S, COVERED_SHARE = 4, 3.0, 0.2
# A track that was not hit for so long is lost; sooner while it is not believed.
LOST_S, LOST_SOON_S = 2.0, 0.7
# A track that did not move within this time of its birth is a thing of the scene; a new one is looked at for so long.
STILL_S, YOUNG_S = 1.0, 3.0
# While a moving thing was seen this recently, the detector goes on looking although nothing moves.
LINGER_S = 3.0
# How often it is asked what a believed track looks like, where no other box covers this share of it: each asking costs
# some 50 microseconds, and two in one box look like neither.
LOOK_EVERY_S, LOOK_COVERED = 0.5, 0.15
# A box that ends so near the picture's border is cut by it.
BORDER_PX = 2.0

LookAt = Callable[[Box], Look | None]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A believed, moving subject in the frame that was just looked at. `score` is this hit's, `confidence` the median
    of the window's hits; `first_ns` is the track's first hit (ns on the source's clock); `looks` what it looked
    like: the mean so far, and now (empty: nobody can say); `times` how often it was lost and came again."""

    track: int
    subject: Subject
    label: str
    score: float
    confidence: float
    box: Box
    first_ns: int
    looks: tuple[Look, ...] = ()
    times: int = 0


def _nothing(_box: Box) -> Look | None:
    return None


class Tracks:
    """All things in view of one picture size; step it once for every look of the detector."""

    def __init__(
        self,
        settings: SightSettings,
        size_px: tuple[int, int] = (640, 360),
        statics: Statics | None = None,
        born: int = 0,
    ) -> None:
        """`size_px` is the picture's width and height; `statics` what is known of the scene beforehand; `born` the
        highest number that a track of the source had so far."""
        self._settings = settings
        self._size_px = size_px
        self._window_ns = round(settings.confirm_window_s * 1e9)
        self.statics = statics if statics is not None else Statics()
        self._tracks: list[Track] = []
        self._lost = Lost()
        self._born = born
        self._look_at: LookAt = _nothing

    @property
    def born(self) -> int:
        """The highest number that a track had so far."""
        return self._born

    def step(
        self, t_ns: int, detections: Sequence[Detection], motion: Motion, look_at: LookAt = _nothing
    ) -> tuple[Sighting, ...]:
        """Take one look's boxes; the believed, moving subjects among them, in the order of their birth.

        `look_at` says what is in a box of this frame; it is asked for few.
        """
        self._look_at = look_at
        detections = distinct(detections)
        self._drop_lost(t_ns)
        hit: set[int] = set()
        for track, detection in self._match(t_ns, detections):
            track.hit(detection, t_ns)
            track.trim(t_ns, self._window_ns)
            hit.add(id(track))
        for track in tuple(self._tracks):
            if id(track) in hit:
                self._judge(track, t_ns, motion)
            else:
                track.window.append((t_ns, 0.0))
                track.trim(t_ns, self._window_ns)
        found = [track for track in self._tracks if id(track) in hit and self._evident(track, t_ns)]
        return tuple(_sighting(track) for track in sorted(found, key=lambda one: one.number))

    def followed(self, t_ns: int) -> tuple[Followed, ...]:
        """What is being followed, and where it is expected at this time, in the order of their birth."""
        for track in self._tracks:
            track.course.advance(t_ns)
        return tuple(Followed(track.subject, track.course.box, track.believed, track.score) for track in self._tracks)

    @property
    def beside_people(self) -> tuple[Box, ...]:
        """Where everything else that is believed was seen last: cars, dogs."""
        return tuple(one.box for one in self._tracks if one.believed and one.subject is not Subject.PERSON)

    def live(self, t_ns: int) -> bool:
        """Whether something in view deserves a further look although nothing moves."""
        return any(
            t_ns - track.seen_ns <= LINGER_S * 1e9
            and (track.moved or (track.stirs > 0 and not track.known and t_ns - track.first_ns <= YOUNG_S * 1e9))
            for track in self._tracks
        )

    def _drop_lost(self, t_ns: int) -> None:
        gone = [track for track in self._tracks if _is_lost(track, t_ns)]
        if gone:
            self._tracks = [track for track in self._tracks if track not in gone]
            self._lost.add(track for track in gone if track.believed and not self._left(track))

    def _left(self, track: Track) -> bool:
        """Whether it was last seen at the picture's border: whoever comes in there later is somebody else."""
        width, height = self._size_px
        box = track.box
        return min(box.x0, box.y0, width - box.x1, height - box.y1) <= BORDER_PX and track.moved

    def _match(self, t_ns: int, detections: Sequence[Detection]) -> Iterator[tuple[Track, Detection]]:
        """Pairs of track and detection; what no track expects begins one."""
        for track in self._tracks:
            track.course.advance(t_ns)
        pairs = match([(track.subject, track.course, track.believed) for track in self._tracks], detections)
        taken = {column for _, column in pairs}
        yield from [(self._tracks[row], detections[column]) for row, column in pairs]
        for index, detection in enumerate(detections):
            if index not in taken:
                self._born += 1
                track = Track(self._born, detection, t_ns)
                track.thing = self.statics.find(track.subject, shared(track.box, *self._size_px), None)
                track.known = track.thing is not None
                self._tracks.append(track)
                yield track, detection

    def _judge(self, track: Track, t_ns: int, motion: Motion) -> None:
        """Settle, after a hit, whether the track is believed, has moved, or belongs to the scene."""
        if not track.believed and (self._solid(track, 1.0) or self._travels(track)):
            track.believed = True
            self._recognise(track, t_ns)
        elif track.believed and t_ns - track.looked_ns >= LOOK_EVERY_S * 1e9:
            self._see(track, t_ns)
        stirred = motion.inside(track.box) >= STIR_SHARE
        track.stirs += stirred
        if self._went(track):
            track.moved, track.moved_ns, track.travelled_ns = True, t_ns, t_ns
            track.anchor = track.middle
            self._leave(track)
        elif track.subject is Subject.PERSON and stirred and not track.moved and self._stirs(track, t_ns, motion):
            track.moved = True
        if track.moved and stirred:
            track.moved_ns = t_ns
        self._settle(track, t_ns)

    def _recognise(self, track: Track, t_ns: int) -> None:
        """A track that has just come to be believed may be one that was lost, or a thing of the scene."""
        self._see(track, t_ns)
        unseen = [one for one in self._tracks if one.believed and one.seen_ns < track.first_ns]
        lost = self._lost.take(track, unseen)
        if lost is not None:
            track.resume(lost)
            self._tracks = [one for one in self._tracks if one is not lost]
        elif track.thing is not None:
            track.thing = self.statics.find(track.subject, shared(track.box, *self._size_px), track.look)
            track.known = track.thing is not None

    def _see(self, track: Track, t_ns: int) -> None:
        """Ask what the track looks like, unless another covers it and it was seen before."""
        track.looked_ns = t_ns
        if track.look is not None and self._covered(track) >= LOOK_COVERED:
            return
        look = self._look_at(track.box)
        if look is not None:
            track.see(look, t_ns)

    def _went(self, track: Track) -> bool:
        if track.stirs:
            return track.went(track.anchor, WENT_SHARE)
        return track.went(track.anchor, UNSEEN_WENT_SHARE, UNSEEN_GREW)

    def _stirs(self, track: Track, t_ns: int, motion: Motion) -> bool:
        """Whether a person who stands there stirs; one of the scene must do so all by himself, again and again."""
        if not self._solid(track, STIR_SCORE):
            return False
        if not track.known:
            return track.stirs >= STIR_HITS
        if self._covered(track) >= COVERED_SHARE or not alone(track.box, motion):
            return False
        track.own_ns.append(t_ns)
        return sum(t_ns - one <= OWN_S * 1e9 for one in track.own_ns) >= OWN_HITS

    def _covered(self, track: Track) -> float:
        """The largest share of the track's box that another's covers."""
        area = max(1.0, track.box.area)
        return max((one.box.intersection(track.box) for one in self._tracks if one is not track), default=0.0) / area

    def _solid(self, track: Track, part: float) -> bool:
        """Whether the window's hits suffice by themselves, with this part of the score that is needed."""
        hits = sum(score > 0 for _, score in track.window)
        often = hits >= max(self._settings.confirm_hits, HIT_SHARE * len(track.window))
        return often and track.score >= part * self._settings.score_for(track.subject)

    def _travels(self, track: Track) -> bool:
        return self._faint(track) and track.went(track.origin, FAINT_WENT)

    def _faint(self, track: Track) -> bool:
        """Whether the window's hits suffice for something that travels."""
        hits = sum(score > 0 for _, score in track.window)
        often = hits >= max(FAINT_HITS, FAINT_SHARE * len(track.window))
        return often and track.score >= FAINT_SCORE * self._settings.score_for(track.subject)

    def _evident(self, track: Track, t_ns: int) -> bool:
        """Whether a track that was just hit is evidence now."""
        if not track.believed or not track.moved:
            return False
        kept = KEPT_SCORE * self._settings.score_for(track.subject)
        if track.window[-1][1] >= kept and self._solid(track, KEPT_SCORE):
            return True
        travels = track.travelled_ns is not None and t_ns - track.travelled_ns <= FAINT_REST_S * 1e9
        return travels and self._faint(track)

    def _settle(self, track: Track, t_ns: int) -> None:
        """What rests long enough belongs to the scene; who walked in is remembered no longer than his track lasts."""
        rest_s = self._settings.settle_s if track.moved else STILL_S
        if not track.believed or t_ns - track.moved_ns < rest_s * 1e9:
            return
        if track.moved:
            track.anchor = track.middle
        track.moved, track.known = False, True
        if track.travelled_ns is None or track.subject is Subject.VEHICLE:
            track.thing = self.statics.remember(track.subject, shared(track.box, *self._size_px), track.look)

    def _leave(self, track: Track) -> None:
        """What belonged to the scene has gone elsewhere."""
        track.known = False
        if track.thing is not None:
            self.statics.forget(track.thing)
            track.thing = None


def _is_lost(track: Track, t_ns: int) -> bool:
    # Where frames come slowly, one look without a hit must not lose it.
    missed = sum(1 for _, score in track.window if score == 0)
    away_ns = t_ns - track.seen_ns
    return away_ns > LOST_S * 1e9 or (not track.believed and missed > 1 and away_ns > LOST_SOON_S * 1e9)


def _sighting(track: Track) -> Sighting:
    return Sighting(
        track=track.number,
        subject=track.subject,
        label=track.label,
        score=track.window[-1][1],
        confidence=track.score,
        box=track.box,
        first_ns=track.first_ns,
        looks=(track.look, track.newest) if track.look is not None and track.newest is not None else (),
        times=track.times,
    )
