"""The rows of one batch, gathered while it is decided and written together just before its commit.

One statement a table instead of one an event is what makes a commit cheap; `receive` decides what is gathered.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from sealcam_hub import tables
from sealcam_hub.chain import Bridge, Chain
from sealcam_hub.notices import NoticeKind
from sealcam_hub.registry import Standing
from sealcam_hub.tables import cameras, counters, events, incidents, notices

_HEAD = (
    update(cameras)
    .where(cameras.c.id == bindparam("camera"))
    .values(head_seq=bindparam("seq"), head_hash=bindparam("hash"), revision=cameras.c.revision + 1)
)
_STATUS = update(events).where(events.c.hash == bindparam("event")).values(status=bindparam("now"))


_INSERTS = tuple(insert(one) for one in (events, tables.envelopes, tables.content_keys, incidents, tables.journal))


class Rows:
    """What a batch will write through `connection`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._events: dict[bytes, dict[str, Any]] = {}
        self._envelopes: list[dict[str, Any]] = []
        self._keys: list[dict[str, Any]] = []
        self._moved: list[dict[str, Any]] = []
        self._journal: list[dict[str, Any]] = []
        self._incidents: dict[tuple[int, bytes], int] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._heads: list[dict[str, Any]] = []

    def add_event(self, row: dict[str, Any], sealed: bytes, wrapped: bytes) -> None:
        """A new event (a row of `events`), its envelope and its content key as the table wraps it."""
        self._events[row["hash"]] = row
        self._envelopes.append({"hash": row["hash"], "sealed": sealed})
        self._keys.append({"hash": row["hash"], "wrapped": wrapped})
        if row["incident"] is not None:
            self._incidents.setdefault((row["camera"], row["incident"]), row["arrived_ns"])

    def set_status(self, event: bytes, status: int) -> None:
        """Change the status of an event, of this batch or an earlier one."""
        if event in self._events:
            self._events[event]["status"] = status
        else:
            self._moved.append({"event": event, "now": status})

    def append(self, event: bytes, status: int) -> None:
        """Give an event the ledger's next place."""
        self.set_status(event, status)
        self._journal.append({"event": event, "notice": None})

    def count(self, alias: str, kind: str) -> None:
        """Count one message of a kind."""
        self._counts[alias, kind] += 1

    def notice(self, camera: int, kind: NoticeKind, mark: str, first: int, last: int, at_ns: int) -> bool:
        """Tell the owner; false when the same was told before, and then it is only counted."""
        again = update(notices).where(notices.c.mark == mark).values(times=notices.c.times + 1)
        if self._connection.execute(again).rowcount:
            return False
        row = {"camera": camera, "kind": kind.value, "mark": mark, "first": first, "last": last, "at_ns": at_ns}
        key = self._connection.execute(insert(notices).values(**row)).inserted_primary_key
        self._journal.append({"event": None, "notice": key[0] if key is not None else None})
        return True

    def head(self, before: Standing, chain: Chain) -> None:
        """Where a camera's chain now ends, and which bridges lie ahead of it."""
        self._heads.append({"camera": before.camera.id, "seq": chain.seq, "hash": chain.hash})
        if chain.bridges != before.chain.bridges:
            self._bridges(before.camera.id, chain.bridges)

    def write(self) -> None:
        """Write everything that was gathered."""
        run = self._connection.execute
        new = (list(self._events.values()), self._envelopes, self._keys, self._new_incidents(), self._journal)
        for statement, rows in zip(_INSERTS, new, strict=True):
            if rows:
                run(statement, rows)
        if self._moved:
            run(_STATUS, self._moved)
        if self._heads:
            run(_HEAD, self._heads)
        for (alias, kind), count in self._counts.items():
            where = (counters.c.alias == alias, counters.c.kind == kind)
            if not run(update(counters).where(*where).values(count=counters.c.count + count)).rowcount:
                run(insert(counters).values(alias=alias, kind=kind, count=count))

    def _new_incidents(self) -> list[dict[str, Any]]:
        if not self._incidents:
            return []
        query = select(incidents.c.camera, incidents.c.incident)
        query = query.where(incidents.c.camera.in_({camera for camera, _ in self._incidents}))
        query = query.where(incidents.c.incident.in_({incident for _, incident in self._incidents}))
        there = set(self._connection.execute(query))
        return [
            {"camera": camera, "incident": incident, "arrived_ns": arrived_ns}
            for (camera, incident), arrived_ns in self._incidents.items()
            if (camera, incident) not in there
        ]

    def _bridges(self, camera: int, bridges: tuple[Bridge, ...]) -> None:
        ahead = tables.bridges
        self._connection.execute(delete(ahead).where(ahead.c.camera == camera))
        rows = [{"camera": camera, "first": one.first, "last": one.last, "last_hash": one.last_hash} for one in bridges]
        if rows:
            self._connection.execute(insert(ahead), rows)
