"""Writes the key table anew under a new table key, so that a copy of the old key opens nothing that is still here.

What was deleted is not in the new table; and who once copied the ledger's file has secrets under a key that is gone.
A crash at any step leaves a hub that opens: the new key is on the disk before the rows change, the row in `values`
says in the same transaction which key they are under, and the old file goes last (`settle`, which every command runs
as it opens the hub). design/adr/0006-keys-over-a-life.md.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Column, Connection, Table, bindparam, func, insert, select, tuple_, update

from sealcam.wire.errors import StorageError
from sealcam.wire.keys import KEY_BYTES
from sealcam_hub import notify_tables, review_tables, tables
from sealcam_hub.folder import Folder, Held
from sealcam_hub.gists_tables import gists
from sealcam_hub.keys import NEXT, TABLE_ROW, HubKeys, TableKey, table_id
from sealcam_hub.rules_tables import household_rules
from sealcam_hub.share_tables import copies
from sealcam_hub.store import Store

AT_ONCE = 512
LOCK = "delete"
COPYING = "copy."  # what a folder begins with in which, under that lock, a full copy puts the ledger
Told = Callable[[int, int], None]
"""Told of progress: how many of how many."""

_WRAPPED: tuple[tuple[Table, Column[bytes]], ...] = (
    (tables.content_keys, tables.content_keys.c.wrapped),
    (tables.prekeys, tables.prekeys.c.wrapped),
    (tables.clips, tables.clips.c.wrapped),
    (tables.wishes, tables.wishes.c.body),
    (copies, copies.c.wrapped),
    (copies, copies.c.facts),
    (gists, gists.c.wrapped),
    (household_rules, household_rules.c.body),
    (notify_tables.targets, notify_tables.targets.c.secret),
    (review_tables.marks, review_tables.marks.c.said),
    (review_tables.models, review_tables.models.c.wrapped),
)


@contextmanager
def rekeyed(folder: Folder, store: Store, keys: HubKeys, told: Told = lambda _done, _all: None) -> Iterator[Connection]:
    """A writing transaction at whose end the whole key table is under a new key, and the old key is gone.

    Everything in it commits together with the new table, or not at all. Any other process of this hub goes on: it
    takes up the new key with its next transaction.

    Raises:
        StorageError: the disk is full, or another process writes the table anew.
    """
    with folder.only_one(LOCK):
        fresh = secrets.token_bytes(KEY_BYTES)
        folder.write(NEXT, fresh)
        with store.writing() as connection:
            yield connection
            _rewrite(connection, keys.table, TableKey(fresh), told)
            put(connection, TABLE_ROW, table_id(fresh))
        folder.rename(NEXT, "keys/table")


def settle(folder: Folder, store: Store, keys: HubKeys) -> None:
    """Take up the table key in force, and bring what an interrupted `rekeyed` has left to its end.

    Raises:
        StorageError: no key here is the one that the ledger's secrets are under.
    """
    with store.reading() as connection:
        named = connection.execute(select(tables.values.c.value).where(tables.values.c.name == TABLE_ROW)).scalar()
    if named is None:  # a new ledger, or one from before there was a row
        named = keys.table.identity
        with store.writing() as connection:
            put(connection, TABLE_ROW, named)
    left = list(folder.path.glob(f"{COPYING}*"))
    if left or (folder.path / NEXT).exists():
        with suppress(Held), folder.only_one(LOCK):  # held: another process is just writing it, both keys stay
            for one in left:
                shutil.rmtree(one, ignore_errors=True)
            _finish(folder, store)


def _finish(folder: Folder, store: Store) -> None:
    with store.reading() as connection:
        named = connection.execute(select(tables.values.c.value).where(tables.values.c.name == TABLE_ROW)).scalar()
    if not (folder.path / NEXT).exists():
        return
    known = {identity: name for name in ("keys/table", NEXT) for identity in [table_id(folder.read(name))]}
    match known.get(named or b""):
        case "keys/table":
            folder.remove(NEXT)
        case None:
            raise StorageError("the key that the ledger is wrapped under is missing", "restore the keys folder")
        case _:
            folder.rename(NEXT, "keys/table")


def put(connection: Connection, name: str, value: bytes) -> None:
    """Set a row of `values`."""
    changed = update(tables.values).where(tables.values.c.name == name).values(value=value)
    if not connection.execute(changed).rowcount:
        connection.execute(insert(tables.values).values(name=name, value=value))


def _rewrite(connection: Connection, old: TableKey, new: TableKey, told: Told) -> None:
    """Wrap every secret of the ledger anew; rows that other processes could add wait for this transaction."""
    counts = [select(func.count()).select_from(table).where(column.is_not(None)) for table, column in _WRAPPED]
    total, done = sum(connection.execute(one).scalar_one() for one in counts), 0
    for table, column in _WRAPPED:
        primary = list(table.primary_key.columns)
        where = [one == bindparam(f"key_{one.name}") for one in primary]
        change = update(table).where(*where).values({column.name: bindparam("wrapped_anew")})
        for some in _pages(connection, table, column):
            rows = [
                {f"key_{one.name}": value for one, value in zip(primary, row, strict=False)}
                | {"wrapped_anew": new.wrap(old.unwrap(row[-1]))}
                for row in some
            ]
            connection.execute(change, rows)
            done += len(rows)
            told(done, total)


def _pages(connection: Connection, table: Table, column: Column[bytes]) -> Iterator[Sequence[Sequence[Any]]]:
    """Primary key and secret of every row, `AT_ONCE` at a time: whoever waits to write waits for all of it."""
    primary = list(table.primary_key.columns)
    query = select(*primary, column).where(column.is_not(None)).order_by(*primary).limit(AT_ONCE)
    some = connection.execute(query).all()
    while some:
        yield some
        some = connection.execute(query.where(tuple_(*primary) > tuple(some[-1][:-1]))).all()
