"""The status light: people in front of the camera can see that it looks (steady), and that somebody does (blinking).

It is set by software, and says what that believes; design/wiring.md has one wired to the sensor's supply. gpiozero is
imported only where a pin is used.
"""

from __future__ import annotations

from typing import Any

from sealcam.board.protocols import Shine

# So long on, and so long off.
_BLINKS = {Shine.BLINKING: (0.5, 0.5), Shine.COUNTING: (0.15, 0.85), Shine.RESETTING: (0.1, 0.1)}


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

    def set(self, shine: Shine) -> None:
        """Have it shine like that; gpiozero's own thread blinks.

        Raises:
            HardwareError: the light was closed, or the pin is lost.
        """
        with self._errors(self._what):
            match shine:
                case Shine.OFF:
                    self._led.off()
                case Shine.STEADY:
                    self._led.on()
                case _:
                    on_s, off_s = _BLINKS[shine]
                    self._led.blink(on_time=on_s, off_time=off_s, background=True)

    def close(self) -> None:
        """Switch it off and let go of the pin; may be called twice."""
        if not self._led.closed:
            self.set(Shine.OFF)
        self._led.close()


class FakeLight:
    """A lamp that remembers what it was told."""

    def __init__(self) -> None:
        self.shine = Shine.OFF
        self.told: list[Shine] = []

    def set(self, shine: Shine) -> None:
        """Have it shine like that."""
        self.shine = shine
        self.told.append(shine)

    def close(self) -> None:
        """Switch it off."""
        self.set(Shine.OFF)
