"""The rows of one batch, gathered while it is decided and written together just before its commit.

One statement a table instead of one an event is what makes a commit cheap; `receive` decides what is gathered.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, bindparam, cast, column, delete, insert, select, update, values

from sealcam.wire.bodies import EventType
from sealcam_hub import bulk, tables
from sealcam_hub.chain import Bridge, Chain
from sealcam_hub.clip_rows import Clips
from sealcam_hub.contents import HandOver
from sealcam_hub.notices import NoticeKind, Why
from sealcam_hub.postgres import DIALECT, in_order
from sealcam_hub.registry import Standing
from sealcam_hub.tables import cameras, counters, events, incidents, notices

_HEAD = (
    update(cameras)
    .where(cameras.c.id == bindparam("camera"))
    .values(head_seq=bindparam("seq"), head_hash=bindparam("hash"), revision=cameras.c.revision + 1)
)
_AHEAD = tables.bridges.c
_CROSSED = delete(tables.bridges).where(_AHEAD.camera == bindparam("of"))
_CROSSED = _CROSSED.where(_AHEAD.first.between(bindparam("from"), bindparam("to")), _AHEAD.last <= bindparam("to"))
_CROSSED = _CROSSED.where(_AHEAD.epoch == bindparam("by"))  # as rows it may still be the runs that it was joined from
_STATUS = update(events).where(events.c.hash == bindparam("event")).values(status=bindparam("now"))


_NEW = (events, tables.envelopes, tables.content_keys, incidents)


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
        self._handovers: dict[bytes, dict[str, Any]] = {}
        self.clips = Clips(connection)

    def add_event(self, row: dict[str, Any], sealed: bytes, wrapped: bytes) -> None:
        """A new event (a row of `events`), its envelope and its content key as the table wraps it."""
        self.add_deleted(row)
        self._envelopes.append({"hash": row["hash"], "sealed": sealed})
        self._keys.append({"hash": row["hash"], "wrapped": wrapped})
        if row["incident"] is not None and row["kind"] == EventType.INCIDENT:
            self._incidents.setdefault((row["camera"], row["incident"]), row["arrived_ns"])

    def add_deleted(self, row: dict[str, Any]) -> None:
        """A new event of which only its place in the chain is kept."""
        self._events[row["hash"]] = row

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

    def hand_over(self, event: bytes, said: HandOver) -> None:
        """The keys that a hand-over brings once it is appended."""
        self._handovers[event] = {"hash": event, "epoch": said.epoch, "public": said.public, "command": said.command}

    def handed_over(self, event: bytes) -> HandOver:
        """The keys that a hand-over, of this batch or an earlier one, brings."""
        if event in self._handovers:
            row = self._handovers[event]
            return HandOver(row["epoch"], row["public"], row["command"], True)
        kept = tables.handovers
        query = select(kept.c.epoch, kept.c.public, kept.c.command).where(kept.c.hash == event)
        return HandOver(*self._connection.execute(query).one(), True)

    def notice(
        self, camera: int, kind: NoticeKind, mark: str, first: int, last: int, at_ns: int, why: Why = Why.PLACE
    ) -> bool:
        """Tell the owner; false when the same was told before, and then it is only counted."""
        again = update(notices).where(notices.c.mark == mark).values(times=notices.c.times + 1)
        if self._connection.execute(again).rowcount:
            return False
        row = {"camera": camera, "kind": kind.value, "why": why.value, "mark": mark, "at_ns": at_ns}
        row |= {"first": first, "last": last}
        key = self._connection.execute(insert(notices).values(**row)).inserted_primary_key
        self._journal.append({"event": None, "notice": key[0] if key is not None else None})
        return True

    def gap(self, camera: int, alias: str, run: tuple[int, int], at_ns: int) -> None:
        """Tell that this run is missing, as far as that wasn't told: what was may be known by now to stay, or reach
        further."""
        first, last = run
        while first <= last:
            mark = f"gap:{alias}:{first}"
            told = self._connection.execute(select(notices.c.last).where(notices.c.mark == mark)).scalar()
            if told is None:
                self.notice(camera, NoticeKind.GAP, mark, first, last, at_ns)
                return
            first = int(told) + 1

    def head(self, before: Standing, chain: Chain) -> None:
        """Where a camera's chain now ends, and which bridges lie ahead of it."""
        self._heads.append({"camera": before.camera.id, "seq": chain.seq, "hash": chain.hash})
        if chain.bridges != before.chain.bridges:
            self._bridges(before.camera.id, set(before.chain.bridges), set(chain.bridges))

    def write(self) -> None:
        """Write everything that was gathered: first what belongs to one camera, then what all of them share."""
        run = self._connection.execute
        new = (list(self._events.values()), self._envelopes, self._keys, self._new_incidents())
        for table, rows in zip(_NEW, new, strict=True):
            if rows:
                bulk.add(self._connection, table, rows)
        if self._handovers:
            run(insert(tables.handovers), list(self._handovers.values()))
        self._write_moved()
        self._write_heads()
        in_order(self._connection)
        self.clips.write()
        if self._journal:
            bulk.add(self._connection, tables.journal, self._journal)
        for (alias, kind), count in self._counts.items():
            where = (counters.c.alias == alias, counters.c.kind == kind)
            if not run(update(counters).where(*where).values(count=counters.c.count + count)).rowcount:
                run(insert(counters).values(alias=alias, kind=kind, count=count))

    def _write_moved(self) -> None:
        """As `_write_heads`: of several workers, each gives places to what others have parked."""
        if self._moved and self._connection.dialect.name == DIALECT:
            last = {one["event"]: one["now"] for one in self._moved}
            columns = (column("of", tables.Raw), column("now", Integer))
            moved = values(*columns, name="moved").data(
                [(cast(event, tables.Raw), status) for event, status in last.items()]
            )
            self._connection.execute(update(events).where(events.c.hash == moved.c.of).values(status=moved.c.now))
        elif self._moved:
            self._connection.execute(_STATUS, self._moved)

    def _write_heads(self) -> None:
        """Many cameras in one statement where each would be a journey of its own."""
        if self._heads and self._connection.dialect.name == DIALECT:
            columns = (column("of", Integer), column("seq", BigInteger), column("hash", tables.Raw))
            heads = values(*columns, name="heads").data(
                [(one["camera"], one["seq"], cast(one["hash"], tables.Raw)) for one in self._heads]
            )
            moved = {"head_seq": heads.c.seq, "head_hash": heads.c.hash, "revision": cameras.c.revision + 1}
            self._connection.execute(update(cameras).where(cameras.c.id == heads.c.of).values(**moved))
        elif self._heads:
            self._connection.execute(_HEAD, self._heads)

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

    def _bridges(self, camera: int, before: set[Bridge], now: set[Bridge]) -> None:
        gone = [{"of": camera, "from": one.first, "to": one.last, "by": one.epoch} for one in before - now]
        if gone:
            self._connection.execute(_CROSSED, gone)
        new = [
            {"camera": camera, "first": one.first, "last": one.last, "last_hash": one.last_hash, "epoch": one.epoch}
            for one in now - before
        ]
        if new:
            self._connection.execute(insert(tables.bridges), new)
