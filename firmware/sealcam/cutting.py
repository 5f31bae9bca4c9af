"""How large a piece may be: as large as the broker takes, and so small that it leaves within a moment. Pure.

An alarm waits for the piece that is out, so that a slow link gets small ones. design/clips.md, transfer.
"""

from __future__ import annotations

from sealcam.wire.piece import MAX_DATA_BYTES, PREFIX_BYTES

_NS = 1_000_000_000
SLOW_NS = 2 * _NS  # a piece that takes longer makes the next ones smaller
QUICK_NS = _NS // 2  # one that takes less makes them larger
# How many pieces go before a size is tried again at which a connection was lost; twice as many each time. Some brokers
# break a connection over a message that is too large for them, without a word.
FEW, MANY = 16, 1024
LEAST_BYTES = 2048  # smaller ones cost more in headers than they spare; at 8 kbit/s it takes two seconds


class Cut:
    """The bytes of a clip that the next piece may have."""

    def __init__(self) -> None:
        self._quick = MAX_DATA_BYTES
        self._allowed = MAX_DATA_BYTES
        self._suspect = MAX_DATA_BYTES + 1  # the least size at which a connection was lost
        self._patience = self._well = 0

    @property
    def bytes(self) -> int:
        """Of the clip, without what stands before them."""
        return min(self._quick, self._allowed)

    def took(self, size: int, ns: int) -> None:
        """A piece of that size was out after so long."""
        if size >= self._suspect:
            self._suspect, self._patience = MAX_DATA_BYTES + 1, 0
        if ns > SLOW_NS:
            self._halve()
        elif ns < QUICK_NS:
            self._well += 1
            if 2 * self._quick < self._suspect or self._well > self._patience:
                self._quick, self._well = min(2 * self._quick, MAX_DATA_BYTES), 0

    def broke(self, size: int) -> None:
        """The connection was lost over a piece of that size, or it took so long that nobody knows."""
        self._suspect = min(size, self._suspect)
        self._patience = min(max(2 * self._patience, FEW), MANY)
        self._halve()

    def _halve(self) -> None:
        self._quick, self._well = max(self.bytes // 2, LEAST_BYTES), 0

    def allow(self, limit_bytes: int) -> bool:
        """The broker takes no larger messages; whether pieces can go at all."""
        allowed = limit_bytes - PREFIX_BYTES
        if not LEAST_BYTES <= allowed < self.bytes:  # it refuses smaller ones too, or makes no sense
            return False
        self._allowed = allowed
        return True

    def renew(self) -> None:
        """Another connection: its broker may take more."""
        self._allowed = MAX_DATA_BYTES
