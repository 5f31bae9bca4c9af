"""A servo that covers the lens, so that people in front of the camera can see that it sees nothing.

It is driven only while it moves: then it can't tremble, and stays where it is when this process ends. gpiozero is
imported only where a pin is used.
"""

from __future__ import annotations

import threading
from typing import Any

from sealcam.clocks import Clock, SystemClock
from sealcam.wire.errors import HardwareError

MOVE_S = 0.7  # small servos take 0.1 s for 60 degrees without a load


class ServoShutter:
    """A servo on a GPIO pin, by the angles in degrees (-90 to 90) where the lens is open and covered.

    Raises:
        ConfigError: there is no such pin, or something else is on it.
        HardwareError: the pins can't be used.
    """

    def __init__(
        self,
        pin: int | str,
        open_degrees: float,
        closed_degrees: float,
        clock: Clock | None = None,
        *,
        pins: Any = None,
    ) -> None:
        from gpiozero import AngularServo

        from sealcam.board.gpio import board_pins, gpio_errors

        self._what, self._errors = f"the shutter on pin {pin}", gpio_errors
        self._degrees = {False: open_degrees, True: closed_degrees}
        self._clock = clock or SystemClock()
        with gpio_errors(self._what):
            self._servo = AngularServo(pin, initial_angle=None, pin_factory=pins or board_pins())

    def set(self, *, covered: bool) -> None:
        """Cover or uncover the lens; takes `MOVE_S`.

        Raises:
            HardwareError: the pin is lost.
        """
        with self._errors(self._what):
            self._servo.angle = self._degrees[covered]
            self._clock.wait(threading.Event(), MOVE_S)
            self._servo.detach()

    def close(self) -> None:
        """Let go of the pin; the shutter stays where it is."""
        self._servo.close()


class FakeShutter:
    """Remembers what it was told; `stuck`: it can't be moved."""

    def __init__(self) -> None:
        self.told: list[bool] = []
        """Whether it was to cover the lens, each time."""
        self.stuck = False

    def set(self, *, covered: bool) -> None:
        """Cover or uncover the lens.

        Raises:
            HardwareError: it is stuck.
        """
        if self.stuck:
            raise HardwareError("the shutter doesn't move")
        self.told.append(covered)

    def close(self) -> None:
        """Nothing to let go of."""
