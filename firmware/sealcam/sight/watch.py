"""The watch is the whole of sight: frames and times in, reports out, the same on a recorded clip as on the sensor.

It wires the parts, and decides nothing itself; when the detector looks is `attention`'s, what time it is and whether a
source has begun anew `ticking`'s. It reads no clock: a timer may be handed in for the figures. See design/sight.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sealcam.board.protocols import Frame
from sealcam.sight.attention import Attention
from sealcam.sight.corroboration import DARK_LEVEL, Corroboration, Doubt, Judged
from sealcam.sight.doorstep import Change, Doorstep
from sealcam.sight.focus import DetectorLike, Focus
from sealcam.sight.gate import Gate, Motion
from sealcam.sight.ground import Ground
from sealcam.sight.incident import Incidents
from sealcam.sight.judge import Rules
from sealcam.sight.masks import Masks
from sealcam.sight.memory import Memory, Trace
from sealcam.sight.place import Place
from sealcam.sight.recall import Recall
from sealcam.sight.running import Evidence
from sealcam.sight.settings import SightSettings
from sealcam.sight.statics import Statics, StaticThing
from sealcam.sight.surroundings import NEW_PLACE, Surroundings
from sealcam.sight.tamper import Tamper
from sealcam.sight.things import Happened
from sealcam.sight.ticking import Ticking
from sealcam.sight.tracks import Sighting, Tracks
from sealcam.sight.types import ArmMode, Report, Subject, Tampering
from sealcam.sight.verdict import Judge
from sealcam.sight.way import Ways


@dataclass(frozen=True, slots=True)
class WatchStats:
    """Counters since the watch began. `gated` frames moved; times come from the timer that was handed in (0 without
    one): `gate_ns` and `detect_ns` are parts of `step_ns`."""

    frames: int = 0
    gated: int = 0
    detector_runs: int = 0
    gate_ns: int = 0
    detect_ns: int = 0
    step_ns: int = 0


class Watch:
    """Watches one source. `ids` is asked once for the id of each reported incident, with its number from 0. `live`: the
    source has a sensor's noise, so that a picture that repeats itself is not live."""

    _attention: Attention
    _shape: tuple[int, int] | None
    _tamper: Tamper

    def __init__(
        self,
        detector: DetectorLike,
        settings: SightSettings,
        ids: Callable[[int], str],
        mode: ArmMode,
        *,
        judge: Judge | None = None,
        timer: Callable[[], int] = lambda: 0,
        surroundings: Surroundings = NEW_PLACE,
        memory: Memory | None = None,
        live: bool = False,
    ) -> None:
        self._detector = detector
        self._settings = settings
        self._timer = timer
        self._place = surroundings.place
        self._masks = Masks(surroundings.place.masks)
        self._ground = Ground(surroundings.place.zones, settings)
        self._incidents = Incidents(settings, ids, mode, judge if judge is not None else Rules())
        self._stats = WatchStats()
        self._evidence: Evidence | None = None
        self._live = live
        self._pace = 1.0
        self._ticking = Ticking()
        self._born = 0
        self._sensor = Corroboration()
        self._tamperings: tuple[Tampering, ...] = ()
        self._doubts: tuple[Doubt, ...] = ()
        self._statics = Statics(surroundings.statics)
        self._recall = Recall(memory if memory is not None else Memory())
        self._traces: tuple[Trace, ...] = ()
        self._begin_anew()

    @property
    def stats(self) -> WatchStats:
        """The counters so far."""
        return self._stats

    @property
    def evidence(self) -> Evidence | None:
        """What the last frame gave, none before the first: for figures and pictures of how sight works."""
        return self._evidence

    def tamperings(self) -> tuple[Tampering, ...]:
        """What began or ended of somebody's work on the camera since this was last asked."""
        said, self._tamperings = self._tamperings, ()
        return said

    def doubts(self) -> tuple[Doubt, ...]:
        """Whether the motion sensor or the source's clock stopped or began to be believed since this was last asked."""
        said, self._doubts = self._doubts, ()
        return said

    @property
    def sensor_judged(self) -> Judged:
        """What the picture has said of the motion sensor's firings so far."""
        return self._sensor.judged

    def switched_ir(self, t_ns: int) -> None:
        """Our own infrared filter moves at this time: no motion is told until the picture has settled, the background
        is learnt anew, and the detector looks meanwhile."""
        self._gate.mute(t_ns)
        self._tamper.switched_ir(t_ns)

    @property
    def statics(self) -> tuple[StaticThing, ...]:
        """What belongs to the scene, to be handed in as surroundings after a restart."""
        return self._statics.things

    def traces(self) -> tuple[Trace, ...]:
        """What memory shall keep of the incidents since this was last asked; the newest of one says all."""
        kept, self._traces = self._traces, ()
        return kept

    def set_mode(self, mode: ArmMode, *, scheduled: bool = False, expected: bool = False) -> None:
        """Judge by these orders from the next frame on; a running incident may escalate by them. `scheduled`: the mode
        is the schedule's. `expected`: so is a visitor, now."""
        self._incidents.set_mode(mode, scheduled=scheduled, expected=expected)

    def set_pace(self, share: float) -> None:
        """Look at most at this share of the usual rates from the next frame on."""
        self._pace = share
        self._attention.pace = share

    def set_place(self, place: Place) -> None:
        """Take other zones and masks from the next frame on. What other masks hide is gone from what was kept too, and
        the background is learnt anew."""
        masked = place.masks != self._place.masks
        self._place = place
        self._ground = Ground(place.zones, self._settings)
        if masked:
            self._masks = Masks(place.masks)
            self._gate = Gate(self._settings)
            self._tamperings += self._tamper.close(self._attention.last_ns or 0)
            self._tamper = Tamper(live=self._live)
            self._doorstep = Doorstep()
            self._incidents.hide(self._masks)

    def step(self, frame: Frame, pir_ns: int | None = None) -> tuple[Report, ...]:
        """Take the next frame; `pir_ns` is the newest edge of the PIR since the last one. What there is to say now."""
        begun = self._timer()
        frame, reports = self._at_its_time(frame)
        frame = self._masks.over(frame)
        live = self._tracks.live(frame.t_ns)
        self._attention.take(frame.t_ns, live=live)
        motion = self._gate.step(frame)
        gated = self._timer()
        fired = pir_ns is not None
        looks = self._attention.looks(frame.t_ns, motion, live=live, fired=fired, believed=self._sensor.believed)
        sightings = self._look(frame, motion) if looks else ()
        size_px = (frame.width, frame.height)
        ways = self._ways.step(sightings, frame.t_ns, size_px, self._place.zones) if looks else ()
        self._attention.saw(frame.t_ns, motion, recognised=bool(sightings))
        detected = self._timer()
        moving, share = self._ground.moved(motion)
        changes = self._changes(frame, motion, sightings)
        evidence = Evidence(
            frame=frame,
            motion=motion,
            moving=moving,
            share=share,
            pir=fired and self._sensor.believed,
            starting=self._attention.starting,
            looked=looks,
            sightings=sightings,
            ways=ways,
            told=self._recall.step(sightings, size_px, {way.number for way in ways if way.watched}),
            left=sum(change.happened is Happened.LEFT for change in changes),
            taken=sum(change.happened is Happened.TAKEN for change in changes),
        )
        self._evidence = evidence
        self._guard(evidence, fired=fired)
        said = self._incidents.step(evidence)
        self._remember(said, sightings)
        reports += said
        self._count(gated - begun, detected - gated, self._timer() - begun, moving=motion.moving, looked=looks)
        return reports

    def close(self) -> tuple[Report, ...]:
        """The source has ended, or is closed for a while: the `end` of the running incident.

        A frame that comes later begins anew: what it shows was there when watching began.
        """
        self._ticking.rest()
        return self._end()

    def _end(self) -> tuple[Report, ...]:
        reports = self._incidents.close()
        self._remember(reports, ())
        self._tamperings += self._tamper.close(self._attention.last_ns or 0)
        self._begin_anew()
        return reports

    def _begin_anew(self) -> None:
        self._gate = Gate(self._settings)
        self._tamper = Tamper(live=self._live)
        self._tracks = Tracks(self._settings, (1, 1), self._statics, self._born)  # of no picture yet
        self._ways = Ways()
        self._doorstep = Doorstep()
        self._attention = Attention(self._settings, self._pace)
        self._shape = None

    def _at_its_time(self, frame: Frame) -> tuple[Frame, tuple[Report, ...]]:
        """The frame at a time that goes on; what was running has ended where the source has begun anew."""
        tick = self._ticking.take(frame.t_ns)
        if tick.doubt is not None:
            self._doubts += (tick.doubt,)
        frame = frame if tick.t_ns == frame.t_ns else replace(frame, t_ns=tick.t_ns)
        return frame, self._end() if tick.anew else ()

    def _look(self, frame: Frame, motion: Motion) -> tuple[Sighting, ...]:
        if self._shape != (frame.height, frame.width):
            size_px = (frame.width, frame.height)
            self._tracks, self._ways = Tracks(self._settings, size_px, self._statics, self._born), Ways()
            self._shape = (frame.height, frame.width)
        focus = Focus(motion, self._tracks.followed(frame.t_ns))
        found = self._tracks.step(frame.t_ns, self._detector.detect(frame, focus), motion, self._detector.look)
        self._born = self._tracks.born  # whoever knew a track by its number must not take another for it
        return found

    def _guard(self, evidence: Evidence, *, fired: bool) -> None:
        """Ask whether somebody works on the camera, and whether the motion sensor can be believed."""
        frame = evidence.frame
        self._tamperings += self._tamper.step(frame, self._gate.cells)
        doubt = self._sensor.step(
            frame.t_ns,
            fired=fired,
            seen=evidence.motion.moving or evidence.motion.whole or bool(evidence.sightings),
            dark=fired and float(self._gate.cells.mean()) < DARK_LEVEL,
        )
        if doubt is not None:
            self._doubts += (doubt,)

    def _remember(self, reports: tuple[Report, ...], sightings: tuple[Sighting, ...]) -> None:
        if reports:
            self._traces += self._recall.traces(reports, self._incidents.judged, sightings)

    def _changes(self, frame: Frame, motion: Motion, sightings: tuple[Sighting, ...]) -> tuple[Change, ...]:
        """What turns out to have been left or taken."""
        people = [one.box for one in sightings if one.subject is Subject.PERSON]
        return self._doorstep.step(frame, motion, people, self._tracks.beside_people)

    def _count(self, gate_ns: int, detect_ns: int, step_ns: int, *, moving: bool, looked: bool) -> None:
        old = self._stats
        self._stats = WatchStats(
            frames=old.frames + 1,
            gated=old.gated + moving,
            detector_runs=old.detector_runs + looked,
            gate_ns=old.gate_ns + gate_ns,
            detect_ns=old.detect_ns + detect_ns,
            step_ns=old.step_ns + step_ns,
        )
