"""gpiozero's pins: which library drives them, and its errors in our words.

gpiozero tries four libraries in turn and warns about each; a camera should use the one that is meant, or say that it
is missing. The devices on the pins are `pir` and `led`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from gpiozero import BadPinFactory, GPIOPinInUse, GPIOZeroError, PinFixedPull, PinInvalidPin, PinUnknownPi

from sealcam.wire.errors import ConfigError, HardwareError

_OPEN_HINT = "let the user of this process open /dev/gpiochip*: group gpio, or DeviceAllow= in the unit"

PinFactory = Any  # gpiozero is untyped: `gpiozero.Factory`


def board_pins() -> PinFactory:
    """The pins of this board, through lgpio.

    Raises:
        HardwareError: lgpio is missing, this is no Raspberry Pi, or the pins may not be opened.
    """
    try:
        lgpio = import_module("lgpio")  # only here: it is a package of the board's system
        from gpiozero.pins.lgpio import LGPIOFactory
    except ImportError as error:
        hint = "apt-get install python3-lgpio, and make the environment with --system-site-packages"
        raise HardwareError(f"the GPIO library lgpio can't be loaded ({error})", hint=hint) from error
    try:
        with gpio_errors("the GPIO pins"):
            return LGPIOFactory()
    except lgpio.error as error:  # gpiozero lets lgpio's own error through
        raise HardwareError(f"the GPIO pins can't be opened ({error})", hint=_OPEN_HINT) from error


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
