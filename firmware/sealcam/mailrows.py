"""The outbox's tables, and what one transaction does to them. No policy: that is `outbox`'s."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sealcam.tombs import Tomb, bury, release
from sealcam.wire.sealed import Sealed, envelope_hash

VERSION = 2
SCHEMA = """
CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 0), seq INTEGER NOT NULL, hash BLOB NOT NULL, evicted INTEGER NOT NULL,
    epoch INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE mail (
    seq INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, urgency INTEGER NOT NULL, prekey INTEGER NOT NULL,
    size INTEGER NOT NULL, envelope BLOB NOT NULL, kept INTEGER NOT NULL DEFAULT 0, clip BLOB
);
CREATE TABLE clips (clip BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE INDEX eviction ON mail (kept, urgency DESC, seq, size);
CREATE INDEX prekeys ON mail (prekey);
CREATE TABLE tombs (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, last_hash BLOB NOT NULL, loss INTEGER);
CREATE INDEX losses ON tombs (loss);
CREATE INDEX ends ON tombs (last);
INSERT INTO head VALUES (0, 0, zeroblob(32), 0, 0);
"""
UPGRADES = {
    1: """
ALTER TABLE head ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mail ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mail ADD COLUMN clip BLOB;
CREATE TABLE clips (clip BLOB PRIMARY KEY) WITHOUT ROWID;
DROP INDEX eviction;
CREATE INDEX eviction ON mail (kept, urgency DESC, seq, size);
"""
}


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain is: newest sequence, its envelope's hash, and the epoch of the key that signs the next.

    Epoch 0: nothing was recorded yet.
    """

    seq: int
    hash: bytes
    epoch: int


class Step:
    """What one transaction changes: rows at once, the outbox's memory only after the commit."""

    def __init__(self, db: sqlite3.Connection, queued_bytes: int) -> None:
        self._db = db
        self.bytes = queued_bytes
        self.evicted: list[int] = []

    def insert(self, seq: int, sealed: Sealed, urgency: int, prekey: int, kept: bool, clip: bytes | None) -> bytes:
        """Queue one envelope; its hash."""
        name = envelope_hash(sealed)
        row = (seq, name, urgency, prekey, len(sealed), sealed, kept, clip)
        self._db.execute("INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        self.bytes += len(sealed)
        return name

    def evict(self, max_bytes: int) -> None:
        """Bury the least urgent, then the oldest, until the rest fits; what is kept stays, even over the bound."""
        while self.bytes > max_bytes:
            query = "SELECT seq FROM mail WHERE kept = 0 ORDER BY urgency DESC, seq LIMIT 1"
            row = self._db.execute(query).fetchone()
            if row is None:
                return
            self.bury(row[0])

    def bury(self, seq: int) -> None:
        """Put a tombstone in its place; a clip whose key goes with it goes too."""
        size, name, clip = self._db.execute("SELECT size, hash, clip FROM mail WHERE seq = ?", (seq,)).fetchone()
        self._db.execute("DELETE FROM mail WHERE seq = ?", (seq,))
        release(self._db, seq)
        bury(self._db, Tomb(seq, seq, name))
        if clip is not None:
            self._db.execute("INSERT OR IGNORE INTO clips VALUES (?)", (clip,))
        self.bytes -= size
        self.evicted.append(seq)

    def finish(self, head: Head, evicted_before: int) -> None:
        """Write where the chain is now, as the last statement of the transaction."""
        evicted = evicted_before + len(self.evicted)
        row = (head.seq, head.hash, head.epoch, evicted)
        self._db.execute("UPDATE head SET seq = ?, hash = ?, epoch = ?, evicted = ?", row)
