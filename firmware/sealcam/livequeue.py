"""Sealed messages of a live view on their way to the post: few, and new rather than whole.

Where the link is slower than the pictures, whole GOPs are passed over: what comes up to the next keyframe, and what
waited too long once a newer keyframe is there. What a message says is `live`'s. No pixel and no key is known here.
design/clips.md, live view.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from sealcam.freight import Load
from sealcam.messages import Way

# Three messages of the largest size; more than two seconds of pictures at any usual rate.
MOST_BYTES = 3 << 20
# Who looks at pictures that are older than this sees the past: newer ones take their place.
MOST_AGE_NS = 2_000_000_000


@dataclass(slots=True)
class _Gop:
    """What waits of one keyframe and the pictures that need it; `since_ns`: since when."""

    since_ns: int
    loads: deque[Load]


class LiveQueue:
    """At most `most_bytes` of messages; its user sees to it that one thread at a time is in it."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._gops: deque[_Gop] = deque()
        self._follows = False  # whether what was taken in last leads up to the next picture
        self.queued_bytes = 0

    def begin(self, session: bytes, messages: Sequence[bytes], now_ns: int) -> None:
        """A keyframe, with what goes before it. There is always room: older pictures go."""
        size_bytes = sum(map(len, messages))
        if self.queued_bytes + size_bytes > self._most_bytes:
            self.clear()
        self._gops.append(_Gop(now_ns, deque(Load(Way.LIVE, session, one) for one in messages)))
        self.queued_bytes += size_bytes
        self._follows = True

    def follow(self, session: bytes, message: bytes) -> bool:
        """The next picture; false where there is no room for it, and nothing is taken up to the next keyframe."""
        if self._follows and self._gops and self.queued_bytes + len(message) <= self._most_bytes:
            self._gops[-1].loads.append(Load(Way.LIVE, session, message))
            self.queued_bytes += len(message)
        else:
            self._follows = False
        return self._follows

    def take(self, now_ns: int) -> Load | None:
        """What goes next; what has waited too long goes nowhere, if there is anything newer."""
        while len(self._gops) > 1 and (not self._gops[0].loads or now_ns - self._gops[0].since_ns > MOST_AGE_NS):
            self.queued_bytes -= sum(len(one.payload) for one in self._gops.popleft().loads)
        if not self._gops or not self._gops[0].loads:
            return None
        load = self._gops[0].loads.popleft()
        self.queued_bytes -= len(load.payload)
        return load

    def clear(self) -> None:
        """Forget what waits; only a keyframe is taken next."""
        self._gops.clear()
        self._follows, self.queued_bytes = False, 0

    @property
    def waiting(self) -> bool:
        """Whether there is anything to take."""
        return any(gop.loads for gop in self._gops)
