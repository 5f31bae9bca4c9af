"""The hub's time as a value that is handed in: a real clock and a simulated one side by side.

The device has its own (`sealcam.clocks`); the hub shares only `wire` with it, and needs less.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What the hub needs of time."""

    def boot_ns(self) -> int:
        """Nanoseconds since boot, never going back: for waiting."""
        ...

    def wall_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC: for telling."""
        ...


class SystemClock:
    """The kernel's time."""

    def boot_ns(self) -> int:
        """Nanoseconds on CLOCK_BOOTTIME."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def wall_ns(self) -> int:
        """Nanoseconds on CLOCK_REALTIME."""
        return time.time_ns()


class SimulatedClock:
    """A clock that moves only when it is told to."""

    def __init__(self, boot_ns: int = 0, wall_ns: int = 1_800_000_000_000_000_000) -> None:
        self._boot_ns = boot_ns
        self._wall_ns = wall_ns

    def boot_ns(self) -> int:
        """The simulated time since boot, in nanoseconds."""
        return self._boot_ns

    def wall_ns(self) -> int:
        """The simulated wall time, in nanoseconds."""
        return self._wall_ns

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass on both clocks."""
        self._boot_ns += round(seconds * 1e9)
        self._wall_ns += round(seconds * 1e9)
