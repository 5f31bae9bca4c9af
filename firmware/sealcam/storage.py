"""A SQLite file that one process has for itself: opened durably, and its errors turned into `StorageError`.

What is in the file is its owner's. Two processes on one file would be two cameras with one chain, so the second is
refused; a write that failed is rolled back, and the next may succeed once there is room again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sealcam.wire.errors import StorageError

_BUSY_S = 0.2  # an eye that is being replaced ends within this


class InUse(StorageError):
    """Another process has the file open."""


class Damaged(StorageError):
    """The file's content can't be: what was in it is lost."""


def open_alone(path: Path, schema: str, version: int, upgrades: Mapping[int, str] | None = None) -> sqlite3.Connection:
    """A connection to `path` that nobody else has; a new file gets `schema` and `version` in one transaction.

    `upgrades` has, for each older version, the statements that make `version` of it; they run in one transaction
    too. Usable from any thread, but from one at a time. Statements commit by themselves outside `transaction`.

    Raises:
        InUse: another process has it.
        StorageError: it can't be opened or made, is damaged, or has another version.
    """
    _touch(path)
    with errors(path):
        db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        with errors(path):
            # Exclusive before WAL: then it needs no shared memory, and nobody else gets in.
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise StorageError(
                    f"the file system of {path} keeps no write-ahead log", "use ext4 or another local one"
                )
            db.execute("PRAGMA synchronous = FULL")
        with transaction(db, path):
            (found,) = db.execute("PRAGMA user_version").fetchone()
            change = schema if found == 0 else (upgrades or {}).get(found)
            if change is not None:
                for statement in (*change.split(";\n"), f"PRAGMA user_version = {version}"):
                    db.execute(statement)
            elif found != version:
                raise StorageError(f"{path} was written by another version ({found})", "see CHANGELOG.md")
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def transaction(db: sqlite3.Connection, path: Path) -> Iterator[None]:
    """All or nothing; what is raised inside goes through after the rollback.

    Raises:
        StorageError: SQLite failed, and nothing has happened.
    """
    with errors(path):
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:  # SQLite has rolled back by itself after some errors
                db.execute("ROLLBACK")
            raise


def damaged(path: Path) -> Damaged:
    """The error for a file whose content can't be."""
    hint = "move it away to begin a new one: what was in it is lost, and the hub will raise an alarm"
    return Damaged(f"{path} is damaged", hint)


@contextmanager
def errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into `StorageError` with a hint."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(path, error) from error


def _touch(path: Path) -> None:
    """Make the file, readable by this user alone, before SQLite would make it with another mode."""
    try:
        path.touch(mode=0o600)
    except OSError as error:
        hint = f"does the folder {path.parent} exist, may this user write there, and is there room?"
        raise StorageError(f"can't open {path}: {error.strerror}", hint) from error


def _explain(path: Path, error: sqlite3.Error) -> StorageError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_BUSY:
        return InUse(
            f"{path} is in use by another process", "does `sealcam eye` run? stop it first: systemctl stop sealcam-eye"
        )
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        hint = "make room on it; what is queued is safe and goes out when the camera runs again"
        return StorageError(f"the disk of {path} is full or broken ({error})", hint)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StorageError(f"can't write {path} ({error})", "is the disk mounted read-only?")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(path)
    return StorageError(f"{path} failed: {error}", "is the disk healthy?")
