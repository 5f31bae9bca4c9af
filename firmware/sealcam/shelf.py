"""Ten thousand clips in memory: how much they take, which goes first, whose incident they are of, without a search.

What a clip is worth, and what is done with it, is `clip_store`'s. design/clips.md, store.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar


class Held(Protocol):
    """What is known of one clip; it is replaced as a whole, and never changes."""

    @property
    def size(self) -> int:
        """Its bytes."""
        ...

    @property
    def incident(self) -> bytes:
        """Whose clip it is."""
        ...


One = TypeVar("One", bound=Held)
# Among those that are still right so many that aren't may stand before they are cleared away.
_MOST_STALE = 64


class Shelf(Generic[One]):
    """Clips by their id. `order` gives what sorts one: the least goes first. One thread at a time.

    To put, to take and to find the least costs the logarithm of how many there are.
    """

    def __init__(self, order: Callable[[One], Any], kept: Iterable[tuple[bytes, One]] = ()) -> None:
        self._order = order
        self._kept = dict(kept)
        self._heap = [(order(one), clip) for clip, one in self._kept.items()]
        heapq.heapify(self._heap)
        self._incidents: dict[bytes, set[bytes]] = {}
        for clip, one in self._kept.items():
            self._incidents.setdefault(one.incident, set()).add(clip)
        self.size_bytes = sum(one.size for one in self._kept.values())
        """What all of them take."""

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, clip: bytes) -> One | None:
        """What is known of one, if it is here."""
        return self._kept.get(clip)

    def copy(self) -> dict[bytes, One]:
        """All of them, as they are now."""
        return dict(self._kept)

    def put(self, clip: bytes, one: One) -> None:
        """Take it up, or know something else of it from now on."""
        self.pop(clip)
        self._kept[clip] = one
        self._incidents.setdefault(one.incident, set()).add(clip)
        self.size_bytes += one.size
        heapq.heappush(self._heap, (self._order(one), clip))
        if len(self._heap) > 2 * len(self._kept) + _MOST_STALE:
            self._heap = [(self._order(one), clip) for clip, one in self._kept.items()]
            heapq.heapify(self._heap)

    def pop(self, clip: bytes) -> None:
        """Forget it, if it is here."""
        one = self._kept.pop(clip, None)
        if one is None:
            return
        self.size_bytes -= one.size
        self._incidents[one.incident].discard(clip)
        if not self._incidents[one.incident]:
            del self._incidents[one.incident]

    def of(self, incident: bytes) -> list[tuple[bytes, One]]:
        """The clips of an incident."""
        return [(clip, self._kept[clip]) for clip in sorted(self._incidents.get(incident, ()))]

    def first(self) -> bytes | None:
        """Which goes first; none where there is none."""
        while self._heap:
            key, clip = self._heap[0]
            one = self._kept.get(clip)
            if one is not None and self._order(one) == key:
                return clip
            heapq.heappop(self._heap)
        return None
