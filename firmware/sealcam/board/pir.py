"""The passive infrared sensor: edges of a digital pin, and what `pulses` makes of them once a frame.

gpiozero's `MotionSensor` samples in a thread of its own; this needs none. What a trigger means is left to sight.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from sealcam.board.contact import GpioContact
from sealcam.board.protocols import PirCounts
from sealcam.board.pulses import Pulses
from sealcam.clocks import Clock, SystemClock

WARM_UP_S = 60.0  # after power-on a pyroelectric sensor triggers by itself for up to a minute (HC-SR501 data sheet)


class Latch:
    """The newest time that was set since it was last taken. Set and take may run in different threads at once."""

    def __init__(self) -> None:
        self._times: deque[int] = deque(maxlen=1)  # append and pop are atomic, so a callback never waits for a lock

    def set(self, t_ns: int) -> None:
        """Keep `t_ns`, instead of an older one."""
        self._times.append(t_ns)

    def take(self) -> int | None:
        """The time, once."""
        try:
            return self._times.pop()
        except IndexError:
            return None


class GpioPir:
    """A PIR on a GPIO pin. It has its supply from the board, so that it warms up for the first `warm_up_s` seconds
    since that was switched on: what it does then is counted, and not told.

    `pin` is what gpiozero takes: a number of the chip (17), `GPIO17` or `BOARD11`; `pins` is its pin factory.

    Raises:
        ConfigError: there is no such pin, or something else is on it.
        HardwareError: the pins can't be used.
    """

    def __init__(
        self,
        pin: int | str,
        clock: Clock | None = None,
        *,
        warm_up_s: float = WARM_UP_S,
        active_high: bool = True,
        pins: Any = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._contact = GpioContact("motion sensor", pin, self._clock, pull_up=not active_high, pins=pins)
        self._pulses = Pulses(round(warm_up_s * 1_000_000_000), active=self._contact.active)

    @property
    def counts(self) -> PirCounts:
        """What it did so far."""
        return self._pulses.counts

    def take(self) -> int | None:
        """The newest time at which it felt somebody since the last call, ns on CLOCK_BOOTTIME, or none.

        Raises:
            HardwareError: the pin is lost.
        """
        now_ns = self._clock.boot_ns()
        return self._pulses.take(self._contact.take(now_ns), now_ns)

    def close(self) -> None:
        """Let go of the pin."""
        self._contact.close()


class SimulatedPir:
    """A PIR without a pin, for recorded footage and tests."""

    def __init__(self) -> None:
        self._latch = Latch()
        self.counts = PirCounts()
        """What it says it did."""
        self.closed = False

    def drive_high(self, t_ns: int) -> None:
        """The stimulus: something warm moved at `t_ns` (CLOCK_BOOTTIME, or the footage's own time)."""
        if not self.closed:
            self._latch.set(t_ns)

    def take(self) -> int | None:
        """The newest stimulus since the last call, or none."""
        return self._latch.take()

    def close(self) -> None:
        """Hear nothing any more."""
        self.closed = True
