"""What stands wrong with a camera or the hub is told once, and once more when it is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sealcam.wire.bodies import ClipState, ClockQuality, Stamp, Storage
from sealcam_hub import ca, expulsion
from sealcam_hub.alarm_tables import certificate_ends
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.feed import Feed
from sealcam_hub.follow import Choice, Reader
from sealcam_hub.home import Home, open_home
from sealcam_hub.homeassistant import states
from sealcam_hub.homeassistant.look import Look
from sealcam_hub.nearness import Left, apart_s, between, card_low, certificate_left, days, disk_low
from sealcam_hub.notice_rows import THE_HUB
from sealcam_hub.notices import ENDS
from sealcam_hub.offsite_errors import Away
from sealcam_hub.offsite_settings import FILE, Settings, save
from sealcam_hub.offsite_worker import OffsiteWorker
from sealcam_hub.pump import Pump, RecordingLink
from sealcam_hub.receive import Receiver
from sealcam_hub.upkeep import Upkeep, disk_of
from tests.hubs import NS, WALL_NS, Camera, opened
from tests.unit.hub.test_upgrade import old_hub

DAY_S = 24 * 3600
GB = 1_000_000_000


@dataclass
class Room:
    """A hub, one camera, and what the hub looks after."""

    home: Home
    clock: SimulatedClock
    camera: Camera
    pump: Pump
    link: RecordingLink
    feed: Feed
    upkeep: Upkeep
    free: int = 100 * GB

    def hears(self, *envelopes: bytes) -> None:
        for envelope in envelopes:
            self.pump.deliver(self.camera.alias, envelope)
        while self.pump.run_once(self.link, 0):
            pass

    def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.upkeep.run_once()

    def told(self) -> list[tuple[str, str]]:
        return [(one.camera_name, one.kind) for one in reversed(self.home.ledger().notices())]

    def stands(self) -> tuple[list[str], list[str]]:
        """The kinds of notices of the camera that aren't over: in the console, and as problems in Home Assistant."""
        self.hears(self.camera.beat(queued=1))
        look = Look(self.home)
        look.refresh()
        (seen,) = look.seen()
        kinds = [one.kind for one in self.home.ledger().standing_notices() if one.alias == self.camera.alias]
        return kinds, states.standing(seen.notices, self.clock.wall_ns(), seen.lasting)

    def texts(self) -> list[str]:
        return [one.text for one in reversed(self.home.ledger().notices())]


def kept(home: Home) -> Upkeep:
    return Upkeep(home, Feed(), lambda: True, lambda: (100 * GB, 200 * GB))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with opened(tmp_path / "hub") as home:
        assert isinstance(home.clock, SimulatedClock)
        camera, feed, link = Camera(), Feed(), RecordingLink()
        camera.claim(home)
        camera.clock = home.clock
        pump = Pump(Receiver(home.store, home.keys, home.clock), home.wishes(), feed, home.clock)
        made = Room(home, home.clock, camera, pump, link, feed, kept(home))
        made.upkeep = Upkeep(home, feed, lambda: link.up, lambda: (made.free, 200 * GB))
        made.upkeep.run_once()
        yield made


def test_a_hub_with_nothing_wrong_says_nothing(room: Room) -> None:
    for _ in range(5):
        room.hears(room.camera.beat())
        room.passes(61)
    assert room.told() == []


def test_a_disk_that_fills_up_is_told_once_and_so_is_its_room(room: Room) -> None:
    with room.feed.subscribe() as page:
        room.free = 2 * GB
        for _ in range(3):
            room.passes(61)
        assert room.told() == [(THE_HUB, "disk")]
        assert "2000 MB left" in room.texts()[0]
        assert page.get(0) == "notice"
        assert page.get(0) is None
    room.free = round(4.5 * GB)  # not enough to call it over
    room.passes(61)
    assert room.told() == [(THE_HUB, "disk")]
    room.free = 20 * GB
    room.passes(61)
    room.passes(61)
    assert room.told() == [(THE_HUB, "disk"), (THE_HUB, "disk-room")]


def test_a_cameras_own_disk_that_fills_up_is_told_once_and_so_is_its_room(room: Room) -> None:
    def beats(times: int, free_mib: int, clips_mib: int) -> None:
        storage = Storage(disk_mib=29_820, free_mib=free_mib, clips_mib=clips_mib, clips_most_mib=4096)
        for _ in range(times):
            room.hears(room.camera.beat(storage=storage))
            room.clock.advance(20)

    beats(5, 96, 4000)  # clips have filled it, and make room as they must
    beats(2, 100, 10)
    assert room.told() == []
    beats(3, 100, 10)
    assert room.told() == [("Door", "disk")]
    assert room.texts()[0].startswith("the camera's own disk is nearly full: 104 MB are free")
    assert [one.kind for one in room.home.ledger().standing_notices()] == ["disk"]
    (shown,) = room.home.ledger().cameras()
    assert shown.storage is not None
    assert shown.storage.low
    room.hears(room.camera.beat())  # one that doesn't tell changes nothing of it
    beats(1, 300, 10)  # not enough to call it over
    assert room.told() == [("Door", "disk")]
    beats(2, 5000, 10)
    assert room.told() == [("Door", "disk"), ("Door", "disk-room")]
    assert room.home.ledger().standing_notices() == ()


def test_what_is_not_over_stands_among_the_notices_until_it_is(room: Room) -> None:
    def standing() -> list[tuple[str, str]]:
        return [(one.camera_name, one.kind) for one in room.home.ledger().standing_notices()]

    assert standing() == []
    room.free = 2 * GB
    room.passes(61)
    room.hears(*(wrong(room.camera, 400) for _ in range(3)))
    assert sorted(standing()) == [("Door", "clock"), (THE_HUB, "disk")]
    room.passes(40 * DAY_S)
    assert (THE_HUB, "disk") in standing(), "however old it is"
    with room.home.store.writing() as connection:
        expulsion.expel(connection, room.camera.alias)
    assert {name for name, _ in standing()} == {THE_HUB}, "what is no camera of this home says nothing"
    room.free = 20 * GB
    room.passes(61)
    assert (THE_HUB, "disk") not in standing()


def test_a_hub_that_starts_again_tells_neither_twice_nor_forgets_the_end(room: Room) -> None:
    room.free = 2 * GB
    room.passes(61)
    Upkeep(room.home, Feed(), lambda: True, lambda: (2 * GB, 200 * GB)).run_once()
    assert room.told() == [(THE_HUB, "disk")]
    kept(room.home).run_once()
    assert room.told() == [(THE_HUB, "disk"), (THE_HUB, "disk-room")]


def test_the_broker_that_is_away_for_a_minute_is_told(room: Room) -> None:
    room.link.up = False
    for _ in range(11):
        room.passes(5)
    assert room.told() == []
    room.passes(6)
    room.passes(600)
    assert room.told() == [(THE_HUB, "broker")]
    room.link.up = True
    room.passes(5)
    room.passes(5)
    assert room.told() == [(THE_HUB, "broker"), (THE_HUB, "broker-back")]


def test_a_hub_that_was_started_again_meanwhile_says_that_the_broker_is_back(room: Room) -> None:
    room.link.up = False
    room.passes(5)
    room.passes(61)
    kept(room.home).run_once()
    assert room.told() == [(THE_HUB, "broker"), (THE_HUB, "broker-back")]


STORE = Settings("http://localhost:9", "bucket", "access", "secret")


class Store:
    """A store of which nothing is asked; while it is away, everything fails."""

    def __init__(self) -> None:
        self.away, self.put_names = False, set[str]()

    def put(self, name: str, _data: bytes, _locked_ns: int = 0) -> None:
        if self.away:
            raise Away("the store can't be reached")
        self.put_names.add(name)

    def delete(self, name: str) -> None:
        if self.away:
            raise Away("the store can't be reached")
        self.put_names.discard(name)

    def close(self) -> None:
        pass


def lag(room: Room, worker: OffsiteWorker, minutes: int) -> None:
    """Let that time pass; the copier looks as often as it may, and upkeep each minute."""
    for _ in range(minutes):
        room.passes(61)
        worker.look()


@pytest.fixture
def copied(room: Room) -> Iterator[tuple[Store, OffsiteWorker]]:
    """A store that the room's hub copies to, and who does."""
    save(room.home.folder, STORE)
    remote = Store()
    worker = OffsiteWorker(room.home, lambda _chosen: remote)
    lag(room, worker, 2)
    assert remote.put_names
    yield remote, worker
    worker.stop()


def test_an_off_site_copy_that_lags_for_an_hour_is_told_once_and_so_is_its_end(
    room: Room, copied: tuple[Store, OffsiteWorker]
) -> None:
    remote, worker = copied
    remote.away = True
    room.hears(room.camera.incident(1))
    lag(room, worker, 58)
    assert room.told() == []
    lag(room, worker, 60)
    assert room.told() == [(THE_HUB, "offsite")]
    assert "the off-site copy lags by 1 hour: " in room.texts()[0]
    again = kept(room.home)
    again.run_once()  # a hub that starts again
    assert room.told() == [(THE_HUB, "offsite")]
    remote.away = False
    lag(room, worker, 12)  # the copier waits for up to ten minutes between two tries
    assert room.told() == [(THE_HUB, "offsite"), (THE_HUB, "offsite-again")]
    lag(room, worker, 70)
    assert len(room.told()) == 2


def test_a_copy_of_an_old_ledger_has_an_hour_to_begin_with_and_a_night_off_is_no_lag(room: Room) -> None:
    room.hears(room.camera.incident(1))
    room.passes(DAY_S)
    save(room.home.folder, STORE)
    remote = Store()
    worker = OffsiteWorker(room.home, lambda _chosen: remote)
    remote.away = True
    worker.look()
    lag(room, worker, 30)
    assert room.told() == []
    remote.away = False
    lag(room, worker, 12)
    room.hears(room.camera.incident(2))
    room.clock.advance(DAY_S)  # off all night
    upkeep = kept(room.home)
    upkeep.run_once()
    worker.look()
    room.clock.advance(61)
    upkeep.run_once()
    assert room.told() == []
    worker.stop()


def test_a_copy_that_its_owner_ends_lags_no_more(room: Room, copied: tuple[Store, OffsiteWorker]) -> None:
    remote, worker = copied
    remote.away = True
    room.hears(room.camera.incident(1))
    lag(room, worker, 70)
    assert room.told() == [(THE_HUB, "offsite")]
    room.home.folder.remove(FILE)
    lag(room, worker, 2)
    assert room.told()[1:] == [(THE_HUB, "offsite-again")]
    assert "nothing is copied off site any more" in room.texts()[1]


def test_a_file_of_the_store_that_can_not_be_meant_is_a_lag_and_ends_nothing(
    room: Room, copied: tuple[Store, OffsiteWorker]
) -> None:
    _, worker = copied
    room.home.folder.write(FILE, b"bucket = 1")
    lag(room, worker, 70)
    assert room.told() == [(THE_HUB, "offsite")]


def test_a_certificate_near_its_end_is_told_then_its_end_then_that_it_was_renewed(room: Room) -> None:
    room.passes(22 * DAY_S)
    assert room.told() == []
    room.passes(DAY_S)
    assert room.told() == [("Door", "certificate")]
    assert "ends within 7 days" in room.texts()[0]
    room.passes(8 * DAY_S)
    room.passes(DAY_S)
    assert room.told() == [("Door", "certificate")] * 2
    assert "has ended" in room.texts()[1]
    room.camera.claim(room.home)
    room.passes(61)
    room.passes(61)
    assert room.told()[2:] == [("Door", "renewed")]


def test_a_camera_that_was_claimed_before_ends_were_kept_counts_from_then(room: Room) -> None:
    with room.home.store.writing() as connection:
        connection.execute(certificate_ends.delete())
    room.passes(24 * DAY_S)
    assert room.told() == [("Door", "certificate")]


def test_the_hubs_own_certificates_and_its_brokers_are_looked_at(room: Room) -> None:
    now = dt.datetime.fromtimestamp(WALL_NS / 1e9, dt.UTC)
    authority = room.home.authority()
    room.home.folder.write("link/link.pem", short(authority, now, 20))
    room.passes(61)
    assert room.told() == [(THE_HUB, "certificate")]
    assert "link/link.pem ends within 20 days" in room.texts()[0]
    room.passes(21 * DAY_S)
    assert "link/link.pem has ended" in room.texts()[1]
    room.home.folder.write("link/link.pem", short(authority, now, 900))
    room.passes(61)
    assert [one for one in room.told() if one[0] == THE_HUB][-1] == (THE_HUB, "renewed")


def short(authority: ca.Authority, now: dt.datetime, left: int) -> bytes:
    """A certificate that ends in so many days."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    life = (now - dt.timedelta(days=400), now + dt.timedelta(days=left))
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    builder = ca._leaf(authority, "hub", public, life, ExtendedKeyUsageOID.CLIENT_AUTH)
    return ca.public_pem(builder.sign(authority.key, hashes.SHA256()))


def wrong(camera: Camera, seconds: int, quality: ClockQuality = ClockQuality.SYNCHRONISED) -> bytes:
    """A beat whose wall clock is ahead by that much."""
    right = camera.stamp

    def stamp(boot_ns: int = 0) -> Stamp:
        found = right(boot_ns)
        return replace(found, wall_ns=found.wall_ns + seconds * NS, quality=quality)

    camera.stamp = stamp  # type: ignore[method-assign]
    try:
        return camera.beat()
    finally:
        camera.stamp = right  # type: ignore[method-assign]


def test_a_clock_that_runs_away_is_told_after_a_minute_and_so_is_its_return(room: Room) -> None:
    for seconds in (300, 320):
        room.hears(wrong(room.camera, seconds))
        room.clock.advance(20)
    assert room.told() == []
    for seconds in (340, 360, 90):
        room.hears(wrong(room.camera, seconds))
        room.clock.advance(20)
    assert room.told() == [("Door", "clock")]
    assert "5 minutes apart" in room.texts()[0]
    room.hears(wrong(room.camera, 10))
    assert room.told() == [("Door", "clock"), ("Door", "clock-right")]


def test_one_beat_out_of_three_tells_nothing_nor_does_a_clock_that_claims_nothing(room: Room) -> None:
    for seconds in (300, 300, 0, 300, 300, 0):
        room.hears(wrong(room.camera, seconds))
        room.clock.advance(20)
    for _ in range(5):
        room.hears(wrong(room.camera, 10**8, ClockQuality.UNKNOWN))
        room.clock.advance(20)
    assert room.told() == []


def test_the_hubs_own_clock_being_set_is_told(room: Room) -> None:
    room.passes(61)
    room.clock._wall_ns += 3600 * NS
    room.passes(61)
    room.passes(61)
    assert room.told() == [(THE_HUB, "clock")]
    assert "was set by 60 minutes" in room.texts()[0]


def test_a_gap_is_over_when_what_was_missing_has_come(room: Room) -> None:
    first, second, third = (room.camera.incident(number) for number in range(3))
    room.hears(first, third)
    room.pump.run_once(room.link, 0)
    for _ in range(3):
        room.clock.advance(61)
        room.pump.run_once(room.link, 0)
    assert ("Door", "gap") in room.told()

    assert room.stands() == (["gap"], ["gap"])
    room.passes(2 * DAY_S)
    assert ("Door", "filled") not in room.told()
    assert room.stands() == (["gap"], ["gap"]), "however old it is"
    room.hears(second)
    room.passes(61)
    assert room.stands() == ([], [])
    room.passes(61)
    assert [one for one in room.told() if one[1] == "filled"] == [("Door", "filled")]
    assert "(2) has come after all" in room.texts()[-1]
    gap, filled = (next(one for one in room.home.ledger().notices() if one.kind == kind) for kind in ("gap", "filled"))
    assert gap.subject == filled.subject == "2"


def test_a_gap_that_was_told_is_not_told_again_when_it_is_known_to_stay(room: Room) -> None:
    first, _, third = (room.camera.incident(number) for number in range(3))
    room.hears(first, third)
    for _ in range(2):
        room.clock.advance(61)
        room.pump.run_once(room.link, 0)
    room.hears(room.camera.beat(queued=0))
    room.passes(61)
    assert [kind for _, kind in room.told() if kind in ("gap", "filled")] == ["gap", "filled"]
    assert "(2) will never come" in room.texts()[-1]


def test_of_a_gap_that_reaches_further_than_was_told_the_rest_is_told(room: Room) -> None:
    events = [room.camera.incident(number) for number in range(3)]
    room.hears(events[0], room.camera.beat(queued=1))
    for _ in range(2):
        room.clock.advance(61)
        room.pump.run_once(room.link, 0)
    for number in range(3, 40):
        room.camera.incident(number)
    room.hears(room.camera.beat(queued=0))
    room.passes(61)
    gaps = [text for text in room.texts() if "not arrived" in text]
    assert ["(2 to 3)" in gaps[0], "37 events have not arrived (4 to 40)" in gaps[1]] == [True, True]
    assert sum("will never come" in text for text in room.texts()) == 2


def test_a_camera_that_drops_what_had_not_come_is_told_once_a_day(room: Room) -> None:
    room.hears(room.camera.incident(1))
    head = room.camera.head
    room.camera.seq += 2
    room.camera.head = bytes(32)
    room.hears(room.camera.loss((2, 3, bytes(32))))
    assert head != bytes(32)
    room.passes(61)
    assert room.told()[-1] == ("Door", "disk")
    assert "it dropped reports or clips" in room.texts()[-1]
    count = len(room.told())
    room.hears(room.camera.incident(2, clip=room.camera.clip_key(5)), room.camera.clip(5, ClipState.EVICTED))
    room.passes(61)
    assert len(room.told()) == count
    room.passes(DAY_S)
    room.hears(room.camera.clip(5, ClipState.EVICTED))
    room.passes(61)
    assert room.told()[-1] == ("Door", "disk")
    assert len(room.told()) == count + 1


def test_it_all_stands_in_the_ledger_in_order(room: Room) -> None:
    room.hears(room.camera.incident(1))
    room.free = GB
    room.passes(61)
    room.hears(room.camera.incident(2))
    lines = [event for event, _ in Reader(room.home.ledger(), Choice()).fresh()]
    assert [(one.type, one.camera) for one in lines] == [
        ("incident", "Door"),
        ("notice", THE_HUB),
        ("incident", "Door"),
    ]
    assert lines[1].text[1] == "disk"
    assert [one for one, _ in Reader(room.home.ledger(), Choice(camera="Door")).fresh()] == [lines[0], lines[2]]
    assert room.home.ledger().counts().notices == 1


def test_an_older_ledger_gets_the_tables(tmp_path: Path) -> None:
    folder, _, _ = old_hub(tmp_path / "hub")
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        kept(home).run_once()
        assert home.ledger().notices() == ()


def test_near_is_a_matter_of_numbers() -> None:
    day_ns = DAY_S * NS
    assert certificate_left(0, 28 * day_ns, 20 * day_ns) is Left.ENOUGH
    assert certificate_left(0, 28 * day_ns, 21 * day_ns) is Left.LITTLE
    assert certificate_left(0, 18_000 * day_ns, 17_960 * day_ns) is Left.ENOUGH
    assert certificate_left(0, 18_000 * day_ns, 17_970 * day_ns) is Left.LITTLE
    assert certificate_left(0, 28 * day_ns, 28 * day_ns) is Left.NOTHING
    assert (days(1), days(day_ns), days(-5)) == (1, 1, 0)
    assert [disk_low(free * GB, 32 * GB) for free in (1, 2, 3)] == [True, None, False]
    assert disk_low(4 * GB, 8000 * GB)
    assert [card_low(*room) for room in ((47, 9000), (48, 9000), (64, 320), (64, 319))] == [True, None, False, None]
    assert [card_low(*room) for room in ((255, 0), (256, 0), (383, 0), (384, 0))] == [True, None, None, False]
    assert [between(value, 10, 5) for value in (10, 7, 5)] == [True, None, False]
    assert apart_s(Stamp(boot=b"b" * 16, boot_ns=0, wall_ns=0, quality=ClockQuality.UNKNOWN), NS) is None
    assert len(set(ENDS.values())) == len(ENDS)


def test_the_disk_is_the_one_of_the_hubs_folder(room: Room) -> None:
    free, size = disk_of(room.home)
    assert 0 <= free <= size


def test_notices_are_found_by_their_time_and_camera(room: Room) -> None:
    start_ns = room.clock.wall_ns()
    room.free = GB
    room.passes(61)
    room.passes(23 * DAY_S)
    ledger, until_ns = room.home.ledger(), room.clock.wall_ns() + 1
    found = ledger.notices_between(start_ns, until_ns, "", 50)
    assert [(one.camera_name, one.kind) for one in found] == [("Door", "certificate"), (THE_HUB, "disk")]
    assert ledger.notices_between(start_ns, until_ns, room.camera.alias, 50) == found[:1]
    assert ledger.notices_between(start_ns, found[0].at_ns, "", 50) == found[1:]
    assert ledger.notices_between(start_ns, until_ns, "", 1) == found[:1]
