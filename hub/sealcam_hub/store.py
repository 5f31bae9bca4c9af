"""The ledger's database: transactions, errors in our words, and an older ledger brought up to this format.

`reading` and `writing` are transactions; a writing one has the ledger to itself, so that what it reads stays true
until it commits. `chaining` is for workers that take messages in: where the database lets several write at once they
do, each on its cameras' rows. What only one database knows is in `sqlite` and `postgres`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Protocol

from sqlalchemy import Connection, Engine, inspect, select
from sqlalchemy.exc import DBAPIError

from sealcam.wire.errors import StorageError
from sealcam_hub import (
    alarm_tables,
    gists_tables,
    members_tables,
    notify_tables,
    offsite_tables,
    review_tables,
    rules_tables,
    share_tables,
    tables,
)
from sealcam_hub.postgres import Postgres, Where
from sealcam_hub.sqlite import Sqlite
from sealcam_hub.upgrade import Wrap, create, upgrade

PARTS: tuple[ModuleType, ...] = (
    tables,
    alarm_tables,
    gists_tables,
    members_tables,
    notify_tables,
    offsite_tables,
    review_tables,
    rules_tables,
    share_tables,
)  # every module with tables on `tables.metadata`: a new ledger gets them all

_TRIES = 5
_NO_KEY = ("the key that the ledger is wrapped under is missing", "restore the keys folder")


class Database(Protocol):
    """What one kind of database does its own way."""

    engine: Engine
    bare: tuple[type[Exception], ...]  # what its driver raises where SQLAlchemy doesn't stand between, as in a listener

    def patiently(self, waits: Callable[[], None]) -> None: ...  # noqa: D102 - as of `Store`

    def reading(self) -> AbstractContextManager[Connection]: ...  # noqa: D102

    def writing(self, *, alone: bool) -> AbstractContextManager[Connection]: ...  # noqa: D102

    def compact(self) -> bool: ...  # noqa: D102

    def scrub(self) -> bool: ...  # noqa: D102

    def copy(self, path: Path) -> None: ...  # noqa: D102

    def clear(self, cause: BaseException | None) -> StorageError: ...  # noqa: D102


class Store:
    """The database behind the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard: Callable[[Connection], bool] = lambda _connection: True

    def guard(self, ready: Callable[[Connection], bool]) -> None:
        """Ask `ready` as each transaction begins; where it says no, the transaction begins again."""
        self._guard = ready

    def patiently(self, waits: Callable[[], None]) -> None:
        """Call `waits` each second while somebody else holds the write lock that a transaction of this store wants."""
        self._database.patiently(waits)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view of the ledger.

        Raises:
            StorageError: the database can't be read.
        """
        with self._told(), self._begun(self._database.reading) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that commits when its block ends, and leaves no trace when that raises.

        Raises:
            StorageError: the database can't be written; nothing was.
        """
        with self._told(), self._begun(lambda: self._database.writing(alone=True)) as connection:
            yield connection

    @contextmanager
    def chaining(self) -> Iterator[Connection]:
        """As `writing`, but others may chain at the same time: what is read stays true of cameras whose rows are
        locked (`registry.locked`), and of what all cameras share once `postgres.in_order` was called.

        Raises:
            StorageError: the database can't be written; nothing was.
        """
        with self._told(), self._begun(lambda: self._database.writing(alone=False)) as connection:
            yield connection

    def compact(self) -> bool:
        """Leave no trace of what was deleted in the database's files; false while a reader holds on to an older view.

        Raises:
            StorageError: the disk is full or broken.
        """
        with self._told():
            return self._database.compact()

    def scrub(self) -> bool:
        """What was overwritten or deleted is nowhere any more.

        False while a reader holds on to an older view; it is done some other time then.

        Raises:
            StorageError: the disk is full or broken.
        """
        with self._told():
            return self._database.scrub()

    def copy(self, path: Path) -> None:
        """Write a consistent copy of the ledger to a new file, whatever goes on meanwhile.

        Raises:
            StorageError: the disk is full or broken.
        """
        with self._told():
            self._database.copy(path)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._database.clear(error.orig) from error
        except self._database.bare as error:
            raise self._database.clear(error) from error

    @contextmanager
    def _begun(self, begin: Callable[[], AbstractContextManager[Connection]]) -> Iterator[Connection]:
        for _ in range(_TRIES):
            with begin() as connection:
                if self._guard(connection):
                    yield connection
                    return
        raise StorageError(*_NO_KEY)

    def close(self) -> None:
        """Let go of the database."""
        self._database.engine.dispose()


def create_store(path: Path) -> Store:
    """A new, empty ledger in a file at `path`, readable by its owner alone.

    Raises:
        StorageError: it can't be made, or there is one already.
    """
    try:
        path.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
    store = Store(Sqlite(path))
    with store.writing() as connection:
        create(connection)
    return store


def open_store(path: Path, wrap: Wrap | None = None) -> Store:
    """The ledger in the file at `path`; one of an older format is brought up to this one, with `wrap` for its secrets.

    Raises:
        StorageError: there is none, or a newer Sealcam made it.
    """
    if not path.is_file():
        raise StorageError(f"there is no ledger at {path}", "run `sealcam-hub init`, or say where with --state DIR")
    return _checked(Store(Sqlite(path)), str(path), wrap)


def connect(where: Where, wrap: Wrap | None = None, *, fresh: bool = False) -> Store:
    """The ledger in a database that is a service of its own; `fresh` makes an empty one where nothing is yet.

    Raises:
        ConfigError: its authority's file can't be read.
        StorageError: it can't be reached, holds no ledger of this or an older Sealcam, or, with `fresh`, isn't empty.
    """
    store, name = Store(Postgres(where)), f"the database {where.url.database}"
    if not fresh:
        return _checked(store, name, wrap)
    with store.writing() as connection:
        if inspect(connection).get_table_names():
            raise StorageError(f"{name} isn't empty", "make a new one for this hub alone; nothing was changed")
        create(connection)
    return store


def _checked(store: Store, name: str, wrap: Wrap | None) -> Store:
    with store.reading() as connection:
        version = _version(connection)
    if version is None:
        raise StorageError(f"{name} is no ledger of Sealcam", "say where the hub's folder is with --state DIR")
    if version > tables.SCHEMA:
        raise StorageError(
            f"the ledger has format {version}, and this hub knows {tables.SCHEMA}",
            "a newer Sealcam wrote it: upgrade this one, nothing was changed",
        )
    if version < tables.SCHEMA and wrap is not None:
        with store.writing() as connection:
            if _version(connection) != tables.SCHEMA:  # another process may have been faster
                upgrade(connection, wrap)
    return store


def _version(connection: Connection) -> int | None:
    known = inspect(connection).has_table(tables.schema.name)
    return connection.execute(select(tables.schema.c.version)).scalar() if known else None
