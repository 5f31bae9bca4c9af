"""What is left of evicted envelopes: runs of sequences with the hash of their last, neighbours merged.

A tombstone is unannounced until a loss event carries it; it is dropped when that event's receipt comes, and set
free again when that event is itself evicted. Functions over the outbox's connection, inside its transaction.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tomb:
    """A run of events that were queued and then evicted: first and last sequence, and the last one's hash."""

    first: int
    last: int
    last_hash: bytes


def unannounced(db: sqlite3.Connection, limit: int) -> tuple[Tomb, ...]:
    """The oldest `limit` tombstones that no queued loss event carries, in order."""
    rows = db.execute("SELECT first, last, last_hash FROM tombs WHERE loss IS NULL ORDER BY first LIMIT ?", (limit,))
    return tuple(Tomb(*row) for row in rows)


def bury(db: sqlite3.Connection, tomb: Tomb) -> None:
    """Add a tombstone and merge it with the unannounced ones right before and after it.

    One that a loss event carries stays as it is: that event's receipt answers for exactly what it says.
    """
    free = "SELECT first, last, last_hash FROM tombs WHERE loss IS NULL AND "
    before = db.execute(free + "last = ?", (tomb.first - 1,)).fetchone()
    after = db.execute(free + "first = ?", (tomb.last + 1,)).fetchone()
    if before is not None:
        db.execute("DELETE FROM tombs WHERE first = ?", (before[0],))
        tomb = Tomb(before[0], tomb.last, tomb.last_hash)
    if after is not None:
        db.execute("DELETE FROM tombs WHERE first = ?", (after[0],))
        tomb = Tomb(tomb.first, after[1], after[2])
    db.execute("INSERT INTO tombs VALUES (?, ?, ?, NULL)", (tomb.first, tomb.last, tomb.last_hash))


def release(db: sqlite3.Connection, loss: int) -> None:
    """Set free what the loss event with sequence `loss` carried; it goes into the next one."""
    rows = db.execute("SELECT first, last, last_hash FROM tombs WHERE loss = ?", (loss,)).fetchall()
    db.execute("DELETE FROM tombs WHERE loss = ?", (loss,))
    for row in rows:
        bury(db, Tomb(*row))
