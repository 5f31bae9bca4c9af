"""Domain separation: every hashed message begins with a length-prefixed ASCII label (design/wire.md section 2).

A label inside the message, not BLAKE2b's personalisation parameter: libsodium's JavaScript build can't set that.
"""

from __future__ import annotations

import functools
import hashlib

EVENT_SIGNATURE = "sealcam/sev1/signature"
EVENT_BODY_KEY = "sealcam/sev1/body-key"
EVENT_COMMIT = "sealcam/sev1/commit"
COMMAND_SIGNATURE = "sealcam/scm1/signature"
COMMAND_BODY_KEY = "sealcam/scm1/body-key"
COMMAND_COMMIT = "sealcam/scm1/commit"
CLIP_HEADER = "sealcam/scl1/header"
CLIP_HEADER_HASH = "sealcam/scl1/header-hash"
CLIP_INFO_KEY = "sealcam/scl1/info-key"
CLIP_COMMIT = "sealcam/scl1/commit"
CLIP_SEGMENT_KEY = "sealcam/scl1/segment-key"
CLIP_CHAIN = "sealcam/scl1/chain"
CLIP_CHECKPOINT = "sealcam/scl1/checkpoint"
LIVE_KEY = "sealcam/slv1/key"
LIVE_PART = "sealcam/slv1/part"
EPOCH_PROOF = "sealcam/epoch-proof"
BACKUP = "sealcam/backup"
LOG_ENTRY = "sealcam/log-entry"
ENVELOPE_HASH = "sealcam/envelope-hash"
KEY_ID = "sealcam/key-id"
ROOT_SEED = "sealcam/owner-root"
RECOVERY_SEED = "sealcam/recovery-recipient"
FINGERPRINT = "sealcam/root-fingerprint"
STATEMENT = "sealcam/sgn1/"  # followed by the statement kind's name


@functools.cache
def _prefix(label: str) -> bytes:
    name = label.encode("ascii")
    return bytes([len(name)]) + name


def blake2b(label: str, *parts: bytes, size: int = 32) -> bytes:
    """BLAKE2b of `len(label) | label | parts`, `size` bytes long; the length is one byte, the label ASCII.

    Parts are joined without lengths: every caller's parts but the last have a fixed size. `size` is BLAKE2b's own
    parameter, not a cut: a shorter hash is no prefix of a longer one.
    """
    state = hasher(label, size=size)
    for part in parts:
        state.update(part)
    return state.digest()


def hasher(label: str, *, size: int = 32) -> hashlib.blake2b:
    """A hash that has taken its label and waits for parts: for what is too long, or too early, to be in one piece."""
    return hashlib.blake2b(_prefix(label), digest_size=size)
