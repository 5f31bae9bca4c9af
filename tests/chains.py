"""A camera's chain as a hub reads it, for tests: whose key signs from where on, and where it was bridged."""

from __future__ import annotations

from collections.abc import Sequence

from sealcam.outbox import Outbox
from sealcam.wire import schema
from sealcam.wire.bodies import EpochBody, EventType, LossBody
from sealcam.wire.envelope import Opened, open_envelope
from sealcam.wire.keys import BoxKey, check_epoch_proof, epoch_proof, key_id
from sealcam.wire.sealed import GENESIS, envelope_hash

NOW_NS = 1 << 62


def queued(outbox: Outbox) -> list[bytes]:
    """Everything in the outbox, in the order of the chain."""
    found: dict[int, bytes] = {}
    outbox.link_up()
    while (mail := outbox.next(NOW_NS)) is not None:
        found[mail.seq] = mail.envelope
        outbox.published(mail.seq, NOW_NS)
    outbox.link_up()
    return [found[seq] for seq in sorted(found)]


def follow(envelopes: Sequence[bytes], first_public: bytes, opener: BoxKey, nonce: bytes = b"n" * 32) -> list[Opened]:
    """Open a whole chain as a hub would that was given all of it: each by the key that counts at its place.

    Raises:
        EnvelopeError: one isn't signed by that key.
        AssertionError: a place is taken twice, a link doesn't hold, or a hand-over isn't as specified.
    """
    camera, public, epoch = key_id(first_public), first_public, 1
    opened: list[Opened] = []
    seq, head, bridges = 0, GENESIS, {}
    waiting = list(envelopes)
    for at, envelope in enumerate(waiting):
        one = open_envelope(envelope, public, [opener])
        if one.seq != seq + 1:  # only a loss event bridges, and it comes next in these tests
            loss = next(
                schema.decode(other.body, LossBody)
                for other in [open_envelope(later, public, [opener]) for later in waiting[at:]]
                if other.kind == EventType.LOSS
            )
            bridges = {stone.first: stone for stone in loss.tombstones}
            while seq + 1 in bridges:
                seq, head = bridges[seq + 1].last, bridges[seq + 1].last_hash
        assert (one.seq, one.prev, one.header.epoch) == (seq + 1, head, epoch)
        seq, head = one.seq, envelope_hash(envelope)
        opened.append(one)
        if one.kind == EventType.EPOCH:
            body = schema.decode(one.body, EpochBody)
            assert (body.epoch, body.nonce) == (epoch + 1, nonce)
            check_epoch_proof(
                body.public,
                body.proof,
                epoch_proof(camera, body.nonce, body.epoch, body.command, one.seq, one.prev),
            )
            public, epoch = body.public, body.epoch
    return opened
