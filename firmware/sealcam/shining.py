"""How the status light shines: what the camera does, unless somebody holds the button: then it counts for them.

A light that fails is given up and told; nothing else depends on it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sealcam.board.protocols import Shine, StatusLight
from sealcam.wire.errors import HardwareError


class Shining:
    """One light, or none. Thread-safe; `failed` is told once, in words."""

    def __init__(self, light: StatusLight | None, failed: Callable[[str], None]) -> None:
        self._light = light
        self._failed = failed
        self._lock = threading.Lock()
        self._camera = self._shown = Shine.OFF
        self._counting: Shine | None = None

    def camera(self, shine: Shine) -> None:
        """What the camera does."""
        with self._lock:
            self._camera = shine
        self._show()

    def count(self, shine: Shine | None) -> None:
        """What is counted for whoever holds the button; none: nobody does."""
        with self._lock:
            self._counting = shine
        self._show()

    def _show(self) -> None:
        with self._lock:
            shine, light = self._counting or self._camera, self._light
            if light is None or shine is self._shown:
                return
            self._shown = shine
            try:
                light.set(shine)
                return
            except HardwareError as error:
                self._light, words = None, error.message
        self._failed(words)
