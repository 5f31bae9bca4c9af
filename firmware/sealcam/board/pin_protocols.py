"""What the devices on the board's pins promise, beside the motion sensor and the status light (`protocols`)."""

from __future__ import annotations

import threading
from typing import Protocol

from sealcam.board.presses import Press


class Button(Protocol):
    """A push-button: what was pressed is asked for; `stirred` is set from another thread when there may be news."""

    stirred: threading.Event

    @property
    def idle(self) -> bool:
        """Whether nothing changes before it stirs."""
        ...

    @property
    def held_s(self) -> float:
        """For how many seconds it has been pressed, 0 while it isn't or once that was long enough."""
        ...

    def take(self) -> tuple[Press, ...]:
        """What was pressed since the last call."""
        ...

    def close(self) -> None:
        """Let go of the pin."""
        ...


class Infrared(Protocol):
    """What makes a camera see at night: the filter that moves out of the way, and the lamp."""

    def set(self, *, night: bool) -> None:
        """Have both as by night, or as by day.

        Raises:
            HardwareError: a pin is lost.
        """
        ...

    def close(self) -> None:
        """Switch the lamp off and let go of the pins."""
        ...


class Shutter(Protocol):
    """What covers the lens, visibly."""

    def set(self, *, covered: bool) -> None:
        """Cover or uncover the lens, and return when it is done.

        Raises:
            HardwareError: the pin is lost.
        """
        ...

    def close(self) -> None:
        """Let go of the pin; the shutter stays where it is."""
        ...
