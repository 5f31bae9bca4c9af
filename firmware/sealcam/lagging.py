"""Whether the recorder keeps up: the share of frames that were passed over, minute by minute, told as it changes.

Counted by the frames' own times, in sight's thread; told in the recorder's. design/clips.md, bad input.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

# How long is looked at in one piece: a burst of work elsewhere is over by then.
WINDOW_S = 60.0
# From this share of frames on the recorder is too slow; under that one it keeps up again.
SLOW, SOUND = 0.10, 0.02
# A source that gives fewer in a window says nothing of the encoder.
LEAST_FRAMES = 30


class Lag:
    """One recorder's. `take` may run in one thread and `tell` in another: a window that one ends the other tells."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # around `_newest`: one that ends between its reading and emptying isn't lost
        self._begun_ns = self._last_ns = 0
        self._frames = self._passed = 0
        self._newest: tuple[int, int] | None = None
        self._slow = False

    def take(self, t_ns: int, *, passed_over: bool) -> None:
        """A frame of this time was handed over, or passed over."""
        if not self._frames or t_ns < self._last_ns:  # a source that begins anew begins a window
            self._begun_ns, self._frames, self._passed = t_ns, 0, 0
        self._last_ns = t_ns
        self._frames += 1
        self._passed += passed_over
        if t_ns - self._begun_ns >= WINDOW_S * 1e9:
            if self._frames >= LEAST_FRAMES:
                with self._lock:
                    self._newest = self._passed, self._frames
            self._frames = 0

    def tell(self, say: Callable[[str, str], None]) -> None:
        """Say what changed: that the recorder is too slow, once, or that it keeps up again."""
        with self._lock:
            newest, self._newest = self._newest, None
        if newest is None:
            return
        passed, frames = newest
        words = f"{passed} of {frames} pictures ({passed / frames:.0%}) were passed over within {WINDOW_S:g} s"
        if not self._slow and passed >= SLOW * frames:
            say("encoder-slow", f"{words}: this board encodes too slowly; set fps in [clips] lower")
            self._slow = True
        elif self._slow and passed <= SOUND * frames:
            say("encoder-slow-over", words)
            self._slow = False
