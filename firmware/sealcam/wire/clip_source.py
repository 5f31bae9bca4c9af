"""Where a clip's bytes come from: anything that has a size and gives ranges. A clip is never loaded as a whole."""

from __future__ import annotations

import io
from typing import BinaryIO, Protocol

from sealcam.wire.errors import EnvelopeError


class Source(Protocol):
    """A clip's bytes, wherever they are: a file, a store that is asked for ranges."""

    @property
    def size(self) -> int:
        """How many bytes there are."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset` on; fewer only where the clip ends."""
        ...


class FileSource:
    """A file that is open for reading; its size is taken once, so that a file that grows is read as it was."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END)

    @property
    def size(self) -> int:
        """Its size when it was opened."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """The bytes of this range."""
        self._file.seek(offset)
        found = self._file.read(length)
        while found and len(found) < length:  # an unbuffered file may give less than there is
            more = self._file.read(length - len(found))
            if not more:
                break
            found += more
        return found


class BytesSource:
    """Bytes in memory: for a test, and for what is small anyway."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        """Their number."""
        return len(self._data)

    def read(self, offset: int, length: int) -> bytes:
        """The bytes of this range."""
        return self._data[offset : offset + length]


def exactly(source: Source, offset: int, length: int) -> bytes:
    """`length` bytes from `offset` on: neither the clip's end nor a source that gives less or more is believed.

    Raises:
        EnvelopeError: there aren't as many.
    """
    if length < 0 or offset + length > source.size:
        raise EnvelopeError
    found = source.read(offset, length)
    if len(found) != length:
        raise EnvelopeError
    return found
