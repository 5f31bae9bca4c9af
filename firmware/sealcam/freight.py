"""Freight is what leaves the camera beside its events: pieces of clips, parts of a live view (design/pipeline.md).

One protocol for whatever has some; `link` asks it for the next load when no envelope is due. Envelopes go before any
freight and one load is out at a time, so that an alarm waits for one load at most: who makes loads makes them small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sealcam.messages import Way


@dataclass(frozen=True, slots=True)
class Load:
    """One message that goes on the way's topic, under the `id` (16 bytes) of its clip or live session."""

    way: Way
    id: bytes
    payload: bytes


class Freight(Protocol):
    """Something that has loads now and then. Called by the link's thread alone; nothing here may wait.

    Each load that `next` gave is spoken of once again: `out`, `lost` or `refused`. Whoever gets something to send
    meanwhile, in another thread, wakes the link (`Link.wake`).
    """

    def resumed(self, now_ns: int) -> None:
        """The link has come up: what its broker refuses isn't known yet."""
        ...

    def next(self, now_ns: int) -> Load | None:
        """What goes now, none for nothing. It is not asked while a load is out."""
        ...

    def due_in_ns(self, now_ns: int) -> int | None:
        """Nanoseconds until `next` should be asked again, 0 for now; none when nothing is foreseen.

        0 only if `next` would give something, or would foresee something else after it was asked.
        """
        ...

    def out(self, load: Load, now_ns: int) -> None:
        """The broker has it (`Way.CLIP`), or its bytes have left (`Way.LIVE`)."""
        ...

    def lost(self, load: Load, now_ns: int) -> None:
        """The link broke, or was silent for long: nobody knows whether the broker has it."""
        ...

    def refused(self, load: Load, limit_bytes: int, now_ns: int) -> None:
        """The broker doesn't take it; it takes payloads of at most `limit_bytes`, 0: no word of sizes."""
        ...


class Freights:
    """Several as one: the first that has something goes first."""

    def __init__(self, parts: Sequence[Freight]) -> None:
        self._parts = parts
        self._of: Freight | None = None  # whose load is out

    def resumed(self, now_ns: int) -> None:
        """Tell all of them."""
        for part in self._parts:
            part.resumed(now_ns)

    def next(self, now_ns: int) -> Load | None:
        """The first load there is."""
        for part in self._parts:
            load = part.next(now_ns)
            if load is not None:
                self._of = part
                return load
        return None

    def due_in_ns(self, now_ns: int) -> int | None:
        """When the first of them is due."""
        dues = [due for part in self._parts if (due := part.due_in_ns(now_ns)) is not None]
        return min(dues, default=None)

    def out(self, load: Load, now_ns: int) -> None:
        """Tell the one whose it was."""
        if self._of is not None:
            self._of.out(load, now_ns)

    def lost(self, load: Load, now_ns: int) -> None:
        """Tell the one whose it was."""
        if self._of is not None:
            self._of.lost(load, now_ns)

    def refused(self, load: Load, limit_bytes: int, now_ns: int) -> None:
        """Tell the one whose it was."""
        if self._of is not None:
            self._of.refused(load, limit_bytes, now_ns)


NO_FREIGHT = Freights(())
