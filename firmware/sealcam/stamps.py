"""When something was, in this camera's words: the boot id of one start of the eye, and the stamp made of it.

Implements the Stamp of design/wire.md section 5.1. Clocks are `clocks`'.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from sealcam.clocks import Clock
from sealcam.wire.bodies import ClockQuality, Stamp


class Stamps:
    """Stamps of one start of the eye; `boot` are its 16 random bytes. Thread-safe."""

    def __init__(self, clock: Clock, quality: Callable[[], ClockQuality]) -> None:
        self.boot = os.urandom(16)
        self._clock = clock
        self._quality = quality

    def now(self) -> Stamp:
        """The stamp of this moment."""
        return self.at(self._clock.boot_ns())

    def at(self, boot_ns: int) -> Stamp:
        """`boot_ns` of this start, with the wall time that belongs to it."""
        wall_ns = self._clock.wall_ns() - (self._clock.boot_ns() - boot_ns)
        return Stamp(boot=self.boot, boot_ns=boot_ns, wall_ns=max(0, wall_ns), quality=self._quality())
