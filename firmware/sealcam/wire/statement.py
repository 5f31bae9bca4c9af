"""Signed statements `SGN1`: what one key says in public, such as a receipt or a recipient set (design/wire.md 6).

Readable by anybody, changeable by nobody; each kind is signed under its own label, so that no statement can be
taken for another.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeVar

from sealcam.wire import labels, schema
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import (
    BOX_OVERHEAD,
    KEY_BYTES,
    KID_BYTES,
    SIGNATURE_BYTES,
    SLOT_COUNTS,
    SUITE,
    SigningKey,
    check_sealable,
    key_id,
    verify,
)
from sealcam.wire.sealed import GENESIS
from sealcam.wire.statement_kinds import (
    Ask,
    ClaimAnswer,
    ClaimRequest,
    ClipHeld,
    DeletedSince,
    Deletions,
    Grant,
    HubCertificate,
    Kind,
    LogEntry,
    Prekey,
    Receipt,
    RecipientKind,
    RecipientSet,
    Rotation,
    TechnicianToken,
    granted_segments,
)

_HEADER = struct.Struct(f">4sB{KID_BYTES}s")
MAGIC = b"SGN1"
MAX_STATEMENT_BYTES = (1 << 16) - 1  # its length fits the claim bundle's u16
MAX_RECIPIENTS = SLOT_COUNTS[-1]
MAX_SIGNERS = 16
Body = TypeVar("Body")
_BODIES: dict[Kind, type] = {
    Kind.HUB_CERTIFICATE: HubCertificate,
    Kind.RECIPIENT_SET: RecipientSet,
    Kind.PREKEY: Prekey,
    Kind.RECEIPT: Receipt,
    Kind.CLAIM_REQUEST: ClaimRequest,
    Kind.CLAIM_ANSWER: ClaimAnswer,
    Kind.ROTATION: Rotation,
    Kind.GRANT: Grant,
    Kind.LOG_ENTRY: LogEntry,
    Kind.TECHNICIAN_TOKEN: TechnicianToken,
    Kind.ASK: Ask,
    Kind.CLIP_HELD: ClipHeld,
    Kind.DELETED_SINCE: DeletedSince,
    Kind.DELETIONS: Deletions,
}
_KINDS = {cls: kind for kind, cls in _BODIES.items()}


def _label(kind: Kind) -> str:
    return labels.STATEMENT + kind.name.lower().replace("_", "-")


def _check(item: object, signer_public: bytes) -> None:
    """Raise `EnvelopeError` for what no field's type can say: a key that is none, a set that nobody may seal to."""
    match item:
        case Prekey() | DeletedSince():
            check_sealable(item.public)
        case ClaimRequest():
            check_sealable(item.command)
            if item.public != signer_public:
                raise EnvelopeError
        case RecipientSet():
            _check_set(item)
        case Grant():
            _check_grant(item)
        case LogEntry():
            if item.number == 0 or (item.number == 1) != (item.prev == GENESIS):
                raise EnvelopeError
        case TechnicianToken():
            if not (item.cameras and item.scopes and item.seconds):
                raise EnvelopeError
        case Ask():
            granted_segments(item.runs)
        case _:
            pass


def _check_set(item: RecipientSet) -> None:
    hubs = [one.public for one in item.recipients if one.kind is RecipientKind.HUB]
    recovery = [one.public for one in item.recipients if one.kind is RecipientKind.RECOVERY]
    for public in recovery:
        check_sealable(public)
    everybody = hubs + recovery
    if not 0 < len(everybody) <= MAX_RECIPIENTS or len(set(everybody)) != len(everybody):
        raise EnvelopeError
    if item.number == 0 or item.suite != SUITE or item.home_hub not in hubs or not recovery:
        raise EnvelopeError


def _check_grant(item: Grant) -> None:
    check_sealable(item.recipient)
    keys = 1 if item.segments is None else len(granted_segments(item.segments))
    if len(item.wrapped) != BOX_OVERHEAD + KEY_BYTES * keys:
        raise EnvelopeError
    if item.expires_ns <= item.issued_ns or not 0 < len(item.signers) <= MAX_SIGNERS:
        raise EnvelopeError


def sign(signer: SigningKey, item: object) -> bytes:
    """The statement that `signer` makes of `item`, one of the bodies above.

    Raises:
        ValueError: a field of `item` isn't as specified, so nobody would read it. What only `read` refuses, such as
            a set without a recovery recipient, is signed: a reader may not rely on its signer's care.
    """
    kind = _KINDS[type(item)]
    message = _HEADER.pack(MAGIC, kind, signer.kid) + schema.encode(item)
    if len(message) + SIGNATURE_BYTES > MAX_STATEMENT_BYTES:
        raise ValueError("more than a statement may hold")
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
    if magic != MAGIC or number != kind or kid != key_id(signer_public):
        raise EnvelopeError
    item = schema.decode(message[_HEADER.size :], cls)
    _check(item, signer_public)
    return item


def claim_request(signer: SigningKey, item: ClaimRequest) -> bytes:
    """`public 32 | statement`: a claim request as it goes to the hub, which doesn't know the key yet."""
    return signer.public + sign(signer, item)


def read_claim_request(data: bytes) -> ClaimRequest:
    """The claim request in `data`, if the epoch key that it begins with has signed it.

    That proves possession of the key and nothing else: whose camera it is, the owner decides.

    Raises:
        EnvelopeError: for every reason there is.
    """
    return read(data[KEY_BYTES:], data[:KEY_BYTES], ClaimRequest)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A hub's statement with what proves the hub: root key, the root's certificate for it, then the statement itself.

    A claim answer goes to a camera so, and a grant to its recipient.
    """

    root_public: bytes
    hub_certificate: bytes
    answer: bytes

    def pack(self) -> bytes:
        """`root 32 | length u16 | hub certificate | answer`: lengths alone, so nothing is parsed unsigned."""
        return self.root_public + struct.pack(">H", len(self.hub_certificate)) + self.hub_certificate + self.answer

    @staticmethod
    def unpack(data: bytes) -> Bundle:
        """The three parts.

        Raises:
            EnvelopeError: the lengths don't fit.
        """
        if not 34 < len(data) <= 34 + 2 * MAX_STATEMENT_BYTES:
            raise EnvelopeError
        (size,) = struct.unpack_from(">H", data, 32)
        if len(data) <= 34 + size:
            raise EnvelopeError
        return Bundle(data[:32], data[34 : 34 + size], data[34 + size :])
