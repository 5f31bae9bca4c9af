"""Whether a neural processor let this camera down before: it may crash the process in a way that no trial shows.

A file counts the starts that didn't live for ten minutes with it. After three in a row one start goes without it.
"""

from __future__ import annotations

from pathlib import Path

MOST = 3
STEADY_NS = 600 * 1_000_000_000


class NpuRecord:
    """The count in a file; a file that can't be read or written counts nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun_ns: int | None = None

    def begin(self, now_ns: int) -> bool:
        """A start that will use it: false where it shouldn't this time."""
        count = self._count()
        if count >= MOST:
            self._forget()
            return False
        try:
            self._path.write_text(f"{count + 1}\n")
        except OSError:
            return True
        self._begun_ns = now_ns
        return True

    def lives(self, now_ns: int) -> None:
        """The camera works at this time; call it often."""
        if self._begun_ns is not None and now_ns - self._begun_ns >= STEADY_NS:
            self.end()

    def end(self) -> None:
        """It ended in order, or has lived for long enough."""
        if self._begun_ns is not None:
            self._begun_ns = None
            self._forget()

    def _count(self) -> int:
        try:
            return int(self._path.read_text())
        except (OSError, ValueError):
            return 0

    def _forget(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            return
