"""gpiozero's pins: which library drives them, and its errors in our words.

gpiozero tries four libraries in turn and warns about each; a camera should use the one that is meant, or say that it
is missing. The devices on the pins are `pir`, `led`, `button`, `infrared` and `shutter`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from gpiozero import BadPinFactory, GPIOPinInUse, GPIOZeroError, PinFixedPull, PinInvalidPin, PinUnknownPi

from sealcam.wire.errors import ConfigError, HardwareError

_OPEN_HINT = "let the user of this process open /dev/gpiochip*: group gpio, or DeviceAllow= in the unit"
_BUSY_HINT = "another program or a driver has it: `gpioinfo` names which; stop that, or take another pin"

PinFactory = Any  # gpiozero is untyped: `gpiozero.Factory`


@cache
def board_pins(chip: int | None = None, devices: Path = Path("/dev")) -> PinFactory:
    """The pins of this board, through lgpio: one set for the whole process, so that a pin that is taken twice shows.

    `chip` is the number of a GPIO chip, where it isn't the board's own.

    Raises:
        HardwareError: lgpio is missing, there is no such chip, this is no Raspberry Pi, or the pins may not be opened.
    """
    _check_chip(chip, devices)
    os.environ.setdefault("LG_WD", tempfile.gettempdir())  # lgpio leaves a pipe in its working directory
    try:
        lgpio = import_module("lgpio")  # only here: it is a package of the board's system
        from gpiozero.pins.lgpio import LGPIOFactory
    except ImportError as error:
        hint = "apt-get install python3-lgpio, and make the environment with --system-site-packages"
        raise HardwareError(f"the GPIO library lgpio can't be loaded ({error})", hint=hint) from error
    try:
        with gpio_errors("the GPIO pins"):
            return LGPIOFactory(chip=chip)
    except lgpio.error as error:  # gpiozero lets lgpio's own error through
        raise HardwareError(f"the GPIO pins can't be opened ({error})", hint=_OPEN_HINT) from error


def _check_chip(chip: int | None, devices: Path) -> None:
    found = sorted(path.name for path in devices.glob("gpiochip*"))
    if not found:
        raise HardwareError("this board has no GPIO chip", hint="a kernel without its driver, or no board with pins")
    if chip is not None and f"gpiochip{chip}" not in found:
        raise HardwareError(f"there is no GPIO chip {chip}", hint=f"chip under [pins]: there are {', '.join(found)}")


@contextmanager
def gpio_errors(what: str) -> Iterator[None]:
    """Inside, errors of gpiozero and of the kernel's GPIO devices become ours; `what` begins the message.

    Raises:
        ConfigError: the pin doesn't exist, or something else was configured on it.
        HardwareError: everything else.
    """
    try:
        yield
    except PinInvalidPin as error:
        hint = "name a pin as GPIO17 or BOARD11; `pinout` shows what this board has"
        raise ConfigError(f"{what}: {error}", hint=hint) from error
    except GPIOPinInUse as error:
        raise ConfigError(f"{what}: {error}", hint="give each device a pin of its own in the configuration") from error
    except PinFixedPull as error:
        hint = "GPIO2 and GPIO3 have a pull-up that can't be switched off: take another pin"
        raise ConfigError(f"{what}: {error}", hint=hint) from error
    except (BadPinFactory, PinUnknownPi) as error:
        raise HardwareError(f"{what}: {error}", hint="this board is not known to gpiozero") from error
    except (GPIOZeroError, OSError) as error:
        raise HardwareError(f"{what}: {error}", hint=_OPEN_HINT) from error
    except _lgpio_errors() as error:
        hint = _BUSY_HINT if "busy" in str(error).lower() else _OPEN_HINT
        raise HardwareError(f"{what}: {error}", hint=hint) from error


def _lgpio_errors() -> tuple[type[Exception], ...]:
    """lgpio's own error, which gpiozero lets through, where it is loaded."""
    lgpio = sys.modules.get("lgpio")
    return () if lgpio is None else (lgpio.error,)
