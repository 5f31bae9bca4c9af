"""The passive infrared sensor: a digital pin whose rising edge sets a latch, and nothing more.

gpiozero's `MotionSensor` samples in a thread of its own; `DigitalInputDevice` calls back on the kernel's edge event
and needs none. What a trigger means is left to sight. gpiozero is imported only where a pin is used.
"""

from __future__ import annotations

from collections import deque
from typing import Any

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
    """A PIR on a GPIO pin, active high. Edges in the first `warm_up_s` seconds are not told.

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
        pins: Any = None,
    ) -> None:
        from gpiozero import DigitalInputDevice

        from sealcam.board.gpio import board_pins, gpio_errors

        self._clock = clock or SystemClock()
        self._warm_ns = self._clock.boot_ns() + round(warm_up_s * 1_000_000_000)
        self._latch = Latch()
        with gpio_errors(f"the motion sensor on pin {pin}"):
            self._device = DigitalInputDevice(pin, pull_up=False, pin_factory=pins or board_pins())
            self._device.when_activated = self._edge

    def take(self) -> int | None:
        """The time of the newest rising edge since the last call, ns on CLOCK_BOOTTIME, or none."""
        return self._latch.take()

    def close(self) -> None:
        """Let go of the pin."""
        self._device.close()

    def _edge(self) -> None:
        now_ns = self._clock.boot_ns()
        if now_ns >= self._warm_ns:
            self._latch.set(now_ns)


class SimulatedPir:
    """A PIR without a pin, for recorded footage and tests."""

    def __init__(self) -> None:
        self._latch = Latch()
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
