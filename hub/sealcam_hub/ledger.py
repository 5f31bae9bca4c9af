"""The ledger as those who show it see it: read only, opened on the way out.

Any number of processes may read while one `serve` writes. Every answer is one consistent view of the database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from sealcam.wire import schema
from sealcam.wire.bodies import Mode, Outcome
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.wishes import CommandType, PrivacyWish
from sealcam_hub import paths, rules, tables, vault_rows
from sealcam_hub.alarm_tables import hub_notices
from sealcam_hub.among import among
from sealcam_hub.facts import Facts
from sealcam_hub.keys import TableKey
from sealcam_hub.nearness import card_low
from sealcam_hub.notice_rows import newest_notices, notice_lines, notices_between, standing_notices
from sealcam_hub.notices import REFUSALS
from sealcam_hub.opening import Opener, Stored
from sealcam_hub.paths import PathView
from sealcam_hub.pictures import Whole, whole
from sealcam_hub.rules import Rule
from sealcam_hub.rules_ledger import kept_rules, occurrence
from sealcam_hub.store import Store
from sealcam_hub.tables import PENDING, cameras, clips, epochs, events, incidents, journal, notices, wishes
from sealcam_hub.views import (
    CameraState,
    CameraStorage,
    CameraView,
    ClipView,
    Counts,
    EventView,
    IncidentView,
    NoticeView,
    ReportView,
)
from sealcam_hub.wishes import refusals

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
    epochs.c.public,
)
_SIGNED = (epochs.c.camera == events.c.camera) & (epochs.c.epoch == events.c.epoch)
_EVENTS = select(*_EVENT).select_from(events).join(cameras, cameras.c.id == events.c.camera).join(epochs, _SIGNED)
Found = Row[*tuple[Any, ...]]


def incident_id(alias: str, incident: bytes) -> str:
    """The name of an incident in this hub."""
    return f"{alias}-{incident.hex()}"


def mode_name(mode: int | None) -> str | None:
    """The word for an arming mode as it is stored."""
    return Mode(mode).name.lower() if mode is not None and mode in Mode._value2member_map_ else None


def _stored(row: Found) -> Stored:
    return Stored(row.hash, row.public, row.arrived_ns)


def camera_state(row: Found) -> CameraState:
    """What there is to say first of a camera, by its row."""
    if row.expelled or row.gone:
        return "expelled" if row.expelled else "gone"
    if row.beat_ns is None or row.silent:
        return "new" if row.beat_ns is None else "silent"
    if row.cut_off:
        return "cut-off"
    return "private" if row.privacy else "watching"


def camera_storage(row: Found) -> CameraStorage | None:
    """What it said last of its disk, by its row."""
    if row.disk_mib is None:
        return None
    low = card_low(row.free_mib, row.clips_mib) is True
    disk, free, clips, most = (mib << 20 for mib in (row.disk_mib, row.free_mib, row.clips_mib, row.clips_most_mib))
    return CameraStorage(disk, free, clips, most, low)


def _report(row: Found, facts: Facts) -> ReportView | None:
    return replace(facts.report, pending=row.status == PENDING) if facts.report else None


def find_incident(connection: Connection, name: str) -> Found | None:
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


@dataclass(frozen=True, slots=True)
class Parts:
    """An incident's reports by sequence, its pieces of pictures, and which of those are whole."""

    reports: list[tuple[Found, Facts]]
    pieces: dict[int, Found]
    pictures: list[Whole]

    def still(self) -> tuple[Found | None, list[Found]]:
        """The report whose picture is the newest, and the pieces of it, where it came in pieces behind that report."""
        shown = [found for found, facts in self.reports if facts.thumbnail_bytes]
        newest = max((found.seq for found in shown), default=0)
        if not self.pictures or self.pictures[-1].newest_seq <= newest:
            return (shown[-1] if shown else None), []
        seqs = self.pictures[-1].seqs
        before = [found for found, _ in self.reports if found.seq < min(seqs)]
        return (before[-1] if before else None), [self.pieces[seq] for seq in seqs]


def _parts_of(found: Sequence[Found], facts: Mapping[bytes, Facts]) -> Parts:
    reports = [(one, facts[one.hash]) for one in found if facts[one.hash].report]
    pieces = {one.seq: one for one in found if facts[one.hash].piece}
    said = ((seq, facts[one.hash].piece) for seq, one in pieces.items())
    return Parts(reports, pieces, whole((seq, piece) for seq, piece in said if piece is not None))


def _incident(name: str, row: Found, parts: Parts, its_clips: tuple[ClipView, ...]) -> IncidentView | None:
    pairs = parts.reports
    reports = [report for found, facts in pairs if (report := _report(found, facts)) is not None]
    if not reports:
        return None
    newest, facts = reports[-1], [one for _, one in pairs]
    last = facts[-1]
    return IncidentView(
        id=name,
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
        picture_seq=parts.pictures[-1].newest_seq if parts.pictures else 0,
        has_thumbnail=bool(parts.pictures) or any(report.has_thumbnail for report in reports),
        clips=its_clips,
    )


class Ledger:
    """What the hub has kept; safe to share between threads. `held` says how much of a clip that comes is here."""

    def __init__(self, store: Store, table: TableKey, held: Callable[[bytes], int] = lambda _clip: 0) -> None:
        self._store = store
        self._table = table
        self._held = held
        self._opener = Opener(table)

    # Incidents.

    def incidents(self, limit: int = 50, before: int | None = None) -> tuple[IncidentView, ...]:
        """The newest incidents, newest first; `before` is the `arrived_ns` of the last one of the page before."""
        query = select(incidents, cameras.c.alias, cameras.c.name, cameras.c.boot, cameras.c.public).join(cameras)
        if before is not None:
            query = query.where(incidents.c.arrived_ns < before)
        with self._store.reading() as connection:
            rows = connection.execute(query.order_by(incidents.c.arrived_ns.desc()).limit(limit)).all()
            return tuple(self._incidents(connection, rows).values())

    def several(self, ids: Collection[str]) -> dict[str, IncidentView]:
        """Those of these incidents that there are, by id, with a few questions for all of them."""
        named = [(match[1], bytes.fromhex(match[2])) for one in ids if (match := _ID.fullmatch(one))]
        query = select(incidents, cameras.c.alias, cameras.c.name, cameras.c.boot, cameras.c.public).join(cameras)
        with self._store.reading() as connection:
            there = {row.alias: row.id for row in connection.execute(select(cameras.c.alias, cameras.c.id))}
            wanted = [(there[alias], incident) for alias, incident in named if alias in there]
            rows = connection.execute(query.where(among(incidents.c.camera, incidents.c.incident, wanted))).all()
            return self._incidents(connection, rows)

    def incident(self, id: str) -> IncidentView | None:  # noqa: A002 - what the pages call it
        """The incident of that id, or none."""
        with self._store.reading() as connection:
            row = find_incident(connection, id)
            return next(iter(self._incidents(connection, [row]).values()), None) if row is not None else None

    def of_clip(self, clip: bytes) -> IncidentView | None:
        """The incident that a clip belongs to, or none."""
        of = (clips.c.camera == incidents.c.camera) & (clips.c.incident == incidents.c.incident)
        query = select(cameras.c.alias, incidents.c.incident).join(incidents).join(clips, of)
        with self._store.reading() as connection:
            row = connection.execute(query.where(clips.c.clip == clip)).one_or_none()
        return None if row is None else self.incident(incident_id(row.alias, row.incident))

    def thumbnail(self, id: str, *, unveiled: bool = False) -> bytes | None:  # noqa: A002
        """The newest picture (JPEG) of an incident, or none; of one that is veiled only for who is `unveiled` to it."""
        with self._store.reading() as connection:
            row = find_incident(connection, id)
            if row is None:
                return None
            household = () if unveiled else self._rules(connection)
            if household:
                view = self._incidents(connection, [row]).get(incident_id(row.alias, row.incident))
                if view is None or view.veiled:
                    return None
            parts = self._parts(connection, [row])[row.camera, row.incident]
            shown, pieces = parts.still()
            if pieces:
                return self._opener.joined(connection, [_stored(one) for one in pieces])
            body = None if shown is None else self._opener.report(connection, _stored(shown))
            return None if body is None else body.thumbnail

    def path(self, id: str) -> PathView | None:  # noqa: A002
        """Where the main track of an incident stood, by its newest report that says so, and which part of the picture
        its still shows; or none."""
        with self._store.reading() as connection:
            row = find_incident(connection, id)
            if row is None:
                return None
            parts = self._parts(connection, [row])[row.camera, row.incident]
            for found, facts in reversed(parts.reports):
                body = self._opener.report(connection, _stored(found))
                if body is not None and body.path is not None:
                    told = paths.read(body.path, facts.started_ns or facts.occurred_ns)
                    shown, _ = parts.still()
                    still = None if shown is None else self._opener.report(connection, _stored(shown))
                    return told and replace(told, framed=paths.frame(None if still is None else still.path))
        return None

    def _parts(self, connection: Connection, rows: Sequence[Found]) -> dict[tuple[int, bytes], Parts]:
        """What is readable of incidents, by camera and incident."""
        wanted = [(row.camera, row.incident) for row in rows]
        query = _EVENTS.add_columns(events.c.camera)
        query = query.where(among(events.c.camera, events.c.incident, wanted))
        found = connection.execute(query.order_by(events.c.camera, events.c.incident, events.c.seq)).all()
        facts = self._opener.facts(connection, [_stored(one) for one in found])
        groups: dict[tuple[int, bytes], list[Found]] = {one: [] for one in wanted}
        for one in found:
            groups[one.camera, one.incident].append(one)
        return {name: _parts_of(group, facts) for name, group in groups.items()}

    def _rules(self, connection: Connection) -> tuple[Rule, ...]:
        return tuple(one.rule for one in kept_rules(connection, self._table))

    def _incidents(self, connection: Connection, rows: Sequence[Found]) -> dict[str, IncidentView]:
        """Those of which anything is readable, by id, in the order of `rows`."""
        if not rows:
            return {}
        household, parts = self._rules(connection), self._parts(connection, rows)
        kept: dict[str | None, list[ClipView]] = {}
        for clip in vault_rows.shown(connection, self._held, (among(clips.c.camera, clips.c.incident, list(parts)),)):
            kept.setdefault(clip.incident, []).append(clip)
        found = {}
        for row in rows:
            name = incident_id(row.alias, row.incident)
            view = _incident(name, row, parts[row.camera, row.incident], tuple(kept.get(name, ())))
            if view is not None:
                found[name] = replace(view, effects=rules.effects(household, occurrence(view))) if household else view
        return found

    # Cameras, notices, counts.

    def cameras(self) -> tuple[CameraView, ...]:
        """Every camera of this hub, by name."""
        count = select(func.count()).select_from(incidents).where(incidents.c.camera == cameras.c.id)
        columns = (cameras, wishes.c.mode.label("wished"), count.scalar_subquery().label("incidents"))
        unrefused = wishes.c.outcome.is_(None) | (wishes.c.outcome == Outcome.DONE)
        query = (
            select(*columns)
            .outerjoin(wishes, (wishes.c.camera == cameras.c.id) & (wishes.c.kind == CommandType.ARM) & unrefused)
            .order_by(cameras.c.name)
        )
        with self._store.reading() as connection:
            rows, refused = connection.execute(query).all(), refusals(connection)
            private = self._private(connection)
        return tuple(
            CameraView(
                alias=row.alias,
                name=row.name,
                state=camera_state(row),
                mode=mode_name(row.mode),
                last_beat_ns=row.beat_ns,
                frame_age_ns=row.frame_age_ns,
                queued=row.queued,
                firmware=row.firmware,
                incidents=row.incidents,
                wished=mode_name(row.wished) if row.wished != row.mode else None,
                refused=refused.get(row.id),
                private=bool(row.privacy),
                private_wished=private.get(row.id),
                storage=camera_storage(row),
            )
            for row in rows
        )

    def _private(self, connection: Connection) -> dict[int, bool]:
        """What each camera, by its row, is asked for of privacy and hasn't answered."""
        stands = wishes.c.kind == int(CommandType.PRIVACY), wishes.c.outcome.is_(None)
        found = {}
        for row in connection.execute(select(wishes.c.camera, wishes.c.body).where(*stands)):
            with suppress(EnvelopeError):
                found[row.camera] = schema.decode(self._table.unwrap(row.body), PrivacyWish).on
        return found

    def notices(self, limit: int = 20) -> tuple[NoticeView, ...]:
        """The newest notices, newest first."""
        with self._store.reading() as connection:
            return newest_notices(connection, limit)

    def standing_notices(self) -> tuple[NoticeView, ...]:
        """What is wrong and was told and isn't over, however long ago; newest first."""
        with self._store.reading() as connection:
            return standing_notices(connection)

    def notices_between(self, since_ns: int, until_ns: int, alias: str, limit: int) -> tuple[NoticeView, ...]:
        """The notices of a time, newest first; of one camera where an alias is given."""
        with self._store.reading() as connection:
            return notices_between(connection, since_ns, until_ns, alias, limit)

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
                notices=sum(number(select(func.count()).select_from(one)) for one in (notices, hub_notices)),
                refused_by_kind=tuple((kind, counted[kind]) for kind in REFUSALS if kind in counted),
            )

    # The ledger, line by line.

    def lines(self, after: int = 0, limit: int = 256) -> tuple[EventView, ...]:
        """The lines that follow place `after`, in the ledger's order."""
        query = select(journal).where(journal.c.place > after).order_by(journal.c.place).limit(limit)
        with self._store.reading() as connection:
            rows = connection.execute(query).all()
            shown = self._events(connection, [row.event for row in rows if row.event is not None])
            told = notice_lines(connection, [row.notice for row in rows if row.notice is not None])
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
            query = _EVENTS.where(events.c.hash.in_(hashes[start : start + 256]))
            rows.extend(connection.execute(query).all())
        facts = self._opener.facts(connection, [_stored(row) for row in rows])
        return {row.hash: _line(row, facts[row.hash]) for row in rows}


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
        clip=facts.clip.hex() if facts.clip is not None else None,
    )
