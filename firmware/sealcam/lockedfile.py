"""A small file locked under the unit's wrapping key: what the camera must remember and a thief should not read.

Written whole or not at all. A file that can't be unlocked is as good as lost, and whoever keeps it says so; only the
key file may not be lost that way, and has a file of its own (`keyfile`). design/wire.md section 10.2.
"""

from __future__ import annotations

import logging
from pathlib import Path

from sealcam.files import write_whole
from sealcam.wire.errors import StorageError
from sealcam.wrapping import Wrapping

_log = logging.getLogger(__name__)


class LockedFile:
    """The file at `path`. `magic` (8 bytes) says what it holds, outside and under the lock: no two kinds can be
    exchanged for one another."""

    def __init__(self, path: Path, magic: bytes, wrapping: Wrapping) -> None:
        if len(magic) != 8:
            raise ValueError("a file's magic has 8 bytes")
        self._path, self._magic, self._wrapping = path, magic, wrapping

    def read(self) -> bytes | None:
        """What was written last; none where nothing was, or where it is damaged or locked under another key (logged).

        Raises:
            StorageError: the file can't be read.
        """
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"can't read {self._path}: {error.strerror}") from error
        plain = self._wrapping.unlock(data[8:]) if data[:8] == self._magic else None
        if plain is None or plain[:8] != self._magic:
            _log.warning("%s is damaged, or locked under another key: what it held is forgotten", self._path.name)
            return None
        return plain[8:]

    def write(self, content: bytes) -> None:
        """Replace what it holds.

        Raises:
            StorageError: the disk is full or read-only; the old content stands.
        """
        write_whole(self._path, self._magic + self._wrapping.lock(self._magic + content))

    def erase(self) -> None:
        """Remove it, if it is there.

        Raises:
            StorageError: it can't be removed.
        """
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"can't remove {self._path}: {error.strerror}") from error
