"""Before the lens is uncovered, when it is covered: the shutter follows privacy, and fails without harm.

It covers what isn't looked at any more, and uncovers what is about to be. One that doesn't move is told, and changes
nothing about privacy: capture stops at the source all the same, and begins again behind a shutter that stays shut.
"""

from __future__ import annotations

from collections.abc import Callable

from sealcam.board.pin_protocols import Shutter
from sealcam.wire.errors import HardwareError


class Shading:
    """One shutter, or none; `failed` is told in words, each time it doesn't move."""

    def __init__(self, shutter: Shutter | None, failed: Callable[[str], None]) -> None:
        self._shutter, self._failed = shutter, failed
        self._covered: bool | None = None  # at a start nobody knows

    def set(self, *, covered: bool) -> None:
        """Cover or uncover the lens; returns when it is done."""
        if self._shutter is None or covered is self._covered:
            return
        try:
            self._shutter.set(covered=covered)
            self._covered = covered
        except HardwareError as error:
            self._covered = None
            self._failed(f"{error.message}: the lens may {'not be' if covered else 'still be'} covered")
