"""The files of the vault: `HUB/clips/ID.part` while a clip comes, `ID.scl1` once all of it is there. Sealed, both.

Bytes and names alone: what may be written is `reception`'s to decide, what the ledger says of a clip stands in
`vault_rows`. A file is made once, by `begin`: what was deleted meanwhile isn't made again by a late `append`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMING, WHOLE = ".part", ".scl1"
_NAME_DIGITS = 32
_MODE = 0o600


class FileRange:
    """A file's first `size` bytes, by ranges, for any number of threads: a `wire.clip` source."""

    def __init__(self, handle: int, size: int) -> None:
        self._handle, self._size = handle, size

    @property
    def size(self) -> int:
        """How many bytes count."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """The bytes of this range."""
        wanted = max(0, min(length, self._size - offset))
        found = os.pread(self._handle, wanted, offset)
        while found and len(found) < wanted:
            more = os.pread(self._handle, wanted - len(found), offset + len(found))
            if not more:
                break
            found += more
        return found


class VaultFiles:
    """The vault's folder by its path; made with its first clip. Errors are the file system's own (`OSError`)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, clip: bytes) -> None:
        """Make an empty file for a clip, if there is none."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(self._path(clip, COMING), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, _MODE))

    def append(self, clip: bytes, at: int, data: bytes) -> None:
        """Write `data` behind the first `at` bytes, and have it on the disk; what stood there is gone.

        Raises:
            FileNotFoundError: it was deleted.
            OSError: the disk is full or broken; how much of `data` is there can't be said.
        """
        handle = os.open(self._path(clip, COMING), os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.ftruncate(handle, at)
            view = memoryview(data)
            while view:
                written = os.pwrite(handle, view, at)
                view, at = view[written:], at + written
            os.fsync(handle)
        finally:
            os.close(handle)

    def truncate(self, clip: bytes, size: int) -> None:
        """Cut off what stands behind the first `size` bytes of a clip that comes."""
        os.truncate(self._path(clip, COMING), size)

    def finish(self, clip: bytes) -> None:
        """All of it is there.

        Raises:
            FileNotFoundError: it was deleted.
        """
        self._path(clip, COMING).replace(self._path(clip, WHOLE))
        self._sync()

    def remove(self, clip: bytes) -> None:
        """Remove what there is of a clip; a name that `finish` gives meanwhile is removed as well."""
        self._path(clip, COMING).unlink(missing_ok=True)
        self._path(clip, WHOLE).unlink(missing_ok=True)
        if self.folder.exists():
            self._sync()

    def size(self, clip: bytes) -> int:
        """How many bytes of a clip that comes are there; 0 if none."""
        try:
            return self._path(clip, COMING).stat().st_size
        except FileNotFoundError:
            return 0

    def touched_ns(self, clip: bytes) -> int:
        """Wall time at which something of a clip that comes was written last; 0 if nothing of it is there."""
        try:
            return self._path(clip, COMING).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    @contextmanager
    def opened(self, clip: bytes) -> Iterator[tuple[int, bool]]:
        """A handle for reading while inside, and whether the file says that it is whole.

        Raises:
            FileNotFoundError: nothing of it is here.
        """
        handle, whole = self.open(clip)
        try:
            yield handle, whole
        finally:
            os.close(handle)

    def open(self, clip: bytes) -> tuple[int, bool]:
        """As `opened`, for who closes it himself."""
        try:
            return os.open(self._path(clip, WHOLE), os.O_RDONLY | os.O_CLOEXEC), True
        except FileNotFoundError:
            return os.open(self._path(clip, COMING), os.O_RDONLY | os.O_CLOEXEC), False

    def length(self, handle: int) -> int:
        """How many bytes an open clip has."""
        return os.fstat(handle).st_size

    def all(self) -> dict[bytes, bool]:
        """Of each clip in the folder whether its file says that it is whole; by names alone."""
        found: dict[bytes, bool] = {}
        if not self.folder.exists():
            return found
        with os.scandir(self.folder) as entries:
            for entry in entries:
                name, kind = os.path.splitext(entry.name)  # noqa: PTH122 - of a name, not of a path
                if kind in (COMING, WHOLE) and _is_id(name) and entry.is_file(follow_symlinks=False):
                    clip = bytes.fromhex(name)
                    found[clip] = kind == WHOLE or found.get(clip, False)
        return found

    def free_bytes(self) -> int:
        """What the disk has left for this process."""
        place = self.folder if self.folder.exists() else self.folder.parent
        found = os.statvfs(place)
        return found.f_bavail * found.f_frsize

    def _path(self, clip: bytes, kind: str) -> Path:
        return self.folder / f"{clip.hex()}{kind}"

    def _sync(self) -> None:
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _is_id(name: str) -> bool:
    return len(name) == _NAME_DIGITS and all(letter in "0123456789abcdef" for letter in name)
