"""What one locked file holds, kept twice: a file that is damaged loses nothing as long as its copy is whole.

The file counts, the copy (`NAME.before`) where the file can't be understood; a write replaces both, the file first.
Where both are damaged, what they held is lost, and whoever keeps them says so. design/sight.md, zones, masks and
schedule.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from sealcam.lockedfile import LockedFile
from sealcam.wire.errors import StorageError
from sealcam.wrapping import Wrapping

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class TwoFiles:
    """The file at `path` and its copy beside it; `magic` as for `LockedFile`."""

    def __init__(self, path: Path, magic: bytes, wrapping: Wrapping) -> None:
        beside = path.with_name(f"{path.name}.before")
        self._paths = (path, beside)
        self._file, self._copy = LockedFile(path, magic, wrapping), LockedFile(beside, magic, wrapping)
        self._restored = False

    @property
    def there(self) -> bool:
        """Whether anything was ever written."""
        return any(path.exists() for path in self._paths)

    @property
    def restored(self) -> bool:
        """Whether the copy counted when they were read."""
        return self._restored

    def read(self, understood: Callable[[bytes], _T | None]) -> _T | None:
        """What was written last, as `understood` makes it of the bytes; none where neither file can be understood. A
        file that is damaged or missing beside one that isn't is written again.

        Raises:
            StorageError: a file can't be read.
        """
        found = (self._file.read(), self._copy.read())
        for data in found:
            made = None if data is None else understood(data)
            if data is not None and made is not None:
                self._restored = data is not found[0]
                if found[0] != found[1]:
                    self._mend(data)
                return made
        return None

    def write(self, content: bytes) -> None:
        """Replace what both hold. Without a place for the copy there is none (logged).

        Raises:
            StorageError: the disk is full or read-only; the old content stands.
        """
        self._file.write(content)
        self._write_copy(content)

    def _mend(self, content: bytes) -> None:
        if self._restored:
            _log.warning("%s is written again from its copy", self._paths[0].name)
            with suppress(StorageError):  # the copy is there at the next start too
                self._file.write(content)
        else:
            self._write_copy(content)

    def _write_copy(self, content: bytes) -> None:
        try:
            self._copy.write(content)
        except StorageError as error:
            _log.warning("%s has no copy: %s", self._paths[0].name, error.message)
            with suppress(StorageError):
                self._copy.erase()  # an old one may say what doesn't count any more
