"""The messages between eye and post on their one Unix socket, and how they are framed.

`length u32 | kind u8 | payload`, big-endian; the length counts kind and payload. Pure: bytes in, messages out; the
socket is left to `link` (the eye's side) and `post`. Implements design/pipeline.md, "Eye and post".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum

from sealcam.wire.errors import LinkDown
from sealcam.wire.sealed import MAX_ENVELOPE_BYTES

_LENGTH = struct.Struct(">I")
_TOKEN = struct.Struct(">Q")
_CARRIED = struct.Struct(">QB16s")
_REFUSED = struct.Struct(">QI")
_KIND_BYTES = 1
MAX_FROM_POST_BYTES = 128 << 10  # whole message, so that a hostile post can't fill the eye's memory
MAX_FROM_EYE_BYTES = _LENGTH.size + _KIND_BYTES + _TOKEN.size + MAX_ENVELOPE_BYTES


class MessageError(LinkDown):
    """The peer on the Unix socket broke the protocol: its connection is closed, nothing else changes."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Eye to post: publish `envelope`, and name `token` when the broker has it."""

    token: int
    envelope: bytes


class Way(IntEnum):
    """Which of the camera's topics something goes on, beside its events."""

    CLIP = 1  # sealcam/<alias>/clip/<id>, QoS 1
    LIVE = 2  # sealcam/<alias>/live/<id>, QoS 0


@dataclass(frozen=True, slots=True)
class Carry:
    """Eye to post: publish `payload`, of the clip or live session `id` (16 bytes), and name `token` when it is out."""

    token: int
    way: Way
    id: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """Post to eye: the broker doesn't take that one; it takes at most `limit_bytes` (0: no word of that)."""

    token: int
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class Will:
    """Eye to post, first on every connection: the Last Will to leave with the broker."""

    envelope: bytes


@dataclass(frozen=True, slots=True)
class Forget:
    """Eye to post, the last message: the camera is reset; destroy the certificate and the broker's address."""


@dataclass(frozen=True, slots=True)
class Published:
    """Post to eye: the broker has acknowledged that one."""

    token: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """Post to eye: this came on the camera's command topic."""

    message: bytes


@dataclass(frozen=True, slots=True)
class LinkState:
    """Post to eye: the connection to the broker is up, or down."""

    up: bool


Message = Publish | Carry | Will | Forget | Published | Refused | Delivered | LinkState


class Side(Enum):
    """Whose messages they are."""

    EYE = "eye"
    POST = "post"


_MAX_BYTES = {Side.EYE: MAX_FROM_EYE_BYTES, Side.POST: MAX_FROM_POST_BYTES}


def encode(item: Message) -> bytes:
    """The bytes of one message."""
    match item:
        case Publish(token, envelope):
            kind, payload = 1, _TOKEN.pack(token) + envelope
        case Published(token):
            kind, payload = 2, _TOKEN.pack(token)
        case Delivered(message):
            kind, payload = 3, message
        case LinkState(up):
            kind, payload = 4, bytes([up])
        case Will(envelope):
            kind, payload = 5, envelope
        case Carry(token, way, of, content):
            kind, payload = 6, _CARRIED.pack(token, way, of) + content
        case Refused(token, limit):
            kind, payload = 7, _REFUSED.pack(token, limit)
        case Forget():
            kind, payload = 8, b""
    return _LENGTH.pack(_KIND_BYTES + len(payload)) + bytes([kind]) + payload


class Decoder:
    """Puts the messages of one `sender` together from whatever pieces they arrive in.

    Holds at most one incomplete message and the piece that it was last fed.
    """

    def __init__(self, sender: Side) -> None:
        self._sender = sender
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that `data` completes, in order; take them all.

        Raises:
            MessageError: a length, kind or payload that `sender` may not send; the decoder is of no use afterwards.
        """
        self._buffer += data
        at = 0
        try:
            while len(self._buffer) - at >= _LENGTH.size:
                (length,) = _LENGTH.unpack_from(self._buffer, at)
                if not _KIND_BYTES <= length <= _MAX_BYTES[self._sender] - _LENGTH.size:
                    raise MessageError(f"a message of {length} bytes")
                end = at + _LENGTH.size + length
                if len(self._buffer) < end:
                    break
                start, at = at + _LENGTH.size, end
                yield self._message(self._buffer[start], bytes(self._buffer[start + _KIND_BYTES : end]))
        finally:
            del self._buffer[:at]

    def _message(self, kind: int, payload: bytes) -> Message:
        match self._sender, kind, len(payload):
            case Side.EYE, 1, size if size > _TOKEN.size:
                return Publish(_TOKEN.unpack_from(payload)[0], payload[_TOKEN.size :])
            case Side.POST, 2, _TOKEN.size:
                return Published(_TOKEN.unpack(payload)[0])
            case Side.POST, 3, _:
                return Delivered(payload)
            case Side.POST, 4, 1 if payload[0] <= 1:
                return LinkState(bool(payload[0]))
            case Side.EYE, 5, size if 0 < size <= MAX_ENVELOPE_BYTES:
                return Will(payload)
            case Side.EYE, 6, size if size > _CARRIED.size and payload[_TOKEN.size] in Way.__members__.values():
                token, way, of = _CARRIED.unpack_from(payload)
                return Carry(token, Way(way), of, payload[_CARRIED.size :])
            case Side.POST, 7, _REFUSED.size:
                return Refused(*_REFUSED.unpack(payload))
            case Side.EYE, 8, 0:
                return Forget()
        raise MessageError(f"a message of kind {kind} with {len(payload)} bytes")
