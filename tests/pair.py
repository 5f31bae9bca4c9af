"""Two hubs of one home and a camera that seals to both, without a broker."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert

from sealcam.wire import statement
from sealcam.wire.keys import KEY_BYTES, SUITE, OwnerKeys, SigningKey
from sealcam.wire.sealed import GENESIS
from sealcam.wire.statement_kinds import HubCertificate, Prekey, Recipient, RecipientKind, RecipientSet
from sealcam_hub import prekeys, setup
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.exchange import Exchange
from sealcam_hub.feed import Feed
from sealcam_hub.folder import Folder, Settings
from sealcam_hub.home import Home, open_home
from sealcam_hub.pump import Pump, RecordingLink
from sealcam_hub.receive import Receiver
from sealcam_hub.store import create_store
from sealcam_hub.tables import cameras, epochs
from tests.hubs import BROKER, WALL_NS, Camera

LINK = "hub-second"


@dataclass
class Side:
    """One hub at work."""

    home: Home
    pump: Pump
    exchange: Exchange
    link: RecordingLink
    clock: SimulatedClock

    @staticmethod
    def of(home: Home, clock: SimulatedClock) -> Side:
        """That hub's worker, with a link to nowhere."""
        exchange = Exchange(home.store, home.keys)
        receiver = Receiver(home.store, home.keys, clock)
        return Side(home, Pump(receiver, home.wishes(), Feed(), clock, exchange), exchange, RecordingLink(), clock)

    def hears(self, alias: str, *envelopes: bytes) -> None:
        """Take these, and do what is due."""
        for one in envelopes:
            self.pump.deliver(alias, one)
        self.run()

    def run(self) -> None:
        """Do what is due."""
        while self.pump.run_once(self.link, 0):
            pass

    def seqs(self) -> list[int]:
        """The sequences of the events in its ledger, in its order."""
        return [one.seq for one in self.home.ledger().lines() if one.type != "notice"]

    def notices(self) -> list[str]:
        """The kinds of what its owner was told, the oldest first."""
        return [one.kind for one in reversed(self.home.ledger().notices())]


@dataclass
class Pair:
    """The home hub, another one, and their camera; one clock for all."""

    first: Side
    second: Side
    camera: Camera
    clock: SimulatedClock
    owner: OwnerKeys

    def beat(self, **changed: object) -> bytes:
        """A beat that names both hubs' prekeys."""
        from sealcam.wire.bodies import HubPrekey

        mine = HubPrekey(hub=self.second.home.keys.kid, prekey=1, oldest_prekey=1)
        return self.camera.beat(**({"others": (mine,)} | changed))  # type: ignore[arg-type]

    def passes(self, seconds: float) -> None:
        """Time passes, and both do what is due."""
        self.clock.advance(seconds)
        for side in (self.first, self.second):
            side.run()


@contextmanager
def two_hubs(path: Path) -> Iterator[tuple[Side, Side]]:
    """A home's hub and another one in `path`, one clock for both, without a camera."""
    with _homes(path) as (first, second, clock, _):
        yield Side.of(first, clock), Side.of(second, clock)


@contextmanager
def pair(path: Path) -> Iterator[Pair]:
    """Two new hubs in `path`, and a camera that both know."""
    with _homes(path) as (first, second, clock, owner):
        camera = Camera()
        camera.clock = clock
        camera.claim(first)
        message = introduce(second, camera.alias, camera.kid, camera.signer.public, camera.command.public)
        camera.others.insert(0, statement.read(message, second.keys.operating.public, Prekey).public)
        yield Pair(Side.of(first, clock), Side.of(second, clock), camera, clock, owner)


@contextmanager
def _homes(path: Path) -> Iterator[tuple[Home, Home, SimulatedClock, OwnerKeys]]:
    words: list[str] = []
    setup.make_hub(Folder(path / "first"), BROKER, words.append)
    owner, clock = setup.owner_keys(words[0]), SimulatedClock(wall_ns=WALL_NS)
    _second(path, owner)
    with open_home(Folder(path / "first"), clock) as first, open_home(Folder(path / "second"), clock) as second:
        yield first, second, clock, owner


def _second(path: Path, owner: OwnerKeys) -> None:
    first, second, operating = Folder(path / "first"), Folder(path / "second"), SigningKey.generate()
    second.create()
    home_hub = SigningKey(first.read("keys/operating")).public
    recipients = (
        Recipient(kind=RecipientKind.HUB, public=home_hub),
        Recipient(kind=RecipientKind.HUB, public=operating.public),
        Recipient(kind=RecipientKind.RECOVERY, public=owner.recovery.public),
    )
    chosen = RecipientSet(number=2, suite=SUITE, home_hub=home_hub, recipients=recipients)
    signed = statement.sign(owner.root, chosen)
    certificate = statement.sign(owner.root, HubCertificate(hub=operating.public, number=2))
    second.write("keys/operating", operating.seed)
    second.write("keys/table", secrets.token_bytes(KEY_BYTES))
    second.write("keys/root.pub", owner.root.public)
    second.write("keys/hub-certificate", certificate)
    for folder in (first, second):
        folder.write("keys/recipient-set", signed)
    create_store(second.ledger).close()
    second.save_settings(Settings(BROKER, LINK))


def introduce(second: Home, alias: str, kid: bytes, public: bytes, command: bytes) -> bytes:
    """Let a hub know a camera that another one enrolled; the prekey that the camera shall have from it."""
    keys = {"public": public, "command": command, "epoch": 1}
    named = {"alias": alias, "name": f"Camera {alias}", "kid": kid}
    with second.store.writing() as connection:
        row = insert(cameras).values(enrolled_ns=WALL_NS, head_hash=GENESIS, **named, **keys).returning(cameras.c.id)
        identity = connection.execute(row).scalar_one()
        connection.execute(insert(epochs).values(camera=identity, after_seq=0, since_ns=WALL_NS, **keys))
        prekeys.issue(connection, second.keys, identity, 1, WALL_NS)
        number, prekey, _ = prekeys.newest(connection, identity)
    return prekeys.signed(second.keys, kid, number, prekey)
