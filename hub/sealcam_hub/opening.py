"""Opens what the ledger keeps, at the moment it is shown, and says what is in it.

Only small facts are remembered in memory (an envelope never changes), never a picture. Types that this hub doesn't
know are shown as such: a newer camera's event is kept and has its place in the chain.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select

from sealcam.wire import schema
from sealcam.wire.bodies import ClockQuality, EventType, HealthBody, IncidentBody, LossBody, Stage, Stamp
from sealcam.wire.envelope import Opened, open_with_content_key
from sealcam.wire.errors import EnvelopeError
from sealcam_hub import tables
from sealcam_hub.keys import TableKey
from sealcam_hub.views import EventType as Shown
from sealcam_hub.views import ReportView

REMEMBERED = 4096
LAST_NS = 253_402_300_799_000_000_000  # the year 9999, so that every time can be printed


@dataclass(frozen=True, slots=True)
class Facts:
    """What an event says, without its picture. Times are wall time in ns; `boot` is the camera's boot.

    `camera_ns` is what the camera's own clock said, whatever that is worth.
    """

    type: Shown
    occurred_ns: int
    boot: bytes = b""
    started_ns: int | None = None
    ended_ns: int | None = None
    report: ReportView | None = None
    ends: bool = False
    text: tuple[str, ...] = ()
    thumbnail_bytes: int = 0
    camera_ns: int | None = None


def wall_ns(stamp: Stamp, boot_ns: int, arrived_ns: int) -> int:
    """Wall time of `boot_ns` on the camera's clock: by its wall time if that was synchronised, else by arrival."""
    base = stamp.wall_ns if stamp.quality is ClockQuality.SYNCHRONISED else arrived_ns
    return min(max(base + boot_ns - stamp.boot_ns, 0), LAST_NS)


def _incident(opened: Opened, arrived_ns: int) -> Facts:
    body = schema.decode(opened.body, IncidentBody)
    occurred = wall_ns(body.at, body.at.boot_ns, arrived_ns)
    report = ReportView(
        seq=opened.seq,
        stage=body.stage.name.lower(),
        occurred_ns=occurred,
        subject=body.subject.name.lower(),
        confidence=body.confidence_permille / 1000,
        verdict=body.verdict.name.lower(),
        threat=body.threat_permille / 1000,
        reasons=body.reasons,
        trigger=body.trigger.name.lower(),
        mode=body.mode.name.lower(),
        pending=False,
        has_thumbnail=bool(body.thumbnail),
    )
    return Facts(
        type="incident",
        occurred_ns=occurred,
        boot=body.at.boot,
        started_ns=wall_ns(body.at, body.started_ns, arrived_ns),
        ended_ns=wall_ns(body.at, body.ended_ns, arrived_ns),
        report=report,
        ends=body.stage is Stage.END,
        thumbnail_bytes=len(body.thumbnail or b""),
        camera_ns=min(body.at.wall_ns, LAST_NS),
    )


def _loss(opened: Opened, arrived_ns: int) -> Facts:
    body = schema.decode(opened.body, LossBody)
    lost = sum(one.last - one.first + 1 for one in body.tombstones)
    runs = ", ".join(f"{one.first} to {one.last}" for one in body.tombstones)
    text = (f"{lost} events were dropped on the camera to make room: {runs}",)
    return Facts(
        "loss",
        wall_ns(body.at, body.at.boot_ns, arrived_ns),
        body.at.boot,
        text=text,
        camera_ns=min(body.at.wall_ns, LAST_NS),
    )


def _health(opened: Opened, arrived_ns: int) -> Facts:
    body = schema.decode(opened.body, HealthBody)
    text = (body.detail, body.code) if body.detail else (body.code,)
    return Facts(
        "health",
        wall_ns(body.at, body.at.boot_ns, arrived_ns),
        body.at.boot,
        text=text,
        camera_ns=min(body.at.wall_ns, LAST_NS),
    )


_READERS = {EventType.INCIDENT: _incident, EventType.LOSS: _loss, EventType.HEALTH: _health}


def facts_of(opened: Opened, arrived_ns: int) -> Facts:
    """What an opened event says; never raises, since what a camera signed has its place in the ledger."""
    reader = _READERS.get(EventType(opened.kind)) if opened.kind in EventType._value2member_map_ else None
    if reader is None:
        return Facts("unknown", arrived_ns, text=(f"an event of type {opened.kind}, which this hub doesn't know",))
    try:
        return reader(opened, arrived_ns)
    except EnvelopeError:
        return Facts("unknown", arrived_ns, text=(f"an event of type {opened.kind} that this hub can't read",))


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

    def facts(self, connection: Connection, stored: Iterable[Stored]) -> dict[bytes, Facts]:
        """What each of `stored` says, by hash."""
        wanted = list(stored)
        with self._lock:
            found = {one.hash: self._known[one.hash] for one in wanted if one.hash in self._known}
        missing = [one for one in wanted if one.hash not in found]
        for start in range(0, len(missing), 64):  # sealed bytes are large: a few at a time
            part = missing[start : start + 64]
            rows = {row.hash: row for row in self._rows(connection, part)}
            for one in part:
                found[one.hash] = self._facts(one, rows.get(one.hash))
        with self._lock:
            for one in wanted:
                self._known[one.hash] = found[one.hash]
                self._known.move_to_end(one.hash)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found

    def thumbnail(self, connection: Connection, stored: Stored) -> bytes | None:
        """The picture in an event, if there is one."""
        for row in self._rows(connection, [stored]):
            try:
                opened = self._open(stored, row)
                if opened.kind == EventType.INCIDENT:
                    return schema.decode(opened.body, IncidentBody).thumbnail
            except EnvelopeError:
                return None
        return None

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
        try:
            if row is not None:
                return facts_of(self._open(stored, row), stored.arrived_ns)
        except EnvelopeError:
            pass
        return Facts("unknown", stored.arrived_ns, text=("its stored bytes don't open any more",))
