"""Orders without the time of day: a camera that the schedule had armed stays armed over a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sealcam.orders import Hand, Order, arms, commanded, order, rescheduled
from sealcam.scene import Scene
from sealcam.scene_settings import SceneSettings
from sealcam.sight.types import ArmMode
from sealcam.timetable import Entry, Timetable, Window, zone_named
from sealcam.wire.bodies import Mode
from sealcam.wire.errors import StorageError
from sealcam.wire.wishes import ScheduleEntry, ScheduleWish, ZonesWish
from sealcam.wrapping import KEY_BYTES, Wrapping

OFF, HOME, AWAY, NIGHT = ArmMode.OFF, ArmMode.HOME, ArmMode.AWAY, ArmMode.NIGHT
EVERY = frozenset(range(7))
TABLE = Timetable((Entry(Window(EVERY, 22 * 60, 6 * 60), NIGHT),), (), zone_named("UTC"))
NIGHTS = ScheduleWish(
    entries=(ScheduleEntry(days=127, from_minute=1320, to_minute=360, mode=Mode.NIGHT),), zone="UTC", expected=()
)


def _at(hour: int, minute: int = 0, day: int = 22) -> int:
    return round(datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp()) * 10**9


class _Camera:
    """A scene over restarts, and a time of day that may be unknown."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now_ns = folder, _at(12)
        self.known = True
        self.start()

    def start(self, *, known: bool = True) -> Scene:
        self.known = known
        wrapping = Wrapping(b"1" * KEY_BYTES)
        self.scene = Scene(self.folder / "scene", wrapping, SceneSettings(), OFF, self._now)
        return self.scene

    def _now(self) -> int | None:
        return self.now_ns if self.known else None


@pytest.fixture
def camera(tmp_path: Path) -> _Camera:
    made = _Camera(tmp_path)
    made.scene.take_schedule(NIGHTS)
    return made


def test_what_the_schedule_had_armed_stays_armed_over_a_restart_without_the_time(camera: _Camera) -> None:
    camera.now_ns = _at(15)
    camera.scene.arm(OFF)
    assert camera.scene.order().mode is OFF
    camera.now_ns = _at(23)
    assert camera.scene.order() == Order(NIGHT, scheduled=True, ruled=True)
    camera.now_ns = _at(23, 5)
    waits = Order(NIGHT, scheduled=True, ruled=True, waiting=True)
    assert camera.start(known=False).order() == waits
    assert camera.start(known=False).order() == waits, "and over another one"
    camera.known, camera.now_ns = True, _at(6, day=23)
    assert camera.scene.order() == Order(OFF, ruled=True)
    assert camera.start(known=False).order().mode is OFF


def test_a_command_after_the_restart_counts_at_once_and_until_the_next_restart_without_the_time(
    camera: _Camera,
) -> None:
    camera.now_ns = _at(23)
    camera.scene.order()
    camera.start(known=False).arm(HOME)
    assert camera.scene.order() == Order(HOME, waiting=True)
    camera.scene.take_zones(ZonesWish(zones=()))
    assert camera.scene.order() == Order(HOME, waiting=True), "another command changes nothing of it"
    assert camera.start(known=False).order().mode is HOME, "it was in force last"


def test_a_command_without_the_time_is_not_renewed_by_a_restart(camera: _Camera) -> None:
    camera.start(known=False).arm(OFF)
    camera.known, camera.now_ns = True, _at(15)
    assert camera.scene.order().mode is OFF
    camera.now_ns = _at(23)
    assert camera.scene.order().mode is NIGHT
    assert camera.start().order().mode is NIGHT
    assert camera.start(known=False).order().mode is NIGHT


@pytest.mark.parametrize(
    ("last", "hand", "configured", "mode"),
    [
        (NIGHT, OFF, AWAY, NIGHT),
        (AWAY, OFF, NIGHT, AWAY),
        (OFF, HOME, OFF, HOME),
        (OFF, OFF, AWAY, OFF),
        (HOME, None, AWAY, HOME),
        (HOME, AWAY, OFF, AWAY),
        (None, OFF, HOME, HOME),
        (None, None, OFF, OFF),
    ],
)
def test_the_most_watchful_of_what_may_be_meant_counts(
    last: ArmMode | None, hand: ArmMode | None, configured: ArmMode, mode: ArmMode
) -> None:
    found, _ = order(TABLE, Hand(hand), configured, None, None if last is None else Order(last))
    assert (found.mode, found.waiting, found.scheduled) == (mode, True, False)
    assert found.ruled == (mode is not (hand or configured)), "a hub must not repeat a command against it"


def test_what_was_in_force_last_counts_for_nothing_where_no_entry_could_have_set_it() -> None:
    visits = replace(TABLE, entries=(), expected=(Window(EVERY, 0, 60),))
    assert order(None, Hand(OFF), HOME, None, Order(NIGHT))[0] == Order(OFF)
    assert order(visits, Hand(OFF), HOME, None, Order(NIGHT))[0] == Order(OFF, waiting=True)
    assert order(TABLE, Hand(OFF), HOME, _at(12), Order(NIGHT))[0].mode is OFF


def test_a_schedule_that_comes_without_the_time_leaves_the_camera_as_it_is() -> None:
    hand = rescheduled(TABLE, commanded(None, Hand(), OFF, None), OFF)
    assert order(TABLE, hand, AWAY, None, Order(NIGHT))[0] == Order(OFF, waiting=True)


def test_a_schedule_that_never_arms_is_known_from_one_that_does() -> None:
    home = replace(TABLE, entries=(Entry(TABLE.entries[0].window, HOME),))
    assert (arms(None), arms(home), arms(TABLE)) == (False, False, True)


def test_an_order_that_can_not_be_kept_counts_nevertheless(camera: _Camera) -> None:
    (camera.folder / "scene").unlink()
    (camera.folder / "scene").mkdir()
    camera.now_ns = _at(23)
    assert camera.scene.order().mode is NIGHT
    camera.now_ns = _at(23, 2)
    assert camera.scene.order().mode is NIGHT
    with pytest.raises(StorageError):
        camera.scene.take_zones(ZonesWish(zones=()))
