"""The eye: sees pixels, decides, seals; has no network and hands out sealed bytes alone (design/pipeline.md).

Two workers: `sight` takes the newest frame, decides and queues; `link` hands the most urgent envelope to the post
and takes the hub's messages. Crash-only: whatever fails ends the process, and its supervisor starts it again; the
camera alone is opened once more first, since a loose cable deserves one try.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sealcam.board.protocols import Camera, Frame, MotionSensor, StatusLight
from sealcam.clocks import Clock
from sealcam.commands import Commands
from sealcam.keystore import Keystore
from sealcam.link import Link
from sealcam.outbox import Outbox
from sealcam.sealer import Sealer, Watching
from sealcam.service import Beat, Service
from sealcam.sight.types import ArmMode, Report
from sealcam.sight.watch import Watch
from sealcam.wire.bodies import ClockQuality
from sealcam.wire.errors import ClipError, HardwareError

_log = logging.getLogger(__name__)

REOPEN_AFTER_S = 60.0  # a camera that worked this long may be opened once more before the process gives up
LOSSES_EVERY_S = 5.0
DELIVERED_WITHIN_S = 60.0  # how long an eye whose footage has ended waits for the hub's receipts


@dataclass(frozen=True, slots=True)
class Parts:
    """What an eye is made of; `camera` opens the source anew at each call."""

    keys: Keystore
    outbox: Outbox
    socket: Path
    clock: Clock
    watch: Watch
    mode: ArmMode
    camera: Callable[[], Camera]
    motion_sensor: MotionSensor | None
    light: StatusLight | None
    quality: Callable[[], ClockQuality]


class Eye:
    """One run of the eye, from start to stop."""

    def __init__(self, parts: Parts, service: Service) -> None:
        self._parts = parts
        self._service = service
        self._modes: queue.SimpleQueue[ArmMode] = queue.SimpleQueue()
        self._shining = False
        self._watching = Watching(frames=0, dropped=0, newest_ns=parts.clock.boot_ns(), mode=parts.mode)
        self._sealer = Sealer(parts.keys, parts.outbox, parts.clock, lambda: self._watching, parts.quality)
        commands = Commands(parts.keys, parts.outbox, self._sealer, self._modes.put)
        self._link = Link(
            parts.socket, parts.outbox, parts.clock, make_beat=self._sealer.beat, deliver=commands.deliver
        )
        service.add("sight", self._see)
        service.add("link", lambda beat: self._link.run(beat, service.stop))

    @property
    def incidents(self) -> int:
        """How many incidents were sealed since the start."""
        return self._sealer.incidents

    def run(self) -> int:
        """Run until told to stop, or until recorded footage has ended and is delivered; the exit code."""
        return self._service.run()

    def _see(self, beat: Beat) -> None:
        self._sealer.health("started", "watching began")
        beat()
        problem: ClipError | None = None
        try:
            self._watch(beat)
        except ClipError as error:  # the rest of a recording is lost; what it held is not
            problem = error
        finally:
            self._shine(on=False)
            self._queue(self._parts.watch.close())
        if not self._service.stop.is_set():
            self._deliver(beat)
            if problem is not None:
                raise problem
            self._service.finish(0)

    def _watch(self, beat: Beat) -> None:
        """Take frames until the source ends or the eye is stopped; a camera that fails late is opened once more."""
        opened_ns = self._parts.clock.boot_ns()
        try:
            self._take_frames(beat)
        except HardwareError as error:
            lived_s = (self._parts.clock.boot_ns() - opened_ns) / 1e9
            if lived_s < REOPEN_AFTER_S:
                raise
            _log.warning("%s; opening the camera once more", error.message)
            self._sealer.health("camera-lost", error.message)
            self._take_frames(beat)

    def _take_frames(self, beat: Beat) -> None:
        camera, sensor = self._parts.camera(), self._parts.motion_sensor
        losses_ns, last_index = 0, -1
        try:
            for frame in camera.frames():
                self._shine(on=True)
                self._take_modes()
                self._queue(self._parts.watch.step(frame, None if sensor is None else sensor.take()))
                self._saw(frame, dropped=max(0, frame.index - last_index - 1))  # a counter that starts again lost none
                last_index = frame.index
                if frame.t_ns - losses_ns >= LOSSES_EVERY_S * 1e9:
                    losses_ns = frame.t_ns
                    self._sealer.losses()
                beat()
                if self._service.stop.is_set():
                    return
        finally:
            camera.close()

    def _saw(self, frame: Frame, dropped: int) -> None:
        seen = self._watching
        self._watching = Watching(seen.frames + 1, seen.dropped + dropped, frame.t_ns, seen.mode)

    def _shine(self, *, on: bool) -> None:
        """The status light tells that the sensor delivers pictures."""
        if self._parts.light is not None and on != self._shining:
            self._parts.light.set(on)
            self._shining = on

    def _take_modes(self) -> None:
        while not self._modes.empty():
            mode = self._modes.get()
            _log.info("armed: %s", mode)
            self._parts.watch.set_mode(mode)
            self._watching = replace(self._watching, mode=mode)
            self._link.beat_soon()  # the owner looks at a page that waits for this camera to confirm

    def _queue(self, reports: tuple[Report, ...]) -> None:
        for report in reports:
            self._sealer.report(report)
        if reports:
            self._link.wake()

    def _deliver(self, beat: Beat) -> None:
        """The footage has ended: wait until the hub has everything, at most a minute."""
        until_ns = self._parts.clock.boot_ns() + round(DELIVERED_WITHIN_S * 1e9)
        while self._parts.outbox.stats().queued and self._parts.clock.boot_ns() < until_ns:
            beat()
            if self._parts.clock.wait(self._service.stop, 0.05):
                return
