"""Opens chunks of a clip, any of them, in any order, with the content key or with keys of some segments (wire.md 7.4).

What a chunk says is checked by its tag alone. Whether the clip is complete, and whether the camera signed for it, is
`clip_verify`'s to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sealcam.wire.clip_format import (
    CHECKPOINT_BYTES,
    SCL1,
    CheckpointKind,
    Geometry,
    checkpoint_kid,
    nonce,
    segment_key,
    unpad,
)
from sealcam.wire.clip_header import Header, check_content_key
from sealcam.wire.clip_source import Source, exactly
from sealcam.wire.errors import EnvelopeError


class Reader:
    """A clip's content by chunks. Holds one chunk in memory; not for several threads.

    `keys` is the content key (32 bytes), or the keys of some segments by their numbers, of a clip that was shared in
    part.

    Raises:
        EnvelopeError: the content key is another clip's, or the clip is longer than one may be.
    """

    def __init__(
        self, source: Source, header: Header, keys: bytes | Mapping[int, bytes], *, geometry: Geometry = SCL1
    ) -> None:
        if isinstance(keys, bytes):
            check_content_key(header, keys)
        self._source, self._header, self._keys, self._geometry = source, header, keys, geometry
        self._chunks = geometry.chunks_in(header.size_bytes, source.size)
        self._segment = -1
        self._cipher: ChaCha20Poly1305 | None = None

    @property
    def chunks(self) -> int:
        """How many whole chunks there are; what a cut has left of one doesn't count."""
        return self._chunks

    def chunk(self, number: int) -> bytes:
        """The content of one chunk: 65,536 bytes, fewer in the last one of a clip that was closed.

        Raises:
            EnvelopeError: there is no such chunk, no key for it, or it was changed, moved or blanked.
        """
        if not 0 <= number < self._chunks:
            raise EnvelopeError
        cipher = self._cipher_of(number // self._geometry.segment_chunks)
        at = self._geometry.chunk_at(self._header.size_bytes, number)
        sealed = exactly(self._source, at, self._geometry.sealed_bytes)
        last = number == self._chunks - 1  # only the last chunk that is there may be the clip's last one
        try:
            plain = cipher.decrypt(nonce(number, False), sealed, None)
        except InvalidTag as error:
            if not last:
                raise EnvelopeError from error
        else:
            if last and self._ended():
                raise EnvelopeError
            return plain
        try:
            return unpad(cipher.decrypt(nonce(number, True), sealed, None))
        except InvalidTag as error:
            raise EnvelopeError from error

    def __iter__(self) -> Iterator[bytes]:
        """The content from the beginning, without the segments for which there is no key.

        Raises:
            EnvelopeError: a chunk was changed, moved or blanked.
        """
        for number in range(self._chunks):
            if isinstance(self._keys, bytes) or number // self._geometry.segment_chunks in self._keys:
                yield self.chunk(number)

    def _ended(self) -> bool:
        """Whether an end stands behind the last chunk, so that this one must be final. `clip_verify` checks the end."""
        at = self._geometry.chunk_at(self._header.size_bytes, self._chunks - 1) + self._geometry.sealed_bytes
        mark = self._source.read(at, CHECKPOINT_BYTES)
        return mark[:1] == bytes([CheckpointKind.END]) and checkpoint_kid(mark) == self._header.kid

    def _cipher_of(self, segment: int) -> ChaCha20Poly1305:
        if self._cipher is None or segment != self._segment:
            self._cipher = ChaCha20Poly1305(self._key_of(segment))
            self._segment = segment
        return self._cipher

    def _key_of(self, segment: int) -> bytes:
        if isinstance(self._keys, bytes):
            return segment_key(self._keys, self._header.hash, segment)
        try:
            return self._keys[segment]
        except KeyError as error:
            raise EnvelopeError from error
