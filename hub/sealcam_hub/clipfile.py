"""The content of a sealed clip whose signatures hold, written where the owner wants it.

Status and key come from the caller, who has them from this hub's ledger (`clip_keys`) or from a person. Bytes are
`wire.clip`'s; design/wire.md section 7.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sealcam.wire.clip import SCL1, Progress, Reader, Source, State, Status
from sealcam.wire.errors import EnvelopeError
from sealcam_hub.newfile import whole_file


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written: bytes of content, and how many of the clip's whole chunks they come from."""

    chunks: int
    size: int


def save(source: Source, status: Status, key: bytes, target: Path, progress: Progress) -> Saved:
    """Write the content of the clip in `source`, of which `status` was verified, to `target`.

    Of a clip that isn't complete, the last segment's chunks count as far as they open: a disk may have kept their
    place and not their bytes.

    Raises:
        EnvelopeError: a chunk that must open doesn't; nothing is written.
        StorageError: it can't be written; nothing is.
    """
    reader = Reader(source, status.header, key)
    with whole_file(target) as file:
        return _write(file, reader, must_open(status), progress)


def must_open(status: Status) -> int:
    """How many chunks of a clip of that status, from the first, can't be damaged by a power cut."""
    if status.state is State.COMPLETE or not status.chunks:
        return status.chunks
    return (status.chunks - 1) // SCL1.segment_chunks * SCL1.segment_chunks


def _write(file: BinaryIO, reader: Reader, must_open: int, progress: Progress) -> Saved:
    size = 0
    for number in range(reader.chunks):
        try:
            content = reader.chunk(number)
        except EnvelopeError:
            if number < must_open:
                raise
            return Saved(number, size)
        size += file.write(content)
        progress(number + 1, reader.chunks)
    return Saved(reader.chunks, size)
