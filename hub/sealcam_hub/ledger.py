"""The ledger as those who show it see it: read only, opened on the way out.

Any number of processes may read while one `serve` writes. Every answer is one consistent view of the database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from sealcam.wire.bodies import Mode
from sealcam_hub import tables
from sealcam_hub.keys import TableKey
from sealcam_hub.notices import REFUSALS, notice_text
from sealcam_hub.opening import Facts, Opener, Stored
from sealcam_hub.store import Store
from sealcam_hub.tables import PENDING, cameras, events, incidents, journal, notices, wishes
from sealcam_hub.views import CameraView, Counts, EventView, IncidentView, NoticeView, ReportView

_ID = re.compile(r"([0-9a-f]{16})-([0-9a-f]{16})")
_HEX = re.compile(r"[0-9a-f]{16}")
_EVENT = (
    events.c.hash,
    events.c.seq,
    events.c.status,
    events.c.incident,
    events.c.arrived_ns,
    cameras.c.alias,
    cameras.c.name,
    cameras.c.public,
)
Found = Row[*tuple[Any, ...]]


def incident_id(alias: str, incident: bytes) -> str:
    """The name of an incident in this hub."""
    return f"{alias}-{incident.hex()}"


def mode_name(mode: int | None) -> str | None:
    """The word for an arming mode as it is stored."""
    return Mode(mode).name.lower() if mode is not None and mode in Mode._value2member_map_ else None


def _stored(row: Found) -> Stored:
    return Stored(row.hash, row.public, row.arrived_ns)


def _report(row: Found, facts: Facts) -> ReportView | None:
    return replace(facts.report, pending=row.status == PENDING) if facts.report else None


class Ledger:
    """What the hub has kept; safe to share between threads."""

    def __init__(self, store: Store, table: TableKey) -> None:
        self._store = store
        self._opener = Opener(table)

    # Incidents.

    def incidents(self, limit: int = 50, before: int | None = None) -> tuple[IncidentView, ...]:
        """The newest incidents, newest first; `before` is the `arrived_ns` of the last one of the page before."""
        query = select(incidents, cameras.c.alias, cameras.c.name, cameras.c.boot, cameras.c.public).join(cameras)
        if before is not None:
            query = query.where(incidents.c.arrived_ns < before)
        with self._store.reading() as connection:
            rows = connection.execute(query.order_by(incidents.c.arrived_ns.desc()).limit(limit)).all()
            views = [self._incident(connection, row) for row in rows]
        return tuple(view for view in views if view is not None)

    def incident(self, id: str) -> IncidentView | None:  # noqa: A002 - what the pages call it
        """The incident of that id, or none."""
        with self._store.reading() as connection:
            row = self._find(connection, id)
            return self._incident(connection, row) if row is not None else None

    def thumbnail(self, id: str) -> bytes | None:  # noqa: A002
        """The newest picture (JPEG) of an incident, or none."""
        with self._store.reading() as connection:
            row = self._find(connection, id)
            reports = self._reports(connection, row) if row is not None else []
            for found, facts in reversed(reports):
                if facts.thumbnail_bytes:
                    return self._opener.thumbnail(connection, _stored(found))
        return None

    def _find(self, connection: Connection, name: str) -> Found | None:
        """The row of an incident by its full id, or by its 16 digits where only one camera has it."""
        query = select(incidents, cameras.c.alias, cameras.c.name, cameras.c.boot, cameras.c.public).join(cameras)
        if match := _ID.fullmatch(name):
            query = query.where(cameras.c.alias == match[1], incidents.c.incident == bytes.fromhex(match[2]))
        elif _HEX.fullmatch(name):
            query = query.where(incidents.c.incident == bytes.fromhex(name))
        else:
            return None
        rows = connection.execute(query.limit(2)).all()
        return rows[0] if len(rows) == 1 else None

    def _reports(self, connection: Connection, row: Found) -> list[tuple[Found, Facts]]:
        """The readable reports of an incident, by sequence."""
        query = select(*_EVENT).join(cameras).where(events.c.camera == row.camera)
        query = query.where(events.c.incident == row.incident).order_by(events.c.seq)
        found = connection.execute(query).all()
        facts = self._opener.facts(connection, [_stored(one) for one in found])
        return [(one, facts[one.hash]) for one in found if facts[one.hash].report]

    def _incident(self, connection: Connection, row: Found) -> IncidentView | None:
        pairs = self._reports(connection, row)
        reports = [report for found, facts in pairs if (report := _report(found, facts)) is not None]
        if not reports:
            return None
        newest, facts = reports[-1], [one for _, one in pairs]
        last = facts[-1]
        return IncidentView(
            id=incident_id(row.alias, row.incident),
            alias=row.alias,
            camera_name=row.name,
            subject=newest.subject,
            confidence=newest.confidence,
            verdict=newest.verdict,
            threat=newest.threat,
            reasons=newest.reasons,
            trigger=newest.trigger,
            mode=newest.mode,
            started_ns=last.started_ns or last.occurred_ns,
            ended_ns=last.ended_ns or last.occurred_ns,
            arrived_ns=row.arrived_ns,
            open=not any(one.ends for one in facts) and row.boot in (None, last.boot),
            reports=tuple(reports),
            has_thumbnail=any(report.has_thumbnail for report in reports),
        )

    # Cameras, notices, counts.

    def cameras(self) -> tuple[CameraView, ...]:
        """Every camera of this hub, by name."""
        count = select(func.count()).select_from(incidents).where(incidents.c.camera == cameras.c.id)
        columns = (cameras, wishes.c.mode.label("wished"), count.scalar_subquery().label("incidents"))
        query = select(*columns).outerjoin(wishes).order_by(cameras.c.name)
        with self._store.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(
            CameraView(
                alias=row.alias,
                name=row.name,
                state="new" if row.beat_ns is None else "silent" if row.silent else "watching",
                mode=mode_name(row.mode),
                last_beat_ns=row.beat_ns,
                frame_age_ns=row.frame_age_ns,
                queued=row.queued,
                firmware=row.firmware,
                incidents=row.incidents,
                wished=mode_name(row.wished) if row.wished != row.mode else None,
            )
            for row in rows
        )

    def notices(self, limit: int = 20) -> tuple[NoticeView, ...]:
        """The newest notices, newest first."""
        query = select(notices, cameras.c.name).join(cameras).order_by(notices.c.id.desc()).limit(limit)
        with self._store.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(NoticeView(row.id, row.kind, row.name, notice_text(row), row.at_ns) for row in rows)

    def counts(self) -> Counts:
        """How much of what has come in since the hub was made."""
        with self._store.reading() as connection:

            def number(of: Select[int]) -> int:
                return connection.execute(of).scalar_one()

            kinds = select(tables.counters.c.kind, func.sum(tables.counters.c.count)).group_by(tables.counters.c.kind)
            counted = {kind: int(count) for kind, count in connection.execute(kinds)}
            known = number(select(func.count()).select_from(incidents))
            return Counts(
                cameras=number(select(func.count()).select_from(cameras)),
                incidents=known,
                opened=known,  # a row stands there only once a report was opened
                refused=sum(counted.get(kind, 0) for kind in REFUSALS),
                repeats=counted.get("repeat", 0),
                notices=number(select(func.count()).select_from(notices)),
                refused_by_kind=tuple((kind, counted[kind]) for kind in REFUSALS if kind in counted),
            )

    # The ledger, line by line.

    def lines(self, after: int = 0, limit: int = 256) -> tuple[EventView, ...]:
        """The lines that follow place `after`, in the ledger's order."""
        query = select(journal).where(journal.c.place > after).order_by(journal.c.place).limit(limit)
        with self._store.reading() as connection:
            rows = connection.execute(query).all()
            shown = self._events(connection, [row.event for row in rows if row.event is not None])
            told = self._told(connection, [row.notice for row in rows if row.notice is not None])
            views = []
            for row in rows:
                view = shown[row.event] if row.event is not None else told[row.notice]
                views.append(replace(view, place=row.place))
        return tuple(views)

    def pending(self) -> tuple[EventView, ...]:
        """Events that came before one that they follow, by camera and sequence."""
        query = select(events.c.hash).where(tables.waiting)
        with self._store.reading() as connection:
            hashes = list(connection.execute(query.order_by(events.c.camera, events.c.seq)).scalars())
            shown = self._events(connection, hashes)
        return tuple(shown[one] for one in hashes)

    def last_place(self) -> int:
        """The place of the ledger's last line; 0 while it is empty."""
        with self._store.reading() as connection:
            return connection.execute(select(func.max(journal.c.place))).scalar() or 0

    def _events(self, connection: Connection, hashes: list[bytes]) -> dict[bytes, EventView]:
        rows: list[Found] = []
        for start in range(0, len(hashes), 256):
            query = select(*_EVENT).join(cameras).where(events.c.hash.in_(hashes[start : start + 256]))
            rows.extend(connection.execute(query).all())
        facts = self._opener.facts(connection, [_stored(row) for row in rows])
        return {row.hash: _line(row, facts[row.hash]) for row in rows}

    def _told(self, connection: Connection, ids: Iterable[int]) -> dict[int, EventView]:
        query = select(notices, cameras.c.alias, cameras.c.name).join(cameras).where(notices.c.id.in_(list(ids)))
        return {row.id: _notice_line(row) for row in connection.execute(query)}


def _line(row: Found, facts: Facts) -> EventView:
    return EventView(
        place=None,
        camera=row.name,
        alias=row.alias,
        seq=row.seq,
        type=facts.type,
        incident=row.incident.hex() if row.incident else None,
        report=_report(row, facts),
        text=facts.text,
        occurred_ns=facts.occurred_ns,
        started_ns=facts.started_ns,
        ended_ns=facts.ended_ns,
        arrived_ns=row.arrived_ns,
        thumbnail_bytes=facts.thumbnail_bytes,
        hash=row.hash.hex(),
        camera_ns=facts.camera_ns,
    )


def _notice_line(row: Found) -> EventView:
    return EventView(
        place=None,
        camera=row.name,
        alias=row.alias,
        seq=row.first,
        type="notice",
        incident=None,
        report=None,
        text=(notice_text(row), row.kind),
        occurred_ns=row.at_ns,
        started_ns=None,
        ended_ns=None,
        arrived_ns=row.at_ns,
        thumbnail_bytes=0,
        hash="",
    )
