"""A standstill is a sensor that gives one and the same picture for ever: as good as none, and as recoverable.

Told by the picture's bytes alone, whatever its timestamps say, from the first picture on. `sight.repeats` tells the
owner of it earlier, as tampering, where the picture was live before. Leaves recovery to the eye.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from sealcam.board.closing import Closing
from sealcam.board.protocols import Camera, Frame, Plane
from sealcam.clocks import Clock
from sealcam.sight.repeats import CONTRAST_LEVELS, ROWS
from sealcam.wire.errors import HardwareError

# Later than the five seconds in which `sight.repeats` tells it as tampering; with two more, for a camera to close,
# within the ten in which it must be told.
FROZEN_S = 7.0


class Standstill:
    """Follows one live source, picture by picture."""

    def __init__(self, frozen_s: float = FROZEN_S) -> None:
        self._frozen_ns = round(frozen_s * 1e9)
        self._last: int | None = None
        self._since_ns = 0

    def step(self, luma: Plane, now_ns: int) -> bool:
        """Take the next picture, that came at this time; whether it has stood still for too long.

        What has hardly any contrast (a covered lens at night) may be all clipped, and repeats rightly.
        """
        rows = luma[:: max(1, luma.shape[0] // ROWS)]
        name = zlib.crc32(rows.tobytes())
        if name != self._last or int(rows.max()) - int(rows.min()) < CONTRAST_LEVELS:
            self._last, self._since_ns = name, now_ns
        return now_ns - self._since_ns >= self._frozen_ns


class LiveCamera(Closing):
    """A camera whose pictures must differ, since a sensor's noise is never the same twice."""

    def __init__(self, camera: Camera, clock: Clock, frozen_s: float = FROZEN_S) -> None:
        self._camera, self._clock, self._frozen_s = camera, clock, frozen_s

    @property
    def name(self) -> str:
        """The camera's."""
        return self._camera.name

    def frames(self) -> Iterator[Frame]:
        """The camera's frames.

        Raises:
            HardwareError: as the camera's, or its picture stood still.
            ClipError: as the camera's.
        """
        standstill = Standstill(self._frozen_s)
        for frame in self._camera.frames():
            if standstill.step(frame.y, self._clock.boot_ns()):
                raise HardwareError(
                    f"the camera gave one and the same picture for {self._frozen_s:g} s",
                    hint="it hangs: take its power away for a moment, if opening it again doesn't help",
                )
            yield frame

    def close(self) -> None:
        """Let go of the camera."""
        self._camera.close()
