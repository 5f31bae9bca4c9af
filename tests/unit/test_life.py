"""A camera's keys over a life, as the real hub takes them: hand-overs, a lost outbox, a lost key, a new claim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sealcam import claim
from sealcam.clocks import SimulatedClock
from sealcam.commands import Commands
from sealcam.keystore import Keystore
from sealcam.outbox import Outbox
from sealcam.sealer import Sealer, Watching
from sealcam.sealing import RESERVE, Sealing
from sealcam.sight.types import ArmMode
from sealcam.stamps import Stamps
from sealcam.wire import statement
from sealcam.wire.bodies import ClockQuality
from sealcam.wire.errors import StorageError
from sealcam.wire.keys import fingerprint
from sealcam.wire.statement import Bundle
from sealcam.wire.statement_kinds import ClaimAnswer
from sealcam_hub.clock import SimulatedClock as HubClock
from sealcam_hub.home import Home, open_home
from sealcam_hub.outcome import Outcome
from sealcam_hub.receive import EPOCH_NS, Receiver
from tests.hubs import WALL_NS, make

DAY_S = 86400.0


@dataclass
class Camera:
    """The camera's own parts on a state folder, without pictures or a socket."""

    state: Path
    clock: SimulatedClock
    keys: Keystore = field(init=False)
    outbox: Outbox = field(init=False)
    sealer: Sealer = field(init=False)
    commands: Commands = field(init=False)
    lost: int | None = field(init=False)

    def start(self) -> None:
        """As the eye starts."""
        self.keys = Keystore.open(self.state / "eye", {})
        self.outbox = Outbox(self.state / "eye" / "outbox.db", max_bytes=1 << 24)
        stamps = Stamps(self.clock, lambda: ClockQuality.SYNCHRONISED)
        sealing = Sealing(self.keys, self.outbox, stamps.now)
        watching = Watching(0, 0, 0, ArmMode.HOME)
        self.sealer = Sealer(sealing, self.clock, lambda: watching, stamps)
        self.commands = Commands(self.keys, self.outbox, sealing, self.sealer, self.clock, {})
        self.lost = sealing.lost
        if self.lost is not None:
            self.sealer.losses()
            self.sealer.health("outbox-lost", "so it is")
        self.sealer.health("started", "a test")


@dataclass
class Household:
    """A hub, a receiver, and one camera that talks to it."""

    home: Home
    camera: Camera
    alias: str = ""
    taken: list[Outcome] = field(default_factory=list)

    def claim(self) -> None:
        """As `sealcam-provision claim` does it."""
        request = claim.request(self.camera.state)
        answer = self.home.enroller().answer(request, "Door")
        claim.accept(self.camera.state, answer, fingerprint(self.home.keys.root_public))
        bundle = Bundle.unpack(answer)
        self.alias = statement.read(bundle.answer, self.home.keys.operating.public, ClaimAnswer).alias

    def receiver(self) -> Receiver:
        return Receiver(self.home.store, self.home.keys, self.home.clock)

    def talk(self, receiver: Receiver) -> None:
        """Everything that is queued goes, then a beat; whatever the hub answers comes back."""
        self.camera.outbox.link_up()
        while (mail := self.camera.outbox.next(self.camera.clock.boot_ns())) is not None:
            self.camera.outbox.published(mail.seq, self.camera.clock.boot_ns())
            self._carry(receiver, mail.envelope)
        self._carry(receiver, self.camera.sealer.beat())
        assert self.camera.outbox.stats().queued == 0, "every receipt was taken"

    def _carry(self, receiver: Receiver, envelope: bytes) -> None:
        outcome = receiver.take(self.alias, envelope, self.home.clock.wall_ns())
        self.taken.append(outcome)
        if outcome.answer is not None:
            self.camera.commands.deliver(outcome.answer)

    def days(self, count: float) -> None:
        """Let time pass for both."""
        assert isinstance(self.home.clock, HubClock)
        self.home.clock.advance(count * DAY_S)
        self.camera.clock.advance(count * DAY_S)

    def renew(self, receiver: Receiver) -> int:
        """What the hub has to say by itself; how many statements that were."""
        sent = receiver.renew()
        for alias, message in sent:
            assert alias == self.alias
            self.camera.commands.deliver(message)
        return len(sent)

    def told(self) -> list[str]:
        return [notice.kind for notice in self.home.ledger().notices()]

    def codes(self) -> list[str]:
        return [line.type for line in self.home.ledger().lines() if line.type != "notice"]


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Household]:
    with open_home(make(tmp_path / "hub"), HubClock(wall_ns=WALL_NS)) as home:
        made = Household(home, Camera(tmp_path / "camera", SimulatedClock(boot_ns=1, wall_ns=WALL_NS)))
        made.claim()
        made.camera.start()
        yield made
        made.camera.outbox.close()


def test_weeks_of_hand_overs_and_prekeys_raises_no_alarm(life: Household) -> None:
    receiver = life.receiver()
    life.talk(receiver)
    for _ in range(5):
        life.days(EPOCH_NS / (DAY_S * 1e9) + 0.1)
        assert life.renew(receiver) == 2, "a prekey and a rotation"
        life.talk(receiver)
    assert life.camera.keys.epoch == 6
    assert life.camera.keys.taken == 6
    assert life.told() == []
    assert all(outcome.refusal is None for outcome in life.taken)
    assert life.codes().count("hand-over") == 5
    assert life.camera.commands.refused == 0


def test_a_lost_outbox_is_bridged_and_told_and_no_clone(life: Household) -> None:
    receiver = life.receiver()
    life.talk(receiver)
    life.camera.sealer.health("unsent", "nobody will ever read this")
    life.camera.outbox.close()
    for path in (life.camera.state / "eye").glob("outbox.db*"):
        path.unlink()
    life.camera.start()
    assert life.camera.lost == RESERVE + 1
    life.talk(receiver)
    assert life.told() == []
    lines = [line for line in life.home.ledger().lines() if line.type != "notice"]
    assert [line.seq for line in lines] == [1, RESERVE + 2, RESERVE + 3, RESERVE + 4]
    assert [line.type for line in lines] == ["health", "loss", "health", "health"]
    life.camera.sealer.health("after", "and so on")
    life.talk(receiver)
    assert life.told() == []


def test_a_claim_again_goes_on_above_the_prekeys_that_were_taken(life: Household) -> None:
    receiver = life.receiver()
    for _ in range(3):
        life.talk(receiver)
        life.days(1.1)
        life.renew(receiver)
    assert life.camera.keys.taken == 4
    life.camera.outbox.close()
    life.claim()
    life.camera.start()
    assert life.camera.keys.taken >= 4
    life.talk(life.receiver())
    assert life.told() == []


def test_a_claim_while_the_eye_runs_is_refused_and_changes_nothing(life: Household) -> None:
    before = (life.camera.state / "eye" / "keys").read_bytes()
    with pytest.raises(StorageError, match="in use"):
        life.claim()
    assert (life.camera.state / "eye" / "keys").read_bytes() == before
