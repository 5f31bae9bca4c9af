"""What a push-button means: a short press, or one of ten seconds; anything between was given up. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto

from sealcam.board.debounce import Debounced, Edge

LEAST_S = 0.03  # contacts bounce for up to 10 ms
SHORT_MOST_S = 2.0
LONG_S = 10.0
_NS = 1_000_000_000


class Press(Enum):
    """What was pressed."""

    SHORT = auto()  # told when it is let go of
    LONG = auto()  # told while it is held


class Presses:
    """Follows one button. One that is `held` at the start counts from when it is let go of: it may be stuck, or the
    press that began this start."""

    def __init__(self, *, held: bool = False) -> None:
        self._button = Debounced(round(LEAST_S * _NS), active=held)
        self._since_ns: int | None = None

    @property
    def idle(self) -> bool:
        """Whether time alone changes nothing."""
        return self._button.settled and self._since_ns is None

    def held_s(self, now_ns: int) -> float:
        """For how many seconds it has been pressed, 0 while it isn't, or once the press was long enough."""
        return 0.0 if self._since_ns is None else (now_ns - self._since_ns) / _NS

    def take(self, edges: Iterable[Edge], now_ns: int) -> tuple[Press, ...]:
        """What was pressed by `now_ns`; `edges` are those since the last call."""
        found = []
        for change in self._button.take(edges, now_ns):
            if change.active:
                self._since_ns = change.t_ns
                continue
            held_s, self._since_ns = self.held_s(change.t_ns), None
            if held_s >= LONG_S:
                found.append(Press.LONG)
            elif 0 < held_s < SHORT_MOST_S:
                found.append(Press.SHORT)
        if self.held_s(now_ns) >= LONG_S:
            self._since_ns = None
            found.append(Press.LONG)
        return tuple(found)
