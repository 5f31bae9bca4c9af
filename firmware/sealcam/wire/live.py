"""A live view `SLV1`: sealed pictures that nobody keeps, each message proved and opened by itself (wire.md section 15).

`LiveWriter` is the camera's, `read_start` and `LiveReader` the hub's. The key is wrapped as a clip's is, by the header
of one; messages are signed before they are parsed. What the pictures are, and when a session ends, is the caller's.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from sealcam.wire import labels
from sealcam.wire.clip_format import TAG_BYTES
from sealcam.wire.clip_header import ClipInfo, Header, check_content_key, header_hash, make_header, read_header
from sealcam.wire.clip_source import BytesSource
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import KEY_BYTES, SIGNATURE_BYTES, SigningKey, verify

MAGIC = b"SLV1"
MAX_CONTENT_BYTES = 1 << 20
NO_INCIDENT = bytes(8)
_PREFIX = struct.Struct(">4sB")
_NUMBER = struct.Struct(">Q")
_HEAD = struct.Struct(">BQQ")
_START, _PART = 0, 1
_MIN_PART_BYTES = _PREFIX.size + _NUMBER.size + _HEAD.size + TAG_BYTES + SIGNATURE_BYTES
MAX_MESSAGE_BYTES = _MIN_PART_BYTES + MAX_CONTENT_BYTES


class Content(IntEnum):
    """What a part holds."""

    BEGINNING = 0  # of the stream: what a player needs before any picture
    KEYFRAME = 1  # pictures, of which the first needs nothing but the beginning
    PICTURES = 2  # pictures that need those before
    END = 3  # nothing: the session is over


@dataclass(frozen=True, slots=True)
class Part:
    """One message of a session. Times are the camera's boot clock in ns: of the newest picture in `data`, and of the
    moment when the part was sealed; the header's `at` says which wall time that is."""

    number: int
    content: Content
    seen_ns: int
    sealed_ns: int
    data: bytes


class LiveWriter:
    """A session's part under one set of keys; one thread at a time. `start` goes before each beginning of the stream.

    Raises:
        EnvelopeError: a recipient to whom nothing can be sealed.
        ValueError: as `make_header`.
    """

    def __init__(
        self,
        signer: SigningKey,
        recipients: Sequence[bytes | None],
        *,
        session: bytes,
        info: ClipInfo,
        epoch: int,
        recipient_set: int,
    ) -> None:
        key = secrets.token_bytes(KEY_BYTES)
        header = make_header(
            signer,
            recipients,
            clip=session,
            info=info,
            epoch=epoch,
            recipient_set=recipient_set,
            content_key=key,
        )
        self.start = _PREFIX.pack(MAGIC, _START) + header
        self._signer, self._hash, self._number = signer, header_hash(header), 0
        self._cipher = _cipher(key, self._hash)

    def seal(self, content: Content, seen_ns: int, sealed_ns: int, data: bytes) -> bytes:
        """The next message.

        Raises:
            ValueError: a caller's mistake: more than `MAX_CONTENT_BYTES`.
        """
        if len(data) > MAX_CONTENT_BYTES:
            raise ValueError("too much for one part")
        number, self._number = self._number, self._number + 1
        plain = _HEAD.pack(content, seen_ns, sealed_ns) + data
        clear = _NUMBER.pack(number) + self._cipher.encrypt(_nonce(number), plain, None)
        signature = self._signer.sign(labels.LIVE_PART, self._hash + clear)
        return _PREFIX.pack(MAGIC, _PART) + clear + signature


def read_start(message: bytes, session: bytes, signers: Collection[bytes]) -> Header | None:
    """The verified header if `message` starts `session`; none where it is a part.

    Raises:
        EnvelopeError: it is neither, another session's, or none of `signers` (Ed25519) signed it.
    """
    kind = _kind(message)
    if kind != _START:
        return None
    source = BytesSource(message[_PREFIX.size :])
    header = read_header(source, signers)
    if header.size_bytes != source.size or header.clip != session:
        raise EnvelopeError
    return header


class LiveReader:
    """Opens the parts that follow one start; each number once, rising. One thread at a time.

    Raises:
        EnvelopeError: the key is another session's.
    """

    def __init__(self, header: Header, content_key: bytes) -> None:
        check_content_key(header, content_key)
        self.header = header
        self._cipher = _cipher(content_key, header.hash)
        self._next = 0

    def open(self, message: bytes) -> Part:
        """The part in `message`.

        Raises:
            EnvelopeError: it isn't one, isn't the header's signer's, doesn't open, or isn't newer than the last.
        """
        if _kind(message) != _PART or not _MIN_PART_BYTES <= len(message) <= MAX_MESSAGE_BYTES:
            raise EnvelopeError
        clear, signature = message[_PREFIX.size : -SIGNATURE_BYTES], message[-SIGNATURE_BYTES:]
        verify(self.header.signer, signature, labels.LIVE_PART, self.header.hash + clear)
        (number,) = _NUMBER.unpack_from(clear)
        if number < self._next:
            raise EnvelopeError
        try:
            plain = self._cipher.decrypt(_nonce(number), clear[_NUMBER.size :], None)
        except InvalidTag as error:
            raise EnvelopeError from error
        content, seen_ns, sealed_ns = _HEAD.unpack_from(plain)
        if content not in Content.__members__.values():
            raise EnvelopeError
        self._next = number + 1
        return Part(number, Content(content), seen_ns, sealed_ns, plain[_HEAD.size :])


def _kind(message: bytes) -> int:
    if len(message) < _PREFIX.size:
        raise EnvelopeError
    magic, kind = _PREFIX.unpack_from(message)
    if magic != MAGIC or kind not in (_START, _PART):
        raise EnvelopeError
    return int(kind)


def _cipher(key: bytes, header: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(labels.blake2b(labels.LIVE_KEY, key, header))


def _nonce(number: int) -> bytes:
    return bytes(4) + _NUMBER.pack(number)
