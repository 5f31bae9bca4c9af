"""From one epoch's keys to the next, and over a lost outbox: what is done where two files must agree.

A hand-over is three writes: the next keys into the key file; the event and the epoch's number into the outbox, in
one transaction; the next keys in place of the present ones. Whatever a crash left is finished or dropped by
`settle`, before anything is signed or sent: the outbox says whether the event exists. design/wire.md sections 5.4
and 10.2.
"""

from __future__ import annotations

import secrets

from sealcam.keyfile import Secrets
from sealcam.keystore import Keystore
from sealcam.outbox import Outbox
from sealcam.wire.bodies import EpochBody, Stamp
from sealcam.wire.errors import SealcamError
from sealcam.wire.keys import BoxKey, SigningKey, epoch_proof, prove_epoch
from sealcam.wire.sealed import HASH_BYTES


def body(camera: bytes, new: Secrets, nonce: bytes, at: Stamp, seq: int, prev: bytes) -> EpochBody:
    """What the old key says of the new one, with the new one's own proof for this place of the chain."""
    signer, command = SigningKey(new.seed), BoxKey(new.command).public
    proof = prove_epoch(signer, epoch_proof(camera, nonce, new.epoch, command, seq, prev))
    return EpochBody(at=at, epoch=new.epoch, public=signer.public, command=command, nonce=nonce, proof=proof)


def settle(keys: Keystore, outbox: Outbox, block: int) -> int | None:
    """Make key file and outbox agree; the last sequence of what was lost if the outbox is another than it was.

    `block` is how many sequences are reserved at once: an outbox that is further behind than that is an old copy.

    Raises:
        SealcamError: the key file is older than the outbox.
        StorageError: the disk is full.
    """
    if keys.next is not None and outbox.epoch == keys.next.epoch:
        keys.promote()
    elif outbox.epoch > keys.epoch:
        hint = "put the newest key file back, or reset and claim the camera: the hub refuses what older keys sign"
        raise SealcamError("the key file is older than the outbox", hint)
    else:
        keys.drop_next()
    seq, _ = outbox.head()
    new = outbox.epoch == 0 and keys.reserved > 0  # one that was begun with these keys has recorded their epoch
    if new or seq + block < keys.reserved or 0 < outbox.epoch < keys.epoch:
        last = max(keys.reserved, seq) + 1  # nothing was ever signed there: no hub knows another hash for it
        keys.reserve(last)
        outbox.bridge(last, secrets.token_bytes(HASH_BYTES), keys.epoch)
        return last
    if outbox.epoch == 0:
        outbox.begin(keys.epoch)
    keys.reserve(seq)
    return None
