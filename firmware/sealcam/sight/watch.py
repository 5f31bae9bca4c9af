"""The watch is the whole of sight: frames and times in, reports out, the same on a recorded clip as on the sensor.

It wires the gate, the detector, the tracks, the incident and the verdict, and decides when the detector looks: only
where something moved, where the PIR fired, where something that moved is still in view, and at the very start (when
there is no background yet). It reads no clock: a timer may be handed in for the figures. See design/sight.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sealcam.board.protocols import Frame
from sealcam.sight.gate import Gate, Motion
from sealcam.sight.incident import Evidence, Incidents
from sealcam.sight.settings import SightSettings
from sealcam.sight.tracks import Sighting, Tracks
from sealcam.sight.types import ArmMode, Detection, Report
from sealcam.sight.verdict import Judge, Rules

# What is there in the first moments was there when watching began; a slow source gets as many frames for it.
START_S, START_FRAMES = 0.5, 3
# After the PIR fired, or the light changed, the detector looks for so long.
PIR_LOOK_S, LIGHT_LOOK_S = 2.0, 0.5
# Motion in which nothing was recognised for so long is looked at less often.
IDLE_AFTER_S = 5.0
# A source whose time goes back by more than this has begun anew.
BACK_S = 1.0


class DetectorLike(Protocol):
    """What finds subjects in a frame."""

    def detect(self, frame: Frame) -> Sequence[Detection]:
        """The subjects in one frame, in its pixels."""
        ...


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
    """Watches one source. `ids` is asked once for the id of each reported incident, with its number from 0."""

    _first_ns: int | None
    _last_ns: int | None
    _shape: tuple[int, int] | None

    def __init__(
        self,
        detector: DetectorLike,
        settings: SightSettings,
        ids: Callable[[int], str],
        mode: ArmMode,
        *,
        judge: Judge | None = None,
        timer: Callable[[], int] = lambda: 0,
    ) -> None:
        self._detector = detector
        self._settings = settings
        self._timer = timer
        self._incidents = Incidents(settings, ids, mode, judge if judge is not None else Rules())
        self._stats = WatchStats()
        self._begin_anew()

    @property
    def stats(self) -> WatchStats:
        """The counters so far."""
        return self._stats

    def set_mode(self, mode: ArmMode) -> None:
        """Judge by another arming mode from the next frame on; a running incident may escalate by it."""
        self._incidents.set_mode(mode)

    def step(self, frame: Frame, pir_ns: int | None = None) -> tuple[Report, ...]:
        """Take the next frame; `pir_ns` is the newest edge of the PIR since the last one. What there is to say now."""
        begun = self._timer()
        reports: tuple[Report, ...] = ()
        if self._last_ns is not None and frame.t_ns < self._last_ns:
            frame, reports = self._went_back(frame, self._last_ns)
        if self._first_ns is None:
            self._first_ns = frame.t_ns
        self._earn(frame.t_ns, self._last_ns)
        self._last_ns = frame.t_ns
        self._frames += 1
        motion = self._gate.step(frame)
        gated = self._timer()
        looks = self._looks(frame.t_ns, motion, pir=pir_ns is not None)
        sightings = self._look(frame, motion) if looks else ()
        detected = self._timer()
        evidence = Evidence(
            frame=frame,
            moving=motion.moving,
            light=motion.whole,
            pir=pir_ns is not None,
            starting=self._starting(frame.t_ns),
            sightings=sightings,
            looked=looks,
        )
        reports += self._incidents.step(evidence)
        self._count(gated - begun, detected - gated, self._timer() - begun, moving=motion.moving, looked=looks)
        return reports

    def close(self) -> tuple[Report, ...]:
        """The source has ended: the `end` of the running incident."""
        return self._incidents.close()

    def _begin_anew(self) -> None:
        self._gate = Gate(self._settings)
        self._tracks = Tracks(self._settings)
        self._first_ns = self._last_ns = None
        self._credit = 1.0
        self._look_until_ns = 0
        self._frames = 0
        self._shape = None

    def _went_back(self, frame: Frame, last_ns: int) -> tuple[Frame, tuple[Report, ...]]:
        """Time went back: by a little it stands still, by more the source has begun anew."""
        if last_ns - frame.t_ns <= BACK_S * 1e9:
            return replace(frame, t_ns=last_ns), ()
        reports = self._incidents.close()
        self._begin_anew()
        return frame, reports

    def _starting(self, t_ns: int) -> bool:
        return self._frames <= START_FRAMES or t_ns - (self._first_ns or 0) <= START_S * 1e9

    def _looks(self, t_ns: int, motion: Motion, *, pir: bool) -> bool:
        """Whether the detector looks at this frame."""
        if pir:
            self._look_until_ns = t_ns + round(PIR_LOOK_S * 1e9)
        if motion.whole:
            self._look_until_ns = max(self._look_until_ns, t_ns + round(LIGHT_LOOK_S * 1e9))
        if not (motion.moving or self._tracks.live(t_ns) or t_ns < self._look_until_ns or self._starting(t_ns)):
            return False
        return self._credit >= 0.9  # a tenth of slack: a source's jitter must not halve its looks

    def _earn(self, t_ns: int, last_ns: int | None) -> None:
        """Earn looks as time passes, up to one and a half, at the rate that the scene deserves."""
        idle = not self._tracks.live(t_ns) and self._incidents.motion_alone_s > IDLE_AFTER_S
        looks_per_s = self._settings.idle_detector_hz if idle else self._settings.detector_hz
        seconds = 0.0 if last_ns is None else (t_ns - last_ns) / 1e9
        self._credit = min(1.5, self._credit + seconds * looks_per_s)

    def _look(self, frame: Frame, motion: Motion) -> tuple[Sighting, ...]:
        if self._shape != (frame.height, frame.width):
            self._tracks = Tracks(self._settings)
            self._shape = (frame.height, frame.width)
        self._credit -= 1.0
        return self._tracks.step(frame.t_ns, self._detector.detect(frame), motion)

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
