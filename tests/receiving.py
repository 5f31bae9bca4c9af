"""A hub's receiver and one camera, for tests of what comes in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sealcam_hub.clock import SimulatedClock
from sealcam_hub.home import Home
from sealcam_hub.inbox import Message
from sealcam_hub.outcome import Outcome, What
from sealcam_hub.receive import Receiver
from tests.hubs import WALL_NS, Camera, opened

DAY_S = 86_400


@dataclass
class Desk:
    """Where mail is taken in: a hub, its receiver, and a camera that belongs to it and beats in time with it."""

    home: Home
    receiver: Receiver
    camera: Camera
    clock: SimulatedClock

    def take(self, *envelopes: bytes, camera: Camera | None = None) -> list[Outcome]:
        """What becomes of these in one batch."""
        alias = (camera or self.camera).alias
        now_ns = self.clock.wall_ns() - WALL_NS
        return self.receiver.take_all([Message(alias, one, WALL_NS + now_ns + n) for n, one in enumerate(envelopes)])

    def whats(self, *envelopes: bytes) -> list[What]:
        """The same in a word each."""
        return [one.what for one in self.take(*envelopes)]

    def again(self) -> None:
        """Begin anew with what is in the ledger."""
        self.receiver = Receiver(self.home.store, self.home.keys, self.clock)

    def notices(self) -> list[str]:
        """The kinds of what the owner was told, the oldest first."""
        return [one.kind for one in reversed(self.home.ledger().notices())]

    def told(self) -> str:
        """What the owner was told last."""
        return self.home.ledger().notices()[0].text

    def seqs(self) -> list[int]:
        """The sequences of the events in the ledger, in its order."""
        return [one.seq for one in self.home.ledger().lines() if one.type != "notice"]

    def rotation(self) -> bytes:
        """A week passes, the camera beats, and the hub asks it for new keys."""
        self.clock.advance(7 * DAY_S)
        self.take(self.camera.beat(queued=1))  # what a test has made before may still be on its way
        found = [message for _, message in self.receiver.renew() if message[4] == 7]
        assert len(found) == 1
        return found[0]


@contextmanager
def desk(path: Path) -> Iterator[Desk]:
    """A new hub in `path` and its camera."""
    with opened(path) as home:
        assert isinstance(home.clock, SimulatedClock)
        camera = Camera()
        camera.claim(home)
        camera.clock = home.clock
        yield Desk(home, Receiver(home.store, home.keys, home.clock), camera, home.clock)
