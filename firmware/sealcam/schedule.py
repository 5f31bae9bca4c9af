"""What of the outbox goes next: the most urgent that is due, and when a repeat is due.

Pure and in memory: it forgets everything at a restart, after which all that is queued is due at once. Storage and
transactions are left to `outbox`. design/pipeline.md, "Outbox".
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

_NS = 1_000_000_000
FIRST_REPEAT_NS = 15 * _NS  # published, but no receipt: again after this, then twice as long each time
LAST_REPEAT_NS = 300 * _NS
_READY = 0


@dataclass(slots=True)
class _Entry:
    urgency: int
    repeat_ns: int = FIRST_REPEAT_NS
    due_ns: int = _READY


class Schedule:
    """Sequences with their urgency; two heaps whose stale tops are skipped and swept."""

    def __init__(self, entries: Iterable[tuple[int, int]] = ()) -> None:
        self._entries = {seq: _Entry(urgency) for seq, urgency in entries}
        self._ready: list[tuple[int, int]] = []  # (urgency, seq)
        self._waiting: list[tuple[int, int]] = []  # (due_ns, seq)
        self.all_due()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, seq: int, urgency: int) -> None:
        """Take `seq` in, due at once."""
        self._entries[seq] = _Entry(urgency)
        heapq.heappush(self._ready, (urgency, seq))

    def remove(self, seq: int) -> None:
        """Forget `seq`; unknown ones are nothing new."""
        if self._entries.pop(seq, None) is not None and self._stale() > len(self._entries) + 64:
            self._rebuild()  # evictions take from the far end of the heap, where nothing would be popped for weeks

    def published(self, seq: int, now_ns: int) -> None:
        """Let `seq` wait for its receipt: 15 s, then 30, 60 ... up to 5 min."""
        entry = self._entries.get(seq)
        if entry is None:
            return
        entry.due_ns = now_ns + entry.repeat_ns
        entry.repeat_ns = min(2 * entry.repeat_ns, LAST_REPEAT_NS)
        heapq.heappush(self._waiting, (entry.due_ns, seq))

    def all_due(self) -> None:
        """Everything is due at once, and its waiting begins anew."""
        for entry in self._entries.values():
            entry.due_ns, entry.repeat_ns = _READY, FIRST_REPEAT_NS
        self._rebuild()

    def due_now(self, first: int, last: int) -> int:
        """What lies from `first` to `last`, both counted in, is due at once; how many that are."""
        few = last - first < len(self._entries)
        found = [seq for seq in (range(first, last + 1) if few else self._entries) if seq in self._entries]
        wanted = [seq for seq in found if first <= seq <= last]
        for seq in wanted:
            entry = self._entries[seq]
            if entry.due_ns != _READY:
                entry.due_ns, entry.repeat_ns = _READY, FIRST_REPEAT_NS
                heapq.heappush(self._ready, (entry.urgency, seq))
        return len(wanted)

    def next(self, now_ns: int) -> int | None:
        """The most urgent sequence that is due, the lowest of several; it stays until published or removed."""
        self._ripen(now_ns)
        while self._ready:
            urgency, seq = self._ready[0]
            entry = self._entries.get(seq)
            if entry is not None and entry.due_ns == _READY and entry.urgency == urgency:
                return seq
            heapq.heappop(self._ready)
        return None

    def due_in_ns(self, now_ns: int) -> int | None:
        """Nanoseconds until `next` could return something, 0 for now; none when there is nothing."""
        if not self._entries:
            return None
        if self.next(now_ns) is not None:
            return 0
        return max(0, self._waiting[0][0] - now_ns)

    def _ripen(self, now_ns: int) -> None:
        """Move what has waited long enough to the ready ones; afterwards the top of `_waiting` isn't stale."""
        while self._waiting:
            due_ns, seq = self._waiting[0]
            entry = self._entries.get(seq)
            if entry is not None and entry.due_ns == due_ns:
                if due_ns > now_ns:
                    return
                entry.due_ns = _READY
                heapq.heappush(self._ready, (entry.urgency, seq))
            heapq.heappop(self._waiting)

    def _stale(self) -> int:
        return len(self._ready) + len(self._waiting) - len(self._entries)

    def _rebuild(self) -> None:
        pairs = self._entries.items()
        self._ready = [(entry.urgency, seq) for seq, entry in pairs if entry.due_ns == _READY]
        self._waiting = [(entry.due_ns, seq) for seq, entry in pairs if entry.due_ns != _READY]
        heapq.heapify(self._ready)
        heapq.heapify(self._waiting)
