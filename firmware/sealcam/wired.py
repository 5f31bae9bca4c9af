"""Opens what is wired to the pins. What can't be used is left out and said in one line; the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from sealcam.board.button import GpioButton
from sealcam.board.infrared import GpioInfrared
from sealcam.board.led import GpioLight
from sealcam.board.pin_protocols import Button, Infrared, Shutter
from sealcam.board.pir import WARM_UP_S, GpioPir
from sealcam.board.protocols import MotionSensor, StatusLight
from sealcam.board.shutter import ServoShutter
from sealcam.clocks import Clock
from sealcam.pin_settings import PARTS, PinSettings, Unusable, conflicts
from sealcam.wire.errors import ConfigError, HardwareError

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Wired:
    """What there is; `unusable` is what should be there beside it."""

    motion_sensor: MotionSensor | None = None
    light: StatusLight | None = None
    button: Button | None = None
    infrared: Infrared | None = None
    shutter: Shutter | None = None
    unusable: tuple[Unusable, ...] = ()

    def close(self) -> None:
        """Let go of all pins."""
        for part in (self.motion_sensor, self.light, self.button, self.infrared, self.shutter):
            if part is not None:
                part.close()


def _pins(chip: int | None) -> Any:
    from sealcam.board.gpio import board_pins

    return board_pins(chip)


def open_wired(
    settings: PinSettings,
    clock: Clock,
    *,
    only: Collection[str] = tuple(PARTS),
    warm_up_s: float = WARM_UP_S,
    pins: Callable[[int | None], Any] = _pins,
) -> Wired:
    """What the configuration names, and of that `only` these parts; raises nothing for a pin. `pins` gives the pins of
    a chip."""
    wrong = conflicts(settings)
    left_out = {name for one in wrong for name in one.parts}
    named = {name: pin for name, pin in settings.named.items() if name in only and name not in left_out}
    wrong = tuple(one for one in wrong if set(one.parts) & set(only))
    if not named:
        return Wired(unusable=wrong)
    opening = _Opening(settings, named, wrong)
    try:
        factory = pins(settings.chip)
    except (ConfigError, HardwareError) as error:
        opening.give_up(tuple(named), f"{', '.join(PARTS[name] for name in named)}: {error.message}", error.hint)
        return Wired(unusable=tuple(opening.unusable))
    return opening.open(factory, clock, warm_up_s)


class _Opening:
    def __init__(self, settings: PinSettings, named: dict[str, int], wrong: tuple[Unusable, ...]) -> None:
        self._settings, self._named = settings, named
        self.unusable = list(wrong)

    def give_up(self, parts: tuple[str, ...], words: str, hint: str | None) -> None:
        """Leave these out."""
        self.unusable.append(Unusable(parts, words, hint or "design/wiring.md has the header"))

    def open(self, pins: Any, clock: Clock, warm_up_s: float) -> Wired:
        """All that can be opened."""
        high, given = self._settings.active_high, self._settings
        pir = self._one("pir", lambda pin: GpioPir(pin, clock, warm_up_s=warm_up_s, active_high=high("pir"), pins=pins))
        light = self._one("led", lambda pin: GpioLight(pin, active_high=high("led"), pins=pins))
        button = self._one("button", lambda pin: GpioButton(pin, clock, active_high=not high("button"), pins=pins))
        shutter = self._one(
            "shutter",
            lambda pin: ServoShutter(pin, given.shutter_open_degrees, given.shutter_closed_degrees, clock, pins=pins),
        )
        infrared = self._infrared(pins)
        return Wired(pir, light, button, infrared, shutter, tuple(self.unusable))

    def _one(self, name: str, make: Callable[[int], Part]) -> Part | None:
        if name not in self._named:
            return None
        try:
            return make(self._named[name])
        except (ConfigError, HardwareError) as error:
            self.give_up((name,), error.message, error.hint)
            return None

    def _infrared(self, pins: Any) -> GpioInfrared | None:
        """Filter and lamp together: one of them alone would make a night picture that shows nothing."""
        wired = {name: self._named[name] for name in ("ir_cut", "ir_lamp") if name in self._named}
        if not wired:
            return None
        high = self._settings.active_high
        try:
            return GpioInfrared(
                wired.get("ir_cut"), wired.get("ir_lamp"), cut_high=high("ir_cut"), lamp_high=high("ir_lamp"), pins=pins
            )
        except (ConfigError, HardwareError) as error:
            self.give_up(tuple(wired), error.message, error.hint)
            return None
