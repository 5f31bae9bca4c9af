"""The outbox against a plain model of it: whatever happens, nothing is lost unseen and the chain has no fork."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sealcam.outbox import LOSS_URGENCY, Outbox, Tomb
from sealcam.schedule import FIRST_REPEAT_NS, LAST_REPEAT_NS
from sealcam.wire.sealed import GENESIS, Sealed, envelope_hash

S = 1_000_000_000


@dataclass
class Letter:
    """What the model knows of one queued envelope."""

    urgency: int
    prekey: int
    envelope: bytes
    tombs: tuple[Tomb, ...] = ()
    due_ns: int = 0
    repeat_ns: int = FIRST_REPEAT_NS


@dataclass
class Model:
    """The outbox without a disk."""

    max_bytes: int
    seq: int = 0
    hash: bytes = GENESIS
    evicted: int = 0
    letters: dict[int, Letter] = field(default_factory=dict)
    unannounced: list[Tomb] = field(default_factory=list)
    settled: set[int] = field(default_factory=set)  # receipts have come for these, or for a loss event that names them
    heard: set[int] = field(default_factory=set)

    @property
    def bytes(self) -> int:
        return sum(len(letter.envelope) for letter in self.letters.values())

    def append(self, letter: Letter) -> None:
        self.seq += 1
        self.hash = envelope_hash(letter.envelope)
        self.letters[self.seq] = letter
        while self.bytes > self.max_bytes:
            self.evict(min(self.letters, key=lambda seq: (-self.letters[seq].urgency, seq)))

    def evict(self, seq: int) -> None:
        letter = self.letters.pop(seq)
        self.evicted += 1
        self.bury(*letter.tombs, Tomb(seq, seq, envelope_hash(letter.envelope)))

    def bury(self, *tombs: Tomb) -> None:
        merged: list[Tomb] = []
        for tomb in sorted([*self.unannounced, *tombs], key=lambda one: one.first):
            if merged and merged[-1].last + 1 == tomb.first:
                merged[-1] = Tomb(merged[-1].first, tomb.last, tomb.last_hash)
            else:
                merged.append(tomb)
        self.unannounced = merged

    def acknowledge(self, seq: int) -> None:
        letter = self.letters.pop(seq)
        self.heard.add(seq)
        self.settled |= {seq, *(gone for tomb in letter.tombs for gone in range(tomb.first, tomb.last + 1))}

    def next(self, now_ns: int) -> int | None:
        due = [seq for seq, letter in self.letters.items() if letter.due_ns <= now_ns]
        return min(due, key=lambda seq: (self.letters[seq].urgency, seq), default=None)

    def all_due(self) -> None:
        for letter in self.letters.values():
            letter.due_ns, letter.repeat_ns = 0, FIRST_REPEAT_NS


class OutboxMachine(RuleBasedStateMachine):
    """Both, side by side."""

    @initialize(max_bytes=st.integers(200, 3000))
    def start(self, max_bytes: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="outbox-"))
        self.model = Model(max_bytes)
        self.outbox = Outbox(self.folder / "outbox.db", max_bytes=max_bytes)
        self.now_ns = S
        self.crashes = 0

    def teardown(self) -> None:
        if hasattr(self, "outbox"):
            self.outbox.close()
            shutil.rmtree(self.folder)

    @rule(urgency=st.integers(0, 3), size=st.integers(60, 500), prekey=st.integers(1, 5))
    def append(self, urgency: int, size: int, prekey: int) -> None:
        seen: list[Sealed] = []

        def seal(seq: int, prev: bytes) -> Sealed:
            assert (seq, prev) == (self.model.seq + 1, self.model.hash)
            seen.append(Sealed((seq.to_bytes(8, "big") + prev).ljust(size, b".")))
            return seen[0]

        assert self.outbox.append(seal, urgency, prekey) == self.model.seq + 1
        self.model.append(Letter(urgency, prekey, seen[0]))

    @rule(prekey=st.integers(1, 5), size=st.integers(60, 300))
    def append_loss(self, prekey: int, size: int) -> None:
        made: list[Letter] = []

        def seal(seq: int, prev: bytes, tombs: tuple[Tomb, ...]) -> Sealed:
            assert tombs == tuple(self.model.unannounced)
            made.append(Letter(LOSS_URGENCY, prekey, (seq.to_bytes(8, "big") + prev).ljust(size, b"l"), tombs))
            return Sealed(made[0].envelope)

        seq = self.outbox.append_loss(seal, prekey)
        if seq is None:
            room = self.model.max_bytes - sum(len(o.envelope) for o in self.model.letters.values() if o.urgency < 1)
            older = sum(len(o.envelope) for o in self.model.letters.values() if o.urgency == 1)
            assert not self.model.unannounced or size > room, f"{size} would fit into {room}, after {older}"
        else:
            self.model.unannounced = []
            self.model.append(made[0])
            assert seq == self.model.seq
            assert seq in self.model.letters

    @rule()
    def publish(self) -> None:
        mail, expected = self.outbox.next(self.now_ns), self.model.next(self.now_ns)
        assert (mail and mail.seq) == expected
        if mail is not None:
            letter = self.model.letters[mail.seq]
            assert (mail.envelope, mail.urgency) == (letter.envelope, letter.urgency)
            self.outbox.published(mail.seq, self.now_ns)
            letter.due_ns = self.now_ns + letter.repeat_ns
            letter.repeat_ns = min(2 * letter.repeat_ns, LAST_REPEAT_NS)

    @rule(seconds=st.integers(1, 400))
    def wait(self, seconds: int) -> None:
        self.now_ns += seconds * S

    @rule()
    def link_up(self) -> None:
        self.outbox.link_up()
        self.model.all_due()

    @precondition(lambda self: self.model.letters)
    @rule(data=st.data())
    def receipt(self, data: st.DataObject) -> None:
        seq = data.draw(st.sampled_from(sorted(self.model.letters)))
        name = envelope_hash(self.model.letters[seq].envelope)
        assert self.outbox.acknowledge(name)
        assert not self.outbox.acknowledge(name)
        self.model.acknowledge(seq)

    @rule(name=st.binary(min_size=32, max_size=32))
    def receipt_for_nothing(self, name: bytes) -> None:
        assert not self.outbox.acknowledge(name)

    @rule()
    def restart(self) -> None:
        self.outbox.close()
        self.outbox = Outbox(self.folder / "outbox.db", max_bytes=self.model.max_bytes)
        self.model.all_due()

    @rule()
    def crash(self) -> None:
        """What a killed process leaves: the files as they are, never closed."""
        self.crashes += 1
        left = self.folder / f"crash{self.crashes}"
        left.mkdir()
        for name in ("outbox.db", "outbox.db-wal"):
            shutil.copy(self.folder / name, left / name)
        self.outbox.close()
        for name in ("outbox.db", "outbox.db-wal"):
            shutil.move(left / name, self.folder / name)
        self.outbox = Outbox(self.folder / "outbox.db", max_bytes=self.model.max_bytes)
        self.model.all_due()

    @invariant()
    def agree(self) -> None:
        if not hasattr(self, "outbox"):
            return
        stats, model = self.outbox.stats(), self.model
        assert self.outbox.head() == (model.seq, model.hash)
        assert (stats.queued, stats.queued_bytes, stats.evicted) == (len(model.letters), model.bytes, model.evicted)
        assert stats.oldest_prekey == min((letter.prekey for letter in model.letters.values()), default=None)
        assert stats.queued_bytes <= model.max_bytes
        due = [letter.due_ns for letter in model.letters.values()]
        expected = max(0, min(due) - self.now_ns) / S if due else None
        assert self.outbox.due_in_s(self.now_ns) == expected

    @invariant()
    def every_sequence_is_accounted_for(self) -> None:
        if not hasattr(self, "outbox"):
            return
        announced = [tomb for letter in self.model.letters.values() for tomb in letter.tombs]
        buried = {seq for tomb in [*self.model.unannounced, *announced] for seq in range(tomb.first, tomb.last + 1)}
        known = set(self.model.letters) | self.model.settled | buried
        assert known == set(range(1, self.model.seq + 1))


OutboxMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestOutbox = OutboxMachine.TestCase
