"""An adversary as broker: holds back, drops, repeats, reorders, misdelivers, changes and invents messages.

Whatever it does, the ledger holds exactly what the cameras sent, once and in order; a receipt exists only for what is
stored; and everything it tries is reported as what it is. A copied camera key is the one thing that can get foreign
events in, and then the alarm is raised. Cameras change their keys meanwhile.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from sealcam.wire import statement
from sealcam.wire.bodies import EventType
from sealcam.wire.keys import SigningKey
from sealcam.wire.sealed import GENESIS, envelope_hash
from sealcam.wire.statement_kinds import Rotation
from sealcam_hub.contents import rotation_nonce
from sealcam_hub.inbox import Message
from sealcam_hub.ledger import Ledger
from sealcam_hub.notices import Refusal
from sealcam_hub.outcome import Outcome, What
from sealcam_hub.receive import Receiver
from tests.hubs import Camera, opened

NEW = {What.APPENDED, What.PARKED, What.LATE}
Mail = tuple[int, bytes]  # which camera it belongs to, and the bytes


class Adversary(RuleBasedStateMachine):
    """Two cameras, one hub, and everything in between in hostile hands."""

    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(tempfile.mkdtemp())
        self.stack.callback(shutil.rmtree, folder)
        self.home = self.stack.enter_context(opened(folder / "hub"))
        self.cameras = [Camera(), Camera()]
        for number, camera in enumerate(self.cameras):
            camera.claim(self.home, f"Camera {number}")
        self.receiver = Receiver(self.home.store, self.home.keys, self.home.clock)
        self.ledger: Ledger = self.home.ledger()
        self.now_ns = 0
        self.made: list[dict[bytes, tuple[int, bytes]]] = [{}, {}]  # of each camera: hash to sequence and body
        self.copied: dict[bytes, int] = {}  # made with a copied key: hash to sequence
        self.outbox: list[dict[bytes, bytes]] = [{}, {}]
        self.evicted: set[bytes] = set()
        self.hand_overs: set[bytes] = set()
        self.told: dict[bytes, set[bytes]] = {}  # what each loss event tells of
        self.stored: dict[bytes, bytes | None] = {}  # hash to receipt
        self.refused: dict[str, int] = {}
        self.clones = 0

    # What the cameras do.

    def _queue(self, who: int, envelope: bytes, body: bytes) -> Mail:
        name = envelope_hash(envelope)
        self.made[who][name] = (self.cameras[who].seq, body)
        self.outbox[who][name] = envelope
        return who, envelope

    @initialize(target=held)
    def begin(self) -> Mail:
        return self.incident(0)

    def incident(self, who: int) -> Mail:
        camera = self.cameras[who]
        body = camera.body(camera.seq + 1)
        return self._queue(who, camera.event(EventType.INCIDENT, body), body)

    @rule(target=held, who=st.integers(0, 1))
    def sees(self, who: int) -> Mail:
        """A camera seals an event, and its post publishes it."""
        return self.incident(who)

    @rule(target=held, who=st.integers(0, 1))
    def sends_again(self, who: int) -> object:
        """A camera sends everything that has no receipt."""
        return multiple(*((who, envelope) for envelope in self.outbox[who].values()))

    @rule(target=held, who=st.integers(0, 1), which=st.sets(st.integers(0, 5), min_size=1))
    def gives_up(self, who: int, which: set[int]) -> object:
        """A camera without room evicts events and says so; the broker may hold copies."""
        names = [name for at, name in enumerate(self.outbox[who]) if at in which and name not in self.hand_overs]
        if not names:
            return multiple()
        for name in names:
            del self.outbox[who][name]
        self.evicted.update(names)
        given_up = {*names, *(one for name in names for one in self.told.get(name, ()))}  # and what those had told of
        runs = sorted((self.made[who][name][0], name) for name in given_up)
        mail = self._queue(who, self.cameras[who].loss(*((seq, seq, name) for seq, name in runs)), b"")
        self.told[self.cameras[who].head] = given_up
        return mail

    @rule(target=held, who=st.integers(0, 1))
    def changes_its_keys(self, who: int) -> object:
        """A camera hands over as its hub, which knows its present key, asked it to."""
        camera, keys = self.cameras[who], self.home.keys
        if next(one.camera.epoch for one in self.receiver.standings() if one.camera.kid == camera.kid) != camera.epoch:
            return multiple()
        nonce = rotation_nonce(keys, camera.kid, camera.epoch + 1)
        asked = Rotation(camera=camera.kid, epoch=camera.epoch + 1, nonce=nonce)
        mail = self._queue(who, camera.hand_over(statement.sign(keys.operating, asked)), b"")
        self.hand_overs.add(camera.head)
        return mail

    # What the adversary does.

    def deliver(self, who: int, envelope: bytes) -> Outcome:
        self.now_ns += 1
        first, *more = self.receiver.take_all([Message(self.cameras[who].alias, envelope, self.now_ns)])
        for outcome in more:  # what came before its camera's hand-over did
            if outcome.answer is not None:
                name = self.cameras[who].receipted(outcome.answer)
                self.stored.setdefault(name, outcome.answer)
                self.outbox[who].pop(name, None)
            elif outcome.refusal is not None:
                self.refused[outcome.refusal] = self.refused.get(outcome.refusal, 0) + 1
        return first

    def expect_refusal(self, outcome: Outcome, *refusals: Refusal) -> None:
        assert (outcome.what, outcome.answer) == (What.REFUSED, None)
        assert outcome.refusal in refusals
        self.refused[outcome.refusal] = self.refused.get(outcome.refusal, 0) + 1

    def expect_forged(self, outcome: Outcome) -> None:
        """What names the next key of a camera may be that key's word, until it is known."""
        self.expect_refusal(outcome, Refusal.FORGED, *((Refusal.EARLY,) if self.hand_overs else ()))

    def genuine(self, mail: Mail, answered: bool) -> None:
        """Deliver what was really sealed; its receipt comes back or is dropped."""
        who, envelope = mail
        name = envelope_hash(envelope)
        outcome = self.deliver(who, envelope)
        if name in self.stored:
            assert outcome.what is What.REPEAT
            assert outcome.answer == self.stored[name]
        elif outcome.what is What.CLONE:
            assert self.copied, "an alarm without a cause"
            assert outcome.answer is None
            self.clones += 1
            self.refused["clone"] = self.refused.get("clone", 0) + 1
            return
        elif outcome.refusal is Refusal.EARLY:
            assert self.cameras[who].epoch > 1, "no keys were changed"
            self.expect_refusal(outcome, Refusal.EARLY)
            return
        else:
            assert outcome.what in NEW
            self.stored[name] = outcome.answer
        assert self.cameras[who].receipted(outcome.answer) == name
        if answered:
            self.outbox[who].pop(name, None)

    @rule(mail=consumes(held), answered=st.booleans())
    def lets_pass(self, mail: Mail, answered: bool) -> None:
        """In whatever order; without its receipt it looks to the camera as if the hub had been killed after commit."""
        self.genuine(mail, answered)

    @rule(mail=held, answered=st.booleans())
    def repeats(self, mail: Mail, answered: bool) -> None:
        self.genuine(mail, answered)

    @rule(mail=consumes(held))
    def drops(self, mail: Mail) -> None:
        pass

    @rule(mail=held, how=st.sampled_from(["misdelivers", "changes", "cuts"]), at=st.floats(0, 1, exclude_max=True))
    def tampers(self, mail: Mail, how: str, at: float) -> None:
        who, envelope = mail
        if how == "misdelivers":  # one camera's message on the other one's topic
            new = (Refusal.EARLY, Refusal.FORGED) if self.hand_overs else ()  # by a key that nobody knows yet
            self.expect_refusal(self.deliver(1 - who, envelope), Refusal.CROSSED, *new)
        elif how == "cuts":
            self.expect_forged(self.deliver(who, envelope[: int(at * len(envelope))]))
        else:
            changed = bytearray(envelope)
            bit = int(at * 8 * len(changed))
            changed[bit // 8] ^= 1 << bit % 8
            self.expect_forged(self.deliver(who, bytes(changed)))

    @rule(who=st.integers(0, 1), payload=st.binary(max_size=300))
    def invents(self, who: int, payload: bytes) -> None:
        """Nonsense, to a camera's name and to none, and a well-made event by a key that is no camera's."""
        camera = self.cameras[who]
        foreign = camera.seal(EventType.INCIDENT, camera.body(), camera.seq + 1, camera.head, SigningKey.generate())
        self.expect_forged(self.deliver(who, foreign))
        self.expect_refusal(self.deliver(who, payload), Refusal.FORGED)
        self.expect_refusal(self.receiver.take("0" * 16, payload, self.now_ns), Refusal.UNKNOWN)

    @rule(target=held, back=st.integers(0, 3), fitting=st.booleans())
    def copies_the_key(self, back: int, fitting: bool) -> object:
        """A clone of camera 0 seals something else in a place that is taken, or soon will be."""
        camera = self.cameras[0]
        seq = max(1, camera.seq + 1 - back)
        prev = camera.sent[seq - 2] if seq > 1 else GENESIS
        envelope = camera.seal(
            EventType.INCIDENT, camera.body(9000 + len(self.copied)), seq, prev if fitting else b"?" * 32
        )
        self.copied[envelope_hash(envelope)] = seq
        return 0, envelope

    @rule()
    def hub_is_killed(self) -> None:
        """All that it remembers is the ledger."""
        self.receiver = Receiver(self.home.store, self.home.keys, self.home.clock)

    # What must hold.

    @invariant()
    def the_ledger_holds_what_was_sent_once_and_in_order(self) -> None:
        lines = [line for line in self.ledger.lines(limit=10_000) if line.type != "notice"]
        waiting = {bytes.fromhex(line.hash) for line in self.ledger.pending()}
        placed = {bytes.fromhex(line.hash) for line in lines}
        assert placed | waiting == set(self.stored), "a receipt stands for something stored, and for nothing else"
        assert not placed & waiting
        for who, camera in enumerate(self.cameras):
            mine = [line for line in lines if line.alias == camera.alias]
            names = [bytes.fromhex(line.hash) for line in mine]
            assert len({line.seq for line in mine}) == len(mine)
            in_order = [line.seq for line, name in zip(mine, names, strict=True) if name not in self.evicted]
            assert in_order == sorted(in_order)
            for line, name in zip(mine, names, strict=True):
                seq = self.made[who][name][0] if name in self.made[who] else self.copied[name]
                assert line.seq == seq
                if line.type == "incident" and name in self.made[who]:
                    assert line.incident == seq.to_bytes(8, "big").hex()

    @invariant()
    def everything_is_counted_as_what_it_is(self) -> None:
        assert dict(self.ledger.counts().refused_by_kind) == self.refused

    def teardown(self) -> None:
        """At last an honest broker: everything without a receipt comes through."""
        try:
            for who in (0, 1):
                for _ in range(3):  # what a copy's claims have kept out gets in once they are disputed
                    for envelope in list(self.outbox[who].values()):
                        self.genuine((who, envelope), answered=True)
            notices = {notice.kind for notice in self.ledger.notices()}
            in_ledger = {line.hash for line in self.ledger.lines(limit=10_000)}
            clean = [1] if self.copied else [0, 1]
            assert notices <= ({"clone"} if self.copied else set())
            for who in clean:
                assert self.outbox[who] == {}
                kept = {name for name in self.made[who] if name not in self.evicted}
                assert {name.hex() for name in kept} <= in_ledger
            self._alarm(notices, in_ledger)
        finally:
            self.stack.close()

    def _alarm(self, notices: set[str], in_ledger: set[str]) -> None:
        """Where the hub has heard both the camera and its copy in one place, it has told."""
        for name, seq in self.copied.items():
            true = next((one for one, (at, _) in self.made[0].items() if at == seq), None)
            if name in self.stored and true in self.stored:
                assert "clone" in notices
            if name in self.stored and true is not None and true.hex() in in_ledger:
                assert name.hex() not in in_ledger or "clone" in notices


Adversary.TestCase.settings = settings(
    max_examples=50, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAdversary = Adversary.TestCase
