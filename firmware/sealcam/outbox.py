"""The camera's only copy of what the hub has not yet confirmed: durable, bounded, and the keeper of the chain.

One SQLite database, opened by the eye alone. Sequence, chain head, epoch and envelope are written in one
transaction, so a crash may lose an event that was never queued, but never forks the chain. What is evicted over the
byte bound leaves a tombstone, and tombstones travel in a loss event. When something is sent is `schedule`'s, how is
`link`'s, and whether a receipt is genuine is decided before `acknowledge` is called. design/pipeline.md, "Outbox".
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from sealcam import mailrows, storage
from sealcam.mailrows import Head, Step
from sealcam.schedule import Schedule
from sealcam.tombs import Tomb, bury, unannounced
from sealcam.wire.sealed import GENESIS, HASH_BYTES, Sealed, envelope_hash

__all__ = ["Outbox", "OutboxStats", "Queued", "Tomb"]

LOSS_URGENCY = 1
MAX_TOMBS = 512  # in one loss event: at 60 bytes each far below the bound of a body; the rest goes in the next one


@dataclass(frozen=True, slots=True)
class Queued:
    """One envelope that is due, and the 32-byte hash that its receipt will name."""

    seq: int
    hash: bytes
    envelope: Sealed
    urgency: int


@dataclass(frozen=True, slots=True)
class OutboxStats:
    """What a beat tells of the outbox; `evicted` counts since the outbox was made.

    `oldest_prekey` is the lowest number given as `prekey` with what is queued.
    """

    queued: int
    queued_bytes: int
    evicted: int
    oldest_prekey: int | None


class Outbox:
    """Envelopes until the hub's receipt comes, in a file of at most about `max_bytes`. Safe to use from any thread.

    `on_change` is called after something was queued or deleted, by the thread that did it and without a lock.
    Every method that touches the file raises `StorageError` when it can't; nothing queued is lost by that, and
    the outbox goes on when the cause is gone.
    """

    def __init__(self, path: Path, *, max_bytes: int, on_change: Callable[[], None] = lambda: None) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._on_change = on_change
        self._lock = threading.Lock()
        self._db = storage.open_alone(path, mailrows.SCHEMA, mailrows.VERSION, mailrows.UPGRADES)
        try:
            with storage.errors(path):
                self._head, self._evicted = self._load_head()
                self._bytes: int = self._db.execute("SELECT coalesce(sum(size), 0) FROM mail").fetchone()[0]
                self._schedule = Schedule(self._db.execute("SELECT seq, urgency FROM mail INDEXED BY eviction"))
        except BaseException:
            self._db.close()
            raise

    def append(
        self,
        seal: Callable[[int, bytes], Sealed],
        urgency: int,
        prekey: int,
        *,
        clip: bytes | None = None,
        kept: bool = False,
        epoch: int | None = None,
    ) -> int:
        """Queue what `seal(seq, prev)` returns, and return its sequence; evicts when over the bound.

        `seal` runs inside the transaction: what it raises goes through and nothing has happened. `clip` (its id) is
        the clip whose key this envelope carries: if it is evicted, so must the clip be. What is `kept` is never
        evicted. `epoch` becomes the head's: this envelope is the hand-over to it.
        """
        with self._lock:
            with self._transaction():
                step = Step(self._db, self._bytes)
                seq = self._head.seq + 1
                sealed = seal(seq, self._head.hash)
                name = step.insert(seq, sealed, urgency, prekey, kept, clip)
                step.evict(self._max_bytes)
                head = Head(seq, name, self._head.epoch if epoch is None else epoch)
                step.finish(head, self._evicted)
            self._done(step, head, urgency)
        self._on_change()
        return seq

    def append_loss(
        self, seal: Callable[[int, bytes, tuple[Tomb, ...]], Sealed], prekey: int, at_most: int = MAX_TOMBS
    ) -> int | None:
        """Queue a loss event over up to `at_most` tombstones that none has announced yet, and return its sequence.

        None when there are none, or when the queue is so full of more urgent events that it would be evicted at
        once: then nothing has happened, and the tombstones wait.
        """
        with self._lock:
            try:
                with self._transaction():
                    step = Step(self._db, self._bytes)
                    tombs = unannounced(self._db, at_most)
                    if not tombs:
                        raise _NoRoom
                    seq = self._head.seq + 1
                    sealed = seal(seq, self._head.hash, tombs)
                    name = step.insert(seq, sealed, LOSS_URGENCY, prekey, False, None)
                    self._db.executemany("UPDATE tombs SET loss = ? WHERE first = ?", [(seq, t.first) for t in tombs])
                    step.evict(self._max_bytes)
                    if seq in step.evicted:
                        raise _NoRoom
                    head = Head(seq, name, self._head.epoch)
                    step.finish(head, self._evicted)
            except _NoRoom:
                return None
            self._done(step, head, LOSS_URGENCY)
        self._on_change()
        return seq

    def begin(self, epoch: int) -> None:
        """Record the number of the epoch that signs, where none was recorded yet."""
        self._move(Head(self._head.seq, self._head.hash, epoch), ())

    def bridge(self, last: int, last_hash: bytes, epoch: int) -> None:
        """Go on after sequence `last`: what was signed up to there is lost, and a tombstone says so.

        `last_hash` is made up, since nobody knows the real one; it is the `prev` of the next envelope.
        """
        self._move(Head(last, last_hash, epoch), (Tomb(self._head.seq + 1, last, last_hash),))

    def _move(self, head: Head, tombs: tuple[Tomb, ...]) -> None:
        with self._lock:
            with self._transaction():
                step = Step(self._db, self._bytes)
                for tomb in tombs:
                    bury(self._db, tomb)
                step.finish(head, self._evicted)
            self._head = head

    def clips_to_delete(self) -> tuple[bytes, ...]:
        """Ids of clips whose key was evicted: nobody will ever open them. Remembered until `clip_deleted`."""
        with self._lock, storage.errors(self._path):
            return tuple(row[0] for row in self._db.execute("SELECT clip FROM clips ORDER BY clip"))

    def clip_deleted(self, clip: bytes) -> None:
        """That clip's file is gone."""
        with self._lock, self._transaction():
            self._db.execute("DELETE FROM clips WHERE clip = ?", (clip,))

    def next(self, now_ns: int) -> Queued | None:
        """The most urgent envelope that is due, then the lowest sequence; it stays queued."""
        with self._lock:
            while True:
                seq = self._schedule.next(now_ns)
                if seq is None:
                    return None
                with storage.errors(self._path):
                    row = self._db.execute("SELECT hash, envelope, urgency FROM mail WHERE seq = ?", (seq,)).fetchone()
                if row is None:
                    raise storage.damaged(self._path)
                if envelope_hash(row[1]) == row[0]:
                    return Queued(seq, row[0], Sealed(row[1]), row[2])
                self._lose(seq)  # rotted on the card: the hub would refuse it for ever, so say that it is lost

    def published(self, seq: int, now_ns: int) -> None:
        """The broker has it: due again after 15, 30, 60 ... 300 s, unless its receipt comes."""
        with self._lock:
            self._schedule.published(seq, now_ns)

    def link_up(self) -> None:
        """Everything without a receipt is due at once."""
        with self._lock:
            self._schedule.all_due()

    def acknowledge(self, envelope_hash: bytes) -> bool:
        """Delete the envelope of this hash, and the tombstones it announced; false when there is none.

        Only for a hash from a receipt whose signature was verified.
        """
        with self._lock:
            with storage.errors(self._path):
                found = self._db.execute("SELECT seq, size FROM mail WHERE hash = ?", (envelope_hash,)).fetchone()
            if found is None:
                return False
            seq, size = found
            with self._transaction():
                self._db.execute("DELETE FROM mail WHERE seq = ?", (seq,))
                self._db.execute("DELETE FROM tombs WHERE loss = ?", (seq,))
            self._bytes -= size
            self._schedule.remove(seq)
        self._on_change()
        return True

    def head(self) -> tuple[int, bytes]:
        """The newest sequence and its envelope's hash; (0, GENESIS) when nothing was ever queued."""
        with self._lock:
            return self._head.seq, self._head.hash

    @property
    def epoch(self) -> int:
        """The epoch of the key that signs the next envelope; 0 while none was recorded."""
        return self._head.epoch

    def stats(self) -> OutboxStats:
        """How much is queued, what was evicted, and the lowest prekey number something queued is sealed to."""
        with self._lock:
            with storage.errors(self._path):
                (oldest,) = self._db.execute("SELECT min(prekey) FROM mail").fetchone()
            return OutboxStats(len(self._schedule), self._bytes, self._evicted, oldest)

    def due_now(self, first: int, last: int) -> int:
        """What is queued from `first` to `last`, both counted in, is due at once; how many that are."""
        with self._lock:
            return self._schedule.due_now(first, last)

    def due_in_s(self, now_ns: int) -> float | None:
        """Seconds until `next` could return something, 0 for now; none when nothing is queued."""
        with self._lock:
            due_ns = self._schedule.due_in_ns(now_ns)
        return None if due_ns is None else due_ns / 1e9

    def close(self) -> None:
        """Close the file; the outbox can't be used afterwards."""
        with self._lock, storage.errors(self._path):
            self._db.close()

    def _load_head(self) -> tuple[Head, int]:
        row = self._db.execute("SELECT seq, hash, epoch, evicted FROM head").fetchone() or (-1, b"", 0, 0)
        head = Head(*row[:3])
        (newest,) = self._db.execute("SELECT coalesce(max(seq), 0) FROM mail").fetchone()
        if head.seq < newest or len(head.hash) != HASH_BYTES or (head.seq == 0) != (head.hash == GENESIS):
            raise storage.damaged(self._path)
        return head, row[3]

    def _lose(self, seq: int) -> None:
        with self._transaction():
            step = Step(self._db, self._bytes)
            step.bury(seq)
            step.finish(self._head, self._evicted)
        self._done(step, self._head, None)

    def _done(self, step: Step, head: Head, urgency: int | None) -> None:
        """Take over, after the commit, what `step` did."""
        if urgency is not None:
            self._schedule.add(head.seq, urgency)
        for gone in step.evicted:
            self._schedule.remove(gone)
        self._head, self._bytes = head, step.bytes
        self._evicted += len(step.evicted)

    def _transaction(self) -> AbstractContextManager[None]:
        return storage.transaction(self._db, self._path)


class _NoRoom(Exception):
    """Roll back: there is nothing to announce or no room for it."""
