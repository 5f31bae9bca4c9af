"""PostgreSQL under the ledger: its locks, how its transactions begin, and its errors in our words.

Two advisory locks make of many workers one ledger. *Whole*: whoever only takes messages in shares it and locks its
cameras' rows; everybody else who writes has it alone, as with SQLite, and so no rule of theirs need know of workers.
*Order*: held from the first row that all cameras share (`in_order`) to the commit, so that places in the journal are
seen in their order. Nobody locks a camera's row after it, so nobody waits in a ring.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pg8000
from sqlalchemy import URL, Connection, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError

from sealcam.wire.errors import ConfigError, StorageError

WHOLE, ORDER = 0x5EA1CA40, 0x5EA1CA41  # names of advisory locks, of this database alone
BUSY_MS = 60_000
SLICE_MS = 1_000
CONNECT_S = 10
DIALECT = "postgresql"
_LOCKED = "55P03"
_LOCAL = ("localhost", "127.0.0.1", "::1")
_PORT = 5432

_HINTS = {
    "53100": ("the database's disk is full", "free some space there; what cameras sent meanwhile is still with them"),
    "25006": ("the database can't be written", "is it a replica? the hub needs the one that takes writes"),
    "53300": ("the database takes no more connections", "raise its max_connections: a worker has up to 15"),
    "28": ("the database refuses this hub", "check user and password in database.toml"),
    "3D": ("there is no such database", "create it, or correct database.toml"),
    "42501": ("the database's user may not do that", "let it own the database"),
    _LOCKED: ("the ledger is held by another program", "end what writes to it, then try again"),
    "57P": ("the database is ending or starting", "it is tried again as this program is started again"),
}
_AWAY = ("the database can't be reached", "is it running? database.toml says where it is expected")


@dataclass(frozen=True, slots=True)
class Where:
    """Where the database is; `authority` is the file with the certificate authority that it is known by, if any."""

    url: URL
    authority: Path | None = None

    @classmethod
    def parse(cls, text: str, authority: Path | None = None) -> Where:
        """The address `postgresql://USER:PASSWORD@HOST:PORT/NAME`; of a socket `postgresql://USER@/NAME?host=FOLDER`.

        Raises:
            ConfigError: it isn't one.
        """
        try:
            url = make_url(text.strip())
        except (ArgumentError, ValueError):
            url = None
        if url is None or url.drivername != DIALECT or not url.database or set(url.query) - {"host"}:
            hint = "postgresql://USER:PASSWORD@HOST:PORT/NAME, or postgresql://USER:PASSWORD@/NAME?host=FOLDER"
            raise ConfigError("that is no address of a database", hint)
        return cls(url, authority)

    @property
    def arguments(self) -> dict[str, object]:
        """What the driver is told beside user, password and name.

        Raises:
            ConfigError: the authority's file can't be read.
        """
        folder, host = self.url.query.get("host"), self.url.host
        found: dict[str, object] = {"timeout": CONNECT_S, "application_name": "sealcam-hub"}
        if isinstance(folder, str):
            return {"unix_sock": f"{folder}/.s.PGSQL.{self.url.port or _PORT}", "application_name": "sealcam-hub"}
        if host in _LOCAL and self.authority is None:
            return found
        try:
            context = ssl.create_default_context(cafile=self.authority)
        except OSError as error:
            raise ConfigError(f"the database's authority in {self.authority} can't be used", str(error)) from error
        return found | {"ssl_context": context}  # over a network never without TLS, and never unverified


class Postgres:
    """A ledger in a PostgreSQL database."""

    bare: tuple[type[Exception], ...] = (pg8000.Error, ConnectionError)  # it tells a reset as the socket does

    def __init__(self, where: Where) -> None:
        url = where.url.set(drivername=f"{DIALECT}+pg8000", query={})
        options: dict[str, Any] = {"isolation_level": "READ COMMITTED", "hide_parameters": True}
        self.engine = create_engine(url, connect_args=where.arguments, **options)
        # What goes wrong is told once, in our words: a connection that is thrown away is no news.
        logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
        # Many rows in one statement: one by one each would be a journey of its own.
        self.engine.dialect.use_insertmanyvalues_wo_returning = True
        event.listen(self.engine, "do_connect", _connect)
        event.listen(self.engine, "connect", _connected)
        event.listen(self.engine, "checkout", _wanted)
        self._waits: Callable[[], None] | None = None

    def patiently(self, waits: Callable[[], None]) -> None:
        """Call `waits` each second while somebody else has the whole ledger."""
        self._waits = waits

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection

    @contextmanager
    def writing(self, *, alone: bool) -> Iterator[Connection]:
        """A transaction that has the whole ledger alone, or shares it with others that only take messages in."""
        with self.engine.connect() as connection:
            self._enter(connection, "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def _enter(self, connection: Connection, lock: str) -> None:
        slice_ms = BUSY_MS if self._waits is None else SLICE_MS
        # Both in one journey; the timeout holds from the next wait on.
        statement = f"SELECT set_config('lock_timeout', '{slice_ms}', true), {lock}({WHOLE})"
        for left in range(BUSY_MS // slice_ms - 1, -1, -1):
            try:
                connection.exec_driver_sql(statement)
                break
            except DBAPIError as error:
                connection.rollback()
                if not left or self._waits is None or _state(error.orig) != _LOCKED:
                    raise
                self._waits()
        if slice_ms != BUSY_MS:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BUSY_MS}")

    def compact(self) -> bool:
        """As `Store.compact`."""
        return self.scrub()

    def scrub(self) -> bool:
        """As `Store.scrub`: rows that were deleted go from their tables; what the database's own log keeps is its
        business (design/hub.md, "More than one worker", caveats)."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for name in ("prekeys", "content_keys", "envelopes", "clips", "wishes"):
                connection.exec_driver_sql(f"VACUUM {name}")
        return True

    def copy(self, path: Path) -> None:
        """As `Store.copy`: into a ledger of SQLite's, as a hub of its own begins with."""
        from sealcam_hub.transfer import into_file

        with self.reading() as connection:
            into_file(connection, path)

    def clear(self, cause: BaseException | None) -> StorageError:
        """Our error for the driver's; its words could hold what a row does."""
        state = _state(cause)
        for prefix, (message, hint) in _HINTS.items():
            if state.startswith(prefix):
                return StorageError(message, hint)
        return StorageError(*_AWAY) if not state else StorageError(f"the database failed: SQLSTATE {state}")


def in_order(connection: Connection) -> None:
    """From here to the commit no other worker writes what all cameras share, such as a place in the journal."""
    if connection.dialect.name == DIALECT:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ORDER})")


def _connect(dialect: Any, _record: object, arguments: Any, options: Any) -> Any:
    """A connection. Where the database goes just as it begins, the driver's error is none of its own kind."""
    try:
        return dialect.connect(*arguments, **options)
    except OSError as error:
        raise pg8000.InterfaceError("network error") from error


def _connected(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = {BUSY_MS}")
    cursor.execute("SET synchronous_commit = on")
    cursor.close()
    connection.commit()


def _wanted(connection: Any, _record: object, _proxy: object) -> None:
    """Ask a connection before it is used again: one from before the database was started again is thrown away.

    SQLAlchemy's own way of asking leaves a transaction begun, in which nothing can be vacuumed.
    """
    connection.autocommit = True
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        cursor.close()
    except (pg8000.Error, ConnectionError) as error:
        raise DisconnectionError from error
    finally:
        connection.autocommit = False


def _state(cause: BaseException | None) -> str:
    """The five letters of the SQL standard for what went wrong; empty where the database didn't say.

    The driver may fail again as it hangs up: what was said first counts.
    """
    while cause is not None:
        told = cause.args[0] if cause.args else None
        if isinstance(told, dict):
            return str(told.get("C", ""))
        cause = cause.__cause__ or cause.__context__
    return ""
