"""Where the bytes of a clip stand, and what its chunks and checkpoints are made of (design/wire.md 7.2, 7.3).

Arithmetic, key derivation and the checkpoint's layout: what writing, reading and verifying share. No file is known
here, and no state kept.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from enum import IntEnum

from sealcam.wire import labels
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import KEY_BYTES, KID_BYTES, SIGNATURE_BYTES, SigningKey, verify
from sealcam.wire.sealed import HASH_BYTES

TAG_BYTES = 16
MAX_CHUNKS = 1 << 20
PAD = b"\x80"  # ISO/IEC 7816-4: this byte ends the content, zeros fill up
_CHECKPOINT = struct.Struct(f">B{KID_BYTES}sII{HASH_BYTES}s")
CHECKPOINT_BYTES = _CHECKPOINT.size + SIGNATURE_BYTES


@dataclass(frozen=True, slots=True)
class Geometry:
    """Sizes of chunks and segments. The product has one, `SCL1`; tests try every bit of a smaller one.

    Raises:
        ValueError: a chunk that isn't longer than a checkpoint: lengths would no longer tell them apart.
    """

    chunk_bytes: int  # plain
    segment_chunks: int

    def __post_init__(self) -> None:
        if self.sealed_bytes <= CHECKPOINT_BYTES or self.segment_chunks < 1:
            raise ValueError("a chunk must be longer than a checkpoint")

    @property
    def sealed_bytes(self) -> int:
        """Bytes of a chunk as it stands in the file."""
        return self.chunk_bytes + TAG_BYTES

    @property
    def segment_bytes(self) -> int:
        """Bytes of a full segment with its checkpoint."""
        return self.segment_chunks * self.sealed_bytes + CHECKPOINT_BYTES

    def chunk_at(self, header_bytes: int, chunk: int) -> int:
        """Where chunk `chunk` begins in a clip whose header has `header_bytes`."""
        segment, place = divmod(chunk, self.segment_chunks)
        return header_bytes + segment * self.segment_bytes + place * self.sealed_bytes

    def chunks_in(self, header_bytes: int, size: int) -> int:
        """Whole chunks in a clip of `size` bytes, by lengths alone.

        Raises:
            EnvelopeError: it ends within the header, or has more chunks than a clip may.
        """
        if size < header_bytes:
            raise EnvelopeError
        segments, rest = divmod(size - header_bytes, self.segment_bytes)
        chunks = segments * self.segment_chunks + rest // self.sealed_bytes  # what is over is a checkpoint, or torn
        if chunks > MAX_CHUNKS:
            raise EnvelopeError
        return chunks


SCL1 = Geometry(chunk_bytes=65_536, segment_chunks=16)


def nonce(chunk: int, final: bool) -> bytes:
    """The 12-byte nonce of a chunk: the last one's can't pass for another's, nor another's for the last one's."""
    return bytes((final, 0, 0, 0)) + chunk.to_bytes(8, "big")


def segment_key(content_key: bytes, header_hash: bytes, segment: int) -> bytes:
    """The 32-byte key of one segment: to share it opens these chunks and no others."""
    return labels.blake2b(labels.CLIP_SEGMENT_KEY, content_key, header_hash, segment.to_bytes(4, "big"))


def chain_hasher(before: bytes) -> hashlib.blake2b:
    """The hash that becomes a segment's chain once its chunks are added; `before` is the chain so far, 32 bytes."""
    state = labels.hasher(labels.CLIP_CHAIN)
    state.update(before)
    return state


class CheckpointKind(IntEnum):
    """What follows a checkpoint."""

    MORE = 0
    END = 1
    RECOVERED = 2  # nothing, because the power was cut


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the signer says behind a segment: how many chunks there are so far, and the chain over all of them."""

    kind: CheckpointKind
    kid: bytes
    epoch: int
    chunks: int
    chain: bytes

    @property
    def ends(self) -> bool:
        """Whether nothing may follow."""
        return self.kind is not CheckpointKind.MORE

    def _pack(self) -> bytes:
        return _CHECKPOINT.pack(self.kind, self.kid, self.epoch, self.chunks, self.chain)

    def sign(self, signer: SigningKey, header_hash: bytes) -> bytes:
        """Its 113 bytes in the clip whose header has this hash."""
        clear = self._pack()
        return clear + signer.sign(labels.CLIP_CHECKPOINT, header_hash, clear)


def checkpoint_kid(data: bytes) -> bytes:
    """Whose checkpoint these bytes would be, if they were one."""
    return data[1 : 1 + KID_BYTES]


def claims_end(data: bytes, chunks: int) -> bool:
    """Whether these bytes look like the last checkpoint of a clip of so many chunks. Who signed it isn't asked."""
    if len(data) != CHECKPOINT_BYTES:
        return False
    kind, _, _, said, _ = _CHECKPOINT.unpack_from(data)
    return kind in (CheckpointKind.END, CheckpointKind.RECOVERED) and said == chunks


def read_checkpoint(data: bytes, public: bytes, header_hash: bytes) -> Checkpoint:
    """The checkpoint in 113 bytes that `public` signed for the clip with this header.

    Raises:
        EnvelopeError: it did not, or they are no checkpoint.
    """
    if len(data) != CHECKPOINT_BYTES or len(public) != KEY_BYTES:
        raise EnvelopeError
    clear, signature = data[: _CHECKPOINT.size], data[_CHECKPOINT.size :]
    verify(public, signature, labels.CLIP_CHECKPOINT, header_hash, clear)
    kind, kid, epoch, chunks, chain = _CHECKPOINT.unpack(clear)
    if kind not in CheckpointKind._value2member_map_:
        raise EnvelopeError
    return Checkpoint(CheckpointKind(kind), kid, epoch, chunks, chain)


def unpad(padded: bytes) -> bytes:
    """What stands before the `80` and its zeros.

    Raises:
        EnvelopeError: there is no `80`.
    """
    plain = padded.rstrip(b"\0")
    if plain[-1:] != PAD:
        raise EnvelopeError
    return plain[:-1]
