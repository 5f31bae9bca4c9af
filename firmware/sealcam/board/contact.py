"""A digital input as its edges: the kernel's callback keeps them with their time, and nothing more.

gpiozero's `DigitalInputDevice` starts no thread of its own. It is imported only where a pin is used.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from sealcam.board.debounce import Edge
from sealcam.clocks import Clock

KEPT = 64  # a wire in radio noise gives thousands: the newest count


class GpioContact:
    """A pin as an input; `pull_up`: it rests high and is active when it is pulled low, otherwise the other way round.

    Raises:
        ConfigError: there is no such pin, or something else is on it.
        HardwareError: the pins can't be used.
    """

    def __init__(self, what: str, pin: int | str, clock: Clock, *, pull_up: bool, pins: Any = None) -> None:
        from gpiozero import DigitalInputDevice

        from sealcam.board.gpio import board_pins, gpio_errors

        self.stirred = threading.Event()
        self._errors, self._what = gpio_errors, f"the {what} on pin {pin}"
        self._clock = clock
        self._edges: deque[Edge] = deque(maxlen=KEPT)  # append is atomic, so that a callback never waits for a lock
        with self._errors(self._what):
            self._device = DigitalInputDevice(pin, pull_up=pull_up, pin_factory=pins or board_pins())
            self.active = bool(self._device.is_active)
            """Whether it was active when it was opened."""
            self._device.when_activated = lambda: self._edge(active=True)
            self._device.when_deactivated = lambda: self._edge(active=False)

    def take(self, now_ns: int) -> list[Edge]:
        """The edges since the last call, and at `now_ns` what the pin is now: so that no lost edge stays lost.

        Raises:
            HardwareError: the pin is lost.
        """
        taken = []
        while self._edges:
            taken.append(self._edges.popleft())
        with self._errors(self._what):  # only now: an edge that comes meanwhile says the same
            return [*taken, Edge(now_ns, bool(self._device.is_active))]

    def close(self) -> None:
        """Let go of the pin."""
        self._device.close()

    def _edge(self, *, active: bool) -> None:
        self._edges.append(Edge(self._clock.boot_ns(), active))
        self.stirred.set()
