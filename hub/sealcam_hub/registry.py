"""What the hub knows of each camera while it receives: identity, chain and newest beat, loaded from the ledger.

Values only; `receive` keeps them between batches and reloads a camera whose row another process has changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from sealcam.wire.bodies import EventType
from sealcam.wire.keys import BoxKey, key_id
from sealcam_hub import tables
from sealcam_hub.chain import Bridge, Chain, Known, Link, chain_at
from sealcam_hub.keys import TableKey
from sealcam_hub.tables import APPENDED, LATE, MAX_INT, PENDING, cameras, events

TRIALS = 32  # the newest prekeys that are tried: a sender can't make the hub try its whole history


@dataclass(frozen=True, slots=True)
class Epoch:
    """A key that a camera signed with: what comes after place `after_seq` of its chain, until the next one's."""

    number: int
    public: bytes
    kid: bytes
    after_seq: int
    since_ns: int  # wall time at which this hub took it


@dataclass(frozen=True, slots=True)
class Camera:
    """Who a camera is, by its row, and what opens its mail: the newest prekeys, newest first.

    `epochs` come newest first; `public`, `command` and `epoch` are those of the newest whose hand-over is in the
    ledger, and one more may be parked.
    """

    id: int
    alias: str
    name: str
    kid: bytes  # of its first epoch key
    public: bytes
    command: bytes
    epoch: int
    epochs: tuple[Epoch, ...]
    prekeys: tuple[BoxKey, ...]
    prekey_numbers: tuple[int, ...]  # of `prekeys`, one by one
    expelled: bool
    gone: bool
    skip: bool
    farewell_seq: int = 0

    @property
    def left(self) -> bool:
        """Whether it was turned out or has said farewell: nobody waits for it."""
        return self.expelled or self.gone

    def signer(self, kid: bytes) -> Epoch | None:
        """The epoch whose key has that id."""
        return next((one for one in self.epochs if one.kid == kid), None)

    def signs(self, number: int, seq: int, head: int) -> bool:
        """Whether the key of that epoch signs at that place of a chain whose ledger ends at `head`.

        A hand-over that is only parked gives the new key its voice, and doesn't take the old one's yet.
        """
        last = MAX_INT
        for one in self.epochs:
            if one.number == number:
                return one.after_seq < seq <= last
            if one.after_seq <= head:
                last = one.after_seq
        return False


@dataclass(frozen=True, slots=True)
class Life:
    """What the newest counted beat said; `counter` is its number within `boot`, `will` that of the newest will.

    `prekey` is the number, in this hub's series, that the camera seals to.
    """

    boot: bytes | None
    counter: int
    newest_seq: int
    silent: bool
    will: int = 0
    prekey: int = 0
    cut_off: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A camera's chain and life as of `revision` of its row."""

    camera: Camera
    revision: int
    chain: Chain
    life: Life


def load(connection: Connection, table: TableKey, alias: str) -> Standing | None:
    """The camera with that alias, or none."""
    return load_all(connection, table, [alias]).get(alias)


def load_all(connection: Connection, table: TableKey, aliases: Collection[str]) -> dict[str, Standing]:
    """The cameras with these aliases, each table asked once: where workers share cameras, all are loaded often."""
    rows = connection.execute(select(cameras).where(cameras.c.alias.in_(aliases))).all() if aliases else []
    ids = [row.id for row in rows]
    if not ids:
        return {}
    keys, signed, ahead = _prekeys(connection, table, ids), _epochs(connection, ids), _ahead(connection, ids)
    return {row.alias: _standing(row, keys[row.id], signed[row.id], *ahead[row.id]) for row in rows}


def _standing(
    row: Row[*tuple[Any, ...]],
    keys: list[tuple[int, BoxKey]],
    signed: list[Epoch],
    parked: dict[int, Link],
    bridges: list[Bridge],
) -> Standing:
    camera = Camera(
        id=row.id,
        alias=row.alias,
        name=row.name,
        kid=row.kid,
        public=row.public,
        command=row.command,
        epoch=row.epoch,
        epochs=tuple(signed),
        prekeys=tuple(key for _, key in keys),
        prekey_numbers=tuple(number for number, _ in keys),
        expelled=row.expelled,
        gone=row.gone,
        skip=row.skip,
        farewell_seq=row.farewell_seq,
    )
    life = Life(
        boot=row.boot,
        counter=row.counter or 0,
        newest_seq=row.newest_seq or 0,
        silent=row.silent,
        will=row.will_counter,
        prekey=row.prekey or 0,
        cut_off=row.cut_off,
    )
    return Standing(camera, row.revision, chain_at(row.head_seq, row.head_hash, parked, bridges), life)


def _prekeys(connection: Connection, table: TableKey, ids: Sequence[int]) -> dict[int, list[tuple[int, BoxKey]]]:
    """The newest prekeys of these cameras, by row, newest first."""
    kept, found = tables.prekeys, defaultdict[int, list[tuple[int, BoxKey]]](list)
    query = select(kept.c.camera, kept.c.number, kept.c.wrapped).where(kept.c.camera.in_(ids))
    for camera, number, wrapped in connection.execute(query.order_by(kept.c.number.desc())):
        if len(found[camera]) < TRIALS:
            found[camera].append((number, BoxKey(table.unwrap(wrapped))))
    return found


def _epochs(connection: Connection, ids: Sequence[int]) -> dict[int, list[Epoch]]:
    kept, found = tables.epochs, defaultdict[int, list[Epoch]](list)
    query = select(kept.c.camera, kept.c.epoch, kept.c.public, kept.c.after_seq, kept.c.since_ns)
    query = query.where(kept.c.camera.in_(ids)).order_by(kept.c.epoch.desc())
    for one in connection.execute(query):
        found[one.camera].append(Epoch(one.epoch, one.public, key_id(one.public), one.after_seq, one.since_ns))
    return found


def _ahead(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[dict[int, Link], list[Bridge]]]:
    """What is parked ahead of each chain, and what is bridged there."""
    found = defaultdict[int, tuple[dict[int, Link], list[Bridge]]](lambda: ({}, []))
    ends, there = tables.handovers, events.c
    parked = select(
        there.camera, there.seq, there.hash, there.prev, ends.c.epoch.label("next"), there.epoch, there.kind
    )
    parked = parked.join(cameras, cameras.c.id == there.camera).outerjoin(ends, ends.c.hash == there.hash)
    parked = parked.where(
        tables.waiting, there.camera.in_(ids), there.status == PENDING, there.seq > cameras.c.head_seq
    )
    for one in connection.execute(parked):
        link = Link(one.seq, one.hash, one.prev, one.next is not None, one.epoch, one.kind == EventType.FAREWELL)
        found[one.camera][0][one.seq] = link
    kept = tables.bridges.c
    bridges = select(kept.camera, kept.first, kept.last, kept.last_hash, kept.epoch).where(kept.camera.in_(ids))
    for camera, *run in connection.execute(bridges):
        found[camera][1].append(Bridge(*run))
    return found


def announce_epoch(
    connection: Connection, camera: int, number: int, public: bytes, command: bytes, after_seq: int, now_ns: int
) -> bool:
    """A key of a camera's speaks from the place behind `after_seq` on; false if another one is announced for it."""
    kept = tables.epochs
    there = select(kept.c.epoch).where(kept.c.camera == camera, kept.c.epoch == number)
    if connection.execute(there).first() is not None:
        return False
    row = {"camera": camera, "epoch": number, "public": public, "command": command, "after_seq": after_seq}
    connection.execute(insert(kept).values(since_ns=now_ns, **row))
    connection.execute(update(cameras).where(cameras.c.id == camera).values(revision=cameras.c.revision + 1))
    return True


def withdraw_epoch(connection: Connection, camera: int, number: int) -> None:
    """Forget a key that was announced by a hand-over which has lost its place."""
    kept = tables.epochs
    connection.execute(delete(kept).where(kept.c.camera == camera, kept.c.epoch == number))
    connection.execute(update(cameras).where(cameras.c.id == camera).values(revision=cameras.c.revision + 1))


def begin_epoch(
    connection: Connection, camera: int, number: int, public: bytes, command: bytes, after_seq: int, now_ns: int
) -> None:
    """From the place behind `after_seq` on, only this key of a camera's signs; it is the newest."""
    keys = {"public": public, "command": command}
    connection.execute(delete(tables.epochs).where(tables.epochs.c.camera == camera, tables.epochs.c.epoch == number))
    row = insert(tables.epochs).values(camera=camera, epoch=number, after_seq=after_seq, since_ns=now_ns, **keys)
    connection.execute(row)
    newest = update(cameras).where(cameras.c.id == camera)
    connection.execute(newest.values(epoch=number, revision=cameras.c.revision + 1, **keys))


def with_epoch(camera: Camera, number: int, public: bytes, command: bytes, after_seq: int, now_ns: int) -> Camera:
    """The camera as `begin_epoch` leaves it."""
    changed = with_announced(without_epoch(camera, number), number, public, after_seq, now_ns)
    return replace(changed, public=public, command=command, epoch=number)


def with_announced(camera: Camera, number: int, public: bytes, after_seq: int, now_ns: int) -> Camera:
    """The camera as `announce_epoch` leaves it."""
    newest = Epoch(number, public, key_id(public), after_seq, now_ns)
    return replace(camera, epochs=tuple(sorted((newest, *camera.epochs), key=lambda one: -one.number)))


def without_epoch(camera: Camera, number: int) -> Camera:
    """The camera as `withdraw_epoch` leaves it."""
    return replace(camera, epochs=tuple(one for one in camera.epochs if one.number != number))


def locked(connection: Connection, aliases: Collection[str]) -> dict[str, int]:
    """The revision of each of these cameras' rows, which stay locked until the transaction ends."""
    query = select(cameras.c.alias, cameras.c.revision).where(cameras.c.alias.in_(aliases)).order_by(cameras.c.id)
    return dict(connection.execute(query.with_for_update()).all())


def revisions(connection: Connection) -> dict[str, int]:
    """The revision of every camera's row."""
    return dict(connection.execute(select(cameras.c.alias, cameras.c.revision).order_by(cameras.c.id)).all())


def known_links(connection: Connection, camera: int) -> Known:
    """Looks up what stands at a place of a camera's chain."""

    def known(seq: int) -> Link | None:
        query = select(events.c.seq, events.c.hash, events.c.prev)
        query = query.where(events.c.camera == camera, events.c.seq == seq, events.c.status.in_((APPENDED, LATE)))
        row = connection.execute(query).one_or_none()
        return None if row is None else Link(row.seq, row.hash, row.prev)

    return known
