"""The key hierarchy: who signs, who opens, and how keys are named (design/wire.md section 2).

Thin wrappers over libsodium through PyNaCl. Signatures are Ed25519 over a labelled BLAKE2b-512; boxes are
`crypto_box_seal`, whose ephemeral sender key is gone afterwards, so a camera can't open what it sealed.
"""

from __future__ import annotations

from dataclasses import dataclass

import nacl.bindings
import nacl.exceptions
import nacl.public
import nacl.signing

from sealcam.wire.errors import EnvelopeError
from sealcam.wire.labels import FINGERPRINT, KEY_ID, RECOVERY_SEED, ROOT_SEED, blake2b

KEY_BYTES = 32
KID_BYTES = 8
SIGNATURE_BYTES = 64
SLOT_BYTES = 80  # crypto_box_seal adds 48 bytes to the 32 of a content key


def key_id(public: bytes) -> bytes:
    """The 8-byte name of a public key: BLAKE2b-64 of its 32 bytes under a label."""
    return blake2b(KEY_ID, public, size=KID_BYTES)


def fingerprint(root_public: bytes) -> bytes:
    """The 32-byte fingerprint of an owner root that a claim compares."""
    return blake2b(FINGERPRINT, root_public)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key that signs labelled messages; `seed` is 32 secret bytes."""

    seed: bytes

    def __repr__(self) -> str:
        return f"SigningKey({self.kid.hex()})"

    @staticmethod
    def generate() -> SigningKey:
        """A new key from the system's randomness."""
        return SigningKey(bytes(nacl.signing.SigningKey.generate()))

    @property
    def public(self) -> bytes:
        """The 32-byte public key."""
        return bytes(nacl.signing.SigningKey(self.seed).verify_key)

    @property
    def kid(self) -> bytes:
        """The 8-byte name of the public key."""
        return key_id(self.public)

    def sign(self, label: str, *parts: bytes) -> bytes:
        """The 64-byte signature over BLAKE2b-512 of the labelled parts."""
        digest = blake2b(label, *parts, size=64)
        return nacl.signing.SigningKey(self.seed).sign(digest).signature


def verify(public: bytes, signature: bytes, label: str, *parts: bytes) -> None:
    """Return if `signature` (64 bytes) holds over the labelled parts under `public` (32 bytes).

    Raises:
        EnvelopeError: it doesn't; low-order and non-canonical keys and signatures are refused by libsodium.
    """
    try:
        nacl.signing.VerifyKey(public).verify(blake2b(label, *parts, size=64), signature)
    except (nacl.exceptions.CryptoError, ValueError, TypeError) as error:
        raise EnvelopeError from error


@dataclass(frozen=True, slots=True)
class BoxKey:
    """An X25519 key that opens slots sealed to its public half; `secret` is 32 bytes."""

    secret: bytes

    def __repr__(self) -> str:
        return f"BoxKey({key_id(self.public).hex()})"

    @staticmethod
    def generate() -> BoxKey:
        """A new key from the system's randomness."""
        return BoxKey(bytes(nacl.public.PrivateKey.generate()))

    @property
    def public(self) -> bytes:
        """The 32-byte public key."""
        return bytes(nacl.public.PrivateKey(self.secret).public_key)

    def open(self, slot: bytes) -> bytes | None:
        """The content key in an 80-byte slot, or none when the slot is for somebody else."""
        try:
            key = nacl.public.SealedBox(nacl.public.PrivateKey(self.secret)).decrypt(slot)
        except (nacl.exceptions.CryptoError, RuntimeError, ValueError, TypeError):
            return None
        return key if len(key) == KEY_BYTES else None


def seal_slot(public: bytes, content_key: bytes) -> bytes:
    """`content_key` (32 bytes) sealed to the X25519 key `public`: 80 bytes.

    Raises:
        EnvelopeError: `public` is a low-order point (PyNaCl says only `RuntimeError`) or not 32 bytes.
    """
    try:
        return nacl.public.SealedBox(nacl.public.PublicKey(public)).encrypt(content_key)
    except (nacl.exceptions.CryptoError, RuntimeError, ValueError, TypeError) as error:
        raise EnvelopeError from error


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
        if len(seed) != 64:
            raise ValueError("the seed of 24 words has 64 bytes")
        return OwnerKeys(SigningKey(blake2b(ROOT_SEED, seed)), BoxKey(blake2b(RECOVERY_SEED, seed)))
