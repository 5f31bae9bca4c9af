"""Privacy: whether this camera may look at all, kept over a restart in `STATE/eye/privacy`.

Nothing secret stands in the file. That capture really stops and begins is `eye`'s; who may ask for it when is here
(design/wire.md section 5.3).
"""

from __future__ import annotations

from pathlib import Path

from sealcam.files import write_whole
from sealcam.sight.types import ArmMode
from sealcam.wire.bodies import Cause
from sealcam.wire.errors import StorageError

_ON, _OFF = b"on\n", b"off\n"
WATCHFUL = frozenset({ArmMode.AWAY, ArmMode.NIGHT})  # the owner relies on the camera: nobody may blind it


class Privacy:
    """Whether the owner wants nothing to be seen. Read by any thread."""

    def __init__(self, path: Path) -> None:
        """Go on as before the restart; a damaged file counts as on, since that is what may have been promised.

        Raises:
            StorageError: the file can't be read.
        """
        self._path = path
        self.cause = Cause.COMMAND
        """Who switched it last, since the start."""
        try:
            self._on = path.read_bytes() != _OFF
        except FileNotFoundError:
            self._on = False
        except OSError as error:
            raise StorageError(f"can't read {path}: {error.strerror}") from error

    @property
    def on(self) -> bool:
        """Whether nothing may be seen now."""
        return self._on

    def may_switch(self, *, on: bool, mode: ArmMode) -> bool:
        """Whether `mode` allows it; switching off is always allowed."""
        return not on or mode not in WATCHFUL

    def switch(self, *, on: bool, cause: Cause = Cause.COMMAND) -> bool:
        """Wish it on or off, durably; false when it is so already.

        Raises:
            StorageError: the disk is full; nothing has changed.
        """
        if on == self._on:
            return False
        write_whole(self._path, _ON if on else _OFF)
        self.cause = cause
        self._on = on
        return True
