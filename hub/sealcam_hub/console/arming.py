"""What the owner has asked a camera to do and it has not confirmed yet, so that the page can say so.

A camera's mode is what its newest beat says; between the click and that beat the page shows the wish as a wish.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from sealcam_hub.views import CameraView

MODES = ("off", "home", "away", "night")
PATIENCE_NS = 90 * 1_000_000_000  # after three missed beats a wish counts as lost, and the old mode shows again


@dataclass(frozen=True, slots=True)
class Wish:
    """A mode asked for, and when (wall ns)."""

    mode: str
    at_ns: int


class Wishes:
    """The newest unconfirmed wish of each camera."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._wishes: dict[str, Wish] = {}

    def ask(self, alias: str, mode: str) -> None:
        """Remember what was asked just now."""
        with self._lock:
            self._wishes[alias] = Wish(mode, self._clock())

    def waiting(self, camera: CameraView) -> str | None:
        """The mode this camera has yet to confirm; none when it has, or when it took too long."""
        with self._lock:
            wish = self._wishes.get(camera.alias)
            if wish is None:
                return None
            if camera.mode == wish.mode or not 0 <= self._clock() - wish.at_ns < PATIENCE_NS:
                del self._wishes[camera.alias]
                return None
            return wish.mode
