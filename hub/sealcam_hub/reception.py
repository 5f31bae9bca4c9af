"""One clip as it comes in pieces: what of it may be kept, decided from its bytes alone (design/wire.md section 14).

Pure: no file, clock or network. Nothing counts before a checkpoint verifies; until then at most one segment is held in
memory, and each segment is hashed once, however long the clip. A piece that repeats what is there changes nothing, one
that contradicts bytes which aren't verified takes their place: a camera that begins again is believed as much as one
that goes on, and neither before its signature. Writing what was verified is `intake`'s.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum, auto

from sealcam.wire.clip import (
    CHECKPOINT_BYTES,
    MAX_CHUNKS,
    SCL1,
    BytesSource,
    Checkpoint,
    CheckpointKind,
    Geometry,
    Header,
    Source,
    State,
    read_header,
)
from sealcam.wire.clip_format import checkpoint_kid
from sealcam.wire.clip_walk import Segment, Walk
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import key_id
from sealcam.wire.piece import Piece

_NSLOTS_AT = 69
_SLOT_COUNTS = (4, 8, 16)
_SLOT, _BESIDE_SLOTS = 80, 406  # bytes of a header: section 7.1
TIMES = 3  # damaged at one place: then it rests until it is asked for


class Fed(Enum):
    """What a piece did."""

    TAKEN = auto()
    REPEATED = auto()  # it was there already, and still nobody has signed for it
    VERIFIED = auto()  # more of the clip may be kept: `Step.data`
    MISPLACED = auto()  # it doesn't begin where what is here ends
    DAMAGED = auto()  # what wasn't verified is dropped
    STOPPED = auto()  # the same, for the third time at one place


@dataclass(frozen=True, slots=True)
class Step:
    """What a piece did; `data` belongs behind byte `at` of the file, and ends the clip if `ended` says so."""

    fed: Fed
    at: int = 0
    data: bytes = field(default=b"", repr=False)
    ended: State | None = None


class Reception:
    """A clip that comes; one thread at a time. `held` bytes of its file are verified, and the caller keeps them."""

    def __init__(self, clip: bytes, geometry: Geometry = SCL1) -> None:
        self.clip, self.held = clip, 0
        self.ended: State | None = None
        self._geometry = geometry
        self._header: Header | None = None
        self._segment, self._chain = 0, b""
        self._fresh = bytearray()  # what came behind `held`
        self._damaged = 0

    @property
    def waiting(self) -> int:
        """How many bytes are in memory because nobody has signed for them yet."""
        return len(self._fresh)

    def feed(self, piece: Piece, signers: Collection[bytes]) -> Step:
        """Take a piece; `signers` (Ed25519) are the keys that this camera has had until now."""
        at = piece.offset - self.held
        if self.ended is not None or not 0 <= at <= len(self._fresh):
            return Step(Fed.MISPLACED)
        there = self._fresh[at : at + len(piece.data)]
        if piece.data.startswith(there):
            self._fresh += piece.data[len(there) :]
        else:
            self._fresh[at:] = piece.data
        try:
            step = self._advance(signers)
        except EnvelopeError:
            return self._drop()
        return Step(Fed.REPEATED) if step.fed is Fed.TAKEN and there == piece.data else step

    def resume(self, source: Source, signers: Collection[bytes]) -> None:
        """Go on from what `source`, the file of an earlier run, has: `held` says how much of it that is.

        The last segment is verified again, since a power cut may have torn it; those before were synced by then.
        """
        geometry = self._geometry
        try:
            header = self._own(read_header(source, signers))
        except EnvelopeError:
            return
        walk = Walk(source, header, signers, geometry)
        for number in range((source.size - header.size_bytes) // geometry.segment_bytes, -1, -1):
            try:
                before = _verified(walk, walk.segment(number - 1, walk.chain_before(number - 1))) if number else None
            except EnvelopeError:
                continue
            self._header, self._segment = header, number
            self._chain = before.chain if before is not None else header.hash
            self.held = geometry.chunk_at(header.size_bytes, number * geometry.segment_chunks) if number else 0
            self._resume_end(walk, source, before)
            return

    def _resume_end(self, walk: Walk, source: Source, before: Checkpoint | None) -> None:
        """The end may be there already, and only the file's name not yet say so."""
        try:
            if before is None or not before.ends:
                segment = walk.segment(self._segment, self._chain)
                before = _verified(walk, segment) if segment.mark else None
        except EnvelopeError:
            return
        if before is not None and before.ends:
            self.ended, self.held = _state(before.kind), source.size

    def _advance(self, signers: Collection[bytes]) -> Step:
        if self.held == 0 and not self._read_header(signers):
            return Step(Fed.TAKEN)
        header = self._header
        assert header is not None
        at, data = self.held, bytearray()
        try:
            while self.ended is None and self._may_verify(header, signers):
                found = self._next(header, signers)
                if not found:
                    break
                data += found
        except EnvelopeError:
            if not data:
                raise
            self._fresh.clear()  # what was verified before counts all the same
            self._damaged = 1
        return Step(Fed.VERIFIED, at, bytes(data), self.ended) if data else Step(Fed.TAKEN)

    def _next(self, header: Header, signers: Collection[bytes]) -> bytes:
        """The next segment with its checkpoint, verified and gone on from; nothing if what is there isn't one yet."""
        walk = Walk(_Fresh(self._fresh, self.held), header, signers, self._geometry)
        segment = walk.segment(self._segment, self._chain)
        if not segment.mark:
            return b""
        point = _verified(walk, segment)
        length = segment.end + CHECKPOINT_BYTES - self.held
        found = bytes(self._fresh[:length])
        del self._fresh[:length]
        self.held += length
        self._segment, self._chain, self._damaged = self._segment + 1, point.chain, 0
        if point.ends:
            self.ended = _state(point.kind)
        return found

    def _read_header(self, signers: Collection[bytes]) -> bool:
        """Whether the header is there; a segment that is damaged takes it along, as long as nothing is kept."""
        if self._header is not None and len(self._fresh) >= self._header.size_bytes:
            return True
        if len(self._fresh) <= _NSLOTS_AT:
            return False
        count = self._fresh[_NSLOTS_AT]
        if count not in _SLOT_COUNTS:
            raise EnvelopeError
        size = _BESIDE_SLOTS + _SLOT * count
        if len(self._fresh) < size:
            return False
        self._header = self._own(read_header(BytesSource(bytes(self._fresh[:size])), signers))
        self._segment, self._chain = 0, self._header.hash
        return True

    def _own(self, header: Header) -> Header:
        if header.clip != self.clip:
            raise EnvelopeError
        return header

    def _may_verify(self, header: Header, signers: Collection[bytes]) -> bool:
        """Whether a segment may be whole: it is full, or what was last to come may be a clip's last checkpoint."""
        geometry = self._geometry
        if self._segment * geometry.segment_chunks >= MAX_CHUNKS:
            raise EnvelopeError
        size = len(self._fresh) - (0 if self.held else header.size_bytes)
        if size >= geometry.segment_bytes:
            return True
        if size < CHECKPOINT_BYTES or (size - CHECKPOINT_BYTES) % geometry.sealed_bytes:
            return False
        kid = checkpoint_kid(bytes(self._fresh[-CHECKPOINT_BYTES:]))
        return kid == header.kid or any(key_id(one) == kid for one in signers)

    def _drop(self) -> Step:
        self._fresh.clear()
        if not self.held:
            self._header = None
        self._damaged += 1
        return Step(Fed.STOPPED if self._damaged >= TIMES else Fed.DAMAGED)


@dataclass(frozen=True, slots=True)
class _Fresh:
    """What came behind byte `start` of a clip's file, as a source of the file's ranges."""

    data: bytearray
    start: int

    @property
    def size(self) -> int:
        return self.start + len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self.data[offset - self.start : offset - self.start + length])


def _verified(walk: Walk, segment: Segment) -> Checkpoint:
    """The checkpoint behind `segment`, which is the one that was signed.

    Raises:
        EnvelopeError: it isn't.
    """
    point = walk.checkpoint(segment)
    if point.chain != segment.chain:
        raise EnvelopeError
    return point


def _state(kind: CheckpointKind) -> State:
    return State.COMPLETE if kind is CheckpointKind.END else State.INTERRUPTED
