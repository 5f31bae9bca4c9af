"""Goes through a clip segment by segment, and says what stands there: chunks, their chain, a checkpoint (wire.md 7.4).

Needs no key and decides nothing: what a missing or wrong checkpoint means is for verifying and recovering to say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sealcam.wire.clip_format import (
    CHECKPOINT_BYTES,
    Checkpoint,
    CheckpointKind,
    Geometry,
    chain_hasher,
    checkpoint_kid,
    read_checkpoint,
)
from sealcam.wire.clip_header import Header
from sealcam.wire.clip_source import Source, exactly
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import key_id

Progress = Callable[[int, int], None]
"""Told how many bytes of how many are done."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment as it stands in the file.

    `chunks` are the whole ones before its end, `chain` is the hash over them, `end` where they end, `mark` the
    113 bytes of a checkpoint there, or nothing. `blank`: there are chunks, and all of their bytes are zero.
    """

    number: int
    chunks: int
    chain: bytes
    end: int
    mark: bytes
    blank: bool


class Walk:
    """A clip, its header, and who may sign: the header's key, and for a recovery any of `signers`."""

    def __init__(
        self,
        source: Source,
        header: Header,
        signers: Collection[bytes],
        geometry: Geometry,
        progress: Progress | None = None,
    ) -> None:
        self._source, self._header, self._geometry, self._progress = source, header, geometry, progress
        self._signers = {key_id(public): public for public in signers} | {header.kid: header.signer}

    def segment(self, number: int, before: bytes) -> Segment:
        """Segment `number`, where `before` is the chain of the one before it (the header's hash for the first).

        Raises:
            EnvelopeError: the source doesn't give what it has.
        """
        geometry, size = self._geometry, self._source.size
        at = geometry.chunk_at(self._header.size_bytes, number * geometry.segment_chunks)
        chain, blank, mark = chain_hasher(before), True, b""
        chunks = 0
        while chunks < geometry.segment_chunks:
            piece = exactly(self._source, at, min(geometry.sealed_bytes, size - at))
            if len(piece) >= CHECKPOINT_BYTES and checkpoint_kid(piece) in self._signers:
                mark = piece[:CHECKPOINT_BYTES]
                break
            if len(piece) < geometry.sealed_bytes:
                break
            chain.update(piece)
            blank = blank and not any(piece)
            chunks, at = chunks + 1, at + len(piece)
            if self._progress is not None:
                self._progress(at, size)
        else:
            if size - at >= CHECKPOINT_BYTES:  # nothing else may stand here, whatever it looks like
                mark = exactly(self._source, at, CHECKPOINT_BYTES)
        return Segment(number, chunks, chain.digest(), at, mark, blank and chunks > 0)

    def checkpoint(self, segment: Segment) -> Checkpoint:
        """The checkpoint behind `segment`, if it verifies and the numbers fit; its chain is compared by `covers`.

        Raises:
            EnvelopeError: it doesn't, there is none, or something follows that must not.
        """
        point = self._signed(segment.mark)
        full = segment.chunks == self._geometry.segment_chunks
        placed = {
            CheckpointKind.MORE: full,
            CheckpointKind.END: segment.chunks > 0,
            CheckpointKind.RECOVERED: True,
        }[point.kind]
        if not placed or point.chunks != segment.number * self._geometry.segment_chunks + segment.chunks:
            raise EnvelopeError
        if point.ends and segment.end + CHECKPOINT_BYTES != self._source.size:
            raise EnvelopeError
        return point

    def chain_before(self, number: int) -> bytes:
        """The chain that segment `number` goes on from, as the checkpoint before it says: no chunk is read.

        Raises:
            EnvelopeError: there is no such checkpoint, or it doesn't verify.
        """
        if number == 0:
            return self._header.hash
        chunks = number * self._geometry.segment_chunks
        at = self._geometry.chunk_at(self._header.size_bytes, chunks) - CHECKPOINT_BYTES
        point = self._signed(exactly(self._source, at, CHECKPOINT_BYTES))
        if point.ends or point.chunks != chunks:
            raise EnvelopeError
        return point.chain

    def _signed(self, mark: bytes) -> Checkpoint:
        """The checkpoint in `mark`, signed by who may sign one of its kind."""
        public = self._signers.get(checkpoint_kid(mark))
        if public is None:
            raise EnvelopeError
        point = read_checkpoint(mark, public, self._header.hash)
        if public != self._header.signer and point.kind is not CheckpointKind.RECOVERED:
            raise EnvelopeError
        return point
