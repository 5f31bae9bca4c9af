"""Brings a whole ledger from one database into another, whichever kind they are.

Table by table and a few rows at a time; what is sealed or wrapped goes over as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, tuple_

from sealcam_hub import tables
from sealcam_hub.postgres import DIALECT

AT_ONCE = 256
_MADE = {tables.schema.name, tables.alembic.name}  # a new ledger has these rows already
Told = Callable[[int, int], None]
"""Told of progress: how many rows of how many."""


def transfer(source: Connection, target: Connection, told: Told = lambda _done, _all: None) -> int:
    """Copy every row into a ledger that has just been made; how many there were.

    Raises:
        DBAPIError: one of the databases fails.
    """
    wanted = [one for one in tables.metadata.sorted_tables if one.name not in _MADE]
    total = sum(source.execute(select(func.count()).select_from(one)).scalar_one() for one in wanted)
    done = 0
    for table in wanted:
        for some in _pages(source, table):
            target.execute(insert(table), some)
            done += len(some)
            told(done, total)
        _count_on(target, table)
    return done


def into_file(source: Connection, path: Path) -> None:
    """Copy every row into a new ledger in a file.

    Raises:
        StorageError: the file can't be made.
        DBAPIError: one of the databases fails.
    """
    from sealcam_hub.store import create_store

    store = create_store(path)
    try:
        with store.writing() as target:
            transfer(source, target)
        store.scrub()
    finally:
        store.close()


def _pages(source: Connection, table: Table) -> Iterator[Sequence[dict[str, Any]]]:
    primary = list(table.primary_key.columns)
    query = select(table).order_by(*primary).limit(AT_ONCE)
    some = source.execute(query).all()
    while some:
        yield [dict(row._mapping) for row in some]
        last = tuple(some[-1]._mapping[one.name] for one in primary)
        some = source.execute(query.where(tuple_(*primary) > last)).all()


def _count_on(target: Connection, table: Table) -> None:
    """Let the numbers that the database gives rows go on behind those that were copied."""
    column = table.autoincrement_column
    if target.dialect.name != DIALECT or column is None:
        return
    named = target.dialect.identifier_preparer.format_table(table)
    newest = target.execute(select(func.max(column))).scalar()
    if newest is not None:
        target.execute(select(func.setval(func.pg_get_serial_sequence(named, column.name), newest)))
