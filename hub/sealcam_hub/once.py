"""What somebody else can cause as often as they like is logged once an hour: a flood fills no journal."""

from __future__ import annotations

from collections.abc import Callable, Hashable

QUIET_NS = 3600 * 1_000_000_000
MOST = 256  # that are told apart; beyond it nothing new is said before something old is an hour past


class Once:
    """Says what is due; `boot` is nanoseconds since boot. One thread at a time."""

    def __init__(self, boot: Callable[[], int]) -> None:
        self._boot = boot
        self._said: dict[Hashable, int] = {}

    def due(self, what: Hashable) -> bool:
        """Whether to say that now; then it isn't due for an hour."""
        now_ns = self._boot()
        if now_ns - self._said.get(what, now_ns - QUIET_NS) < QUIET_NS:
            return False
        self._said = {one: at_ns for one, at_ns in self._said.items() if now_ns - at_ns < QUIET_NS}
        if len(self._said) >= MOST:
            return False
        self._said[what] = now_ns
        return True
