"""What a motion sensor's output means: pulses that warm-up, radio and a stuck wire are taken out of. Pure.

A passive infrared sensor (HC-SR501, AM312 and their like) holds its output high for 0.3 s at least, and for as long as
it goes on feeling somebody where its jumper says so: that counts again, since no new edge comes. What is shorter is
radio (RPi_Cam_Web_Interface#663).
"""

from __future__ import annotations

from collections.abc import Iterable

from sealcam.board.debounce import Debounced, Edge
from sealcam.board.protocols import PirCounts

LEAST_S = 0.05  # so long at least is a pulse
AGAIN_S = 1.5  # while it is held it counts again this often
HELD_MOST_S = 30.0  # and so long: its own timer may hold it for minutes after the last movement
STUCK_S = 900.0  # longer than any of their timers
_NS = 1_000_000_000


class Pulses:
    """Follows one sensor's output. What rises before `warm_ns` isn't told, and what is high at the start neither."""

    def __init__(self, warm_ns: int, *, active: bool = False) -> None:
        self._warm_ns = warm_ns
        self._output = Debounced(round(LEAST_S * _NS), active=active)
        self._since_ns: int | None = None  # when it rose, if that counts
        self._told_ns = 0
        self._fired = self._warming = 0
        self._stuck = False

    @property
    def counts(self) -> PirCounts:
        """How often it did what since the start."""
        return PirCounts(self._fired, self._output.brief, self._warming, self._stuck)

    def take(self, edges: Iterable[Edge], now_ns: int) -> int | None:
        """The newest time at which somebody was felt since the last call, or none; `edges` are those since then."""
        newest = None
        for change in self._output.take(edges, now_ns):
            self._since_ns, self._stuck = None, False
            if change.active and change.t_ns < self._warm_ns:
                self._warming += 1
            elif change.active:
                self._fired += 1
                newest = self._since_ns = change.t_ns
        if newest is None and self._since_ns is not None:
            held_ns = now_ns - self._since_ns
            self._stuck = held_ns >= STUCK_S * _NS
            if held_ns <= HELD_MOST_S * _NS and now_ns - self._told_ns >= AGAIN_S * _NS:
                newest = now_ns
        if newest is not None:
            self._told_ns = newest
        return newest
