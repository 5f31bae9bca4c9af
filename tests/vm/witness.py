"""What the kernel of a machine has told: which files of the state disk were synced, in their order.

It comes line by line over the second serial port while the machine runs (`guest/prepare`), so that it survives the
power cut: what was synced before it must be there afterwards, whatever the product says of it.
"""

from __future__ import annotations

import re
from pathlib import Path

# Such as: `eye-431  [000] .....  71.402150: ext4_sync_file_exit: dev 254,32 ino 14 ret 0`
_SYNCED = re.compile(rb"ext4_sync_file_exit: dev \S+ ino (\d+) ret 0\r?\n")


class Witness:
    """Reads the lines of one machine, in the file at `path`, as they come."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_bytes(b"")

    @property
    def text(self) -> str:
        """Everything that came over the port: what the programs printed, too."""
        return self._path.read_text(errors="replace")

    def synced(self) -> list[int]:
        """The inodes that were synced so far, each time one by one."""
        return [int(number) for number in _SYNCED.findall(self._path.read_bytes())]
