"""A whole hub in one sealed file: the full copy (`fullcopy`), inside an object that the words alone open (`offsite`).

Whoever finds the file learns which hub made it and how long it is. All of it is verified before the first byte of it
is put back, and nothing is on a disk unsealed on the way.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

from sealcam.wire.clip import FileSource, Reader
from sealcam.wire.errors import ConfigError, EnvelopeError
from sealcam.wire.keys import OwnerKeys
from sealcam_hub import fullcopy, offsite
from sealcam_hub.folder import Folder
from sealcam_hub.home import Home
from sealcam_hub.newfile import whole_file
from sealcam_hub.ownership import as_caller
from sealcam_hub.rekey import Told

_KIND = 5  # beside `offsite.Kind`: it never goes off site by itself


def write_whole(home: Home, path: Path, told: Told = lambda _done, _all: None) -> int:
    """Write everything that this hub is but its clips to a new file at `path`, sealed to the words; its size in bytes.

    Raises:
        StorageError: the disk is full, or the folder can't be read.
    """
    with whole_file(path) as file:
        writer = offsite.seal_into(file, home.keys, _KIND)
        fullcopy.write_tar(home, writer, told)
        writer.finish()
    with as_caller():
        return path.stat().st_size


def is_sealed(path: Path) -> bool:
    """Whether the file at `path` isn't an open copy.

    Raises:
        StorageError: it can't be read.
    """
    with fullcopy.open_copy(path) as file:
        return not tarfile.is_tarfile(file)


def check_fresh(folder: Folder) -> None:
    """Return if there is no hub in the folder; asked before anybody types 24 words for nothing.

    Raises:
        ConfigError: there is one.
    """
    if folder.exists:
        raise ConfigError(f"there is a hub in {folder.path} already", "restore into a fresh folder: --state DIR")


def restore_whole(folder: Folder, path: Path, owner: OwnerKeys) -> int:
    """Put such a file back into a fresh folder; how many cameras the hub has.

    Raises:
        ConfigError: there is a hub in the folder, or the file is none of this owner's, or damaged.
        StorageError: the disk is full or broken.
    """
    check_fresh(folder)
    refused = ConfigError(
        f"{path} is refused", "it was damaged or changed, or it isn't a whole copy of this owner's hub"
    )
    with fullcopy.open_copy(path) as file:
        try:
            kind, reader = offsite.opened(FileSource(file), owner.root.public, owner.recovery)
            if kind != _KIND:
                raise EnvelopeError
            folder.create()
            fullcopy.unpack(folder, path, _Stream(reader))
        except EnvelopeError as error:
            raise refused from error
    return fullcopy.taken_up(folder)


class _Stream:
    """A reader's content, front to back."""

    def __init__(self, reader: Reader) -> None:
        self._chunks, self._held = iter(reader), b""

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes, fewer at the end."""
        while len(self._held) < size and (more := next(self._chunks, None)) is not None:
            self._held += more
        found, self._held = self._held[:size], self._held[size:]
        return found
