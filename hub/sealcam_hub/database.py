"""Where a hub's ledger is: in a file of its folder, or in the PostgreSQL database that `database.toml` names.

The address has a password in it: it stands in that file alone, which is for the hub's own user to read, and never on a
command line.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sealcam.wire.errors import ConfigError, StorageError
from sealcam_hub.folder import MOST_WORKERS, Folder, Held
from sealcam_hub.postgres import DIALECT, Where
from sealcam_hub.store import Store, connect, create_store, open_store
from sealcam_hub.transfer import Told, transfer
from sealcam_hub.upgrade import Wrap

NAME = "database.toml"
_LEFT = ("", "-wal", "-shm")


def named(folder: Folder) -> Where | None:
    """The database that the folder names, or none.

    Raises:
        StorageError: the file can't be read, or isn't what this program wrote.
    """
    if not (folder.path / NAME).exists():
        return None
    try:
        table = tomllib.loads(folder.read(NAME).decode())
        authority = table.get("authority")
        return Where.parse(str(table["url"]), None if authority is None else Path(str(authority)))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, ConfigError) as error:
        hint = 'one line: url = "postgresql://USER:PASSWORD@HOST/NAME"'
        raise StorageError(f"{folder.path / NAME} names no database", hint) from error


def open_ledger(folder: Folder, wrap: Wrap) -> Store:
    """The ledger of the hub in that folder, brought up to this format; `wrap` puts secrets under the table key.

    Raises:
        StorageError: there is none, it can't be reached, or a newer Sealcam made it.
    """
    where = named(folder)
    return open_store(folder.ledger, wrap) if where is None else connect(where, wrap)


def move(folder: Folder, wrap: Wrap, where: Where, told: Told = lambda _done, _all: None) -> int:
    """Move the ledger out of its file into an empty database; how many rows it has.

    `serve` and its workers must not run.

    Raises:
        ConfigError: it is in a database already.
        Held: one of them runs.
        StorageError: the database can't be reached or isn't empty; nothing has changed.
    """
    if named(folder) is not None:
        raise ConfigError("the ledger is in a database already", "move it back first: sealcam-hub database --back")
    with _alone(folder):
        old, new = open_store(folder.ledger, wrap), connect(where, fresh=True)
        try:
            with old.writing() as source, new.writing() as target:
                count = transfer(source, target, told)
        finally:
            new.close()
            old.close()
        lines = ["# Where the ledger is. Made by `sealcam-hub database`."]
        lines.append(f"url = {json.dumps(where.url.render_as_string(hide_password=False))}")
        if where.authority is not None:
            lines.append(f"authority = {json.dumps(str(where.authority))}")
        folder.write(NAME, ("\n".join(lines) + "\n").encode())
        _drop(folder)
    return count


def move_back(folder: Folder, wrap: Wrap, told: Told = lambda _done, _all: None) -> int:
    """Move the ledger out of its database into a file of the folder; how many rows it has.

    `serve` and its workers must not run. The database keeps what it has: who runs it drops it.

    Raises:
        ConfigError: it is in no database.
        Held: one of them runs.
        StorageError: the database can't be reached, or the disk is full; nothing has changed.
    """
    where = named(folder)
    if where is None:
        raise ConfigError("the ledger is in no database", f"it is {folder.ledger}")
    with _alone(folder):
        _drop(folder)  # what an earlier try has left
        old, new = connect(where, wrap), create_store(folder.ledger)
        try:
            with old.writing() as source, new.writing() as target:
                count = transfer(source, target, told)
        finally:
            new.close()
            old.close()
        folder.remove(NAME)
    return count


def check_unmoved(folder: Folder, store: Store) -> None:
    """For who holds the folder by now: that `store`, opened before, is the ledger still.

    Raises:
        StorageError: it was moved in between; what it took in would be lost.
    """
    with store.reading() as connection:
        away = connection.dialect.name == DIALECT
    if away != (named(folder) is not None):
        raise StorageError("the ledger was moved a moment ago", "start again")


@contextmanager
def _alone(folder: Folder) -> Iterator[None]:
    """Hold everything that writes a ledger: what a worker took into the old one would be lost, and receipted."""
    with ExitStack() as held:
        for one in ("serve", "delete", *(f"worker-{number}" for number in range(1, MOST_WORKERS + 1))):
            try:
                held.enter_context(folder.only_one(one))
            except Held as error:
                message = f"`sealcam-hub {one.replace('-', ' ')}` runs in {folder.path}"
                raise Held(message, "stop `serve` and every worker, and start them again once it has moved") from error
        yield


def _drop(folder: Folder) -> None:
    for end in _LEFT:
        folder.remove(folder.ledger.name + end)
