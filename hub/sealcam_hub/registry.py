"""What the hub knows of each camera while it receives: identity, chain and newest beat, loaded from the ledger.

Values only; `receive` keeps them between batches and reloads a camera whose row another process has changed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from sealcam.wire.keys import BoxKey
from sealcam_hub import tables
from sealcam_hub.chain import Bridge, Chain, Known, Link
from sealcam_hub.keys import TableKey
from sealcam_hub.tables import APPENDED, LATE, PENDING, cameras, events

TRIALS = 8  # the newest prekeys that are tried: a sender can't make the hub try its whole history


@dataclass(frozen=True, slots=True)
class Camera:
    """Who a camera is, by its row, and what opens its mail: the newest prekeys, newest first."""

    id: int
    alias: str
    name: str
    kid: bytes
    public: bytes
    command: bytes
    epoch: int
    prekeys: tuple[BoxKey, ...]
    prekey_numbers: tuple[int, ...]  # of `prekeys`, one by one


@dataclass(frozen=True, slots=True)
class Life:
    """What the newest counted beat said; `counter` is its number within `boot`."""

    boot: bytes | None
    counter: int
    newest_seq: int
    silent: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A camera's chain and life as of `revision` of its row."""

    camera: Camera
    revision: int
    chain: Chain
    life: Life


def load(connection: Connection, table: TableKey, alias: str) -> Standing | None:
    """The camera with that alias, or none."""
    row = connection.execute(select(cameras).where(cameras.c.alias == alias)).one_or_none()
    if row is None:
        return None
    keys = (
        select(tables.prekeys.c.number, tables.prekeys.c.wrapped)
        .where(tables.prekeys.c.camera == row.id)
        .order_by(tables.prekeys.c.number.desc())
        .limit(TRIALS)
    )
    numbered = connection.execute(keys).all()
    camera = Camera(
        id=row.id,
        alias=row.alias,
        name=row.name,
        kid=row.kid,
        public=row.public,
        command=row.command,
        epoch=row.epoch,
        prekeys=tuple(BoxKey(table.unwrap(one.wrapped)) for one in numbered),
        prekey_numbers=tuple(one.number for one in numbered),
    )
    life = Life(row.boot, row.counter or 0, row.newest_seq or 0, row.silent)
    return Standing(camera, row.revision, _chain(connection, row.id, row.head_seq, row.head_hash), life)


def _chain(connection: Connection, camera: int, seq: int, head: bytes) -> Chain:
    parked = select(events.c.seq, events.c.hash, events.c.prev)
    parked = parked.where(tables.waiting, events.c.camera == camera, events.c.status == PENDING, events.c.seq > seq)
    ahead = tables.bridges
    bridges = select(ahead.c.first, ahead.c.last, ahead.c.last_hash).where(ahead.c.camera == camera)
    return Chain(
        seq=seq,
        hash=head,
        parked={one.seq: Link(one.seq, one.hash, one.prev) for one in connection.execute(parked)},
        bridges=tuple(Bridge(*one) for one in connection.execute(bridges.order_by(ahead.c.first))),
    )


def revisions(connection: Connection, aliases: Collection[str]) -> dict[str, int]:
    """The revision of each camera's row, which stays locked until the transaction ends."""
    query = select(cameras.c.alias, cameras.c.revision).where(cameras.c.alias.in_(aliases)).order_by(cameras.c.id)
    return dict(connection.execute(query.with_for_update()).all())


def all_aliases(connection: Connection) -> list[str]:
    """Every camera's alias."""
    return list(connection.execute(select(cameras.c.alias).order_by(cameras.c.id)).scalars())


def known_links(connection: Connection, camera: int) -> Known:
    """Looks up what stands at a place of a camera's chain."""

    def known(seq: int) -> Link | None:
        query = select(events.c.seq, events.c.hash, events.c.prev)
        query = query.where(events.c.camera == camera, events.c.seq == seq, events.c.status.in_((APPENDED, LATE)))
        row = connection.execute(query).one_or_none()
        return None if row is None else Link(row.seq, row.hash, row.prev)

    return known
