"""Sealed bytes as what keeps or carries them sees them: a type, a name by hash, bounds. No key is imported here.

So that outbox, link and post can name an envelope without being able to open, sign or make one.
"""

from __future__ import annotations

from typing import NewType

from sealcam.wire.labels import ENVELOPE_HASH, blake2b

Sealed = NewType("Sealed", bytes)
"""Bytes that `wire.envelope` sealed. Nothing else makes one, and the outbox takes nothing else."""

HASH_BYTES = 32
GENESIS = bytes(HASH_BYTES)  # `prev` of the first event of a camera
MAX_BODY_BYTES = 1 << 20
MAX_ENVELOPE_BYTES = MAX_BODY_BYTES + (1 << 17)  # padding adds at most 12 %
OUTSIDE_CHAIN = 0x80  # types from here on have no place in the chain: beats, wills, cover


def envelope_hash(envelope: bytes) -> bytes:
    """The 32-byte name of an envelope: what the next one's `prev` and a receipt refer to."""
    return blake2b(ENVELOPE_HASH, envelope)


def in_chain(kind: int) -> bool:
    """Whether events of this type have a sequence number and a predecessor."""
    return kind < OUTSIDE_CHAIN
