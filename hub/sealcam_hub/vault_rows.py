"""What the ledger says of the clips in the vault, and the views that are made of it: rows, and no file's content.

A clip whose key was deleted is deleted, whatever a row or a file says. Which clips there are and where, for console and
command line, is `shown`; how much of one that is coming has come is its file's size. design/clips.md, "Vault".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, literal, select, union_all, update

from sealcam.wire.bodies import ClipState
from sealcam.wire.clip import CHECKPOINT_BYTES, SCL1
from sealcam_hub.clip_rows import DELETED
from sealcam_hub.tables import cameras, clips, incidents, vault
from sealcam_hub.views import ClipPlace, ClipView

HEADER_BYTES = 726  # of four slots, as a home with up to four recipients has
AT_ONCE = 500  # clips in one statement


class Kept(IntEnum):
    """What `vault.state` holds."""

    COMING = 0  # or asked for, and nothing has come yet
    WHOLE = 1
    DAMAGED = 2  # it didn't verify, three times at one place
    FULL = 3  # there was no room for it
    DROPPED = 4  # it was whole, and gave way to newer ones


def counted(connection: Connection) -> tuple[int, int]:
    """How many clips are whole here, and their bytes."""
    query = select(func.count(), func.coalesce(func.sum(vault.c.size), 0)).where(vault.c.state == int(Kept.WHOLE))
    count, size = connection.execute(query).one()
    return int(count), int(size)


_PLACES: dict[int | None, ClipPlace] = {
    Kept.WHOLE: "here",
    Kept.DROPPED: "dropped",
    Kept.DAMAGED: "stopped",
    Kept.FULL: "stopped",
}
_COLUMNS = (
    clips.c.camera,
    clips.c.clip,
    clips.c.incident,
    clips.c.part,
    clips.c.event,
    clips.c.wrapped,
    clips.c.state.label("fate"),
    clips.c.chunks,
    clips.c.size.label("content"),
)
Found = Row[*tuple[Any, ...]]


def kept(connection: Connection, clip: bytes) -> Found | None:
    """A clip's row in the vault."""
    return connection.execute(select(vault).where(vault.c.clip == clip)).one_or_none()


def is_deleted(connection: Connection, clip: bytes) -> bool:
    """Whether its owner has deleted it."""
    query = select(clips.c.clip).where(clips.c.clip == clip, DELETED)
    return connection.execute(query).first() is not None


def is_done(connection: Connection, clip: bytes) -> bool:
    """Whether nothing of it is to come: all of it is here, or it was deleted."""
    row = kept(connection, clip)
    return (row is not None and row.state == int(Kept.WHOLE)) or is_deleted(connection, clip)


def owner(connection: Connection, clip: bytes) -> int | None:
    """The camera (row) whose clip it is, as far as anything has told."""
    told = union_all(
        select(clips.c.camera).where(clips.c.clip == clip), select(vault.c.camera).where(vault.c.clip == clip)
    )
    return connection.execute(told.limit(1)).scalar()


def put(connection: Connection, camera: int, clip: bytes, state: Kept, now_ns: int, **values: Any) -> None:
    """Say what became of a clip of that camera (row), for the first time or again."""
    values |= {"state": int(state), "changed_ns": now_ns}
    if not connection.execute(update(vault).where(vault.c.clip == clip).values(**values)).rowcount:
        connection.execute(insert(vault).values(clip=clip, camera=camera, **values))


def whole(connection: Connection, clip: bytes, size: int, interrupted: bool, now_ns: int) -> bool:
    """All of a clip that was coming is here; false where it was deleted meanwhile."""
    coming = update(vault).where(vault.c.clip == clip, vault.c.state != int(Kept.WHOLE))
    values = {"state": int(Kept.WHOLE), "size": size, "interrupted": interrupted, "changed_ns": now_ns}
    return bool(connection.execute(coming.values(**values)).rowcount)


def forget(connection: Connection, of: ColumnElement[bool]) -> list[bytes]:
    """Forget the clips of the ledger that `of`, a condition on `clips`, names; which files there may be of them."""
    named = list(connection.execute(select(clips.c.clip).where(of)).scalars())
    connection.execute(delete(vault).where(vault.c.clip.in_(select(clips.c.clip).where(of))))
    return named


def shown(
    connection: Connection, held: Callable[[bytes], int], of: Sequence[ColumnElement[bool]] = ()
) -> tuple[ClipView, ...]:
    """The clips for which the conditions `of` hold (of `clips`, `cameras` or `vault`), by incident and part, the newest
    incident last; those of no known incident first. `held` says how many bytes of one that isn't whole are here."""
    row = (vault.c.state.label("kept"), vault.c.size, vault.c.interrupted, vault.c.asked_ns)
    camera = (cameras.c.alias, cameras.c.name, cameras.c.expelled, cameras.c.gone)
    told = (
        select(*_COLUMNS, *row, *camera, incidents.c.arrived_ns)
        .select_from(clips)
        .join(cameras, cameras.c.id == clips.c.camera)
        .outerjoin(vault, vault.c.clip == clips.c.clip)
        .outerjoin(incidents, (incidents.c.camera == clips.c.camera) & (incidents.c.incident == clips.c.incident))
        .where(*of)
        .order_by(incidents.c.arrived_ns, clips.c.incident, clips.c.part, clips.c.clip)
    )
    return tuple(_view(one, held) for one in connection.execute(told))


def untold(connection: Connection, held: Callable[[bytes], int]) -> tuple[ClipView, ...]:
    """The clips in the vault of which no event has told yet."""
    nothing = [literal(None).label(one) for one in ("incident", "event", "wrapped", "fate", "chunks", "content")]
    row = (vault.c.clip, vault.c.camera, vault.c.state.label("kept"), vault.c.size, vault.c.interrupted)
    camera = (cameras.c.alias, cameras.c.name, cameras.c.expelled, cameras.c.gone)
    query = select(*row, vault.c.asked_ns, literal(0).label("part"), *nothing, *camera)
    query = query.select_from(vault).join(cameras, cameras.c.id == vault.c.camera)
    query = query.outerjoin(clips, clips.c.clip == vault.c.clip).where(clips.c.clip.is_(None)).order_by(vault.c.clip)
    return tuple(_view(one, held) for one in connection.execute(query))


def _view(row: Found, held: Callable[[bytes], int]) -> ClipView:
    deleted = row.event is not None and row.wrapped is None
    is_whole = row.kept == Kept.WHOLE
    here = row.size if is_whole else held(row.clip) if row.kept is not None else 0
    return ClipView(
        id=row.clip.hex(),
        incident=None if row.incident is None else f"{row.alias}-{row.incident.hex()}",
        alias=row.alias,
        camera_name=row.name,
        part=row.part,
        state="deleted" if deleted else _place(row, here),
        held=0 if deleted else here,
        size=row.size if is_whole else _file_bytes(row.chunks),
        content_bytes=row.content,
        interrupted=bool(row.interrupted) or row.fate == ClipState.INTERRUPTED,
        why={Kept.DAMAGED: "damaged", Kept.FULL: "full"}.get(row.kept, ""),
    )


def _place(row: Found, here: int) -> ClipPlace:
    if row.kept is not None and row.kept != Kept.COMING:
        return _PLACES[row.kept]
    if row.fate == ClipState.EVICTED:
        return "evicted"
    if row.expelled or row.gone:
        return "gone"
    if here:
        return "coming"
    if row.kept is None:
        return "recording" if row.event is not None and row.fate is None else "camera"
    return "asked" if row.asked_ns is not None else "camera"


def _file_bytes(chunks: int | None) -> int | None:
    """About how long the sealed file of so many chunks is."""
    if chunks is None:
        return None
    segments = max(1, -(-chunks // SCL1.segment_chunks))
    return HEADER_BYTES + chunks * SCL1.sealed_bytes + segments * CHECKPOINT_BYTES
