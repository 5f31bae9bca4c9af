"""Clips that are being written: how much of each is signed and on the disk, and what its incident is worth by now.

What writes them says it, what sends them asks: a threat's clip leaves while the intruder is still there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from sealcam.kept import Rank


@dataclass(frozen=True, slots=True)
class Grown:
    """Bytes of a clip's file up to its last checkpoint, and its rank; as of a benign one while nobody has said."""

    size: int = 0
    rank: Rank = Rank.BENIGN


class Growing:
    """Which they are; thread-safe. `on_change` is called without a lock after one of them has grown, or counts more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clips: dict[bytes, Grown] = {}
        self.on_change: Callable[[], None] = lambda: None
        self.changes = 0
        """Rises with every change."""

    def clips(self) -> dict[bytes, Grown]:
        """All of them, by id, as they are now."""
        with self._lock:
            return dict(self._clips)

    def find(self, clip: bytes) -> Grown | None:
        """One of them."""
        with self._lock:
            return self._clips.get(clip)

    def grew(self, clip: bytes, size: int) -> None:
        """So many bytes of it are signed now."""
        self._put(clip, lambda one: replace(one, size=size))

    def counts(self, clip: bytes, rank: Rank) -> None:
        """Its incident is worth that now."""
        self._put(clip, lambda one: replace(one, rank=rank))

    def ended(self, clip: bytes) -> None:
        """It grows no more; nothing if it isn't there."""
        with self._lock:
            self._clips.pop(clip, None)

    def _put(self, clip: bytes, change: Callable[[Grown], Grown]) -> None:
        with self._lock:
            before = self._clips.get(clip, Grown())
            self._clips[clip] = after = change(before)
            self.changes += after != before
        if after != before:
            self.on_change()
