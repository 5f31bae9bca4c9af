"""A camera's keys under rotations, sets, prekeys, crashes and losses: one chain, one hand-over a key, true beats."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sealcam.keyfile import KeyFile, Keys
from sealcam.keystore import Keystore
from sealcam.outbox import Outbox
from sealcam.sealing import Sealing, Standing
from sealcam.wire import schema
from sealcam.wire.bodies import ClockQuality, EpochBody, EventType, LossBody, Stamp, Tombstone
from sealcam.wire.envelope import Opened, open_envelope
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey, SigningKey, check_epoch_proof, epoch_proof, key_id
from sealcam.wire.sealed import GENESIS, envelope_hash
from tests.claimed import Household, household

AT = Stamp(boot=bytes(16), boot_ns=0, wall_ns=0, quality=ClockQuality.UNKNOWN)
FAR_NS = 1 << 62


class Crash(Exception):
    """The power is cut here."""


class CrashingFile(KeyFile):
    """A key file during whose n-th write from now the power is cut, before or after it took place."""

    left = 0
    before = True

    def write(self, keys: Keys) -> None:
        self.left -= 1
        if self.left == 0 and self.before:
            raise Crash
        super().write(keys)
        if self.left == 0:
            raise Crash


@dataclass
class Hub:
    """A hub's operating key and the prekeys that it gave."""

    key: SigningKey
    prekeys: dict[int, BoxKey]

    @property
    def newest(self) -> int:
        return max(self.prekeys, default=0)


class KeysMachine(RuleBasedStateMachine):
    """One camera, three hubs that are in its set or not, and a ledger that saw everything which ever left."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="keys-"))
        self.home: Household = household(self.folder)
        self.hubs = [Hub(self.home.hub, {1: self.home.prekey})]
        self.hubs += [Hub(SigningKey.generate(), {}) for _ in range(2)]
        self.inside = [self.hubs[0]]
        self.set_number = 1
        self.publics = {1: self.home.camera.signer.public}  # as learnt from hand-overs alone
        self.sent: dict[int, bytes] = {}
        self.opened: dict[int, Opened] = {}
        self.open(None)

    def open(self, crash: tuple[int, bool] | None) -> None:
        file = CrashingFile(self.folder, {})
        keys = Keystore(file, file.read())
        self.outbox = Outbox(self.folder / "outbox.db", max_bytes=1 << 20)
        if crash is not None:
            file.left, file.before = crash
        self.keys = keys
        try:
            self.sealing = Sealing(keys, self.outbox, lambda: AT)
        finally:
            file.left = 0
        self.file = file
        if self.sealing.lost is not None:
            self.losses()

    def teardown(self) -> None:
        if hasattr(self, "outbox"):
            self.outbox.close()
            shutil.rmtree(self.folder)

    def losses(self) -> None:
        self.sealing.losses(
            lambda tombs: schema.encode(
                LossBody(
                    at=AT,
                    tombstones=tuple(Tombstone(first=t.first, last=t.last, last_hash=t.last_hash) for t in tombs),
                )
            )
        )

    @rule()
    def say(self) -> None:
        self.sealing.event(EventType.HEALTH, b"\xa0", 2)

    @rule(which=st.integers(0, 2))
    def prekey(self, which: int) -> None:
        hub, made = self.hubs[which], BoxKey.generate()
        message = self.home.issue(hub.newest + 1, made.public, hub.key)
        try:
            assert self.sealing.take_prekey(message)
        except EnvelopeError:
            assert hub not in self.inside
        else:
            hub.prekeys[hub.newest + 1] = made
            assert hub in self.inside
            assert not self.sealing.take_prekey(message)

    @rule(others=st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True))
    def choose(self, others: list[int]) -> None:
        self.inside = [self.hubs[one] for one in others]
        self.set_number += 1
        assert self.sealing.take_set(self.home.choose(self.set_number, *(one.key for one in self.inside)))

    @rule(late=st.booleans())
    def rotate(self, late: bool) -> None:
        epoch = self.keys.epoch if late else self.keys.epoch + 1
        assert self.sealing.take_rotation(self.home.rotation(epoch, hub=self.inside[0].key)) != late

    @rule(write=st.integers(1, 3), before=st.booleans(), again=st.none() | st.tuples(st.integers(1, 2), st.booleans()))
    def crash_in_a_rotation(self, write: int, before: bool, again: tuple[int, bool] | None) -> None:
        self.file.left, self.file.before = write, before
        with suppress(Crash):
            self.sealing.take_rotation(self.home.rotation(self.keys.epoch + 1, hub=self.inside[0].key))
        self.outbox.close()
        try:
            self.open(again)
        except Crash:
            self.outbox.close()
            self.open(None)

    @rule(write=st.integers(1, 1), before=st.booleans())
    def crash_before_an_event(self, write: int, before: bool) -> None:
        self.file.left, self.file.before = write, before
        with suppress(Crash):
            self.sealing.event(EventType.HEALTH, b"\xa0", 2)
        self.outbox.close()
        self.open(None)

    @rule()
    def restart(self) -> None:
        self.outbox.close()
        self.open(None)

    @rule()
    def lose_the_outbox(self) -> None:
        """Not before everything was sent: a hand-over that went down with it needs a new claim."""
        self.deliver()
        self.outbox.close()
        for path in self.folder.glob("outbox.db*"):
            path.unlink()
        self.open(None)

    @rule()
    def deliver(self) -> None:
        """All of it leaves; some receipts come."""
        self.outbox.link_up()
        for seq, envelope, name in self.queued():
            assert self.sent.setdefault(seq, envelope) == envelope, "two envelopes in one place: a fork"
            self.outbox.acknowledge(name)
        self.read()

    def queued(self) -> list[tuple[int, bytes, bytes]]:
        found = []
        while (mail := self.outbox.next(FAR_NS)) is not None:
            found.append((mail.seq, bytes(mail.envelope), mail.hash))
            self.outbox.published(mail.seq, FAR_NS)
        self.outbox.link_up()
        return sorted(found)

    def read(self) -> None:
        """As a hub does that has all of it: in order, each by the key that counts at its place."""
        recovery = self.home.owner.recovery
        epoch, head, camera = 1, GENESIS, key_id(self.publics[1])
        last = 0
        for seq in sorted(self.sent):
            one = self.opened.get(seq) or open_envelope(self.sent[seq], self.publics[epoch], [recovery])
            self.opened[seq] = one
            assert one.header.epoch == epoch
            if seq != last + 1:
                assert one.kind == EventType.LOSS
                (stone,) = schema.decode(one.body, LossBody).tombstones
                assert stone.first <= last + 1
                assert stone.last == seq - 1
                head = stone.last_hash
            assert (one.seq, one.prev) == (seq, head)
            last, head = seq, envelope_hash(self.sent[seq])
            if one.kind == EventType.EPOCH:
                body = schema.decode(one.body, EpochBody)
                assert body.epoch == epoch + 1
                proof = epoch_proof(camera, body.nonce, body.epoch, body.command, one.seq, one.prev)
                check_epoch_proof(body.public, body.proof, proof)
                epoch = body.epoch
                assert self.publics.setdefault(epoch, body.public) == body.public
        assert epoch == self.keys.epoch
        assert self.keys.signer.public == self.publics[epoch]

    @invariant()
    def the_files_agree(self) -> None:
        if not hasattr(self, "outbox"):
            return
        assert self.keys.next is None
        assert self.keys.epoch == self.outbox.epoch
        assert self.keys.reserved >= self.outbox.head()[0]
        assert self.keys.recipient_set.number == self.set_number
        assert self.keys.hub == self.inside[0].key.public

    @invariant()
    def a_beat_frees_no_prekey_that_something_queued_needs(self) -> None:
        if not hasattr(self, "outbox"):
            return
        seen: list[Standing] = []
        self.sealing.outside(EventType.BEAT, lambda standing: seen.append(standing) or b"\xa0")  # type: ignore[func-returns-value]
        (standing,) = seen
        told = {key_id(self.inside[0].key.public): (standing.prekey, standing.oldest_prekey)}
        told |= {one.hub: (one.prekey, one.oldest_prekey) for one in standing.others}
        assert set(told) == {key_id(hub.key.public) for hub in self.inside}
        for hub in self.inside:
            newest, oldest = told[key_id(hub.key.public)]
            assert newest in (0, hub.newest)
            for _, envelope, _ in self.queued():
                needed = [n for n, key in hub.prekeys.items() if any(map(key.open, slots(envelope)))]
                assert all(n >= oldest for n in needed), "the hub would destroy what this is sealed to"


def slots(envelope: bytes) -> list[bytes]:
    return [envelope[at : at + 80] for at in range(54, 54 + 4 * 80, 80)]


KeysMachine.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestKeys = KeysMachine.TestCase
