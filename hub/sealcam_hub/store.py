"""Opens the ledger's database: the one place that knows SQLite, its pragmas and its errors.

`reading` and `writing` are transactions; a writing one takes the database's write lock at once, so that what it reads
stays true until it commits. WAL lets readers of other processes go on meanwhile; `synchronous=FULL` makes a commit
survive a power cut, which is what a receipt promises. Another database needs another `open_store` only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from sealcam.wire.errors import StorageError
from sealcam_hub import tables

BUSY_MS = 10_000
_WRITE = "sealcam_write"

_HINTS = {
    "SQLITE_FULL": ("the disk is full", "free some space; what cameras sent meanwhile is still with them"),
    "SQLITE_READONLY": ("the ledger can't be written", "check who owns the state folder, and that it isn't read-only"),
    "SQLITE_CANTOPEN": ("the ledger can't be opened", "run `sealcam-hub init`, or point --state at the hub's folder"),
    "SQLITE_BUSY": ("the ledger is held by another program", "end what writes to it, then try again"),
    "SQLITE_IOERR": ("the ledger's disk fails", "the kernel's messages say why: dmesg; a worn card must be replaced"),
    "SQLITE_NOTADB": ("the ledger is no database", "restore ledger.db from a backup"),
    "SQLITE_CORRUPT": ("the ledger is damaged", "restore ledger.db from a backup"),
}


def _clear(error: Exception) -> StorageError:
    """Our error for the driver's, wrapped by SQLAlchemy or bare as in a listener."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(cause, "sqlite_errorname", None) or ""
    for prefix, (message, hint) in _HINTS.items():
        if name.startswith(prefix):
            return StorageError(message, hint)
    return StorageError(f"the ledger failed: {cause}")


class Store:
    """The database behind the ledger."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{_WRITE: True})

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view of the ledger.

        Raises:
            StorageError: the database can't be read.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except (DBAPIError, sqlite3.Error) as error:
            raise _clear(error) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that commits when its block ends, and leaves no trace when that raises.

        Raises:
            StorageError: the database can't be written; nothing was.
        """
        try:
            with self._writer.begin() as connection:
                yield connection
        except (DBAPIError, sqlite3.Error) as error:
            raise _clear(error) from error

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _pragmas(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver opens no transaction of its own; `_begin` does
    for pragma in (
        f"busy_timeout={BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # a destroyed prekey is overwritten, not only forgotten
        "cache_size=-8192",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_MS / 1000})
    event.listen(engine, "connect", _pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def create_store(path: Path) -> Store:
    """A new, empty ledger at `path`, readable by its owner alone.

    Raises:
        StorageError: it can't be made, or there is one already.
    """
    try:
        path.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
    store = Store(_engine(path))
    with store.writing() as connection:
        tables.metadata.create_all(connection)
        connection.execute(insert(tables.schema).values(version=tables.SCHEMA))
    return store


def open_store(path: Path) -> Store:
    """The ledger at `path`.

    Raises:
        StorageError: there is none, or a newer Sealcam made it.
    """
    if not path.is_file():
        raise StorageError(f"there is no ledger at {path}", "run `sealcam-hub init`, or say where with --state DIR")
    store = Store(_engine(path))
    with store.reading() as connection:
        known = inspect(connection).has_table(tables.schema.name)
        version = connection.execute(select(tables.schema.c.version)).scalar() if known else None
    if version is None:
        raise StorageError(f"{path} is no ledger of Sealcam", "say where the hub's folder is with --state DIR")
    if version > tables.SCHEMA:
        raise StorageError(
            f"the ledger has format {version}, and this hub knows {tables.SCHEMA}",
            "a newer Sealcam wrote it: upgrade this one, nothing was changed",
        )
    return store
