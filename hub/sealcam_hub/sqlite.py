"""SQLite under the ledger: its pragmas, how its transactions begin, and its errors in our words.

WAL lets readers of other processes go on while one writes; `synchronous=FULL` makes a commit survive a power cut,
which is what a receipt promises. A writing transaction takes the database's one write lock at once. A file that was
moved or removed while it is open would go on taking what nobody finds again: each transaction looks first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event

from sealcam.wire.errors import StorageError

BUSY_MS = 60_000  # as long as a large key table takes to be written anew
SCRUB_MS = 2_000  # a backup reads for longer, and nothing waits for it
SLICE_MS = 1_000
COPIED_BYTES = 1 << 28  # writers wait meanwhile: seconds even on a slow card
_WRITE, _BARE, _WAITS = "sealcam_write", "sealcam_bare", "sealcam_waits"
_FILE = "sealcam_file"

_HINTS = {
    "SQLITE_FULL": ("the disk is full", "free some space; what cameras sent meanwhile is still with them"),
    "SQLITE_READONLY": ("the ledger can't be written", "check who owns the state folder, and that it isn't read-only"),
    "SQLITE_CANTOPEN": ("the ledger can't be opened", "run `sealcam-hub init`, or point --state at the hub's folder"),
    "SQLITE_BUSY": ("the ledger is held by another program", "end what writes to it, then try again"),
    "SQLITE_IOERR": ("the ledger's disk fails", "the kernel's messages say why: dmesg; a worn card must be replaced"),
    "SQLITE_NOTADB": ("the ledger is no database", "restore ledger.db from a backup"),
    "SQLITE_CORRUPT": ("the ledger is damaged", "restore ledger.db from a backup"),
}


class Sqlite:
    """A ledger in one file."""

    bare: tuple[type[Exception], ...] = (sqlite3.Error,)

    def __init__(self, path: Path) -> None:
        self.engine = _engine(path)
        self._writer = self.engine.execution_options(**{_WRITE: True})

    def patiently(self, waits: Callable[[], None]) -> None:
        """Call `waits` each second while somebody else holds the write lock."""
        self._writer = self.engine.execution_options(**{_WRITE: True, _WAITS: waits})

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self, *, alone: bool) -> Iterator[Connection]:
        """A transaction in which nobody else writes, whether that is asked for or not."""
        with self._writer.begin() as connection:
            yield connection

    def compact(self) -> bool:
        """As `Store.compact`: what a moment suffices for is written anew."""
        with self._bare() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            if pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one() < COPIED_BYTES:
                connection.exec_driver_sql("VACUUM")
        return self.scrub()

    def scrub(self) -> bool:
        """As `Store.scrub`: the log's pages go into the database, and it is emptied."""
        with self._bare() as connection:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={SCRUB_MS}")
            try:
                busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
            finally:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_MS}")
        return not busy

    def copy(self, path: Path) -> None:
        """As `Store.copy`."""
        with self._bare() as connection:
            path.touch(mode=0o600)
            connection.exec_driver_sql("VACUUM INTO ?", (str(path),))

    @contextmanager
    def _bare(self) -> Iterator[Connection]:
        """A connection outside any transaction, for what can't be done inside one."""
        with self.engine.connect().execution_options(**{_BARE: True}) as connection:
            yield connection

    def clear(self, cause: BaseException | None) -> StorageError:
        """Our error for the driver's."""
        name = getattr(cause, "sqlite_errorname", None) or ""
        for prefix, (message, hint) in _HINTS.items():
            if name.startswith(prefix):
                return StorageError(message, hint)
        return StorageError(f"the ledger failed: {cause}")


def _engine(path: Path) -> Engine:
    # Never made by opening it: an empty file in the place of a ledger that is gone would hide that.
    url = URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": "rw", "uri": "true"})
    engine = create_engine(url, connect_args={"timeout": BUSY_MS / 1000}, hide_parameters=True)

    def opened(connection: Any, record: Any) -> None:
        record.info[_FILE] = _identity(path)
        _pragmas(connection, record)

    def begin(connection: Connection) -> None:
        if connection.connection.info[_FILE] != _identity(path):
            raise StorageError("the ledger isn't where it was", "put ledger.db back with what lay beside it, and start")
        _begin(connection)

    event.listen(engine, "connect", opened)
    event.listen(engine, "begin", begin)
    return engine


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file this is; none where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


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
    if connection.get_execution_options().get(_BARE, False):
        return  # for what can't be done inside a transaction
    options = connection.get_execution_options()
    if _WAITS in options:
        _begin_patiently(connection.connection.dbapi_connection, options[_WAITS])
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITE, False) else "BEGIN")


def _begin_patiently(driver: Any, waits: Callable[[], None]) -> None:
    driver.execute(f"PRAGMA busy_timeout={SLICE_MS}")
    try:
        for left in range(BUSY_MS // SLICE_MS - 1, -1, -1):
            try:
                driver.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if not left or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                waits()
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_MS}")
