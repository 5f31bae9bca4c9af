"""What makes a camera see at night: the motor of the filter before its sensor, and an infrared lamp.

Both are drivers' inputs that a level switches. When it is night is `darkness`'. gpiozero is imported only where a pin
is used.
"""

from __future__ import annotations

from typing import Any


class GpioInfrared:
    """The filter's driver on pin `cut` (active: the filter is before the sensor, as by day) and the lamp's on `lamp`;
    either may be missing.

    Raises:
        ConfigError: there is no such pin, or something else is on it.
        HardwareError: the pins can't be used.
    """

    def __init__(
        self,
        cut: int | str | None,
        lamp: int | str | None,
        *,
        cut_high: bool = True,
        lamp_high: bool = True,
        pins: Any = None,
    ) -> None:
        from gpiozero import DigitalOutputDevice

        from sealcam.board.gpio import board_pins, gpio_errors

        self._errors = gpio_errors
        self._devices: list[tuple[str, Any, bool]] = []  # what, the pin, and whether it is active by night
        for what, pin, high, by_night in (
            ("infrared filter", cut, cut_high, False),
            ("infrared lamp", lamp, lamp_high, True),
        ):
            if pin is not None:
                with gpio_errors(f"the {what} on pin {pin}"):
                    device = DigitalOutputDevice(
                        pin, active_high=high, initial_value=not by_night, pin_factory=pins or board_pins()
                    )
                self._devices.append((what, device, by_night))

    def set(self, *, night: bool) -> None:
        """Have both as by night, or as by day.

        Raises:
            HardwareError: a pin is lost.
        """
        for what, device, by_night in self._devices:
            with self._errors(f"the {what}"):
                device.value = night == by_night

    def close(self) -> None:
        """Switch the lamp off and let go of the pins; may be called twice."""
        if all(not device.closed for _, device, _ in self._devices):
            self.set(night=False)
        for _, device, _ in self._devices:
            device.close()


class FakeInfrared:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[bool] = []
        """Whether it was to be night, each time."""
        self.closed = False

    def set(self, *, night: bool) -> None:
        """Have it night or day."""
        self.told.append(night)

    def close(self) -> None:
        """Have it day, and no more."""
        self.closed = True
