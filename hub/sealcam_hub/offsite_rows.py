"""What of the ledger isn't off site yet, and what there is to be deleted: asked of the ledger, never remembered.

Each function works in its caller's transaction. An object's row is written before the object is sent and says *there*
in the transaction that books what is in it; so after a crash it is known which objects there may be. design/hub.md,
"Off-site sealed copy".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, exists, func, insert, or_, select, update

from sealcam_hub import tables
from sealcam_hub.clip_rows import DELETED
from sealcam_hub.offsite import Kind
from sealcam_hub.offsite_tables import Stored, held, objects
from sealcam_hub.rekey import put
from sealcam_hub.tables import APPENDED, cameras, clips, deletions, envelopes, events, values, vault
from sealcam_hub.vault_rows import Kept

EVENTS_AT_ONCE = 512
SMALL_BYTES = 1 << 15
MANY_SMALL = 64  # of such objects: they are put together
_WHERE = "offsite-where"  # a row of `values`: the store that the tables are about
_THERE, _DOOMED, _GOING, _LEFT = (int(one) for one in (Stored.THERE, Stored.DOOMED, Stored.GOING, Stored.LEFT))
_TO_DELETE = objects.c.state.in_((_DOOMED, _LEFT))


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the copy is behind; `oldest_ns` is when the oldest of what waits came to the hub."""

    events: int = 0
    clips: int = 0
    clip_bytes: int = 0
    oldest_ns: int | None = None
    doomed: int = 0
    locked: int = 0  # of those, how many nobody can delete yet
    objects: int = 0

    @property
    def waits(self) -> bool:
        """Whether anything is still to be sent."""
        return bool(self.events or self.clips)


@dataclass(frozen=True, slots=True)
class Part:
    """A clip of which `at` bytes are there, of `size`."""

    clip: bytes
    at: int
    size: int
    came_ns: int


def signature(connection: Connection) -> tuple[object, ...]:
    """Something else once anything has changed that the copy follows."""
    asked = (
        select(func.count()).select_from(events),
        select(func.max(tables.journal.c.place)),
        select(func.max(deletions.c.id)),
        select(func.max(vault.c.changed_ns)),
        select(func.count()).select_from(vault),
        select(func.max(tables.audit.c.number)),
        select(func.max(tables.prekeys.c.issued_ns)),
        select(func.count()).select_from(tables.epochs),
        select(func.sum(cameras.c.revision)),
    )
    return tuple(connection.execute(one).scalar() for one in asked)


def begin(connection: Connection, name: str, kind: Kind, size: int, newest_ns: int, **more: Any) -> None:
    """An object is about to be sent."""
    row = {"name": name, "kind": int(kind), "state": _GOING, "size": size, "newest_ns": newest_ns}
    connection.execute(insert(objects).values(**row, **more))


def arrived(connection: Connection, name: str) -> None:
    """It is there."""
    connection.execute(update(objects).where(objects.c.name == name).values(state=_THERE))


def doom(connection: Connection, names: Iterable[str]) -> None:
    """These objects are to be deleted there; what events are in them counts as missing from now on."""
    for name in names:
        connection.execute(delete(held).where(held.c.name == name))
        connection.execute(update(objects).where(objects.c.name == name).values(state=_DOOMED))


def tidy(connection: Connection, cutoff_ns: int) -> None:
    """Doom what was left halfway, what was deleted here, what is too old, and small objects where there are many."""
    connection.execute(update(objects).where(objects.c.state == _GOING).values(state=_LEFT))
    lacks = ~exists().where(envelopes.c.hash == held.c.hash)
    emptied = select(held.c.name).where(held.c.sealed, lacks).distinct()
    gone = exists().where(clips.c.clip == objects.c.clip, DELETED)
    deleted = select(objects.c.name).where(objects.c.state == _THERE, objects.c.clip.is_not(None), gone)
    aging = objects.c.kind.in_((int(Kind.EVENTS), int(Kind.CLIP)))  # the log and the directory don't age
    old = select(objects.c.name).where(objects.c.state == _THERE, aging, objects.c.newest_ns < cutoff_ns)
    for query in (emptied, deleted, old):
        doom(connection, connection.execute(query).scalars().all())
    small = (objects.c.state == _THERE, objects.c.kind == int(Kind.EVENTS), objects.c.size < SMALL_BYTES)
    names = connection.execute(select(objects.c.name).where(*small)).scalars().all()
    if len(names) > MANY_SMALL:
        doom(connection, names)


def _lacking(cutoff_ns: int) -> Select[Any]:
    """Events that are in no object, with their envelopes; of a deleted one its place, once it has one."""
    query = select(events, cameras.c.kid, envelopes.c.sealed).join(cameras, cameras.c.id == events.c.camera)
    query = query.outerjoin(envelopes, envelopes.c.hash == events.c.hash)
    query = query.outerjoin(held, held.c.hash == events.c.hash).where(held.c.hash.is_(None))
    return query.where(
        events.c.arrived_ns >= cutoff_ns, or_(events.c.status == APPENDED, envelopes.c.hash.is_not(None))
    )


def next_events(connection: Connection, cutoff_ns: int, most_bytes: int) -> list[Row[*tuple[Any, ...]]]:
    """Some events that are in no object yet; of `most_bytes` together, or one that is longer."""
    found: list[Row[*tuple[Any, ...]]] = []
    size = 0
    with connection.execute(_lacking(cutoff_ns).limit(EVENTS_AT_ONCE)) as rows:
        for row in rows:
            size += len(row.sealed or b"")
            if found and size > most_bytes:
                break
            found.append(row)
    return found


def book_events(connection: Connection, name: str, some: Sequence[tuple[bytes, bool]]) -> None:
    """The object has these events: hash, and whether sealed or as a place alone."""
    if some:
        rows = [{"hash": one, "name": name, "sealed": sealed} for one, sealed in some]
        connection.execute(insert(held), rows)


def _parts(cutoff_ns: int) -> Select[Any]:
    """Whole clips of which not all is there: how much is."""
    there = select(objects.c.clip, func.sum(objects.c.size).label("done"))
    sums = there.where(objects.c.state == _THERE, objects.c.clip.is_not(None)).group_by(objects.c.clip).subquery()
    query = select(vault.c.clip, vault.c.size, vault.c.changed_ns, func.coalesce(sums.c.done, 0).label("done"))
    query = query.outerjoin(sums, sums.c.clip == vault.c.clip).where(vault.c.state == int(Kept.WHOLE))
    return query.where(vault.c.changed_ns >= cutoff_ns, func.coalesce(sums.c.done, 0) < vault.c.size)


def next_part(connection: Connection, cutoff_ns: int, but: frozenset[bytes]) -> Part | None:
    """The newest clip that isn't all there, and where to go on; none of `but`."""
    query = _parts(cutoff_ns).order_by(vault.c.changed_ns.desc(), vault.c.clip)
    for row in connection.execute(query.where(vault.c.clip.not_in(but)).limit(1)):
        return Part(row.clip, reaches(connection, row.clip), row.size, row.changed_ns)
    return None


def reaches(connection: Connection, clip: bytes) -> int:
    """How many of a clip's bytes are there without a gap, from its first on; parts may be booked in any order."""
    end = 0
    mine = select(objects.c.at, objects.c.size).where(objects.c.clip == clip, objects.c.state == _THERE)
    for row in connection.execute(mine.order_by(objects.c.at)):
        if row.at > end:
            break
        end = max(end, row.at + row.size)
    return end


def last_entry(connection: Connection) -> int:
    """The number of the log's newest entry that is there."""
    query = select(func.max(objects.c.at)).where(objects.c.kind == int(Kind.AUDIT), objects.c.state == _THERE)
    return connection.execute(query).scalar() or 0


def directory(connection: Connection) -> tuple[bytes | None, int]:
    """Mark of the directory that is there, and when the newest one of all was made; 0 if there was none."""
    ours = select(objects.c.mark, objects.c.newest_ns).where(objects.c.kind == int(Kind.DIRECTORY))
    row = connection.execute(
        ours.where(objects.c.state == _THERE).order_by(objects.c.newest_ns.desc()).limit(1)
    ).one_or_none()
    newest = select(func.max(objects.c.newest_ns)).where(objects.c.kind == int(Kind.DIRECTORY))
    return None if row is None else row.mark, connection.execute(newest).scalar() or 0


def older_directories(connection: Connection, name: str) -> list[str]:
    """All directories but that one."""
    query = select(objects.c.name).where(objects.c.kind == int(Kind.DIRECTORY), objects.c.name != name)
    return list(connection.execute(query).scalars())


def doomed(connection: Connection, now_ns: int) -> list[str]:
    """The objects that are to be deleted there and that nobody has locked beyond this wall time."""
    query = select(objects.c.name).where(_TO_DELETE, objects.c.locked_ns <= now_ns)
    return list(connection.execute(query.order_by(objects.c.name)).scalars())


def withdrawn(connection: Connection) -> list[str]:
    """The objects of events and clips that are to be deleted there, or of events that may have come there though they
    were sent again: they don't count any more."""
    events_, clips_ = (objects.c.kind == int(one) for one in (Kind.EVENTS, Kind.CLIP))
    query = select(objects.c.name).where(
        or_((objects.c.state == _DOOMED) & (events_ | clips_), (objects.c.state == _LEFT) & events_)
    )
    return list(connection.execute(query.order_by(objects.c.name)).scalars())


def forget(connection: Connection, name: str) -> None:
    """It is there no more."""
    connection.execute(delete(objects).where(objects.c.name == name))


def lag(connection: Connection, cutoff_ns: int, now_ns: int) -> Lag:
    """How far the copy is behind."""
    waiting = _lacking(cutoff_ns).subquery()
    count, first = connection.execute(select(func.count(), func.min(waiting.c.arrived_ns)).select_from(waiting)).one()
    parts = _parts(cutoff_ns).subquery()
    of_clips = select(func.count(), func.sum(parts.c.size - parts.c.done), func.min(parts.c.changed_ns))
    clip_count, clip_bytes, clip_first = connection.execute(of_clips.select_from(parts)).one()
    told = select(func.count()).select_from(objects)
    locked = and_(_TO_DELETE, objects.c.locked_ns > now_ns)
    return Lag(
        events=count,
        clips=clip_count,
        clip_bytes=int(clip_bytes or 0),
        oldest_ns=min((one for one in (first, clip_first) if one is not None), default=None),
        doomed=connection.execute(told.where(_TO_DELETE)).scalar_one(),
        locked=connection.execute(told.where(locked)).scalar_one(),
        objects=connection.execute(told.where(objects.c.state == _THERE)).scalar_one(),
    )


def adopt(connection: Connection, where: str) -> bool:
    """Let all that is booked be of the store at `where`; whether that is a new one, of which nothing is known."""
    said: bytes | None = connection.execute(select(values.c.value).where(values.c.name == _WHERE)).scalar()
    if said == where.encode():
        return False
    forget_all(connection)
    put(connection, _WHERE, where.encode())
    return True


def forget_all(connection: Connection) -> None:
    """The copy isn't kept up any more: what another one holds is asked anew."""
    connection.execute(delete(held))
    connection.execute(delete(objects))
    connection.execute(delete(values).where(values.c.name == _WHERE))
