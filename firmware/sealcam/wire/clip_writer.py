"""Writes a clip from front to back, so that it can end at any byte: by a power cut, or in order (wire.md 7.2, 7.3).

Whole chunks reach the file in their order, each once; nothing is ever written again. A checkpoint stands behind every
16 chunks and at the end. Bulk bytes are `cryptography`'s, which seals them 2.5 times as fast as PyNaCl; keys, header
and signatures are libsodium's. The caller owns the file and says how it reaches the disk.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sealcam.wire.clip_format import (
    MAX_CHUNKS,
    PAD,
    SCL1,
    Checkpoint,
    CheckpointKind,
    Geometry,
    chain_hasher,
    nonce,
    segment_key,
)
from sealcam.wire.clip_header import ClipInfo, header_hash, make_header
from sealcam.wire.keys import KEY_BYTES, SigningKey


@dataclass(frozen=True, slots=True)
class Closed:
    """What a finished clip holds: whole chunks, bytes of content, the chain of its last checkpoint."""

    chunks: int
    size: int
    chain: bytes


def _nothing() -> None:
    """The file's owner takes care of the disk."""


class ClipWriter:
    """A clip that is being written; one thread at a time.

    The header is written when it is made, the content only by `write`: in between, the caller sends `content_key`
    on its way to the recipients (wire.md 5.1). `sync` is called behind the header and behind each checkpoint. After an
    error of the file nothing more can be written: what is there is recovered, as after a power cut.

    Raises:
        EnvelopeError: a recipient to whom nothing can be sealed.
        ValueError: as `make_header`.
        OSError: the file's own.
    """

    def __init__(
        self,
        file: BinaryIO,
        signer: SigningKey,
        recipients: Sequence[bytes | None],
        *,
        clip: bytes,
        info: ClipInfo,
        epoch: int,
        recipient_set: int,
        content_key: bytes | None = None,
        sync: Callable[[], None] = _nothing,
        geometry: Geometry = SCL1,
    ) -> None:
        self._file, self._sync, self._geometry = file, sync, geometry
        self._signer, self._epoch = signer, epoch
        self._key = bytearray(content_key if content_key is not None else secrets.token_bytes(KEY_BYTES))
        header = make_header(
            signer,
            recipients,
            clip=clip,
            info=info,
            epoch=epoch,
            recipient_set=recipient_set,
            content_key=bytes(self._key),
        )
        self.clip = clip
        self._header_hash, self._header_bytes = header_hash(header), len(header)
        self._chunks = self._size = 0
        self._held = bytearray(geometry.chunk_bytes)  # content that doesn't fill a chunk yet
        self._held_bytes = 0
        self._begin_segment(self._header_hash)
        self._append(header)
        self._flush()

    @property
    def content_key(self) -> bytes:
        """The 32 bytes that open this clip.

        Raises:
            ValueError: the clip is closed, and the key gone.
        """
        self._check_open()
        return bytes(self._key)

    @property
    def size(self) -> int:
        """Bytes of content so far, those that don't fill a chunk yet among them."""
        return self._size

    @property
    def signed_bytes(self) -> int:
        """Bytes of the file up to its last checkpoint: of an open clip what others may have already."""
        return self._header_bytes + self._chunks // self._geometry.segment_chunks * self._geometry.segment_bytes

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add content; what doesn't fill a chunk waits in memory.

        Raises:
            ValueError: the clip is closed, or would be longer than a clip may be (64 GiB): begin another.
            OSError: the file's own; the clip is closed by it.
        """
        self._check_open()
        view = memoryview(data).cast("B")
        chunk_bytes = self._geometry.chunk_bytes
        if self._size + len(view) >= MAX_CHUNKS * chunk_bytes:  # the last chunk has room for its padding
            raise ValueError("a clip has at most 2^20 chunks")
        self._size += len(view)
        if self._held_bytes:
            view = view[self._hold(view) :]
        while len(view) >= chunk_bytes:  # straight from the caller's memory
            self._chunk(view[:chunk_bytes])
            view = view[chunk_bytes:]
        if view:
            self._hold(view)

    def finish(self) -> Closed:
        """Write the last chunk and its checkpoint, and forget the key.

        Raises:
            ValueError: the clip is closed already.
            OSError: the file's own; the clip is closed, and without its end.
        """
        self._check_open()
        last = bytes(self._held[: self._held_bytes]) + PAD
        self._chunk(last.ljust(self._geometry.chunk_bytes, b"\0"), final=True)
        chain = self._checkpoint(CheckpointKind.END)
        self._close()
        return Closed(self._chunks, self._size, chain)

    def abandon(self) -> None:
        """Forget the key and what doesn't fill a chunk; the file stays as it is, to be recovered or deleted."""
        self._close()

    def _check_open(self) -> None:
        if not self._key:
            raise ValueError("this clip is closed")

    def _close(self) -> None:
        """Overwrite what is secret here, as far as Python lets us: copies made on the way are the collector's."""
        if self._key:
            for secret in (self._key, self._held):
                secret[:] = bytes(len(secret))
                secret.clear()
            del self._cipher

    def _hold(self, view: memoryview) -> int:
        """Keep the beginning of `view` until a chunk is full; how much of it was taken."""
        taken = min(len(view), self._geometry.chunk_bytes - self._held_bytes)
        self._held[self._held_bytes : self._held_bytes + taken] = view[:taken]
        self._held_bytes += taken
        if self._held_bytes == self._geometry.chunk_bytes:
            self._held_bytes = 0
            self._chunk(self._held)
        return taken

    def _chunk(self, plain: bytes | bytearray | memoryview, *, final: bool = False) -> None:
        """Seal one chunk and append it; behind the last one of a full segment stands a checkpoint."""
        sealed = self._cipher.encrypt(nonce(self._chunks, final), plain, None)
        self._chain.update(sealed)
        self._append(sealed)
        self._chunks += 1
        if not final and self._chunks % self._geometry.segment_chunks == 0:
            self._begin_segment(self._checkpoint(CheckpointKind.MORE))

    def _checkpoint(self, kind: CheckpointKind) -> bytes:
        """Sign for all chunks so far, and return the chain over them."""
        chain = self._chain.digest()
        point = Checkpoint(kind, self._signer.kid, self._epoch, self._chunks, chain)
        self._append(point.sign(self._signer, self._header_hash))
        self._flush()
        return chain

    def _begin_segment(self, before: bytes) -> None:
        """Change to the next segment's key; `before` is the chain up to here."""
        self._chain = chain_hasher(before)
        number = self._chunks // self._geometry.segment_chunks
        self._cipher = ChaCha20Poly1305(segment_key(bytes(self._key), self._header_hash, number))

    def _append(self, data: bytes) -> None:
        """All of `data`, behind what is there. A half written chunk is never written on."""
        try:
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        except BaseException:
            self._close()
            raise

    def _flush(self) -> None:
        try:
            self._file.flush()
            self._sync()
        except BaseException:
            self._close()
            raise
