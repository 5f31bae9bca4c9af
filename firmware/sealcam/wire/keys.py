"""The key hierarchy: who signs, who opens, and how keys are named (design/wire.md section 2).

Thin wrappers over libsodium through PyNaCl. Signatures are Ed25519 over a labelled BLAKE2b-512; boxes are
`crypto_box_seal`, whose ephemeral sender key is gone afterwards, so a camera can't open what it sealed.
"""

from __future__ import annotations

import functools
import secrets
from dataclasses import dataclass, field

import nacl.bindings
import nacl.exceptions

from sealcam.wire.errors import EnvelopeError
from sealcam.wire.labels import EPOCH_PROOF, FINGERPRINT, KEY_ID, RECOVERY_SEED, ROOT_SEED, blake2b

KEY_BYTES = 32
KID_BYTES = 8
SIGNATURE_BYTES = 64
SLOT_BYTES = 80  # crypto_box_seal adds 48 bytes to the 32 of a content key
BOX_OVERHEAD = 48  # an ephemeral public key and a Poly1305 tag
SLOT_COUNTS = (4, 8, 16)  # the smallest that holds the recipient set, so that its size shows only roughly
SUITE = 1  # X25519 sealed boxes, ChaCha20-Poly1305-IETF, BLAKE2b, Ed25519; 2 is reserved (X25519 + ML-KEM-768)
SEED_BYTES = 64  # of the owner's words
_FIELD = (1 << 255) - 19


@functools.lru_cache(maxsize=1024)  # a hub asks for the same few cameras' with each event
def key_id(public: bytes) -> bytes:
    """The 8-byte name of a public key: BLAKE2b-64 of its 32 bytes under a label."""
    return blake2b(KEY_ID, public, size=KID_BYTES)


def fingerprint(root_public: bytes) -> bytes:
    """The 32-byte fingerprint of an owner root that a claim compares."""
    return blake2b(FINGERPRINT, root_public)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key that signs labelled messages; `seed` is 32 secret bytes.

    `public` is the 32-byte public key, `kid` its 8-byte name. Derived once: deriving costs half a signature.

    Raises:
        ValueError: `seed` is not 32 bytes.
    """

    seed: bytes
    public: bytes = field(init=False, compare=False)
    kid: bytes = field(init=False, compare=False)
    _secret: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        public, secret = nacl.bindings.crypto_sign_seed_keypair(self.seed)
        object.__setattr__(self, "public", public)
        object.__setattr__(self, "kid", key_id(public))
        object.__setattr__(self, "_secret", secret)

    def __repr__(self) -> str:
        return f"SigningKey({self.kid.hex()})"

    @staticmethod
    def generate() -> SigningKey:
        """A new key from the system's randomness."""
        return SigningKey(secrets.token_bytes(KEY_BYTES))

    def sign(self, label: str, *parts: bytes) -> bytes:
        """The 64-byte signature over BLAKE2b-512 of the labelled parts."""
        return nacl.bindings.crypto_sign(blake2b(label, *parts, size=64), self._secret)[:SIGNATURE_BYTES]


def verify(public: bytes, signature: bytes, label: str, *parts: bytes) -> None:
    """Return if `signature` (64 bytes) holds over the labelled parts under `public` (32 bytes).

    Raises:
        EnvelopeError: it doesn't; low-order and non-canonical keys and signatures are refused by libsodium.
    """
    check_signature(public, signature, blake2b(label, *parts, size=64))


def check_signature(public: bytes, signature: bytes, message: bytes) -> None:
    """Return if the plain Ed25519 `signature` of `message` holds; for `verify`, and for vectors from outside.

    Raises:
        EnvelopeError: as `verify`.
    """
    if len(public) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:  # PyNaCl would read past the end
        raise EnvelopeError
    try:
        nacl.bindings.crypto_sign_open(signature + message, public)
    except nacl.exceptions.BadSignatureError as error:
        raise EnvelopeError from error


def epoch_proof(camera: bytes, nonce: bytes, epoch: int, command: bytes, seq: int, prev: bytes) -> bytes:
    """What a new epoch key signs under `labels.EPOCH_PROOF` to show that it is held (design/wire.md 5.4)."""
    return camera + nonce + epoch.to_bytes(4, "big") + command + seq.to_bytes(8, "big") + prev


def prove_epoch(new: SigningKey, message: bytes) -> bytes:
    """The 64-byte proof: `new` signs the `epoch_proof` message."""
    return new.sign(EPOCH_PROOF, message)


def check_epoch_proof(public: bytes, proof: bytes, message: bytes) -> None:
    """Return if the holder of the new epoch key `public` made `proof` over the `epoch_proof` message.

    Raises:
        EnvelopeError: not so.
    """
    verify(public, proof, EPOCH_PROOF, message)


@dataclass(frozen=True, slots=True)
class BoxKey:
    """An X25519 key that opens slots sealed to its 32-byte public half `public`; `secret` is 32 bytes.

    Raises:
        ValueError: `secret` is not 32 bytes.
    """

    secret: bytes
    public: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError("an X25519 secret has 32 bytes")
        object.__setattr__(self, "public", nacl.bindings.crypto_scalarmult_base(self.secret))

    def __repr__(self) -> str:
        return f"BoxKey({key_id(self.public).hex()})"

    @staticmethod
    def generate() -> BoxKey:
        """A new key from the system's randomness."""
        return BoxKey(secrets.token_bytes(KEY_BYTES))

    def open(self, slot: bytes) -> bytes | None:
        """The content key in an 80-byte slot, or none when the slot is for somebody else."""
        return self.open_box(slot) if len(slot) == SLOT_BYTES else None

    def open_box(self, box: bytes) -> bytes | None:
        """The content of a sealed box of any length, or none when it is for somebody else."""
        if len(box) < BOX_OVERHEAD:
            return None
        try:
            return nacl.bindings.crypto_box_seal_open(box, self.public, self.secret)
        except (nacl.exceptions.CryptoError, RuntimeError):  # RuntimeError: a low-order ephemeral key
            return None


def seal_slot(public: bytes, content_key: bytes) -> bytes:
    """`content_key` (32 bytes) sealed to the X25519 key `public`: 80 bytes.

    Raises:
        EnvelopeError: as `seal_box`.
    """
    return seal_box(public, content_key)


def seal_box(public: bytes, content: bytes) -> bytes:
    """`content`, of any length, in a sealed box for the X25519 key `public`: 48 bytes longer.

    Raises:
        EnvelopeError: `public` is a low-order point (PyNaCl says only `RuntimeError`), not 32 bytes, or not the
            canonical encoding of its point: the holder derives the canonical one, and a sealed box's nonce depends
            on the bytes, so nobody could ever open it.
    """
    if len(public) != KEY_BYTES or int.from_bytes(public, "little") >= _FIELD:
        raise EnvelopeError
    try:
        return nacl.bindings.crypto_box_seal(content, public)
    except (nacl.exceptions.CryptoError, RuntimeError) as error:
        raise EnvelopeError from error


def check_sealable(public: bytes) -> None:
    """Return if something can be sealed to `public`: learnt when the key comes, not when the first event waits.

    Raises:
        EnvelopeError: as `seal_slot`.
    """
    seal_slot(public, bytes(KEY_BYTES))


def decoy_slot() -> bytes:
    """80 bytes that nobody opens and nobody tells from a sealed box.

    A sealed box is a fresh ephemeral public key, then a Poly1305 tag and 32 bytes under XSalsa20 with a key that
    only its two sides know: to all others the last 48 bytes are random. The first 32 are not (half of all strings
    are no point of the curve), so a real public key stands there. Costs a third of a box to a throw-away key.
    """
    return nacl.bindings.crypto_scalarmult_base(secrets.token_bytes(KEY_BYTES)) + secrets.token_bytes(
        SLOT_BYTES - KEY_BYTES
    )


@dataclass(frozen=True, slots=True)
class OwnerKeys:
    """The owner root and the recovery recipient: both come from the words' seed and are kept by nobody else."""

    root: SigningKey
    recovery: BoxKey

    @staticmethod
    def from_seed(seed: bytes) -> OwnerKeys:
        """Both keys from the 64-byte seed of 24 words (BIP 39; the words themselves stay outside `wire`).

        Raises:
            ValueError: `seed` is not 64 bytes.
        """
        if len(seed) != SEED_BYTES:
            raise ValueError("the seed of 24 words has 64 bytes")
        return OwnerKeys(SigningKey(blake2b(ROOT_SEED, seed)), BoxKey(blake2b(RECOVERY_SEED, seed)))
