"""How long somebody who has guessed wrong must wait before the next try. Pure: the time is handed in.

A wait grows and is bounded, so that guessing is hopeless and nobody is locked out for ever: after the third wrong try
1 s, then 2, 4 ... 300 s, which is 288 tries a day. An hour without a try forgets it all; guessing in bursts with such
pauses between them gives fewer tries than going on does.
"""

from __future__ import annotations

from collections.abc import Callable

FREE = 3  # tries: a person's typing errors
LONGEST_S = 300
FORGOTTEN_S = 3600
_SECOND_NS = 1_000_000_000


class Throttle:
    """The wrong tries so far; `clock()` is nanoseconds since boot."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._wrong = 0
        self._last_ns = 0

    def wait_s(self) -> int:
        """How many seconds until the next try counts, rounded up; 0 where it does now."""
        if self._wrong < FREE:
            return 0
        # No shift by a number that grows for ever: beyond 2^9 s the longest wait holds anyway.
        delay_s = min(LONGEST_S, 1 << min(self._wrong - FREE, 9))
        left_ns = self._last_ns + delay_s * _SECOND_NS - self._clock()
        return max(0, -(-left_ns // _SECOND_NS))

    def failed(self) -> None:
        """A try was wrong."""
        now_ns = self._clock()
        if now_ns - self._last_ns >= FORGOTTEN_S * _SECOND_NS:
            self._wrong = 0
        self._wrong += 1
        self._last_ns = now_ns

    def passed(self) -> None:
        """A try was right."""
        self._wrong = 0
