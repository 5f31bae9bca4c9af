"""What a clip is, told without its key: complete, interrupted, cut, or refused (design/wire.md 7.4).

Goes once from front to back with one chunk in memory. Opening is `clip_reader`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sealcam.wire.clip_format import SCL1, Checkpoint, CheckpointKind, Geometry
from sealcam.wire.clip_header import Header, read_header
from sealcam.wire.clip_source import Source
from sealcam.wire.clip_walk import Progress, Segment, Walk
from sealcam.wire.errors import EnvelopeError


class State(StrEnum):
    """How a clip ends."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"  # by a power cut, and the camera has signed for what there is
    CUT = "cut"  # nobody has signed for its end


@dataclass(frozen=True, slots=True)
class Status:
    """What the signatures say of a clip.

    `chunks` counts the whole ones, `signed_chunks` those that a checkpoint covers, `chain` is the last checkpoint's
    (the header's hash while there is none), `blanked` are the segments whose chunks were taken out of this copy.
    """

    state: State
    chunks: int
    signed_chunks: int
    chain: bytes
    header: Header
    blanked: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SegmentStatus:
    """A segment whose checkpoint holds: how many chunks it has, and whether they were taken out of this copy."""

    chunks: int
    blanked: bool


def verify(
    source: Source,
    signers: Collection[bytes],
    progress: Progress | None = None,
    *,
    blanked: bool = False,
    geometry: Geometry = SCL1,
) -> Status:
    """What the clip in `source` is, by what one of `signers` (Ed25519 public keys) has signed.

    A copy with blanked segments is refused, unless `blanked` allows them: then the state is that of the clip it was
    made from.

    Raises:
        EnvelopeError: a signature, a number or a byte doesn't fit, or something follows the end.
    """
    header = read_header(source, signers)
    geometry.chunks_in(header.size_bytes, source.size)  # refuses what is longer than a clip may be
    walk = Walk(source, header, signers, geometry, progress)
    chain, signed, taken_out = header.hash, 0, list[int]()
    number = 0
    while True:
        segment = walk.segment(number, chain)
        if not segment.mark:
            state, chunks = State.CUT, signed + segment.chunks
            break
        point = walk.checkpoint(segment)
        if _taken_out(segment, point):
            taken_out.append(number)
        chain, signed, chunks = point.chain, point.chunks, point.chunks
        if point.ends:
            state = State.COMPLETE if point.kind is CheckpointKind.END else State.INTERRUPTED
            break
        number += 1
    if taken_out and not blanked:
        raise EnvelopeError
    return Status(state, chunks, signed, chain, header, tuple(taken_out))


def verify_segment(
    source: Source, header: Header, signers: Collection[bytes], number: int, *, geometry: Geometry = SCL1
) -> SegmentStatus:
    """Segment `number` alone, by its checkpoint and the one before it.

    Raises:
        EnvelopeError: it isn't there, has no checkpoint yet, or was changed in any other way than by blanking.
    """
    if not 0 <= number * geometry.segment_chunks <= geometry.chunks_in(header.size_bytes, source.size):
        raise EnvelopeError
    walk = Walk(source, header, signers, geometry)
    segment = walk.segment(number, walk.chain_before(number))
    return SegmentStatus(segment.chunks, _taken_out(segment, walk.checkpoint(segment)))


def _taken_out(segment: Segment, point: Checkpoint) -> bool:
    """Whether the chunks that `point` speaks of were replaced by zeros.

    Raises:
        EnvelopeError: they are others.
    """
    if point.chain == segment.chain:
        return False
    if not segment.blank:
        raise EnvelopeError
    return True
