"""What is said becomes an envelope: the one place where the chain, the keys in force and the outbox meet.

One lock around "which keys, and is it queued", so that a beat never says that an older prekey is free while an event
sealed to it is on its way into the outbox, and no two keys ever sign in one epoch. What is said is `sealer`'s, which
keys there are `keystore`'s, how they give way to the next `handover`'s. Bytes: design/wire.md section 4.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sealcam import handover
from sealcam.keystore import Keystore
from sealcam.outbox import MAX_TOMBS, Outbox, OutboxStats, Tomb
from sealcam.term import Term, Terms
from sealcam.wire import schema
from sealcam.wire.bodies import EventType, HubPrekey, Stamp
from sealcam.wire.envelope import seal
from sealcam.wire.filler import filled
from sealcam.wire.keys import SigningKey
from sealcam.wire.sealed import GENESIS, Sealed
from sealcam.wire.statement_kinds import Rotation

RESERVE = 1024  # sequences that one write of the key file allows to be signed
EPOCH_URGENCY = 0  # with the alarms: what the new key signs is read only once its hand-over has come


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds at the moment something outside the chain is sealed; all of it belongs together.

    `prekey` and `oldest_prekey` are the home hub's, `others` has the same of the other hubs of the set.
    """

    newest_seq: int
    newest_hash: bytes
    stats: OutboxStats
    prekey: int
    oldest_prekey: int
    recipient_set: int
    others: tuple[HubPrekey, ...]


@dataclass(frozen=True, slots=True)
class Seal:
    """What a clip or live view is sealed with, to its end: the keys in force when it began. It ends soon once `term`
    is over."""

    signer: SigningKey
    epoch: int
    recipients: Sequence[bytes | None]
    recipient_set: int
    term: Term


class Sealing:
    """Seals with the keys in force; `stamp` says when a hand-over was made. Thread-safe.

    With `padded`, every body is brought to that one size (cover traffic).

    `lost` is the last sequence of what an earlier outbox held that isn't here any more, or none: its tombstone waits
    for `losses`.
    """

    def __init__(
        self, keys: Keystore, outbox: Outbox, stamp: Callable[[], Stamp], *, padded: int | None = None
    ) -> None:
        """Finish or drop a hand-over that a crash broke off, and go on in the chain after whatever was lost.

        Raises:
            SealcamError: the keys are older than the outbox.
            StorageError: the disk is full.
        """
        self._keys = keys
        self._outbox = outbox
        self._stamp = stamp
        self._padded = padded
        self._lock = threading.Lock()
        self._said = 0
        self._terms = Terms()
        self._asked: Rotation | None = None
        self.lost = handover.settle(keys, outbox, RESERVE)

    def event(self, kind: EventType, body: bytes, urgency: int, clip: bytes | None = None) -> int:
        """Queue an event of the chain, and return its sequence; `clip` is the id of one whose key it carries.

        Raises:
            StorageError: the disk is full.
        """
        with self._lock:
            self._reserve()
            return self._outbox.append(
                lambda seq, prev: self._seal(kind, seq, prev, body), urgency, self._keys.generation, clip=clip
            )

    def losses(self, make: Callable[[tuple[Tomb, ...]], bytes], at_most: int = MAX_TOMBS) -> None:
        """Queue up to `at_most` tombstones that no event carries yet, as `make` words them, if there are any.

        Raises:
            StorageError: the disk is full.
        """
        with self._lock:
            self._reserve()
            self._outbox.append_loss(
                lambda seq, prev, tombs: self._seal(EventType.LOSS, seq, prev, make(tombs)),
                self._keys.generation,
                at_most,
            )

    def outside(self, kind: EventType, make: Callable[[Standing], bytes]) -> Sealed:
        """An envelope outside the chain, from one counter for all of them since the start; it isn't queued."""
        with self._lock:
            self._said += 1
            newest_seq, newest_hash = self._outbox.head()
            stats = self._outbox.stats()
            home, *others = self._keys.standing(stats.oldest_prekey)
            number = self._keys.recipient_set.number
            standing = Standing(newest_seq, newest_hash, stats, home.prekey, home.oldest_prekey, number, tuple(others))
            return self._seal(kind, self._said, GENESIS, make(standing))

    def clip_seal(self) -> Seal:
        """What a clip that begins now is sealed with: the next epoch's keys, where a hand-over waited for its turn.

        Raises:
            StorageError: the disk is full.
        """
        with self._lock:
            self._hand_over_if_asked()
            return self._begin()

    def live_seal(self) -> Seal | None:
        """What a live view that begins or goes on now is sealed with; none while a hand-over waits for a clip to end.

        It would hold up the hand-over in its turn; the clip ends at its next keyframe.

        Raises:
            StorageError: the disk is full.
        """
        with self._lock:
            self._hand_over_if_asked()
            return None if self._asked is not None else self._begin()

    def take_prekey(self, message: bytes, may: Callable[[bytes], bool] = lambda _: True) -> bool:
        """Seal to a newer prekey from now on; false for one that isn't newer, or if `may` says no to its hub.

        Raises:
            EnvelopeError: not a prekey for this camera by a hub of its set.
        """
        with self._lock:
            return self._keys.take_prekey(message, self._outbox.stats().oldest_prekey, may)

    def take_set(self, message: bytes) -> bool:
        """Seal to a newer recipient set from now on; false for the one that is held already.

        What is queued stays as it is. What is being written ends at its next keyframe (`Term.over`), and goes on as
        a follow-on under the newer set.

        Raises:
            EnvelopeError: not signed by the owner of this camera, or older than the one that is held.
        """
        with self._lock:
            newer = self._keys.take_set(message, self._outbox.stats().oldest_prekey)
            if newer:
                self._terms.end()
            return newer

    def take_rotation(self, message: bytes) -> bool:
        """Hand over to the next epoch's keys; false if that epoch has begun already, or isn't the next.

        False too while something is being written under the present ones: it is asked to end at its next keyframe, and
        the hand-over follows before anything else begins (the hub, which hears of none, also asks again).

        Raises:
            EnvelopeError: not a rotation for this camera by its home hub.
            StorageError: the disk is full; the hand-over has happened whole or not at all.
        """
        with self._lock:
            asked = self._keys.read_rotation(message)
            if asked is None:
                return False
            self._asked = asked
            return self._hand_over_if_asked()

    def _begin(self) -> Seal:
        keys = self._keys
        return Seal(keys.signer, keys.epoch, keys.recipients(), keys.recipient_set.number, self._terms.begin())

    def _hand_over_if_asked(self) -> bool:
        """The hand-over that was asked for, once nothing is written under the present keys; whether it was done."""
        rotation = self._asked
        if rotation is None:
            return False
        if self._terms.running:
            self._terms.end()
            return False
        self._reserve()
        new = self._keys.prepare()

        def hand_over(seq: int, prev: bytes) -> Sealed:
            body = handover.body(self._keys.camera, new, rotation.nonce, self._stamp(), seq, prev)
            return self._seal(EventType.EPOCH, seq, prev, schema.encode(body))

        self._outbox.append(hand_over, EPOCH_URGENCY, self._keys.generation, kept=True, epoch=new.epoch)
        self._keys.promote()
        self._asked = None
        return True

    def _reserve(self) -> None:
        """See to it that the key file allows the next sequence."""
        seq = self._outbox.head()[0] + 1
        if seq > self._keys.reserved:
            self._keys.reserve(seq + RESERVE - 1)

    def _seal(self, kind: EventType, seq: int, prev: bytes, body: bytes) -> Sealed:
        return seal(
            self._keys.signer,
            self._keys.recipients(),
            kind=kind,
            seq=seq,
            prev=prev,
            body=body if self._padded is None else filled(body, self._padded),
            epoch=self._keys.epoch,
            recipient_set=self._keys.recipient_set.number,
        )
