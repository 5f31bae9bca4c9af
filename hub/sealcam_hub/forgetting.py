"""Has cameras delete their own sealed files of clips that the owner deleted.

The keys are destroyed here whatever a camera does; its files would still open with the words. What it may still have is
not listed anywhere: it is what was deleted here and the camera hasn't said, or answered, to be gone. So nothing of more
than one command holds is forgotten, nor a clip that was still being recorded as the camera answered. design/hub.md,
"Intimate moments".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from sealcam.wire import schema
from sealcam.wire.bodies import ClipState, Outcome
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.wishes import CommandType, ForgetWish
from sealcam_hub.clip_rows import DELETED
from sealcam_hub.keys import TableKey
from sealcam_hub.store import Store
from sealcam_hub.tables import cameras, clips, events, wishes
from sealcam_hub.wishes import Wishes

HUB = "hub"  # who goes on asking
MOST = schema.MAX_ITEMS  # clips in one command
LONGEST_NS = 3600 * 1_000_000_000  # since a clip's key came: longer than any is recorded
_AT_ONCE = 10_000  # names in one query
_GONE = clips.c.state == int(ClipState.EVICTED)
_LEFT = DELETED & or_(clips.c.state.is_(None), ~_GONE)


def ask(connection: Connection, asking: Wishes, names: Sequence[bytes], actor: str) -> None:
    """Ask the cameras of these clips, which were deleted, for all of theirs, in the caller's writing transaction."""
    found: set[int] = set()
    for first in range(0, len(names), _AT_ONCE):
        of = clips.c.clip.in_(names[first : first + _AT_ONCE])
        found |= set(connection.execute(select(clips.c.camera).where(of).distinct()).scalars())
    _ask(connection, asking, sorted(found), actor, _LEFT)


def go_on(store: Store, asking: Wishes, now_ns: int) -> None:
    """Ask each camera that has answered for what is left; call it once a minute. `now_ns` is wall time.

    Raises:
        StorageError: the ledger can't be written.
    """
    of_it = (wishes.c.camera == clips.c.camera) & (wishes.c.kind == int(CommandType.FORGET))
    done = or_(wishes.c.camera.is_(None), wishes.c.outcome == int(Outcome.DONE))  # what it refused, it would again
    query = select(clips.c.camera).join(events, events.c.hash == clips.c.event).outerjoin(wishes, of_it)
    query = query.join(cameras, cameras.c.id == clips.c.camera).where(~cameras.c.expelled, ~cameras.c.gone)
    with store.reading() as connection:
        found = connection.execute(query.where(_LEFT, _over(now_ns), done).distinct()).scalars().all()
    if found:
        with store.writing() as connection:
            _ask(connection, asking, sorted(found), HUB, _LEFT & _over(now_ns))


def answered(connection: Connection, table: TableKey, camera: int, number: int, seq: int, now_ns: int) -> None:
    """Note in the caller's writing transaction that a camera has done what command `number` says, if it was one; the
    event of `seq` answers.

    What was still being recorded then goes as it ends, if nothing happens before: of that the camera tells later.
    """
    this = (wishes.c.camera == camera, wishes.c.sent_number == number, wishes.c.kind == int(CommandType.FORGET))
    body = connection.execute(select(wishes.c.body).where(*this, wishes.c.outcome == int(Outcome.DONE))).scalar()
    if body is None:
        return
    try:
        named = schema.decode(table.unwrap(body), ForgetWish).clips
    except EnvelopeError:
        return
    over = select(clips.c.clip).join(events, events.c.hash == clips.c.event).where(_over(now_ns))
    mine = (clips.c.camera == camera, clips.c.clip.in_(named), clips.c.clip.in_(over), _LEFT, clips.c.said < seq)
    connection.execute(update(clips).where(*mine).values(state=int(ClipState.EVICTED)))


def left(connection: Connection, camera: int) -> int:
    """How many clips that were deleted here a camera may still have."""
    return connection.execute(
        select(func.count()).select_from(clips).where(clips.c.camera == camera, _LEFT)
    ).scalar_one()


def _over(now_ns: int) -> ColumnElement[bool]:
    """Clips, with the event that brought their key, that aren't being recorded any more."""
    return or_(clips.c.state.is_not(None), events.c.arrived_ns < now_ns - LONGEST_NS)


def _ask(connection: Connection, asking: Wishes, found: Iterable[int], actor: str, which: ColumnElement[bool]) -> None:
    query = select(clips.c.clip).join(events, events.c.hash == clips.c.event).where(which)
    here = select(cameras.c.alias).where(~cameras.c.expelled, ~cameras.c.gone)
    for camera in found:
        alias = connection.execute(here.where(cameras.c.id == camera)).scalar()
        newest = query.where(clips.c.camera == camera).order_by(events.c.arrived_ns.desc(), clips.c.clip).limit(MOST)
        named = tuple(connection.execute(newest).scalars())
        if alias is not None and named:
            asking.put(connection, alias, ForgetWish(clips=named), actor)
