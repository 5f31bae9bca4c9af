"""Files that a person names on the command line: read up to a limit, and written whole or not at all.

A file that is being written has no name until it is whole, so it is gone when its process ends, however it ends; a
file system that knows no such files gets one with a random name beside the target, removed on every error. Nothing
but a plain file is ever replaced, and nothing at all inside a hub's folder (`folder` writes there). Whoever runs the
command opens them, whomever it acts as (`ownership`).
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sealcam.wire.clip import FileSource
from sealcam.wire.errors import ConfigError, StorageError
from sealcam_hub.folder import Folder
from sealcam_hub.ownership import as_caller

FORCE = "name another file, or replace it with --force"
_READ_HINT = "check its name, and that you may read it"
_WRITE_HINT = "check that its folder is there and yours to write, and that the disk has room"
_DRAFT_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@as_caller()
def read_file(path: Path, most_bytes: int) -> bytes:
    """The bytes of a small file.

    Raises:
        ConfigError: it can't be read, or is longer than `most_bytes`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}", _READ_HINT) from error
    if len(data) > most_bytes:
        raise ConfigError(f"{path} is too long", f"what is wanted here has no more than {most_bytes:,} bytes")
    return data


@contextmanager
def clip_file(path: Path) -> Iterator[FileSource]:
    """A clip in a file, open while inside.

    Raises:
        ConfigError: there is no such file, or it isn't ours to read.
        StorageError: it can't be read on.
    """
    try:
        with as_caller():
            file = path.open("rb")
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}", _READ_HINT) from error
    try:
        with file:
            yield FileSource(file)
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"{path} can't be read: {error.strerror}", "is its disk all right?") from error


@as_caller()
def check_new(path: Path, hint: str = "name another file, or delete it first") -> None:
    """Return if there is nothing at `path`, not even a link that leads nowhere.

    Raises:
        StorageError: there is something; `hint` says what then.
    """
    if os.path.lexists(path):
        raise StorageError(f"{path} is there already", hint)


@as_caller()
def check_target(path: Path, folder: Folder) -> None:
    """Return if a command may write to `path`: into a folder that is there, over nothing but a plain file.

    Raises:
        StorageError: it is a folder, a device, a link or such, its folder isn't there, or it is in the hub's `folder`.
    """
    _check_plain(path)
    if not os.path.isdir(path.parent):  # noqa: PTH112 - unlike `Path.is_dir`, it never raises
        raise StorageError(f"{path} can't be written: there is no folder {path.parent}", "make it first")
    hub, place = Path(os.path.realpath(folder.path)), Path(os.path.realpath(path.parent))
    if hub in (place, *place.parents) and any(os.path.lexists(hub / part) for part in ("hub.toml", "keys")):
        raise StorageError(f"{path} can't be written: it is in the hub's own folder", "name a file elsewhere")


def _check_plain(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"{path} can't be written: {error.strerror}", _WRITE_HINT) from error
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a link" if stat.S_ISLNK(mode) else "no plain file"
        raise StorageError(f"{path} can't be written: it is {what}", "name another file")


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """What is written inside is the file `path` when the block ends without an error; mode 0600.

    A plain file that was there is replaced then: who mustn't replace one asks `check_new`.

    Raises:
        StorageError: something else is there, the folder isn't there or ours, or its disk is full.
    """
    with as_caller():
        _check_plain(path)
    draft = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        try:
            with _nameless(draft) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
                with as_caller():
                    _place(file, draft, path)
        finally:
            with as_caller():
                draft.unlink(missing_ok=True)
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"{path} can't be written: {error.strerror or error}", _WRITE_HINT) from error


def write_new(path: Path, pieces: Iterable[bytes], replace: bool = False) -> int:
    """Write a file that only its owner reads, whole or not at all; how many bytes.

    Raises:
        StorageError: it is there already and isn't to be replaced, or it can't be written.
    """
    if not replace:
        check_new(path)
    with whole_file(path) as file:
        return sum(file.write(piece) for piece in pieces)


@as_caller()
def _nameless(draft: Path) -> BinaryIO:
    """A file without a name in the folder of `draft`, or with that name where there are none such."""
    try:
        handle = os.open(draft.parent, os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
    except OSError:
        handle = os.open(draft, _DRAFT_FLAGS, 0o600)
    return os.fdopen(handle, "wb")


def _place(file: BinaryIO, draft: Path, path: Path) -> None:
    """Let the file at `draft`, or without a name, be that at `path`."""
    if not draft.exists():
        _name(file, draft)
    _check_plain(path)
    draft.replace(path)
    _sync(path.parent)


def _name(file: BinaryIO, path: Path) -> None:
    """Give a file without a name this one, as open(2) tells; Python follows the link only beside a folder's handle."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.link(f"/proc/self/fd/{file.fileno()}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
