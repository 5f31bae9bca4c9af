"""A full copy of a hub, with all its keys, and its way back: every file of its folder but the clips.

A hub that comes back from a copy may have issued prekeys since that it doesn't know of; so every camera's series skips
2^20 numbers (design/wire.md 10.1), its commands as many, and no number is used twice. What it receipted since the
copy its cameras have deleted: so each of them has a backlog, at whose end `recovery` bridges what is missing.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from sqlalchemy import select, update

from sealcam.wire.errors import ConfigError, StorageError
from sealcam_hub import database, recovery
from sealcam_hub.folder import Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.newfile import whole_file
from sealcam_hub.ownership import as_caller
from sealcam_hub.rekey import COPYING, Told
from sealcam_hub.tables import cameras
from sealcam_hub.wishes import SKIP as COMMANDS

_LEDGER, _LAST = "ledger.db", "hub.toml"
_OWN = (_LAST, database.NAME)  # the copy has the ledger itself: what comes of it must not share the database
_PASSING = (".new", ".pid", ".next", ".lock", ".sock")
_DEEPEST = 6  # folders in each other


class Writable(Protocol):
    """What a tar is written to."""

    def write(self, data: bytes, /) -> object:
        """Take some bytes."""
        ...


class Readable(Protocol):
    """What a tar is read from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        ...


def write_copy(home: Home, path: Path, told: Told = lambda _done, _all: None) -> int:
    """Write the whole folder to a new file at `path`, open; its size in bytes.

    Raises:
        StorageError: the disk is full, or the folder can't be read.
    """
    with whole_file(path) as file:
        write_tar(home, file, told)
    with as_caller():
        return path.stat().st_size


def write_tar(home: Home, file: Writable, told: Told = lambda _done, _all: None) -> None:
    """Write the whole folder but its clips as a tar to `file`, front to back.

    Raises:
        StorageError: the disk is full, or the folder can't be read.
    """
    folder = home.folder
    try:
        # Under the lock of `delete`: a copy of the ledger and of the table key must belong together.
        with (
            folder.only_one("delete"),
            tempfile.TemporaryDirectory(dir=folder.path, prefix=COPYING) as kept,
            tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT) as tar,  # type: ignore[call-overload]
        ):
            ledger = Path(kept) / _LEDGER
            home.store.copy(ledger)
            names = list(_names(folder))
            for number, name in enumerate([*names, _LAST]):
                with (folder.path / name).open("rb") as source:
                    entry = tarfile.TarInfo(name)
                    entry.size, entry.mode = os.fstat(source.fileno()).st_size, 0o600
                    tar.addfile(entry, source)
                told(number + 1, len(names) + 2)
            tar.add(ledger, _LEDGER)
            told(len(names) + 2, len(names) + 2)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"the copy can't be written: {error.strerror}", "is the disk full?") from error


def _names(folder: Folder) -> Iterator[str]:
    """The files that make this hub, by their place in its folder: all but clips, the ledger and what passes."""
    for place, parts, files in os.walk(folder.path):
        inside = Path(place).relative_to(folder.path)
        parts[:] = sorted(one for one in parts if str(inside / one) != "clips" and not one.startswith(COPYING))
        for name in sorted(files):
            path = Path(place) / name
            passes = path.suffix in _PASSING or name.startswith(_LEDGER) or (inside == Path() and name in _OWN)
            if not passes and path.is_file() and not path.is_symlink():
                yield str(inside / name)


def restore(folder: Folder, copy: Path | None) -> int:
    """Put a full copy back into a fresh folder, or take one that is there already as such; how many cameras it has.

    Raises:
        ConfigError: there is a hub in the folder, or the file is no full copy.
        StorageError: the disk is full or broken.
    """
    if copy is not None:
        if folder.exists:
            raise ConfigError(f"there is a hub in {folder.path} already", "restore into a fresh folder: --state DIR")
        folder.create()
        with open_copy(copy) as file:
            unpack(folder, copy, file)
    return taken_up(folder)


def taken_up(folder: Folder) -> int:
    """Take the folder as one that was restored; how many cameras it has.

    Raises:
        StorageError: there is no hub in it, or its disk is full.
    """
    with open_home(folder) as home, home.store.writing() as connection:
        for alias in connection.execute(select(cameras.c.alias).where(~cameras.c.expelled)).scalars():
            recovery.begin(connection, alias)
        marked = update(cameras).where(~cameras.c.expelled)
        leapt = {"skip": True, "command_number": cameras.c.command_number + COMMANDS}
        return connection.execute(marked.values(**leapt, revision=cameras.c.revision + 1)).rowcount


@contextmanager
def open_copy(copy: Path) -> Iterator[BinaryIO]:
    """The file at `copy`, for reading.

    Raises:
        StorageError: it can't be read.
    """
    try:
        with as_caller():
            opened = copy.open("rb")
        with opened as file:
            yield file
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"{copy} can't be restored: {error.strerror}") from error


def unpack(folder: Folder, copy: Path, file: Readable) -> None:
    """Put the tar in `file` into a fresh folder; `copy` is what it is called. What says that it is complete comes last.

    Raises:
        ConfigError: it is no full copy.
        StorageError: the disk is full or broken.
    """
    last: bytes | None = None
    found: set[str] = set()
    try:
        with tarfile.open(fileobj=file, mode="r|") as tar:  # type: ignore[call-overload]
            for entry in tar:
                if not entry.isreg():
                    continue
                source = tar.extractfile(entry)
                assert source is not None
                name = _checked(copy, entry.name)
                found.add(name)
                if name == _LAST:
                    last = source.read()
                elif name == _LEDGER:
                    _stream(source, folder.ledger)
                else:
                    for part in reversed(Path(name).parents[:-1]):
                        (folder.path / part).mkdir(mode=0o700, exist_ok=True)
                    folder.write(name, source.read())
    except (tarfile.TarError, EOFError) as error:
        raise ConfigError(f"{copy} is no full copy of a hub", "it is damaged or cut off") from error
    if last is None or not {_LEDGER, "keys/operating", "keys/table"} <= found:
        raise ConfigError(f"{copy} is no full copy of a hub", "of a backup without keys: sealcam-hub recover")
    folder.write(_LAST, last)


def _checked(copy: Path, name: str) -> str:
    parts = name.split("/")
    if any(one in ("", ".", "..") for one in parts) or len(parts) > _DEEPEST or "\0" in name:
        raise ConfigError(f"{copy} is no full copy of a hub", "its names aren't those of a hub's files")
    return name


def _stream(source: IO[bytes], path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        while some := source.read(1 << 20):
            file.write(some)
        file.flush()
        os.fsync(file.fileno())
