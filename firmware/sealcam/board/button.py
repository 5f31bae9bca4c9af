"""The push-button: edges of a digital pin, and what `presses` makes of them; one without a pin for tests."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from sealcam.board.contact import GpioContact
from sealcam.board.debounce import Edge
from sealcam.board.presses import Press, Presses
from sealcam.clocks import Clock, SystemClock


class GpioButton:
    """A button from a GPIO pin to ground, or with `active_high` to 3.3 V; `pin` as gpiozero takes it.

    Raises:
        ConfigError: there is no such pin, or something else is on it.
        HardwareError: the pins can't be used.
    """

    def __init__(
        self, pin: int | str, clock: Clock | None = None, *, active_high: bool = False, pins: Any = None
    ) -> None:
        self._clock = clock or SystemClock()
        self._contact = GpioContact("button", pin, self._clock, pull_up=not active_high, pins=pins)
        self._presses = Presses(held=self._contact.active)
        self.stirred = self._contact.stirred

    @property
    def idle(self) -> bool:
        """Whether nothing changes before it stirs."""
        return self._presses.idle

    @property
    def held_s(self) -> float:
        """For how many seconds it has been pressed, 0 while it isn't or once that was long enough."""
        return self._presses.held_s(self._clock.boot_ns())

    def take(self) -> tuple[Press, ...]:
        """What was pressed since the last call.

        Raises:
            HardwareError: the pin is lost.
        """
        now_ns = self._clock.boot_ns()
        return self._presses.take(self._contact.take(now_ns), now_ns)

    def close(self) -> None:
        """Let go of the pin."""
        self._contact.close()


class SimulatedButton:
    """A button without a pin: it is pressed by calls."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._edges: deque[Edge] = deque()
        self._presses = Presses()
        self.stirred = threading.Event()

    def press(self, *, down: bool = True) -> None:
        """The stimulus: it goes down, or up."""
        self._edges.append(Edge(self._clock.boot_ns(), down))
        self.stirred.set()

    @property
    def idle(self) -> bool:
        """Whether nothing changes before it stirs."""
        return self._presses.idle and not self._edges

    @property
    def held_s(self) -> float:
        """For how many seconds it has been pressed."""
        return self._presses.held_s(self._clock.boot_ns())

    def take(self) -> tuple[Press, ...]:
        """What was pressed since the last call."""
        edges = []
        while self._edges:
            edges.append(self._edges.popleft())
        return self._presses.take(edges, self._clock.boot_ns())

    def close(self) -> None:
        """Nothing to let go of."""
