"""Many new rows of one table in one statement.

SQLAlchemy looks at each value of each row, which took longer than SQLite takes to write it. PostgreSQL's driver is
left to it: there many rows become one statement, and that is what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table, insert
from sqlalchemy.dialects import sqlite

_DIALECT = sqlite.dialect()


def add(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that name the same columns, of types that the driver takes as they are: numbers, texts, `Raw`."""
    if connection.dialect.name != _DIALECT.name:
        connection.execute(insert(table), rows)
        return
    statement, values = _statement(table, tuple(rows[0]))
    connection.exec_driver_sql(statement, [values(row) for row in rows])


@cache
def _statement(table: Table, names: tuple[str, ...]) -> tuple[str, Callable[[Mapping[str, Any]], tuple[Any, ...]]]:
    """The statement, and what takes a row's values in its order (two columns at the least)."""
    compiled = insert(table).compile(dialect=_DIALECT, column_keys=names)
    return str(compiled), itemgetter(*(compiled.positiontup or ()))
