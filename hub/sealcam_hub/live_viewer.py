"""One viewer's place at a live picture: a short queue that never holds up anybody else.

Who takes too slowly loses what waits for it and goes on with the next keyframe; the words that were last said always
wait, and are only one. Filled by the hub's threads, emptied by the console's. design/clips.md, "Live view, hub".
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from sealcam.wire.live import Content
from sealcam_hub.live_picture import Picture, Words

QUEUED_BYTES = 4 << 20  # some ten seconds at the usual rate; one part may have 1 MiB
QUEUED = 256


class Viewer:
    """A queue of at most `QUEUED_BYTES`. `wake` is called, from any thread, when there is something to take."""

    def __init__(self, alias: str, who: str, wake: Callable[[], None]) -> None:
        self.alias, self.who = alias, who
        self.skipped = 0  # times that it was too slow
        self._wake = wake
        self._lock = threading.Lock()
        self._queue: deque[Picture] = deque()
        self._bytes = 0
        self._words: Words | None = None
        self._began: tuple[int, bytes] | None = None  # the beginning that it has, or that waits for it
        self._follows = False  # whether what it has leads up to the next picture
        self.closed = False

    def show(self, picture: Picture) -> None:
        """Queue it, unless this viewer lacks what it builds on."""
        with self._lock:
            if self.closed or not self._fits(picture):
                return
            self._queue.append(picture)
            self._bytes += len(picture.data)
            if self._bytes > QUEUED_BYTES or len(self._queue) > QUEUED:
                self._skip()
                return
        self._wake()

    def say(self, words: Words) -> None:
        """Have these words in place of those that wait."""
        with self._lock:
            self._words = words
        self._wake()

    def close(self) -> None:
        """There is nothing more to come."""
        with self._lock:
            self.closed = True
        self._wake()

    def take(self) -> tuple[Words | None, tuple[Picture, ...]]:
        """What waits, the words before the pictures."""
        with self._lock:
            words, pictures = self._words, tuple(self._queue)
            self._words, self._bytes = None, 0
            self._queue.clear()
        return words, pictures

    def _fits(self, picture: Picture) -> bool:
        if picture.content is Content.BEGINNING:
            began = (picture.stream, picture.data)
            if began == self._began:
                return False
            self._began, self._follows = began, False
            return True
        if picture.content is Content.KEYFRAME:
            self._follows = self._began is not None and self._began[0] == picture.stream
        return self._follows

    def _skip(self) -> None:
        self._queue.clear()
        self._bytes, self._began, self._follows = 0, None, False
        self.skipped += 1
