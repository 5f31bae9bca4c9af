"""Time as a value that is handed in: a real clock and a simulated one side by side.

Inside Sealcam time is nanoseconds on CLOCK_BOOTTIME (it goes on through suspend and never jumps); wall time is
stamped into an event only.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import Protocol

_TIME_ERROR = 5  # linux/timex.h: the clock is not synchronised
_TIMEX_BYTES = 256  # struct timex has 208 bytes on 64-bit Linux


def synchronised() -> bool:
    """Whether the kernel believes that the wall time is right (adjtimex(2)), which NTP clients keep true."""
    state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return 0 <= state != _TIME_ERROR


class Clock(Protocol):
    """What the parts that wait or stamp need of time."""

    def boot_ns(self) -> int:
        """Nanoseconds since boot, never going back."""
        ...

    def wall_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC, as far as this machine knows."""
        ...

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait until `event` is set or `timeout_s` seconds have passed; true when it is set."""
        ...


class SystemClock:
    """The kernel's time."""

    def boot_ns(self) -> int:
        """Nanoseconds on CLOCK_BOOTTIME."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def wall_ns(self) -> int:
        """Nanoseconds on CLOCK_REALTIME."""
        return time.time_ns()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait in real time."""
        return event.wait(timeout_s)


class KnownTime:
    """The time of day from when the kernel first knew it to be right; it is asked once a second until then.

    A network that is lost later makes no clock wrong by minutes, so that what it knew once goes on.
    """

    def __init__(self, clock: Clock, synchronised: Callable[[], bool]) -> None:
        self._clock, self._synchronised = clock, synchronised
        self._known, self._ask_ns = False, 0

    def __call__(self) -> int | None:
        """Nanoseconds since 1970-01-01 UTC, or none."""
        now_ns = self._clock.boot_ns()
        if not self._known and now_ns >= self._ask_ns:
            self._known, self._ask_ns = self._synchronised(), now_ns + 1_000_000_000
        return self._clock.wall_ns() if self._known else None


class SimulatedClock:
    """A clock that moves only when it is told to, for replay and tests."""

    def __init__(self, boot_ns: int = 0, wall_ns: int = 0) -> None:
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

    def step_wall(self, seconds: float) -> None:
        """Change the wall time alone, as NTP or a person does."""
        self._wall_ns += round(seconds * 1e9)

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Let the time pass at once, unless `event` is set already."""
        if not event.is_set():
            self.advance(timeout_s)
        return event.is_set()
