"""A ledger of an earlier format in a file and in PostgreSQL: what stood in it stands, and nothing sets it apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Boolean, Column, Connection, Integer, LargeBinary, MetaData, Table, inspect, select, text, update

from sealcam_hub import tables
from sealcam_hub.postgres import Postgres as Database
from sealcam_hub.postgres import Where
from sealcam_hub.sqlite import Sqlite
from sealcam_hub.store import Store, connect, create_store, open_store
from tests.postgres import Postgres
from tests.unit.hub.test_upgrade import FOURTH_CAMERAS, OLDER_INDEX, THIRD, shape

Rows = dict[str, list[dict[str, object]]]
T = TypeVar("T")


class File:
    """Ledgers in files of one folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"

    def fresh(self, name: str) -> Store:
        return create_store(self.path.with_name(name))

    def bare(self, name: str) -> Store:
        return Store(Sqlite(self.path.with_name(name)))

    def open(self, name: str) -> Store:
        return open_store(self.path.with_name(name), lambda secret: secret)


class Service:
    """Ledgers in databases of one server."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.places: dict[str, Where] = {}

    def fresh(self, name: str) -> Store:
        self.places[name] = Where.parse(self.server.create())
        return connect(self.places[name], fresh=True)

    def bare(self, name: str) -> Store:
        return Store(Database(self.places[name]))

    def open(self, name: str) -> Store:
        return connect(self.places[name], lambda secret: secret)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with Postgres() as running:
        yield running


@pytest.fixture(params=["file", "service"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> File | Service:
    return File(tmp_path) if request.param == "file" else Service(request.getfixturevalue("server"))


def value(column: Column[Any]) -> object:
    """Something that the column holds, and that what it refers to has, too."""
    for reference in column.foreign_keys:
        return value(reference.column)
    if isinstance(column.type, Boolean):
        return True
    if isinstance(column.type, Integer):
        return 7
    if isinstance(column.type, LargeBinary):
        return b"\x07" * (column.type.length or 40)
    return "seven"


def fill(connection: Connection) -> None:
    """One row in every table but the two that a new ledger has filled."""
    for table in tables.metadata.sorted_tables:
        if table.name not in (tables.schema.name, tables.alembic.name):
            connection.execute(table.insert().values({one.name: value(one) for one in table.columns}))


def make_older(connection: Connection, version: int) -> None:
    """Take out what later formats brought."""
    words = [*FOURTH_CAMERAS, *(OLDER_INDEX.split(";")[:-1] if version < 4 else [])]
    for statement in words:
        connection.execute(text(statement))
    for table in reversed(tables.metadata.sorted_tables):
        if (version < 4 and table.name not in THIRD) or (version == 2 and table is tables.vault):
            table.drop(connection)
    if version == 4:
        connection.execute(update(tables.alembic).values(version_num="4"))
    connection.execute(update(tables.schema).values(version=version))


def everything(connection: Connection) -> Rows:
    """Every row, by table, but for the two that tell of the format."""
    found = MetaData()
    found.reflect(connection)
    return {
        name: [dict(row) for row in connection.execute(select(table)).mappings()]
        for name, table in found.tables.items()
        if name not in (tables.schema.name, tables.alembic.name)
    }


def closing(store: Store, look: Callable[[Connection], T]) -> T:
    """What `look` finds; the store is closed then."""
    with store.writing() as connection:
        said = look(connection)
    store.close()
    return said


@pytest.mark.parametrize("version", [2, 3, 4])
def test_every_row_of_an_earlier_format_stands_in_this_one(place: File | Service, version: int) -> None:
    wanted = closing(place.fresh("new"), shape)
    closing(place.fresh("old"), fill)
    closing(place.bare("old"), lambda connection: make_older(connection, version))
    before = closing(place.bare("old"), everything)
    stood = tables.metadata.tables.keys() if version == 4 else set(THIRD) - ({"vault"} if version == 2 else set())
    assert before.keys() == stood - {tables.schema.name, tables.alembic.name}
    assert all(len(rows) == 1 for rows in before.values())
    assert closing(place.open("old"), shape) == wanted
    for _ in range(2):  # the second time there is nothing to do
        after = closing(place.open("old"), everything)
        assert {
            name: [{column: one[column] for column in rows[0]} for one in after[name]] for name, rows in before.items()
        } == before
        assert not any(after[name] for name in after.keys() - before.keys())


def test_a_table_that_a_later_format_brings_comes_with_none_before(tmp_path: Path) -> None:
    place = File(tmp_path)
    closing(place.fresh("old"), lambda connection: make_older(connection, 3))
    later = Table("later", tables.metadata, Column("id", Integer, primary_key=True))
    try:
        names = closing(place.open("old"), lambda connection: inspect(connection).get_table_names())
    finally:
        tables.metadata.remove(later)
    assert set(names) == set(tables.metadata.tables)
