"""Several workers on one ledger: what they take in alternately is there once, in order, and quietly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from sealcam.wire.sealed import envelope_hash
from sealcam_hub import database, tables
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home, open_home
from sealcam_hub.inbox import Message
from sealcam_hub.keys import load_keys
from sealcam_hub.others import Others
from sealcam_hub.outcome import What
from sealcam_hub.postgres import Where
from sealcam_hub.pump import Pump, RecordingLink
from sealcam_hub.receive import Receiver
from sealcam_hub.watch import GAP_NS, SILENT_NS
from tests.hubs import NS, WALL_NS, Camera, make
from tests.postgres import Postgres


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as running:
        yield running


class Pair:
    """Two workers of one hub, each with its own view of the ledger, and a camera."""

    def __init__(self, path: Path, postgres: Postgres | None, stack: ExitStack) -> None:
        folder = make(path)
        if postgres is not None:
            database.move(folder, load_keys(folder).table.wrap, Where.parse(postgres.create()))
        self.clock = SimulatedClock(wall_ns=WALL_NS)
        self.homes = [stack.enter_context(open_home(folder, self.clock)) for _ in range(2)]
        self.camera = Camera()
        self.camera.clock = self.clock
        self.camera.claim(self.homes[0])
        self.workers = [Receiver(home.store, home.keys, self.clock) for home in self.homes]
        self.came = 0

    def take(self, worker: int, *envelopes: bytes) -> list[What]:
        """What became of each at that worker."""
        messages = []
        for one in envelopes:
            self.came += 1
            messages.append(Message(self.camera.alias, one, WALL_NS + self.came))
        return [one.what for one in self.workers[worker].take_all(messages)]

    @property
    def home(self) -> Home:
        return self.homes[0]

    def chain(self) -> list[int]:
        """The sequences in the journal's order."""
        return [line.seq for line in self.home.ledger().lines() if line.type != "notice"]

    def notices(self) -> list[str]:
        return [one.kind for one in self.home.ledger().notices()]


@pytest.fixture(params=["sqlite", "postgres"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    running = request.getfixturevalue("postgres") if request.param == "postgres" else None
    with ExitStack() as stack:
        yield Pair(tmp_path / "hub", running, stack)


def test_events_that_alternate_are_appended_in_order_whoever_is_quicker(pair: Pair) -> None:
    sent = [pair.camera.incident(number) for number in range(1, 9)]
    for at in (1, 0, 3, 2, 5, 4, 7, 6):
        pair.take(at % 2, sent[at])
    assert pair.chain() == list(range(1, 9))
    assert pair.notices() == []


def test_what_comes_to_both_is_stored_once_and_receipted_twice(pair: Pair) -> None:
    sent = [pair.camera.incident(number) for number in range(1, 4)]
    assert pair.take(0, *sent) == [What.APPENDED] * 3
    assert pair.take(1, *sent) == [What.REPEAT] * 3
    assert pair.chain() == [1, 2, 3]


def test_what_comes_late_to_both_is_stored_once(pair: Pair) -> None:
    sent = [pair.camera.incident(number) for number in range(1, 3)]
    lost = pair.camera.loss((1, 2, envelope_hash(sent[1])))
    assert pair.take(0, lost) == [What.APPENDED]
    assert pair.take(1, sent[1]) == [What.LATE]
    assert pair.take(0, sent[1], sent[1]) == [What.REPEAT, What.REPEAT]


def test_a_beat_that_newer_events_have_overtaken_bridges_nothing(pair: Pair) -> None:
    pair.take(0, pair.camera.incident(1))
    beat = pair.camera.beat()
    second, third = pair.camera.incident(2), pair.camera.incident(3)
    assert pair.take(1, third) == [What.PARKED]
    assert pair.take(0, beat) == [What.BEAT]
    assert pair.take(0, second) == [What.APPENDED]
    assert pair.chain() == [1, 2, 3]
    assert pair.notices() == []


def test_the_last_beat_of_a_boot_may_come_after_the_first_of_the_next_by_another_worker(pair: Pair) -> None:
    pair.take(0, pair.camera.beat())
    pair.came += 1
    late = Message(pair.camera.alias, pair.camera.beat(), WALL_NS + pair.came)
    pair.camera.restart(b"c" * 16)
    assert pair.take(1, pair.camera.beat()) == [What.BEAT]
    assert pair.workers[0].take_all([late])[0].what is What.STALE
    pair.camera.restart(b"b" * 16)
    pair.camera.beats = 10
    assert pair.take(0, pair.camera.beat()) == [What.CLONE]


def test_a_prekey_that_another_worker_has_issued_opens_here_too(pair: Pair) -> None:
    pair.clock.advance(25 * 3600)
    pair.take(0, pair.camera.beat())
    ((_, prekey),) = pair.workers[0].renew()
    pair.camera.take_prekey(prekey)
    assert pair.take(1, pair.camera.incident()) == [What.APPENDED]
    assert pair.notices() == []


def test_a_prekey_is_destroyed_once_and_for_both(pair: Pair) -> None:
    pair.clock.advance(25 * 3600)
    pair.take(0, pair.camera.beat())
    ((_, prekey),) = pair.workers[0].renew()
    pair.camera.take_prekey(prekey)
    assert pair.take(1, pair.camera.beat()) == [What.BEAT]
    for one in pair.workers:
        one.look_again()
        assert one.standings()[0].camera.prekey_numbers == (2,)
    with pair.home.store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(tables.prekeys)).scalar_one() == 1


def test_the_worker_that_leads_tells_of_nothing_that_another_has_taken_in(pair: Pair) -> None:
    lead, link, feed = pair.homes[0], RecordingLink(), Feed()
    others = Others(lead.store, lead.keys)
    pump = Pump(pair.workers[0], lead.wishes(), feed, pair.clock, others=others, lanes=2)
    sent = [pair.camera.incident(number) for number in range(1, 4)]
    pair.take(1, sent[0])
    pump.deliver(pair.camera.alias, pair.camera.beat(queued=2))
    pump.run_once(link, 0)
    pair.take(1, sent[1], sent[2])
    with feed.subscribe() as told:
        for _ in range(2 * max(GAP_NS, SILENT_NS) // (10 * NS)):
            pair.clock.advance(10)
            pair.take(1, pair.camera.beat())
            pump.run_once(link, 0)
        heard = set(iter(lambda: told.get(0), None))
    assert pair.notices() == []
    assert {f"camera/{pair.camera.alias}", f"incident/{pair.camera.alias}-{2:016x}"} <= heard


def test_a_worker_that_leads_still_tells_of_a_camera_that_nobody_hears(pair: Pair) -> None:
    lead, link = pair.homes[0], RecordingLink()
    pair.take(1, pair.camera.beat())
    others = Others(lead.store, lead.keys)
    pump = Pump(pair.workers[0], lead.wishes(), Feed(), pair.clock, others=others, lanes=2)
    for _ in range(SILENT_NS // (10 * NS) + 2):
        pair.clock.advance(10)
        pump.run_once(link, 0)
    assert pair.notices() == ["silent"]


def test_no_two_messages_arrive_at_once_at_any_worker(pair: Pair) -> None:
    pumps = [
        Pump(worker, home.wishes(), Feed(), pair.clock, leads=not number, lane=number, lanes=2)
        for number, (worker, home) in enumerate(zip(pair.workers, pair.homes, strict=True))
    ]
    for pump in pumps:
        for _ in range(3):
            pump.deliver(pair.camera.alias, b"")
    arrived = [pump.queue.get_nowait().arrived_ns for pump in pumps for _ in range(3)]
    assert len(set(arrived)) == 6


def test_who_deletes_waits_for_nobody_and_nobody_for_them_to_see_old_keys(pair: Pair) -> None:
    pair.take(0, pair.camera.incident(1))
    with pair.homes[1].store.writing() as connection:
        connection.execute(update(tables.cameras).values(silent=True, revision=tables.cameras.c.revision + 1))
    assert pair.take(0, pair.camera.beat()) == [What.BEAT]
    assert pair.notices() == ["back"]
