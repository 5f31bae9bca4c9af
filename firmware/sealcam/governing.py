"""Governing reads the board every few seconds, and has sight do what the governor says; each step is told.

`board-strained` with the reason and what is left, `board-eased` when a step is taken back.
"""

from __future__ import annotations

from collections.abc import Callable

from sealcam.governor import STEPS, Governor, Readings, Step
from sealcam.sight.panel import Trouble

EVERY_NS = 5_000_000_000


class Governing:
    """For one eye; `apply` gives sight its step, once at the beginning and at each change."""

    def __init__(self, governor: Governor, read: Callable[[], Readings], apply: Callable[[Step], None]) -> None:
        self._governor, self._read, self._apply = governor, read, apply
        self._next_ns = 0
        apply(STEPS[governor.step])

    def tend(self, now_ns: int) -> tuple[Trouble, ...]:
        """Call it each frame; what there is to tell."""
        if now_ns < self._next_ns:
            return ()
        self._next_ns = now_ns + EVERY_NS
        change = self._governor.take(self._read(), now_ns)
        if change is None:
            return ()
        self._apply(STEPS[change.step])
        return (Trouble("board-strained" if change.up else "board-eased", change.words),)
