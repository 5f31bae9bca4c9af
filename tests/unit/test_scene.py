"""The scene: what the owner commands of zones, masks and times counts at once, and after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealcam import config
from sealcam.clocks import KnownTime, SimulatedClock
from sealcam.commands import Declined
from sealcam.duties import Duties
from sealcam.files import write_whole
from sealcam.following import WAITS_S, Following
from sealcam.keystore import Keystore
from sealcam.orders import Order
from sealcam.outbox import Outbox
from sealcam.privacy import Privacy
from sealcam.replay_orders import RecordedOrders
from sealcam.reset import Places, reset
from sealcam.scene import Scene
from sealcam.scene_settings import MaskSettings, SceneSettings, ScheduleSettings, ZoneSettings
from sealcam.sealer import Sealer, Watching
from sealcam.sealing import Sealing
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode
from sealcam.sight.watch import Watch
from sealcam.sight.zones import ZoneKind
from sealcam.stamps import Stamps
from sealcam.wire import schema
from sealcam.wire.bodies import ClockQuality, EventType, HealthBody, Mode, Outcome, Traffic
from sealcam.wire.errors import ConfigError
from sealcam.wire.wishes import (
    ArmBody,
    CommandType,
    Mask,
    MasksWish,
    ScheduleEntry,
    ScheduleWindow,
    ScheduleWish,
    Zone,
    ZonesWish,
)
from sealcam.wire.wishes import ZoneKind as Kind
from tests.claimed import Household, household
from tests.scenes import ToldDetector

WHOLE = (0, 0, 1000, 0, 1000, 1000, 0, 1000)
DOOR = Zone(name="the door", kind=Kind.ENTRY, corners=(400, 500, 600, 500, 600, 1000, 400, 1000))
STREET = ZoneSettings("the street", ZoneKind.IGNORE, ((0.0, 0.0), (1.0, 0.0), (1.0, 0.4), (0.0, 0.4)))
NIGHTS = ScheduleWish(
    entries=(ScheduleEntry(days=127, from_minute=1320, to_minute=360, mode=Mode.NIGHT),),
    zone="Europe/Berlin",
    expected=(ScheduleWindow(days=1, from_minute=540, to_minute=720),),
)
EVENING = round(datetime(2026, 11, 22, 22, 30, tzinfo=UTC).timestamp()) * 10**9  # a Sunday, 23:30 in Berlin
NOON = round(datetime(2026, 11, 22, 11, 0, tzinfo=UTC).timestamp()) * 10**9


@dataclass
class _Unit:
    """One camera's keys and folder, and a time of day that may be unknown."""

    folder: Path
    home: Household
    settings: SceneSettings
    now_ns: int | None = None

    @property
    def keys(self) -> Keystore:
        return self.home.camera

    def start(self) -> Scene:
        """As after a restart."""
        return Scene(self.folder / "scene", self.keys.wrapping, self.settings, ArmMode.HOME, lambda: self.now_ns)


@pytest.fixture
def unit(tmp_path: Path) -> _Unit:
    return _Unit(tmp_path, household(tmp_path), SceneSettings())


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(tmp_path / "outbox.db", max_bytes=1 << 22)
    yield made
    made.close()


def test_what_is_commanded_counts_at_once_and_after_a_restart(unit: _Unit) -> None:
    scene = unit.start()
    scene.take_zones(ZonesWish(zones=(DOOR,)))
    scene.take_masks(MasksWish(masks=(Mask(corners=WHOLE),)))
    scene.take_schedule(NIGHTS)
    for known in (scene, unit.start()):
        assert [(zone.name, zone.kind) for zone in known.place.zones] == [("the door", ZoneKind.ENTRY)]
        assert known.place.zones[0].area.corners[0] == (0.4, 0.5)
        assert len(known.place.masks) == 1
        assert known.timetable is not None
        assert len(known.timetable.entries) == len(known.timetable.expected) == 1
    scene.take_zones(ZonesWish(zones=()))
    assert unit.start().place.zones == ()
    assert len(unit.start().place.masks) == 1, "each command changes its own part"


def test_a_command_counts_over_the_configuration_part_by_part(unit: _Unit) -> None:
    unit.settings = SceneSettings(
        zones=(STREET,), masks=(MaskSettings(STREET.corners),), schedule=ScheduleSettings(zone="UTC")
    )
    scene = unit.start()
    assert [zone.name for zone in scene.place.zones] == ["the street"]
    scene.take_zones(ZonesWish(zones=()))
    assert (scene.place.zones, len(scene.place.masks)) == ((), 1)
    scene.take_masks(MasksWish(masks=()))
    assert unit.start().place == scene.place
    assert unit.start().timetable == unit.settings.timetable


def test_a_thief_reads_neither_zones_nor_times_in_the_file(unit: _Unit) -> None:
    scene = unit.start()
    scene.take_zones(ZonesWish(zones=(DOOR,)))
    scene.take_schedule(NIGHTS)
    content = (unit.folder / "scene").read_bytes()
    assert b"door" not in content
    assert b"Berlin" not in content


def _damage(unit: _Unit, *names: str) -> None:
    for name in names:
        content = (unit.folder / name).read_bytes()
        write_whole(unit.folder / name, content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize("name", ["scene", "scene.before"])
def test_one_damaged_file_loses_neither_masks_nor_how_it_was_armed(unit: _Unit, name: str) -> None:
    before = unit.start()
    before.take_masks(MasksWish(masks=(Mask(corners=(0, 0, 100, 0, 100, 100)),)))
    before.arm(ArmMode.AWAY)
    _damage(unit, name)
    scene = unit.start()
    assert (scene.lost, scene.restored) == (False, name == "scene")
    assert scene.place == before.place
    assert scene.order().mode is ArmMode.AWAY
    assert not unit.start().restored, "it was written again"


def test_a_camera_that_does_not_know_how_it_was_armed_is_armed_away_until_it_is_told(unit: _Unit) -> None:
    unit.start().arm(ArmMode.OFF)
    _damage(unit, "scene", "scene.before")
    assert unit.start().order().mode is ArmMode.AWAY
    unit.start().arm(ArmMode.OFF)
    assert unit.start().order().mode is ArmMode.OFF
    assert unit.start().lost, "the masks are lost still"


def test_a_damaged_file_masks_everything_until_masks_are_sent_again(unit: _Unit) -> None:
    unit.start().take_masks(MasksWish(masks=(Mask(corners=(0, 0, 100, 0, 100, 100)),)))
    _damage(unit, "scene", "scene.before")
    scene = unit.start()
    assert scene.lost
    assert scene.place.masks[0].area == 1.0
    scene.take_zones(ZonesWish(zones=(DOOR,)))
    assert scene.place.masks[0].area == 1.0, "another command doesn't lift it"
    scene.take_masks(MasksWish(masks=()))
    assert (scene.lost, scene.place.masks) == (False, ())


def test_a_loss_outlives_a_command_of_something_else_and_a_restart(unit: _Unit) -> None:
    write_whole(unit.folder / "scene", b"rubbish")
    unit.start().take_zones(ZonesWish(zones=(DOOR,)))
    again = unit.start()
    assert again.lost
    assert again.place.masks[0].area == 1.0


def test_the_schedule_arms_and_the_owners_hand_holds_until_it_says_otherwise(unit: _Unit) -> None:
    unit.now_ns = NOON
    scene = unit.start()
    scene.take_schedule(NIGHTS)
    assert scene.order() == Order(ArmMode.HOME, ruled=True)
    unit.now_ns = EVENING
    assert scene.order() == Order(ArmMode.NIGHT, scheduled=True, ruled=True)
    scene.arm(ArmMode.OFF)
    assert scene.order() == unit.start().order() == Order(ArmMode.OFF)
    unit.now_ns = EVENING + 6 * 3600 * 10**9 + 1800 * 10**9
    assert scene.order() == unit.start().order() == Order(ArmMode.HOME, ruled=True)


def test_how_it_was_armed_by_hand_outlives_a_restart(unit: _Unit) -> None:
    unit.start().arm(ArmMode.AWAY)
    assert unit.start().order().mode is ArmMode.AWAY


def test_a_wall_clock_that_steps_back_is_followed(unit: _Unit) -> None:
    unit.now_ns = EVENING
    scene = unit.start()
    scene.take_schedule(NIGHTS)
    assert scene.order().mode is ArmMode.NIGHT
    unit.now_ns = NOON
    assert scene.order().mode is ArmMode.HOME


def test_what_makes_no_sense_is_refused_whole_and_changes_nothing(unit: _Unit, outbox: Outbox) -> None:
    scene = unit.start()
    handlers = Duties(outbox, Privacy(unit.folder / "privacy"), scene).handlers
    scene.take_masks(MasksWish(masks=(Mask(corners=(0, 0, 100, 0, 100, 100)),)))
    before = scene.place
    crossing = (0, 0, 1000, 1000, 1000, 0, 0, 1000)
    bad = [
        (CommandType.MASKS, MasksWish(masks=(Mask(corners=WHOLE), Mask(corners=crossing))), "mask 2: the edges"),
        (CommandType.MASKS, MasksWish(masks=(Mask(corners=(0, 0, 500, 500, 999, 999)),)), "next to nothing"),
        (CommandType.MASKS, MasksWish(masks=(Mask(corners=WHOLE),) * 65), "at most 64"),
        (CommandType.ZONES, ZonesWish(zones=(Zone(name=" ", kind=Kind.WATCH, corners=WHOLE),)), "name"),
        (CommandType.ZONES, ZonesWish(zones=(Zone(name="bed", kind=Kind.WATCH, corners=crossing),)), "zone 'bed'"),
        (CommandType.ZONES, ZonesWish(zones=(DOOR, DOOR)), "2 zones are named 'the door'"),
        (CommandType.SCHEDULE, ScheduleWish(entries=NIGHTS.entries, zone="Nowhere/Atall"), "no time zone"),
        (CommandType.SCHEDULE, ScheduleWish(entries=NIGHTS.entries * 65, zone="UTC"), "at most 64"),
        (
            CommandType.SCHEDULE,
            ScheduleWish(entries=(), zone="UTC", expected=(ScheduleWindow(days=0, from_minute=0, to_minute=1),)),
            "no days",
        ),
    ]
    for kind, wish, said in bad:
        with pytest.raises(Declined) as caught:
            handlers[kind](wish)
        assert caught.value.outcome is Outcome.UNREADABLE
        assert said in caught.value.detail
    assert scene.place is before
    assert scene.timetable is None


def test_the_answers_say_what_is_in_force(unit: _Unit, outbox: Outbox) -> None:
    handlers = Duties(outbox, Privacy(unit.folder / "privacy"), unit.start()).handlers
    assert handlers[CommandType.ZONES](ZonesWish(zones=(DOOR,))) == "1 zone is in force: the door"
    everything = ZonesWish(zones=(DOOR, Zone(name="all", kind=Kind.IGNORE, corners=WHOLE)))
    assert handlers[CommandType.ZONES](everything).startswith("2 zones are in force: the door, all; they leave nothing")
    assert "whole picture" in handlers[CommandType.ZONES](ZonesWish(zones=()))
    assert handlers[CommandType.MASKS](MasksWish(masks=(Mask(corners=WHOLE),) * 2)) == "2 masks are in force"
    assert "isn't known yet" in handlers[CommandType.SCHEDULE](NIGHTS)
    unit.now_ns = EVENING
    assert handlers[CommandType.SCHEDULE](NIGHTS) == "the schedule is in force: armed night now"
    assert handlers[CommandType.ARM](ArmBody(mode=Mode.OFF)) == "armed: off, until the schedule next says otherwise"
    assert "stays armed off" in handlers[CommandType.SCHEDULE](ScheduleWish(entries=(), zone=""))


def test_two_zones_of_one_name_in_the_configuration_are_an_error_that_names_it() -> None:
    with pytest.raises(ConfigError, match="2 zones are named 'the street'") as caught:
        SceneSettings(zones=(STREET, STREET))
    assert caught.value.hint


def _following(unit: _Unit, outbox: Outbox, clock: SimulatedClock) -> tuple[Scene, Following]:
    stamps = Stamps(clock, lambda: ClockQuality.UNKNOWN)
    sealing = Sealing(unit.keys, outbox, stamps.now)
    watching = Watching(frames=0, dropped=0, newest_ns=0, mode=ArmMode.HOME)
    sealer = Sealer(sealing, clock, lambda: watching, stamps, Traffic.INSTANT)
    scene = unit.start()
    watch = Watch(ToldDetector(lambda _: ()), SightSettings(), str, scene.order().mode)
    return scene, Following(scene, watch, sealer, clock)


def _health(unit: _Unit, outbox: Outbox) -> list[tuple[str, bool]]:
    """The codes of the health events that are queued, and whether they are urgent."""
    found = []
    while (item := outbox.next(0)) is not None:
        opened = unit.home.open(item.envelope)
        if opened.kind == EventType.HEALTH:
            found.append((schema.decode(opened.body, HealthBody).code, item.urgency == 0))
        outbox.published(item.seq, 0)
    return found


def test_a_schedule_that_waits_for_the_time_of_day_is_told_once(unit: _Unit, outbox: Outbox) -> None:
    unit.start().take_schedule(NIGHTS)
    clock = SimulatedClock(boot_ns=10**12)
    scene, following = _following(unit, outbox, clock)
    following.take()
    clock.advance(WAITS_S + 1)
    for _ in range(3):
        following.take()
    assert following.order.waiting
    unit.now_ns = EVENING
    assert following.take()
    assert following.order == scene.order() == Order(ArmMode.NIGHT, scheduled=True, ruled=True)
    assert _health(unit, outbox) == [("schedule-waits", True)]


def test_a_schedule_that_never_arms_waits_without_alarm(unit: _Unit, outbox: Outbox) -> None:
    entry = replace(NIGHTS.entries[0], mode=Mode.OFF)
    unit.start().take_schedule(replace(NIGHTS, entries=(entry,)))
    clock = SimulatedClock(boot_ns=10**12)
    _, following = _following(unit, outbox, clock)
    following.take()
    clock.advance(WAITS_S + 1)
    following.take()
    assert _health(unit, outbox) == [("schedule-waits", False)]


def test_a_scene_that_was_lost_is_told_once(unit: _Unit, outbox: Outbox) -> None:
    write_whole(unit.folder / "scene", b"rubbish")
    _, following = _following(unit, outbox, SimulatedClock(boot_ns=10**12))
    following.take()
    following.take()
    assert _health(unit, outbox) == [("scene-lost", True)]


def test_a_scene_that_came_from_its_copy_is_told_once(unit: _Unit, outbox: Outbox) -> None:
    unit.start().arm(ArmMode.NIGHT)
    _damage(unit, "scene")
    _, following = _following(unit, outbox, SimulatedClock(boot_ns=10**12))
    following.take()
    following.take()
    assert following.order.mode is ArmMode.NIGHT
    assert _health(unit, outbox) == [("scene-restored", False)]


def test_the_time_of_day_counts_from_when_the_kernel_first_knows_it() -> None:
    clock, answers = SimulatedClock(boot_ns=0, wall_ns=77), [False, True]
    known = KnownTime(clock, lambda: answers.pop(0))
    assert known() is None
    assert known() is None, "it is asked once a second"
    clock.advance(1)
    assert known() == 77 + 10**9
    clock.advance(1)
    assert known() == 77 + 2 * 10**9, "and never again once it is known"


def test_a_reset_destroys_it(unit: _Unit, tmp_path: Path) -> None:
    unit.start().take_zones(ZonesWish(zones=(DOOR,)))
    places = Places(unit.folder, tmp_path / "post", tmp_path / "eye.sock")
    assert {unit.folder / "scene", unit.folder / "scene.before"} <= set(places.doomed())
    write_whole(unit.folder / "keys", b"none")  # nobody to say farewell to
    reset(places, SimulatedClock(), lambda _: None)
    assert not list(unit.folder.glob("scene*"))


TOML = """
[[scene.zones]]
name = "the street"
kind = "ignore"
corners = [[0, 0], [1, 0], [1, 0.4], [0, 0.4]]

[[scene.masks]]
corners = [[0.8, 0.1], [1.0, 0.1], [1.0, 0.3]]

[scene.schedule]
zone = "Europe/Berlin"

[[scene.schedule.entries]]
days = ["mon", "fri"]
from = "22:30"
to = "06:00"
mode = "night"

[[scene.schedule.expected]]
from = "09:00"
to = "12:00"
"""


def test_the_configuration_draws_and_orders_as_commands_do(tmp_path: Path) -> None:
    path = tmp_path / "sealcam.toml"
    path.write_text(TOML)
    scene = config.load(path).scene
    assert [(zone.name, zone.kind) for zone in scene.place.zones] == [("the street", ZoneKind.IGNORE)]
    assert scene.place.masks[0].corners == ((0.8, 0.1), (1.0, 0.1), (1.0, 0.3))
    assert scene.timetable is not None
    assert scene.timetable.entries[0].window.days == {0, 4}
    assert (scene.timetable.entries[0].window.from_minute, scene.timetable.entries[0].mode) == (1350, ArmMode.NIGHT)
    assert scene.timetable.expected[0].days == set(range(7))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[1, 0.4], [0, 0.4]", "[0, 0.4], [1, 0.4]", "cross or touch"),
        ("[0, 0], [1, 0]", "[0, 0], [1, 7]", "outside the picture"),
        ("[0, 0], [1, 0]", "[0, 0, 3], [1, 0]", "two numbers"),
        ("[0, 0], [1, 0]", '["a", 0], [1, 0]', "scene.zones[0].corners[0][0]"),
        ('"ignore"', '"igmore"', "scene.zones[0].kind"),
        ('name = "the street"', "", "scene.zones[0].name is missing"),
        ('kind = "ignore"', 'kimd = "ignore"', "unknown key scene.zones[0].kimd"),
        ('"fri"', '"friday"', "no day 'friday'"),
        ('"22:30"', '"22.30"', "time of day"),
        ('"Europe/Berlin"', '"Berlin"', "no time zone 'Berlin'"),
        ('from = "09:00"', "", "scene.schedule.expected[0].from is missing"),
        ("[scene.schedule]", "[scene.shedule]", "scene."),
    ],
)
def test_a_mistake_in_it_is_told_by_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "sealcam.toml"
    path.write_text(TOML.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert said in caught.value.message
    assert str(path) in caught.value.message


def test_a_recording_is_judged_by_the_schedule_of_when_it_was_made(tmp_path: Path) -> None:
    told: list[tuple[ArmMode, bool, bool]] = []

    class Told(Watch):
        def set_mode(self, mode: ArmMode, *, scheduled: bool = False, expected: bool = False) -> None:
            told.append((mode, scheduled, expected))

    path = tmp_path / "sealcam.toml"
    path.write_text(TOML)
    table = config.load(path).scene.timetable
    watch = Told(ToldDetector(lambda _: ()), SightSettings(), str, ArmMode.HOME)
    began = datetime.fromisoformat("2026-11-23T08:59:00+01:00")
    orders = RecordedOrders(watch, table, ArmMode.HOME, began, fixed=False)
    for second in (0, 30, 59, 60, 61, 14 * 3600):
        orders.take(second * 10**9)
    assert told == [(ArmMode.HOME, False, False), (ArmMode.HOME, False, True), (ArmMode.NIGHT, True, False)]
    told.clear()
    fixed = RecordedOrders(watch, table, ArmMode.AWAY, began, fixed=True)
    fixed.take(0)
    fixed.take(60 * 10**9)
    assert told == [(ArmMode.AWAY, False, True)], "a mode that was named is kept"
    assert RecordedOrders(watch, table, ArmMode.AWAY, None, fixed=False).in_vain
    assert not RecordedOrders(watch, None, ArmMode.AWAY, None, fixed=False).in_vain
