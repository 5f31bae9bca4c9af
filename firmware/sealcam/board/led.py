"""The status light: on while the sensor delivers pictures, so that people in front of it can see that it looks.

gpiozero is imported only where a pin is used.
"""

from __future__ import annotations

from typing import Any


class GpioLight:
    """A lamp on a GPIO pin; `pin` as gpiozero takes it (17, `GPIO17`, `BOARD11`).

    Raises:
        ConfigError: there is no such pin, or something else is on it.
        HardwareError: the pins can't be used.
    """

    def __init__(self, pin: int | str, *, active_high: bool = True, pins: Any = None) -> None:
        from gpiozero import LED

        from sealcam.board.gpio import board_pins, gpio_errors

        self._what = f"the status light on pin {pin}"
        self._errors = gpio_errors
        with self._errors(self._what):
            self._led = LED(pin, active_high=active_high, initial_value=False, pin_factory=pins or board_pins())

    def set(self, on: bool) -> None:
        """Switch it.

        Raises:
            HardwareError: the light was closed, or the pin is lost.
        """
        with self._errors(self._what):
            self._led.value = int(on)

    def close(self) -> None:
        """Switch it off and let go of the pin; may be called twice."""
        if not self._led.closed:
            self.set(on=False)
        self._led.close()


class FakeLight:
    """A lamp that remembers what it was told."""

    def __init__(self) -> None:
        self.on = False
        self.told: list[bool] = []

    def set(self, on: bool) -> None:
        """Switch it."""
        self.on = on
        self.told.append(on)

    def close(self) -> None:
        """Switch it off."""
        self.set(on=False)
