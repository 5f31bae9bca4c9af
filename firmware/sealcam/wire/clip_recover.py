"""After a power cut: closes a clip that was being written, without the key that nobody has any more (wire.md 7.3).

Reads the last two segments, however long the clip is: what is before was signed, and was on the disk before anything
behind it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import BinaryIO

from sealcam.wire.clip_format import SCL1, Checkpoint, CheckpointKind, Geometry
from sealcam.wire.clip_header import Header, read_header
from sealcam.wire.clip_source import FileSource
from sealcam.wire.clip_verify import State
from sealcam.wire.clip_walk import Segment, Walk
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import SigningKey


@dataclass(frozen=True, slots=True)
class Recovered:
    """A clip that is closed now. `size` counts whole chunks: how much padding the last one has, the camera can't tell.

    `changed` is false for one that was closed already.
    """

    header: Header
    state: State
    chunks: int
    size: int
    chain: bytes
    changed: bool


def _nothing() -> None:
    """The file's owner takes care of the disk."""


def recover(
    file: BinaryIO,
    signers: Collection[bytes],
    signer: SigningKey,
    epoch: int,
    *,
    sync: Callable[[], None] = _nothing,
    geometry: Geometry = SCL1,
) -> Recovered:
    """Cut `file` (open for reading and writing) behind its last whole chunk and sign for what there is.

    `signers` are the keys that may have signed it, `signer` signs now, in `epoch`. Done twice, the second time changes
    nothing; cut short anywhere, it can be done again.

    Raises:
        EnvelopeError: the header isn't whole, or none of `signers` signed it: there is nothing that could be kept.
        OSError: the file's own.
    """
    source = FileSource(file)
    header = read_header(source, signers)
    walk = Walk(source, header, [*signers, signer.public], geometry)
    segments = (source.size - header.size_bytes) // geometry.segment_bytes
    number, chain = _last_sure(walk, max(segments - 1, 0))
    while True:
        segment = walk.segment(number, chain)
        point = _holding(walk, segment)
        if point is None or point.ends:
            break
        number, chain = number + 1, point.chain
    changed = point is None
    if point is None:
        chunks = number * geometry.segment_chunks + segment.chunks
        point = Checkpoint(CheckpointKind.RECOVERED, signer.kid, epoch, chunks, segment.chain)
        _end_with(file, segment.end, point.sign(signer, header.hash))
    sync()
    state = State.COMPLETE if point.kind is CheckpointKind.END else State.INTERRUPTED
    size = point.chunks * geometry.chunk_bytes
    return Recovered(header, state, point.chunks, size, point.chain, changed)


def _last_sure(walk: Walk, number: int) -> tuple[int, bytes]:
    """The last segment from `number` down that goes on from a checkpoint which verifies; and that one's chain."""
    while True:
        try:
            return number, walk.chain_before(number)
        except EnvelopeError:
            number -= 1  # the first one goes on from the header


def _holding(walk: Walk, segment: Segment) -> Checkpoint | None:
    """The checkpoint behind `segment`, if it verifies and is for these chunks."""
    try:
        point = walk.checkpoint(segment)
    except EnvelopeError:
        return None
    return point if point.chain == segment.chain else None


def _end_with(file: BinaryIO, end: int, mark: bytes) -> None:
    """Let `file` end with `mark` behind its first `end` bytes."""
    file.truncate(end)
    file.seek(end)
    view = memoryview(mark)
    while view:
        view = view[file.write(view) :]
    file.flush()
