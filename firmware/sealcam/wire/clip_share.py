"""A copy of a clip without some of its segments, for whoever was granted the others (design/wire.md 7.4, Blanked)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sealcam.wire.clip_format import CHECKPOINT_BYTES, SCL1, Geometry, claims_end
from sealcam.wire.clip_header import Header
from sealcam.wire.clip_source import Source, exactly


def blanked(source: Source, header: Header, kept: Collection[int], *, geometry: Geometry = SCL1) -> Iterator[bytes]:
    """The clip in pieces of at most one chunk, with zeros for the chunks of all segments that aren't `kept`.

    Checkpoints stay, so that what was kept verifies. What a cut clip has behind its last checkpoint is left out unless
    it is kept: nobody signed for it, so nobody would miss it.

    Raises:
        EnvelopeError: the source doesn't give what it has.
    """
    yield exactly(source, 0, header.size_bytes)
    at, number = header.size_bytes, 0
    while at < source.size:
        end = min(at + geometry.segment_bytes, source.size)
        if number in kept:
            yield from _copied(source, at, end, geometry)
        else:
            mark = _last_bytes(source, at, end)
            chunks, rest = divmod(end - at - len(mark), geometry.sealed_bytes)
            total = number * geometry.segment_chunks + chunks
            if rest or not (chunks == geometry.segment_chunks or claims_end(mark, total)):
                return
            yield from (bytes(geometry.sealed_bytes) for _ in range(chunks))
            yield mark
        at, number = end, number + 1


def _copied(source: Source, at: int, end: int, geometry: Geometry) -> Iterator[bytes]:
    for start in range(at, end, geometry.sealed_bytes):
        yield exactly(source, start, min(geometry.sealed_bytes, end - start))


def _last_bytes(source: Source, at: int, end: int) -> bytes:
    """The last bytes of a segment, where its checkpoint stands if it has one."""
    length = min(CHECKPOINT_BYTES, end - at)
    return exactly(source, end - length, length)
