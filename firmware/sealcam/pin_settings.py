"""`[pins]`: what is wired to the board's header, and which of it can't be: pure, before any pin is touched.

A wrong pin is no reason to see nothing: what is wrong is left out and said, and the rest goes on (`wired`). How each
part is wired stands in design/wiring.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from sealcam.wire.errors import ConfigError

LAST_PIN = 27  # of the 40-pin header, BCM numbering
ID_PINS = (0, 1)  # the header's pins 27 and 28: firmware reads an add-on board's identity there
PULLED_UP = (2, 3)  # I2C: 1.8 kOhm to 3.3 V on the board itself
PARTS = {
    "pir": "motion sensor",
    "led": "status light",
    "button": "button",
    "ir_cut": "infrared filter",
    "ir_lamp": "infrared lamp",
    "shutter": "shutter",
}


@dataclass(frozen=True, slots=True)
class PinSettings:
    """GPIO numbers, BCM numbering (17 is pin 11 of the header); what isn't named isn't there."""

    pir: int | None = None
    """A motion sensor's output: high while it feels somebody."""
    led: int | None = None
    """The status light: high is on."""
    button: int | None = None
    """A push-button to ground. Short: privacy; 10 s: the camera is reset and belongs to nobody."""
    ir_cut: int | None = None
    """The infrared filter's driver: high has the filter before the sensor, as by day."""
    ir_lamp: int | None = None
    """The infrared lamp's driver: high is on."""
    shutter: int | None = None
    """A servo that covers the lens while privacy is on."""
    inverted: tuple[str, ...] = ()
    """Which of them work the other way round, such as `["ir_cut"]`."""
    shutter_open_degrees: float = 45.0
    """Where the servo uncovers the lens, from -90 to 90."""
    shutter_closed_degrees: float = -45.0
    """Where it covers the lens."""
    chip: int | None = None
    """The number of the GPIO chip (`/dev/gpiochip0`: 0); otherwise the board's own is taken."""

    def __post_init__(self) -> None:
        if self.chip is not None and self.chip < 0:
            raise ConfigError(f"chip must be a number from 0 on, not {self.chip}", "`ls /dev/gpiochip*` shows them")
        for name in self.inverted:
            if name not in PARTS or name == "shutter":
                raise ConfigError(f"inverted names {name}", f"known here: {', '.join(set(PARTS) - {'shutter'})}")
        for name in ("shutter_open_degrees", "shutter_closed_degrees"):
            if not -90.0 <= getattr(self, name) <= 90.0:
                raise ConfigError(f"{name} must lie between -90 and 90, not {getattr(self, name):g}")

    @property
    def named(self) -> Mapping[str, int]:
        """What is wired, with its pin."""
        found = {one.name: getattr(self, one.name) for one in fields(self) if one.name in PARTS}
        return {name: pin for name, pin in found.items() if pin is not None}

    def active_high(self, name: str) -> bool:
        """Whether `name` works as described above."""
        return name not in self.inverted


@dataclass(frozen=True, slots=True)
class Unusable:
    """Parts that can't be used, why, and what would help; `words` is one line."""

    parts: tuple[str, ...]
    words: str
    hint: str


def conflicts(settings: PinSettings) -> tuple[Unusable, ...]:
    """What is wrong with the pins by their numbers alone. Two parts on one pin are both left out: nobody can know
    which of them is wired there, and an output that drives a sensor's output may break it."""
    found = []
    by_pin: dict[int, list[str]] = {}
    for name, pin in settings.named.items():
        by_pin.setdefault(pin, []).append(name)
    for pin, names in by_pin.items():
        what = " and ".join(PARTS[name] for name in names)
        if not 0 <= pin <= LAST_PIN:
            hint = f"use a GPIO number from 0 to {LAST_PIN}; design/wiring.md has the header"
            found.append(Unusable(tuple(names), f"{what}: there is no GPIO{pin} on the header", hint))
        elif len(names) > 1:
            hint = "give each a GPIO number of its own under [pins]"
            found.append(Unusable(tuple(names), f"{what} are both on GPIO{pin}: neither is used", hint))
        elif pin in ID_PINS:
            hint = "GPIO0 and GPIO1 read an add-on board's identity: take another"
            found.append(Unusable(tuple(names), f"{what}: GPIO{pin} is reserved", hint))
        elif pin in PULLED_UP and _pulled_down(settings, names[0]):
            hint = "the board pulls GPIO2 and GPIO3 up: take another"
            found.append(Unusable(tuple(names), f"{what}: GPIO{pin} can't be pulled down", hint))
    return tuple(found)


def _pulled_down(settings: PinSettings, name: str) -> bool:
    """Whether the part is an input that rests at ground."""
    return (name == "pir" and settings.active_high(name)) or (name == "button" and not settings.active_high(name))
