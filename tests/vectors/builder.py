"""Builds envelopes by hand, right and wrong, from fixed seeds; shares no code with `sealcam.wire`.

Every part of an envelope can be replaced, before or after it is signed, so that a vector is wrong in one way alone.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import blake2b

import nacl.bindings as sodium

ORDER = 2**252 + 27742317777372353535851937790883648493
GENESIS = bytes(32)


def draw(name: str, size: int = 32) -> bytes:
    """Bytes that look random and are the same each time."""
    out = b""
    while len(out) < size:
        out += blake2b(f"sealcam vectors/{name}/{len(out)}".encode()).digest()
    return out[:size]


def labelled(label: str, message: bytes, bits: int = 256) -> bytes:
    return blake2b(bytes([len(label)]) + label.encode() + message, digest_size=bits // 8).digest()


def cbor(value: object) -> bytes:
    """Deterministic CBOR of maps, lists, ints, bytes, texts and booleans."""
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return _head(0, value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(cbor(item) for item in value)
    assert isinstance(value, dict)
    return _head(5, len(value)) + b"".join(cbor(key) + cbor(value[key]) for key in sorted(value))


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    width = next(n for n in (1, 2, 4, 8) if argument < 1 << 8 * n)
    return bytes([major << 5 | (23 + width.bit_length())]) + argument.to_bytes(width, "big")


def padded_size(size: int) -> int:
    for bucket in (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536):
        if size <= bucket:
            return bucket
    exponent = size.bit_length() - 1
    unit = 1 << (exponent - exponent.bit_length())
    return -(-size // unit) * unit


def pad(plain: bytes) -> bytes:
    return (plain + b"\x80").ljust(padded_size(len(plain) + 1), b"\0")


@dataclass(frozen=True)
class Signer:
    """An Ed25519 key."""

    seed: bytes

    @property
    def public(self) -> bytes:
        return sodium.crypto_sign_seed_keypair(self.seed)[0]

    @property
    def kid(self) -> bytes:
        return labelled("sealcam/key-id", self.public, 64)

    def sign(self, message: bytes, label: str = "sealcam/sev1/signature") -> bytes:
        return self.sign_digest(labelled(label, message, 512))

    def sign_digest(self, digest: bytes) -> bytes:
        return sodium.crypto_sign(digest, sodium.crypto_sign_seed_keypair(self.seed)[1])[:64]


def public_of(secret: bytes) -> bytes:
    return sodium.crypto_scalarmult_base(secret)


def sealed_box(message: bytes, public: bytes, ephemeral: bytes) -> bytes:
    """`crypto_box_seal` with a given ephemeral secret."""
    epk = public_of(ephemeral)
    nonce = blake2b(epk + public, digest_size=24).digest()
    return epk + sodium.crypto_box(message, nonce, public, ephemeral)


@dataclass(frozen=True)
class Recipe:
    """One envelope. What is None is as specified; anything else replaces that part, and the rest follows from it."""

    name: str
    signer: Signer
    recipients: tuple[bytes, ...]
    type: int = 1
    seq: int = 1
    prev: bytes = GENESIS
    body: bytes = b"\xa0"
    epoch: int = 1
    rset: int = 1
    magic: bytes = b"SEV1"
    suite: int = 1
    form: str = "sev1"
    kid: bytes | None = None
    nslots: int | None = None
    slots: int | None = None
    commit: bytes | None = None
    keys: tuple[bytes, ...] | None = None  # what each slot holds, when that isn't the content key
    nonce: bytes = bytes(12)
    aad: bytes | None = None
    padded: bytes | None = None

    @property
    def content_key(self) -> bytes:
        return draw(f"{self.name}/content key")

    @property
    def plain(self) -> bytes:
        return struct.pack(">BQ32s", self.type, self.seq, self.prev) + self.body

    def message(self) -> bytes:
        """Everything before the signature."""
        count = self.slots or next(n for n in (4, 8, 16) if len(self.recipients) <= n)
        key = self.content_key
        commit = self.commit or labelled(f"sealcam/{self.form}/commit", key)
        held = self.keys or (key,) * len(self.recipients)
        boxes = [
            sealed_box(content, public_of(secret), draw(f"{self.name}/ephemeral {n}"))
            for n, (secret, content) in enumerate(zip(self.recipients, held, strict=True))
        ]
        boxes += [
            public_of(draw(f"{self.name}/decoy {n}")) + draw(f"{self.name}/decoy rest {n}", 48)
            for n in range(len(boxes), count)
        ]
        kid = self.kid or self.signer.kid
        nslots = count if self.nslots is None else self.nslots
        header = struct.pack(">4sB8sII32sB", self.magic, self.suite, kid, self.epoch, self.rset, commit, nslots)
        clear = header + b"".join(boxes)
        body_key = labelled(f"sealcam/{self.form}/body-key", key + clear)
        padded = pad(self.plain) if self.padded is None else self.padded
        aad = clear if self.aad is None else self.aad
        return clear + sodium.crypto_aead_chacha20poly1305_ietf_encrypt(padded, aad, self.nonce, body_key)

    def envelope(self) -> bytes:
        message = self.message()
        return message + self.signer.sign(message, f"sealcam/{self.form}/signature")


def envelope_hash(envelope: bytes) -> bytes:
    return labelled("sealcam/envelope-hash", envelope)


def accepted(recipe: Recipe, recipient: int = 0) -> dict[str, object]:
    """A vector that opens."""
    return _vector(recipe.name, recipe.recipients[recipient], recipe.signer.public, recipe.envelope()) | {
        "type": recipe.type,
        "seq": recipe.seq,
        "prev_hex": recipe.prev.hex(),
        "body_cbor_hex": recipe.body.hex(),
    }


def refused(name: str, secret: bytes, public: bytes, envelope: bytes) -> dict[str, object]:
    """A vector that is refused."""
    return _vector(name, secret, public, envelope) | {"refuse": True}


def _vector(name: str, secret: bytes, public: bytes, envelope: bytes) -> dict[str, object]:
    return {
        "name": name,
        "recipient_secret_hex": secret.hex(),
        "signer_public_hex": public.hex(),
        "envelope_hex": envelope.hex(),
    }
