"""A hub with a camera that sees what it is told to, for tests of the owner's own annotation; and its console."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns

from sqlalchemy import select
from starlette.applications import Starlette

from sealcam.wire import schema
from sealcam.wire.bodies import EventType, IncidentBody, Judged, Outcome, Stage
from sealcam.wire.wishes import CommandType, MarksWish
from sealcam_hub import review, tables
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.console.app import create
from sealcam_hub.console.review import ReviewRoom
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home
from sealcam_hub.pump import Pump, RecordingLink
from sealcam_hub.receive import Receiver
from sealcam_hub.review import Review
from sealcam_hub.review_data import DataSet
from sealcam_hub.review_marks import Marks
from sealcam_hub.review_queue import Queue
from sealcam_hub.wishes import answered
from tests.hubs import Camera, opened
from tests.unit.hub.console_client import TOKEN, Armed
from tests.unit.hub.console_clips import FakeClips
from tests.unit.hub.console_fake import FakeDoor, FakeLog

NUMBERS = tuple(range(0, 1000, 56))[:18]


@dataclass
class Room:
    """A hub with a camera that sees what it is told to."""

    home: Home
    camera: Camera
    clock: SimulatedClock

    @property
    def marks(self) -> Marks:
        """What was said."""
        return Marks(self.home.store, self.home.keys, self.clock, self.home.wishes())

    @property
    def data(self) -> DataSet:
        """The data set."""
        return DataSet(self.home.store, self.home.keys, self.clock)

    def queue(self) -> Queue:
        """What waits."""
        return Queue(self.home.store, self.home.ledger())

    def hears(self, *envelopes: bytes) -> None:
        """The hub takes these in, a second apart."""
        pump = Pump(Receiver(self.home.store, self.home.keys, self.clock), self.home.wishes(), Feed(), self.clock)
        link = RecordingLink()
        link.up = False
        for one in envelopes:
            self.clock.advance(1)
            pump.deliver(self.camera.alias, one)
        while pump.run_once(link, 0):
            pass

    def report(
        self,
        number: int,
        threat: int = 900,
        stage: Stage = Stage.END,
        numbers: tuple[int, ...] = (),
        picture: bytes | None = None,
    ) -> bytes:
        """The next event: a report of that incident, with what was judged where there are `numbers`."""
        plain = schema.decode(self.camera.body(number, stage, picture), IncidentBody)
        told = {name: getattr(plain, name) for name in IncidentBody.__slots__}
        told |= {"threat_permille": threat, "judged": Judged(version=1, numbers=numbers) if numbers else None}
        return self.camera.event(EventType.INCIDENT, schema.encode(IncidentBody(**told)))

    def sees(
        self, number: int, threat: int = 900, picture: bytes | None = None, numbers: tuple[int, ...] = NUMBERS
    ) -> str:
        """An incident from its beginning to its end; its id."""
        first = self.report(number, threat, Stage.NEW, numbers, picture)
        self.hears(first, self.report(number, threat, Stage.END, (1000, *numbers[1:])))
        return self.name(number)

    def name(self, number: int) -> str:
        """What the hub calls it."""
        return f"{self.camera.alias}-{number:016x}"

    def asks(self) -> list[MarksWish]:
        """What the camera is told at its next beat."""
        self.clock.advance(20)
        self.hears(self.camera.beat())
        made = [self.camera.opens(command) for _, command in self.home.wishes().due()]
        return [schema.decode(one.body, MarksWish) for one in made if one.kind == CommandType.MARKS]

    def answers(self, outcome: Outcome = Outcome.DONE) -> None:
        """The camera has answered what it was told last."""
        with self.home.store.writing() as connection:
            row = connection.execute(select(tables.wishes.c.camera, tables.wishes.c.sent_number)).one()
            assert answered(connection, row.camera, row.sent_number, outcome, "")


@contextmanager
def reviewing(folder: Path) -> Iterator[Room]:
    """A new hub in `folder` with one camera, under a simulated clock."""
    with opened(folder) as home:
        assert isinstance(home.clock, SimulatedClock)
        camera = Camera()
        camera.claim(home)
        camera.clock = home.clock
        yield Room(home, camera, home.clock)


def console(
    room: Room,
    clips: FakeClips | None = None,
    log: FakeLog | None = None,
    feed: Feed | None = None,
    parts: Review | None = None,
) -> Starlette:
    """Its console with the review room, over the real ledger."""
    ledger, shown = room.home.ledger(), clips or FakeClips()
    return create(
        ledger,
        feed or Feed(),
        hosts=("localhost",),
        door=FakeDoor(TOKEN),
        arm=Armed(),
        clock=room.clock.wall_ns,
        boot=monotonic_ns,
        log=log or FakeLog(),
        clips=shown,
        parts=(ReviewRoom(parts or review.of(room.home), ledger, shown),),
    )
