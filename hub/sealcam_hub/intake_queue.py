"""Pieces of clips that wait for the intake: bounded for each camera and in all, and nobody waits to put one in.

What finds no room is dropped: its camera sends it again, and events, which come by the same thread, go on. Cameras take
turns, so that one which floods the hub holds up its own clips alone.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from sealcam.wire.piece import MAX_PIECE_BYTES

OF_ONE = 40  # a camera has two segments on their way at most: 34 pieces
OF_ALL = 256  # 17 MB


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message on a clip's topic: the camera's alias and the clip that it names, and the bytes."""

    alias: str
    clip: bytes
    payload: bytes = field(repr=False)


class IntakeQueue:
    """What came and wasn't looked at; for any number of threads."""

    def __init__(self, of_one: int = OF_ONE, of_all: int = OF_ALL) -> None:
        self._of_one, self._of_all = of_one, of_all
        self._waiting: OrderedDict[str, deque[Incoming]] = OrderedDict()
        self._count = 0
        self._ready = threading.Condition()

    def put(self, one: Incoming) -> bool:
        """Take a message if there is room for it and it isn't longer than a piece; never waits."""
        if len(one.payload) > MAX_PIECE_BYTES:
            return False
        with self._ready:
            mine = self._waiting.get(one.alias, ())
            if self._count >= self._of_all or len(mine) >= self._of_one:
                return False
            self._waiting.setdefault(one.alias, deque()).append(one)
            self._count += 1
            self._ready.notify()
            return True

    def get(self, wait_s: float) -> Incoming | None:
        """The oldest message of the camera whose turn it is; none when nothing came in that time."""
        with self._ready:
            if not self._ready.wait_for(lambda: self._count > 0, wait_s):
                return None
            alias, mine = next(iter(self._waiting.items()))
            one = mine.popleft()
            self._count -= 1
            if mine:
                self._waiting.move_to_end(alias)
            else:
                del self._waiting[alias]
            return one
