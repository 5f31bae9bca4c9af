"""The worker between link and ledger, and what is due because time has passed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select

from sealcam.wire import schema
from sealcam.wire.bodies import Mode
from sealcam.wire.errors import ConfigError
from sealcam.wire.sealed import envelope_hash
from sealcam.wire.wishes import ArmBody, CommandType
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.feed import REFRESH, Feed
from sealcam_hub.home import Home
from sealcam_hub.pump import QUEUED, Pump, RecordingLink
from sealcam_hub.receive import Receiver
from sealcam_hub.tables import events
from sealcam_hub.watch import Watch
from tests.hubs import Camera, opened

NS = 1_000_000_000


@dataclass
class Room:
    """A hub's worker, its link, and one camera."""

    home: Home
    camera: Camera
    pump: Pump
    link: RecordingLink
    feed: Feed
    clock: SimulatedClock

    def hears(self, *envelopes: bytes) -> None:
        for envelope in envelopes:
            self.pump.deliver(self.camera.alias, envelope)
        while self.pump.run_once(self.link, 0):
            pass

    def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.pump.run_once(self.link, 0)

    def kinds(self) -> list[str]:
        return [notice.kind for notice in reversed(self.home.ledger().notices())]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with opened(tmp_path / "hub") as home:
        assert isinstance(home.clock, SimulatedClock)
        camera, feed = Camera(), Feed()
        camera.claim(home)
        camera.clock = home.clock
        pump = Pump(Receiver(home.store, home.keys, home.clock), home.wishes(), feed, home.clock)
        yield Room(home, camera, pump, RecordingLink(), feed, home.clock)


def test_receipts_go_back_to_the_camera_that_sent(room: Room) -> None:
    envelopes = [room.camera.incident(number) for number in range(5)]
    room.hears(*envelopes)
    assert [alias for alias, _ in room.link.sent] == [room.camera.alias] * 5
    assert [room.camera.receipted(one) for _, one in room.link.sent] == [envelope_hash(one) for one in envelopes]


def test_a_receipt_that_could_not_be_sent_goes_with_the_repeat(room: Room) -> None:
    room.link.up = False
    envelope = room.camera.incident()
    room.hears(envelope)
    assert room.link.sent == []
    room.link.up = True
    room.hears(envelope)
    assert room.camera.receipted(room.link.sent[0][1]) == envelope_hash(envelope)
    assert len(room.home.ledger().lines()) == 1


def test_open_pages_hear_of_changes(room: Room) -> None:
    with room.feed.subscribe() as page:
        room.hears(room.camera.incident(3), room.camera.beat())
        topics = [page.get(0), page.get(0), page.get(0)]
    assert topics == [f"incident/{room.camera.alias}-{3:016x}", f"camera/{room.camera.alias}", None]


def test_a_camera_that_stops_beating_is_told_once_and_so_is_its_return(room: Room) -> None:
    room.hears(room.camera.beat())
    room.passes(59)
    assert room.kinds() == []
    room.passes(2)
    room.passes(600)
    assert room.kinds() == ["silent"]
    assert room.home.ledger().cameras()[0].state == "silent"
    room.hears(room.camera.beat())
    assert room.kinds() == ["silent", "back"]
    assert room.home.ledger().cameras()[0].state == "watching"
    room.passes(61)
    assert room.kinds() == ["silent", "back", "silent"]


def test_an_old_beat_is_no_sign_of_life(room: Room) -> None:
    old = room.camera.beat()
    room.hears(old, room.camera.beat())
    room.passes(50)
    room.hears(old)
    room.passes(11)
    assert room.kinds() == ["silent"]


def test_beats_that_were_hoarded_are_no_sign_of_life(room: Room) -> None:
    hoard = []
    for _ in range(8):
        hoard.append(room.camera.beat())
        room.clock.advance(20)
    room.hears(hoard[0])
    assert room.home.ledger().cameras()[0].state == "watching"  # nothing to compare it with yet
    for old in hoard[1:4]:
        room.passes(25)
        room.hears(old)
    assert room.kinds() == []
    for old in hoard[4:]:  # ever later, so as to stretch them
        room.passes(55)
        room.hears(old)
    assert room.kinds() == ["silent"]


def test_a_clock_that_runs_a_little_slow_is_no_hoard(room: Room) -> None:
    slow = SimulatedClock()
    room.camera.clock = slow
    for _ in range(400):
        room.clock.advance(3600)
        slow.advance(3600 * 0.9998)
        room.pump.receiver.take(room.camera.alias, room.camera.beat(), room.clock.wall_ns())
    assert room.home.ledger().cameras()[0].last_beat_ns == room.clock.wall_ns()


def test_a_camera_that_has_never_beaten_is_new_and_not_silent(room: Room) -> None:
    room.passes(3600)
    assert room.kinds() == []
    assert room.home.ledger().cameras()[0].state == "new"


def test_while_the_broker_is_away_no_camera_is_called_silent(room: Room) -> None:
    room.hears(room.camera.beat())
    room.link.up = False
    for _ in range(10):
        room.passes(60)
    room.link.up = True
    room.passes(59)
    assert room.kinds() == []
    room.passes(2)
    assert room.kinds() == ["silent"]


def test_a_hub_that_was_started_again_gives_its_cameras_time(room: Room) -> None:
    room.hears(room.camera.beat())
    room.passes(61)
    pump = Pump(Receiver(room.home.store, room.home.keys, room.clock), room.home.wishes(), room.feed, room.clock)
    room.pump = pump
    room.passes(120)
    assert room.kinds() == ["silent"]  # it was told before the restart
    room.hears(room.camera.beat())
    assert room.kinds() == ["silent", "back"]


def test_a_gap_that_stays_is_told_once(room: Room) -> None:
    one, two, three, four = (room.camera.incident(number) for number in range(4))
    room.hears(one, four)
    room.passes(30)
    room.passes(29)
    assert room.kinds() == []
    room.passes(2)
    room.passes(90)
    assert room.kinds() == ["gap"]
    assert "2 events have not arrived (2 to 3)" in room.home.ledger().notices()[0].text
    room.hears(two, three)
    room.passes(120)
    assert room.kinds() == ["gap"]


def test_a_gap_that_closes_in_time_is_not_told(room: Room) -> None:
    one, two, three = (room.camera.incident(number) for number in range(3))
    room.hears(one, three)
    room.passes(40)
    room.hears(two)
    room.passes(40)
    assert room.kinds() == []


def test_events_that_the_camera_speaks_of_and_nobody_delivers_are_a_gap(room: Room) -> None:
    room.hears(room.camera.incident())
    room.camera.incident(2)  # dropped on the way, and its repeats too
    for _ in range(5):
        room.hears(room.camera.beat())
        room.passes(20)
    assert room.kinds() == ["gap"]
    assert "one event has not" in room.home.ledger().notices()[0].text.replace("have", "has")


def test_a_wish_is_signed_for_the_newest_beat_and_again_while_it_stands(room: Room) -> None:
    room.home.wishes().ask("Door", "away")
    room.passes(1)
    assert room.link.sent == []  # nothing to answer to yet
    room.hears(room.camera.beat(Mode.HOME))
    room.passes(1)
    first = room.camera.opens(room.link.sent[-1][1])
    assert (first.kind, first.seq, first.prev) == (CommandType.ARM, 1, room.camera.nonce)
    assert schema.decode(first.body, ArmBody).mode is Mode.AWAY
    room.passes(5)
    assert len(room.link.sent) == 1  # once a beat
    room.hears(room.camera.beat(Mode.HOME))
    room.passes(15)
    second = room.camera.opens(room.link.sent[-1][1])
    assert (second.seq, second.prev) == (2, room.camera.nonce)
    room.hears(room.camera.beat(Mode.AWAY))
    room.passes(20)
    assert len(room.link.sent) == 2


def test_a_wish_waits_for_a_fresh_beat(room: Room) -> None:
    room.hears(room.camera.beat(Mode.HOME))
    room.clock.advance(58)
    room.home.wishes().ask(room.camera.alias, "night")
    room.passes(1)
    assert room.link.sent == []
    room.hears(room.camera.beat(Mode.HOME))
    room.passes(1)
    assert schema.decode(room.camera.opens(room.link.sent[0][1]).body, ArmBody).mode is Mode.NIGHT


def test_a_new_wish_replaces_the_old_one_at_once(room: Room) -> None:
    room.hears(room.camera.beat(Mode.HOME))
    room.home.wishes().ask("Door", "away")
    room.passes(1)
    room.home.wishes().ask("Door", "off")
    room.passes(1)
    opened = [room.camera.opens(one) for _, one in room.link.sent]
    assert [schema.decode(one.body, ArmBody).mode for one in opened] == [Mode.AWAY, Mode.OFF]
    assert [one.seq for one in opened] == [1, 2]


def test_wishes_for_nobody_and_nothing_are_misuse(room: Room) -> None:
    with pytest.raises(ConfigError, match="no camera 'Attic'") as nobody:
        room.home.wishes().ask("Attic", "away")
    assert nobody.value.hint == "known: Door"
    with pytest.raises(ConfigError, match="no mode"):
        room.home.wishes().ask("Door", "asleep")


def test_no_two_messages_arrive_at_the_same_time(room: Room) -> None:
    room.hears(*(room.camera.incident(number) for number in range(3)))
    arrivals = [line.arrived_ns for line in room.home.ledger().lines()]
    assert len(set(arrivals)) == 3
    newest = room.home.ledger().incidents(limit=1)
    following = room.home.ledger().incidents(limit=5, before=newest[0].arrived_ns)
    assert [one.id[-1] for one in (*newest, *following)] == ["2", "1", "0"]


def test_prekeys_are_renewed_by_the_worker(room: Room) -> None:
    room.hears(room.camera.beat())
    room.passes(86_401)
    room.camera.take_prekey(room.link.sent[-1][1])
    assert room.camera.prekey.number == 2


def test_a_gap_in_one_place_is_one_gap_while_it_shrinks_from_the_end() -> None:
    watch = Watch()
    assert watch.gaps({"a": (5, 9)}, 0) == []
    assert watch.gaps({"a": (5, 7)}, 60 * NS) == [("a", (5, 7))]
    assert watch.gaps({"a": (6, 7)}, 61 * NS) == []
    assert watch.gaps({"a": None}, 62 * NS) == []
    assert watch.gaps({"a": (6, 7)}, 63 * NS) == []
    assert watch.gaps({"a": (6, 7)}, 130 * NS) == [("a", (6, 7))]


def test_a_slow_page_is_told_to_look_at_everything() -> None:
    feed = Feed()
    slow = feed.subscribe()
    for number in range(500):
        feed.publish(f"incident/{number}")
    feed.publish("notice")
    assert slow.get(0) == "refresh"
    assert slow.get(0) is None
    feed.publish("notice")
    feed.publish("notice")
    assert (slow.get(0), slow.get(0)) == ("notice", None)
    slow.close()
    slow.close()
    feed.publish("notice")
    assert slow.get(0) is None


def test_a_camera_that_said_farewell_is_not_missed(room: Room) -> None:
    room.hears(room.camera.beat(), room.camera.incident(), room.camera.farewell())
    for _ in range(10):
        room.passes(60)
    assert room.kinds() == ["farewell"]


def test_a_farewell_that_has_no_place_yet_excuses_no_silence(room: Room) -> None:
    """Whoever copied a key could say it far ahead, and then silence the camera."""
    room.hears(room.camera.beat(), room.camera.incident())
    room.camera.incident()
    room.hears(room.camera.farewell())
    for _ in range(10):
        room.passes(60)
    assert room.kinds() == ["farewell", "silent", "gap"]


@pytest.mark.slow  # ten thousand envelopes are sealed first
def test_ten_thousand_events_at_once_are_each_kept_and_receipted_once_and_pages_hear_of_few(room: Room) -> None:
    count = 10_000
    sent = [room.camera.incident(1 + number % 2_500) for number in range(count)]
    with room.feed.subscribe() as listening, ThreadPoolExecutor(1) as broker:
        arriving = broker.submit(lambda: [room.pump.deliver(room.camera.alias, one) for one in sent])
        while room.pump.run_once(room.link, 1.0) or not arriving.done():
            assert room.pump.queue.qsize() <= QUEUED, "what doesn't fit waits at the broker"
        told = list(iter(lambda: listening.get(0), None))
    assert [room.camera.receipted(message) for _, message in room.link.sent] == room.camera.sent
    assert told == [REFRESH], "pages that don't keep up are told once"
    home = room.home
    with home.store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(events)).scalar_one() == count
    (camera,) = home.ledger().cameras()
    assert camera.incidents == 2_500
    assert len(home.ledger().incidents(limit=24)) == 24
    assert home.ledger().counts().refused == 0
    assert room.kinds() == []


def test_what_is_refused_is_logged_once_by_camera_and_kind(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    good = room.camera.incident()
    forged = bytes([*good[:-1], good[-1] ^ 1])
    for number in range(300):
        room.hears(forged)
        room.pump.deliver(f"{number:016x}", good)
    room.hears()
    told = [one.getMessage() for one in caplog.records]
    assert len(told) == 2, told
    assert f"under camera {room.camera.alias} was refused (forged)" in told[0]
    assert "no camera of this hub was refused (unknown)" in told[1]
    assert room.home.ledger().counts().refused == 600
    room.hears(good)
    assert room.home.ledger().counts().incidents == 1
    room.passes(3601)
    room.hears(forged)
    assert len(caplog.records) == 3
