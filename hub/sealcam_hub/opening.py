"""Opens what the ledger keeps, at the moment it is shown; what it says is told by `facts`.

Only small facts are remembered in memory (an envelope never changes), never a picture.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from sealcam.wire import schema
from sealcam.wire.bodies import EventType, IncidentBody, PieceBody
from sealcam.wire.envelope import Opened, open_with_content_key
from sealcam.wire.errors import EnvelopeError
from sealcam_hub import tables
from sealcam_hub.facts import Facts, facts_of
from sealcam_hub.keys import TableKey

REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Stored:
    """Where an event stands: enough to open it."""

    hash: bytes
    public: bytes
    arrived_ns: int


class Opener:
    """Opens stored events by their content keys; safe to share between threads."""

    def __init__(self, table: TableKey) -> None:
        self._table = table
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, Facts] = OrderedDict()
        self._known_under = table.identity

    def facts(self, connection: Connection, stored: Iterable[Stored]) -> dict[bytes, Facts]:
        """What each of `stored` says, by hash."""
        wanted = list(stored)
        identity = self._table.identity
        with self._lock:
            if self._known_under != identity:  # something was deleted: forget what it said
                self._known.clear()
                self._known_under = identity
            found = {one.hash: self._known[one.hash] for one in wanted if one.hash in self._known}
        missing = [one for one in wanted if one.hash not in found]
        for start in range(0, len(missing), 64):  # sealed bytes are large: a few at a time
            part = missing[start : start + 64]
            rows = {row.hash: row for row in self._rows(connection, part)}
            for one in part:
                found[one.hash] = self._facts(one, rows.get(one.hash))
        with self._lock:
            for one in wanted if self._known_under == identity else ():
                self._known[one.hash] = found[one.hash]
                self._known.move_to_end(one.hash)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found

    def report(self, connection: Connection, stored: Stored) -> IncidentBody | None:
        """All that a report of an incident says, or none where it doesn't open any more."""
        for row in self._rows(connection, [stored]):
            try:
                opened = self._open(stored, row)
                if opened.kind == EventType.INCIDENT:
                    return schema.decode(opened.body, IncidentBody)
            except EnvelopeError:
                return None
        return None

    def joined(self, connection: Connection, stored: list[Stored]) -> bytes | None:
        """The picture whose pieces are in these events, in this order; none where one of them doesn't open any more."""
        rows = {row.hash: row for row in self._rows(connection, stored)}
        try:
            opened = [self._open(one, rows[one.hash]) for one in stored if one.hash in rows]
            data = [schema.from_map(one.fields, PieceBody).data for one in opened]
        except EnvelopeError:
            return None
        return b"".join(data) if len(data) == len(stored) else None

    def _rows(self, connection: Connection, stored: list[Stored]) -> Iterable[Row[bytes, bytes, bytes]]:
        envelopes, keys = tables.envelopes, tables.content_keys
        query = (
            select(envelopes.c.hash, envelopes.c.sealed, keys.c.wrapped)
            .join(keys, keys.c.hash == envelopes.c.hash)
            .where(envelopes.c.hash.in_([one.hash for one in stored]))
        )
        return connection.execute(query)

    def _open(self, stored: Stored, row: Row[bytes, bytes, bytes]) -> Opened:
        return open_with_content_key(row.sealed, stored.public, self._table.unwrap(row.wrapped))

    def _facts(self, stored: Stored, row: Row[bytes, bytes, bytes] | None) -> Facts:
        if row is None:
            return Facts("deleted", stored.arrived_ns, text=("deleted by the owner",))
        try:
            return facts_of(self._open(stored, row), stored.arrived_ns)
        except EnvelopeError:
            return Facts("unknown", stored.arrived_ns, text=("its stored bytes don't open any more",))
