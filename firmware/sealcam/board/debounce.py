"""A contact bounces and a wire catches radio: what counts is what lasts. Pure: edges and times in, changes out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edge:
    """A contact became active, or ceased to be, at `t_ns` on CLOCK_BOOTTIME."""

    t_ns: int
    active: bool


class Debounced:
    """Follows one contact: an edge counts once what it brought has lasted `least_ns`, with the edge's own time."""

    def __init__(self, least_ns: int, *, active: bool = False) -> None:
        self._least_ns = least_ns
        self._now = Edge(0, active)
        self.active = active
        self.brief = 0
        """How often it became active for less than that."""

    @property
    def settled(self) -> bool:
        """Whether nothing is on its way."""
        return self._now.active == self.active

    def take(self, edges: Iterable[Edge], now_ns: int) -> tuple[Edge, ...]:
        """What has changed by `now_ns`; `edges` are those since the last call, in their order."""
        changes: list[Edge] = []
        for edge in edges:
            if edge.active == self._now.active:  # the one between was lost
                continue
            self._settle(edge.t_ns, changes)
            self.brief += self._now.active and not self.active
            self._now = edge
        self._settle(now_ns, changes)
        return tuple(changes)

    def _settle(self, t_ns: int, changes: list[Edge]) -> None:
        if not self.settled and t_ns - self._now.t_ns >= self._least_ns:
            self.active = self._now.active
            changes.append(self._now)
