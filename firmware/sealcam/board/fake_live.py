"""A live camera without a sensor: noisy pictures at a rate, and the faults of real ones, as its mood says at each.

A thread of its own takes the pictures, and the place for the newest one is the real cameras', so that a stall is found
as theirs is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from enum import StrEnum

import numpy as np

from sealcam.board.closing import Closing
from sealcam.board.newest import STALL_S, NewestFrame
from sealcam.board.protocols import Frame
from sealcam.board.scripted import grey_frame
from sealcam.clocks import Clock, SystemClock
from sealcam.wire.errors import HardwareError


class Mood(StrEnum):
    """What the sensor does."""

    WELL = "well"
    STALLED = "stalled"  # no picture comes
    FROZEN = "frozen"  # the same one comes for ever, with new times
    STUCK = "stuck"  # and with the same time, too
    LOST = "lost"  # the driver says so
    GONE = "gone"  # it can't be opened
    HUNG = "hung"  # the library doesn't come back


class FakeLive(Closing):
    """One opening of it; `mood` is asked before each picture.

    Raises:
        HardwareError: it can't be opened.
    """

    def __init__(
        self, mood: Callable[[], Mood], *, fps: float = 20.0, clock: Clock | None = None, stall_s: float = STALL_S
    ) -> None:
        if mood() is Mood.GONE:
            raise HardwareError("there is no such camera", hint="plug it in")
        self._mood, self._fps, self._clock = mood, fps, clock or SystemClock()
        self._newest = NewestFrame(stall_s)
        self._closed = threading.Event()
        self._sensor = threading.Thread(target=self._expose, name="fake-sensor", daemon=True)
        self._sensor.start()

    @property
    def name(self) -> str:
        """What this source is."""
        return "fake"

    def frames(self) -> Iterator[Frame]:
        """Its pictures until `close`.

        Raises:
            HardwareError: it is lost, or gave no picture in time.
        """
        for frame in self._newest.frames():
            if self._mood() is Mood.HUNG:
                self._closed.wait()
            yield frame

    def close(self) -> None:
        """End it; may be called twice."""
        self._closed.set()
        self._newest.close()
        self._sensor.join()

    def _expose(self) -> None:
        noise = np.random.default_rng()
        scene = np.tile(np.arange(40, 200, dtype=np.uint8), (90, 1))
        last: Frame | None = None
        index = 0
        while not self._closed.wait(1 / self._fps):
            mood, now_ns = self._mood(), self._clock.boot_ns()
            if mood is Mood.STALLED:
                continue
            if mood in (Mood.LOST, Mood.GONE):
                self._newest.fail(HardwareError("the camera is gone", hint="plug it in again"))
                return
            if last is None or mood not in (Mood.FROZEN, Mood.STUCK):
                last = grey_frame(scene + noise.integers(0, 8, scene.shape, np.uint8), now_ns, index)
            stamp_ns = last.t_ns if mood is Mood.STUCK else now_ns
            self._newest.put(Frame(stamp_ns, index, last.y.copy(), last.u, last.v))
            index += 1
