"""Signed statements `SGN1`: what one key says in public, such as a receipt or a recipient set (design/wire.md 6).

Readable by anybody, changeable by nobody; each kind is signed under its own label, so that no statement can be
taken for another.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from sealcam.wire import labels, schema
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import KID_BYTES, SIGNATURE_BYTES, SigningKey, key_id, verify
from sealcam.wire.schema import body, key

_HEADER = struct.Struct(f">4sB{KID_BYTES}s")
_MAGIC = b"SGN1"
MAX_STATEMENT_BYTES = 1 << 16
Body = TypeVar("Body")


class Kind(IntEnum):
    """What a statement says; its lower-case name is part of the label it is signed under."""

    HUB_CERTIFICATE = 1
    RECIPIENT_SET = 2
    PREKEY = 3
    RECEIPT = 4
    CLAIM_REQUEST = 5
    CLAIM_ANSWER = 6


class RecipientKind(IntEnum):
    """Who a recipient is."""

    HUB = 1
    RECOVERY = 2


@body
class HubCertificate:
    """By the owner root: this operating key is one of my hubs."""

    hub: bytes = key(1, size=32)  # Ed25519 operating key
    number: int = key(2)


@body
class Recipient:
    """One who may open: a hub by its operating key (its prekeys are what is sealed to), or the recovery recipient."""

    kind: RecipientKind = key(1)
    public: bytes = key(2, size=32)


@body
class RecipientSet:
    """By the owner root: who may open what is sealed from now on; numbered, one suite, one home hub."""

    number: int = key(1)
    suite: int = key(2)
    home_hub: bytes = key(3, size=32)
    recipients: tuple[Recipient, ...] = key(4)


@body
class Prekey:
    """By a hub: the newest X25519 key to seal to, one series per camera (named by its first epoch key's id)."""

    camera: bytes = key(1, size=8)
    number: int = key(2)
    public: bytes = key(3, size=32)


@body
class Receipt:
    """By the home hub: the envelope with this hash is stored. Names neither sequence nor content."""

    envelope_hash: bytes = key(1, size=32)


@body
class ClaimRequest:
    """By a camera's epoch key: these are my keys, and this certificate request is my post's."""

    epoch: int = key(1)
    public: bytes = key(2, size=32)
    command: bytes = key(3, size=32)
    csr: bytes = key(4)  # PKCS #10, DER


@body
class ClaimAnswer:
    """By the hub's operating key: you are claimed; this is all you need to seal and to connect."""

    camera: bytes = key(1, size=8)
    alias: str = key(2)
    recipient_set: bytes = key(3)  # statement
    prekey: bytes = key(4)  # statement
    certificate: bytes = key(5)  # X.509 of the post, PEM
    authority: bytes = key(6)  # X.509 of the hub's authority, PEM
    host: str = key(7)
    port: int = key(8)


_BODIES: dict[Kind, type] = {
    Kind.HUB_CERTIFICATE: HubCertificate,
    Kind.RECIPIENT_SET: RecipientSet,
    Kind.PREKEY: Prekey,
    Kind.RECEIPT: Receipt,
    Kind.CLAIM_REQUEST: ClaimRequest,
    Kind.CLAIM_ANSWER: ClaimAnswer,
}
_KINDS = {cls: kind for kind, cls in _BODIES.items()}


def _label(kind: Kind) -> str:
    return labels.STATEMENT + kind.name.lower().replace("_", "-")


def sign(signer: SigningKey, item: object) -> bytes:
    """The statement that `signer` makes of `item`, one of the bodies above."""
    kind = _KINDS[type(item)]
    message = _HEADER.pack(_MAGIC, kind, signer.kid) + schema.encode(item)
    return message + signer.sign(_label(kind), message)


def read(statement: bytes, signer_public: bytes, cls: type[Body]) -> Body:
    """The body of `statement` if `signer_public` signed it as a `cls`.

    Raises:
        EnvelopeError: for every reason there is; nothing is parsed before the signature holds.
    """
    if not _HEADER.size + SIGNATURE_BYTES < len(statement) <= MAX_STATEMENT_BYTES:
        raise EnvelopeError
    kind = _KINDS[cls]
    message = statement[:-SIGNATURE_BYTES]
    verify(signer_public, statement[-SIGNATURE_BYTES:], _label(kind), message)
    magic, number, kid = _HEADER.unpack_from(message)
    if magic != _MAGIC or number != kind or kid != key_id(signer_public):
        raise EnvelopeError
    return schema.decode(message[_HEADER.size :], cls)


@dataclass(frozen=True, slots=True)
class ClaimBundle:
    """What a hub hands a camera at its claim: root key, the root's certificate for the hub, the hub's answer."""

    root_public: bytes
    hub_certificate: bytes
    answer: bytes

    def pack(self) -> bytes:
        """`root 32 | length u16 | hub certificate | answer`: lengths alone, so nothing is parsed unsigned."""
        return self.root_public + struct.pack(">H", len(self.hub_certificate)) + self.hub_certificate + self.answer

    @staticmethod
    def unpack(data: bytes) -> ClaimBundle:
        """The three parts.

        Raises:
            EnvelopeError: the lengths don't fit.
        """
        if not 34 < len(data) <= 2 * MAX_STATEMENT_BYTES:
            raise EnvelopeError
        (size,) = struct.unpack_from(">H", data, 32)
        if len(data) <= 34 + size:
            raise EnvelopeError
        return ClaimBundle(data[:32], data[34 : 34 + size], data[34 + size :])
