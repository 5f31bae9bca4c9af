"""The sealed envelope: `SEV1` from a camera to its recipients, `SCM1` from the hub to one camera.

Pure: bytes in, bytes out. Implements design/wire.md section 4. The signature is checked over the bytes as they
came before anything is parsed, and every refusal is the same `EnvelopeError`.
"""

from __future__ import annotations

import hmac
import secrets
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import nacl.bindings
import nacl.exceptions

from sealcam.wire import cbor, labels
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import (
    KEY_BYTES,
    KID_BYTES,
    SIGNATURE_BYTES,
    SLOT_BYTES,
    SLOT_COUNTS,
    SUITE,
    BoxKey,
    SigningKey,
    decoy_slot,
    key_id,
    seal_slot,
    verify,
)
from sealcam.wire.sealed import GENESIS, HASH_BYTES, MAX_BODY_BYTES, MAX_ENVELOPE_BYTES, Sealed, in_chain

_HEADER = struct.Struct(f">4sB{KID_BYTES}sII{KEY_BYTES}sB")
_PREFIX = struct.Struct(">BQ32s")
_TAG_BYTES = 16
_NONCE = bytes(12)  # a body key depends on content key, header and slots: it seals one body, so one nonce is enough
MAX_SEQ = (1 << 64) - 1
_MAX_U32 = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Format:
    """What differs between the two envelopes: magic, labels, how many slots may stand in one, whether it is chained."""

    magic: bytes
    signature: str
    body_key: str
    commit: str
    slot_counts: tuple[int, ...]
    chained: bool


SEV1 = Format(b"SEV1", labels.EVENT_SIGNATURE, labels.EVENT_BODY_KEY, labels.EVENT_COMMIT, SLOT_COUNTS, True)
SCM1 = Format(b"SCM1", labels.COMMAND_SIGNATURE, labels.COMMAND_BODY_KEY, labels.COMMAND_COMMIT, (1,), False)


@dataclass(frozen=True, slots=True)
class Header:
    """The clear part: the signer's key id, its epoch, the number of the recipient set, commitment and slots."""

    kid: bytes
    epoch: int
    recipient_set: int
    commit: bytes
    slots: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """What a verified envelope says. `body` is the CBOR alone; `content_key` goes into the hub's key table.

    `fields` is the map that `body` holds: it had to be decoded to be checked, so nobody need do that twice.
    """

    header: Header
    kind: int
    seq: int
    prev: bytes
    body: bytes
    content_key: bytes
    fields: Mapping[int, cbor.Value] = field(compare=False)

    def __repr__(self) -> str:  # a body or key in a traceback would end up in the journal
        return f"Opened(kind={self.kind}, seq={self.seq})"


def padded_size(size: int) -> int:
    """The plaintext size that `size` bytes are padded to: 512, 1024, 2048 ... 65536, then Padme.

    Padme (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files", PETS 2019, section 4.1) leaks
    O(log log n) bits of a length for at most 12 % more bytes.
    """
    if size <= 65536:
        return max(512, 1 << (size - 1).bit_length())
    exponent = size.bit_length() - 1
    low_bits = exponent - (exponent.bit_length())
    mask = (1 << low_bits) - 1
    return (size + mask) & ~mask


def _pad(plain: bytes) -> bytes:
    """ISO/IEC 7816-4: one 0x80, then zeros up to the bucket."""
    return (plain + b"\x80").ljust(padded_size(len(plain) + 1), b"\0")


def _unpad(padded: bytes) -> bytes:
    plain = padded.rstrip(b"\0")  # the bucket counts the 0x80: a longer run of zeros than needed is refused too
    if plain[-1:] != b"\x80" or padded_size(len(plain)) != len(padded):
        raise EnvelopeError
    return plain[:-1]


def seal(
    signer: SigningKey,
    recipients: Sequence[bytes | None],
    *,
    kind: int,
    seq: int,
    prev: bytes,
    body: bytes,
    epoch: int,
    recipient_set: int,
    form: Format = SEV1,
    content_key: bytes | None = None,
) -> Sealed:
    """Seal `body` to each X25519 key of `recipients`, in the order of the recipient set, and sign it.

    None in a recipient's place, such as a hub that has given no prekey yet, is a decoy there.

    `body` is what `schema.encode` made, and isn't decoded again here (that took 7 % of sealing): an opener refuses
    anything else. Outside the chain (`kind` from 0x80 on) `prev` is `GENESIS`; in an `SCM1`, `prev` is
    the nonce of a beat and `seq` the command's number. `content_key` (32 bytes) is random unless a test fixes it:
    never pass one in the product, equal commitments would link two envelopes. Unused slots are decoys that nobody
    can tell from used ones.

    Raises:
        EnvelopeError: no recipient or too many, a recipient key that is none, or a body over 1 MiB.
        ValueError: a caller's mistake: a number out of range, or a `prev` that isn't 32 bytes or doesn't suit `kind`.
    """
    count = next((n for n in form.slot_counts if len(recipients) <= n), 0)
    if not count or all(public is None for public in recipients) or len(body) > MAX_BODY_BYTES:
        raise EnvelopeError
    _check_arguments(form, kind, seq, prev, epoch, recipient_set)
    key = content_key if content_key is not None else secrets.token_bytes(KEY_BYTES)
    commit = labels.blake2b(form.commit, key)
    header = _HEADER.pack(form.magic, SUITE, signer.kid, epoch, recipient_set, commit, count)
    slots = [decoy_slot() if public is None else seal_slot(public, key) for public in recipients]
    slots += [decoy_slot() for _ in range(count - len(slots))]
    clear = header + b"".join(slots)
    body_key = labels.blake2b(form.body_key, key, clear)
    plain = _pad(_PREFIX.pack(kind, seq, prev) + body)
    cipher = nacl.bindings.crypto_aead_chacha20poly1305_ietf_encrypt(plain, clear, _NONCE, body_key)
    message = clear + cipher
    return Sealed(message + signer.sign(form.signature, message))


def _check_arguments(form: Format, kind: int, seq: int, prev: bytes, epoch: int, recipient_set: int) -> None:
    """Raise `ValueError` for what every opener would refuse: better at the caller than at the owner."""
    if not (0 <= kind <= 0xFF and 0 <= seq <= MAX_SEQ and 0 <= epoch <= _MAX_U32 and 0 <= recipient_set <= _MAX_U32):
        raise ValueError("kind, seq, epoch or recipient_set is out of range")
    if len(prev) != HASH_BYTES or not _placed(form, kind, seq, prev):
        raise ValueError("seq and prev don't suit this kind of event")


def _placed(form: Format, kind: int, seq: int, prev: bytes) -> bool:
    """Whether an event's place is one: the chain counts from 1, and what is outside it has no predecessor."""
    if not form.chained:
        return True
    return seq > 0 if in_chain(kind) else prev == GENESIS


def _parse(message: bytes, form: Format) -> tuple[Header, int]:
    """The header of a message whose signature holds, and where its body begins."""
    if len(message) < _HEADER.size:
        raise EnvelopeError
    magic, suite, kid, epoch, recipient_set, commit, count = _HEADER.unpack_from(message)
    start = _HEADER.size + count * SLOT_BYTES
    if magic != form.magic or suite != SUITE or count not in form.slot_counts:
        raise EnvelopeError
    if len(message) < start + _TAG_BYTES + _PREFIX.size + 1:
        raise EnvelopeError
    slots = tuple(message[at : at + SLOT_BYTES] for at in range(_HEADER.size, start, SLOT_BYTES))
    return Header(kid, epoch, recipient_set, commit, slots), start


def verified(envelope: bytes, signer_public: bytes, form: Format = SEV1) -> Header:
    """The header of `envelope` if `signer_public` signed it.

    Raises:
        EnvelopeError: it did not, or the header isn't one.
    """
    return _verified(envelope, signer_public, form)[0]


def _verified(envelope: bytes, signer_public: bytes, form: Format) -> tuple[Header, int]:
    if not SIGNATURE_BYTES < len(envelope) <= MAX_ENVELOPE_BYTES:
        raise EnvelopeError
    message = envelope[:-SIGNATURE_BYTES]
    verify(signer_public, envelope[-SIGNATURE_BYTES:], form.signature, message)
    header, start = _parse(message, form)
    if header.kid != key_id(signer_public):
        raise EnvelopeError
    return header, start


def open_envelope(
    envelope: bytes,
    signer_public: bytes,
    keys: Sequence[BoxKey],
    *,
    slot: int | None = None,
    form: Format = SEV1,
) -> Opened:
    """Verify `envelope`, open it with the first of `keys` that fits a slot, and return what it says.

    `slot` is where this recipient stands in its set: tried first, then the others, so that one trial is enough.
    A `kind` that this version doesn't know is no reason to refuse: the event has its place in the chain.

    Raises:
        EnvelopeError: for every reason there is.
    """
    header, start = _verified(envelope, signer_public, form)
    order = list(header.slots)
    if slot is not None and 0 <= slot < len(order):
        order.insert(0, order.pop(slot))
    for sealed_key in order:
        for key in keys:
            content_key = key.open(sealed_key)
            if content_key is not None and _commits(header, content_key, form):
                return _open_body(envelope, header, start, content_key, form)
    raise EnvelopeError


def open_with_content_key(
    envelope: bytes,
    signer_public: bytes,
    content_key: bytes,
    form: Format = SEV1,
) -> Opened:
    """Verify `envelope` and open it with a content key that was kept from an earlier opening.

    Raises:
        EnvelopeError: the signature, the commitment or the body doesn't hold.
    """
    header, start = _verified(envelope, signer_public, form)
    if not _commits(header, content_key, form):
        raise EnvelopeError
    return _open_body(envelope, header, start, content_key, form)


def _commits(header: Header, content_key: bytes, form: Format) -> bool:
    return hmac.compare_digest(labels.blake2b(form.commit, content_key), header.commit)


def _open_body(envelope: bytes, header: Header, start: int, content_key: bytes, form: Format) -> Opened:
    clear, cipher = envelope[:start], envelope[start:-SIGNATURE_BYTES]
    body_key = labels.blake2b(form.body_key, content_key, clear)
    try:
        padded = nacl.bindings.crypto_aead_chacha20poly1305_ietf_decrypt(cipher, clear, _NONCE, body_key)
    except nacl.exceptions.CryptoError as error:
        raise EnvelopeError from error
    plain = _unpad(padded)
    if len(plain) < _PREFIX.size:
        raise EnvelopeError
    kind, seq, prev = _PREFIX.unpack_from(plain)
    body = plain[_PREFIX.size :]
    fields = cbor.decode(
        body
    )  # refuses what isn't deterministic, so that an event has one encoding for all its readers
    if not _placed(form, kind, seq, prev):
        raise EnvelopeError
    return Opened(header, kind, seq, prev, body, content_key, fields)
