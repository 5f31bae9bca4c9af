"""A clip's header: who sealed it, for whom, which clip it is; and the way from there to its keys (wire.md 7.1).

The signature is checked before more is parsed than the length needs. Chunks and checkpoints are the other modules'.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import nacl.bindings
import nacl.exceptions

from sealcam.wire import labels, schema
from sealcam.wire.bodies import Stamp
from sealcam.wire.clip_format import PAD, TAG_BYTES, segment_key, unpad
from sealcam.wire.clip_source import Source, exactly
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
from sealcam.wire.schema import body, key

MAGIC = b"SCL1"
CLIP_ID_BYTES = 16
_PREFIX = struct.Struct(f">4sB{KID_BYTES}sII{CLIP_ID_BYTES}s{KEY_BYTES}sB")
_INFO_PLAIN_BYTES = 256
_INFO_BYTES = _INFO_PLAIN_BYTES + TAG_BYTES
_INFO_NONCE = bytes(12)  # an info key depends on all that stands before it, and seals one block
_MAX_U32 = (1 << 32) - 1


@body
class ClipInfo:
    """What a clip shows: its incident, when its first picture was, its Internet media type, which part it is.

    `camera` is what the owner calls the camera; `trigger_ns` is the boot clock of what began the incident.
    """

    incident: bytes = key(1, size=8)
    at: Stamp = key(2)
    media: str = key(3)
    part: int = key(4)
    camera: str | None = key(5, default=None)
    trigger_ns: int | None = key(6, default=None)


@dataclass(frozen=True, slots=True)
class Header:
    """A clip's header whose signature holds.

    `signer` is the full public key that signed it, `info` is still encrypted, `size_bytes` is where the first chunk
    begins, `hash` is what binds every chunk and checkpoint to this header.
    """

    kid: bytes
    epoch: int
    recipient_set: int
    clip: bytes
    commit: bytes
    slots: tuple[bytes, ...]
    info: bytes
    size_bytes: int
    hash: bytes
    signer: bytes

    def _clear(self) -> bytes:
        return _clear(self.kid, self.epoch, self.recipient_set, self.clip, self.commit, self.slots)


def _clear(kid: bytes, epoch: int, recipient_set: int, clip: bytes, commit: bytes, slots: Sequence[bytes]) -> bytes:
    """Everything before the info block."""
    prefix = _PREFIX.pack(MAGIC, SUITE, kid, epoch, recipient_set, clip, commit, len(slots))
    return prefix + b"".join(slots)


def make_header(
    signer: SigningKey,
    recipients: Sequence[bytes | None],
    *,
    clip: bytes,
    info: ClipInfo,
    epoch: int,
    recipient_set: int,
    content_key: bytes,
) -> bytes:
    """The header of a new clip, sealed to each X25519 key of `recipients` in the order of the recipient set.

    None in a recipient's place, such as a hub that has given no prekey yet, is a decoy there.

    Raises:
        EnvelopeError: no recipient or too many, or one to whom nothing can be sealed.
        ValueError: a caller's mistake: a number or length out of range, an info block of over 255 bytes.
    """
    count = next((n for n in SLOT_COUNTS if 0 < len(recipients) <= n), 0)
    if not count or not any(recipients):
        raise EnvelopeError
    if not (0 <= epoch <= _MAX_U32 and 0 <= recipient_set <= _MAX_U32):
        raise ValueError("epoch or recipient_set is out of range")
    if len(clip) != CLIP_ID_BYTES or len(content_key) != KEY_BYTES:
        raise ValueError("a clip's id has 16 bytes, its content key 32")
    plain = schema.encode(info) + PAD
    if len(plain) > _INFO_PLAIN_BYTES:
        raise ValueError("the info block is too long")
    slots = [decoy_slot() if public is None else seal_slot(public, content_key) for public in recipients]
    slots += [decoy_slot() for _ in range(count - len(slots))]
    commit = labels.blake2b(labels.CLIP_COMMIT, content_key)
    clear = _clear(signer.kid, epoch, recipient_set, clip, commit, slots)
    message = clear + nacl.bindings.crypto_aead_chacha20poly1305_ietf_encrypt(
        plain.ljust(_INFO_PLAIN_BYTES, b"\0"), clear, _INFO_NONCE, _info_key(content_key, clear)
    )
    return message + signer.sign(labels.CLIP_HEADER, message)


def header_hash(header: bytes) -> bytes:
    """The 32 bytes that name a whole header: `chain(-1)`, and what a grant is for."""
    return labels.blake2b(labels.CLIP_HEADER_HASH, header)


def read_header(source: Source, signers: Collection[bytes]) -> Header:
    """The header of the clip in `source`, if one of `signers` (Ed25519 public keys) signed it.

    The signers are keys that the caller knows to be the camera's (or the hub's), at the clip's time.

    Raises:
        EnvelopeError: none of them did, or the header isn't one.
    """
    prefix = exactly(source, 0, _PREFIX.size)
    count = prefix[-1]
    if count not in SLOT_COUNTS:
        raise EnvelopeError
    start = _PREFIX.size + count * SLOT_BYTES
    whole = prefix + exactly(source, _PREFIX.size, start + _INFO_BYTES + SIGNATURE_BYTES - _PREFIX.size)
    message, signature = whole[:-SIGNATURE_BYTES], whole[-SIGNATURE_BYTES:]
    magic, suite, kid, epoch, recipient_set, clip, commit, _ = _PREFIX.unpack(prefix)
    signer = find_signer(signers, kid)
    verify(signer, signature, labels.CLIP_HEADER, message)
    if magic != MAGIC or suite != SUITE:
        raise EnvelopeError
    slots = tuple(whole[at : at + SLOT_BYTES] for at in range(_PREFIX.size, start, SLOT_BYTES))
    info = message[start:]
    return Header(kid, epoch, recipient_set, clip, commit, slots, info, len(whole), header_hash(whole), signer)


def find_signer(signers: Iterable[bytes], kid: bytes) -> bytes:
    """The key of `signers` with this name.

    Raises:
        EnvelopeError: there is none.
    """
    for public in signers:
        if key_id(public) == kid:
            return public
    raise EnvelopeError


def content_key(header: Header, keys: Sequence[BoxKey]) -> bytes:
    """The content key, from the first slot that one of `keys` opens and that the header commits to.

    Raises:
        EnvelopeError: the clip is sealed to none of them.
    """
    for slot in header.slots:
        for one in keys:
            found = one.open(slot)
            if found is not None and _commits(header, found):
                return found
    raise EnvelopeError


def check_content_key(header: Header, content_key: bytes) -> None:
    """Return if `content_key`, from an event or a grant, is this clip's.

    Raises:
        EnvelopeError: it isn't.
    """
    if not _commits(header, content_key):
        raise EnvelopeError


def _commits(header: Header, content_key: bytes) -> bool:
    return hmac.compare_digest(labels.blake2b(labels.CLIP_COMMIT, content_key), header.commit)


def read_info(header: Header, content_key: bytes) -> ClipInfo:
    """What the clip shows.

    Raises:
        EnvelopeError: the key is another clip's, or the block isn't as specified.
    """
    check_content_key(header, content_key)
    clear = header._clear()
    try:
        padded = nacl.bindings.crypto_aead_chacha20poly1305_ietf_decrypt(
            header.info, clear, _INFO_NONCE, _info_key(content_key, clear)
        )
    except nacl.exceptions.CryptoError as error:
        raise EnvelopeError from error
    return schema.decode(unpad(padded), ClipInfo)


def _info_key(content_key: bytes, clear: bytes) -> bytes:
    return labels.blake2b(labels.CLIP_INFO_KEY, content_key, clear)


def segment_keys(header: Header, content_key: bytes, numbers: Iterable[int]) -> tuple[bytes, ...]:
    """The keys of some segments, in the order of `numbers`: what a share of a part hands over.

    Raises:
        EnvelopeError: the content key is another clip's.
        ValueError: a number that is none.
    """
    check_content_key(header, content_key)
    chosen = tuple(numbers)
    if not all(0 <= number <= _MAX_U32 for number in chosen):
        raise ValueError("a segment's number is out of range")
    return tuple(segment_key(content_key, header.hash, number) for number in chosen)
