"""The timetable: which mode when, by the clock on the wall, over midnight and over the changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sealcam.orders import Hand, Order, commanded, order, rescheduled
from sealcam.sight.types import ArmMode
from sealcam.timetable import DAY_MINUTES, DAYS, Entry, Timetable, Window, minute_of, zone_named
from sealcam.wire.errors import ConfigError

BERLIN = ZoneInfo("Europe/Berlin")
EVERY = frozenset(range(7))
NIGHTS = Entry(Window(EVERY, 22 * 60, 6 * 60), ArmMode.NIGHT)


def _at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> int:
    """Of a time on the wall, ns since 1970 (UTC)."""
    return round(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()) * 10**9


def _table(*entries: Entry, zone: ZoneInfo = BERLIN, expected: tuple[Window, ...] = ()) -> Timetable:
    return Timetable(entries, expected, zone)


def _modes(table: Timetable, *times: int) -> list[ArmMode | None]:
    return [table.at(time).mode for time in times]


def test_an_entry_holds_from_its_first_minute_to_before_its_last() -> None:
    table = _table(Entry(Window(EVERY, 9 * 60, 17 * 60), ArmMode.AWAY))
    told = _modes(
        table, *map(_at, ("2026-11-22T08:59:59", "2026-11-22T09:00", "2026-11-22T16:59:59", "2026-11-22T17:00"))
    )
    assert told == [None, ArmMode.AWAY, ArmMode.AWAY, None]


def test_past_midnight_it_belongs_to_the_day_on_which_it_began() -> None:
    monday = _table(Entry(Window(frozenset({0}), 22 * 60, 6 * 60), ArmMode.NIGHT))
    told = _modes(monday, *map(_at, ("2026-11-23T05:00", "2026-11-23T23:00", "2026-11-24T05:59", "2026-11-24T23:00")))
    assert told == [None, ArmMode.NIGHT, ArmMode.NIGHT, None]


def test_the_whole_day_is_from_midnight_to_midnight() -> None:
    sunday = _table(Entry(Window(frozenset({6}), 0, DAY_MINUTES), ArmMode.AWAY))
    told = _modes(
        sunday, *map(_at, ("2026-11-21T23:59:59", "2026-11-22T00:00", "2026-11-22T23:59:59", "2026-11-23T00:00"))
    )
    assert told == [None, ArmMode.AWAY, ArmMode.AWAY, None]


def test_of_entries_that_overlap_the_first_counts() -> None:
    day = Entry(Window(EVERY, 0, DAY_MINUTES), ArmMode.HOME)
    noon = _at("2026-11-22T23:00")
    assert _modes(_table(NIGHTS, day), noon) == [ArmMode.NIGHT]
    assert _modes(_table(day, NIGHTS), noon) == [ArmMode.HOME]


def test_it_says_until_when_it_says_so() -> None:
    reading = _table(NIGHTS).at(_at("2026-11-22T23:00"))
    assert reading.until_ns == _at("2026-11-23T06:00")
    assert _table().at(_at("2026-11-22T23:00")).until_ns == _at("2026-11-23T23:00"), "a day at the most"


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]
)
def test_a_night_when_the_clocks_change_is_one_night(zone: str) -> None:
    table, told = _table(NIGHTS, zone=zone_named(zone)), []
    for day in ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"):
        noon_ns, minute_ns = _at(f"{day}T12:00", zone_named(zone)), 60 * 10**9
        night = range(noon_ns - 12 * 60 * minute_ns, noon_ns, minute_ns)
        told.append(sum(table.changes(at_ns - 1, at_ns) for at_ns in night))
    assert set(told) == {1}, "it ends at six, whatever happened in between"


def test_minutes_that_do_not_exist_are_skipped() -> None:
    table = _table(Entry(Window(EVERY, 135, 150), ArmMode.AWAY), Entry(Window(EVERY, 150, 210), ArmMode.NIGHT))
    jump = _at("2026-03-29T03:00")
    assert datetime.fromtimestamp(jump / 1e9, UTC).hour == 1
    assert _modes(table, jump - 1, jump, _at("2026-03-29T03:29:59"), _at("2026-03-29T03:30")) == [
        None,
        ArmMode.NIGHT,
        ArmMode.NIGHT,
        None,
    ]


def test_of_minutes_that_come_twice_the_first_counts() -> None:
    table = _table(Entry(Window(EVERY, 135, 165), ArmMode.AWAY))
    first, second = _at("2026-10-25T02:20"), _at("2026-10-25T02:20", fold=1)
    assert second - first == 3600 * 10**9
    assert _modes(table, first, second) == [ArmMode.AWAY, None]
    long = _table(Entry(Window(EVERY, 60, 240), ArmMode.AWAY))
    assert _modes(long, first, second) == [ArmMode.AWAY, ArmMode.AWAY]


def test_visitors_are_expected_in_their_windows() -> None:
    table = _table(expected=(Window(frozenset({0, 2}), 9 * 60, 12 * 60),))
    told = [table.at(_at(f"2026-11-{day}T10:00")).expected for day in (23, 24, 25)]
    assert told == [True, False, True]


@pytest.mark.parametrize(
    ("days", "start", "end", "said"),
    [
        (frozenset(), 0, 60, "days"),
        (frozenset({7}), 0, 60, "days"),
        (EVERY, 60, 60, "empty"),
        (EVERY, 1440, 60, "outside the day"),
        (EVERY, 0, 1441, "outside the day"),
        (EVERY, -1, 60, "outside the day"),
    ],
)
def test_a_window_that_is_none_is_refused(days: frozenset[int], start: int, end: int, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Window(days, start, end)


@pytest.mark.parametrize("name", ["", "Nowhere/Atall", "../etc/passwd", "/etc/localtime", "Europe", "a\0b", "x" * 5000])
def test_a_zone_that_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="no time zone"):
        zone_named(name)


def test_times_of_day_are_read_or_refused() -> None:
    assert [minute_of(text) for text in ("0:00", "00:00", "7:05", "22:30", "24:00")] == [0, 0, 425, 1350, 1440]
    for text in ("", "7", "7:5", "24:01", "25:00", "12:60", "-1:00", "12:00 ", "１２:00", "1:2:3"):
        with pytest.raises(ConfigError, match="time of day"):
            minute_of(text)


def test_a_week_has_seven_days() -> None:
    assert len(DAYS) == 7
    assert datetime(2026, 11, 23, tzinfo=UTC).weekday() == DAYS.index("mon")


def test_a_command_holds_until_the_schedule_next_says_another_mode() -> None:
    table, noon, late = _table(NIGHTS), _at("2026-11-22T12:00"), _at("2026-11-22T23:00")
    home = commanded(table, Hand(), ArmMode.HOME, noon)
    assert order(table, home, ArmMode.AWAY, _at("2026-11-22T21:59:59"))[0] == Order(ArmMode.HOME)
    assert order(table, home, ArmMode.AWAY, _at("2026-11-22T22:00"))[0] == Order(
        ArmMode.NIGHT, scheduled=True, ruled=True
    )
    off = commanded(table, home, ArmMode.OFF, late)
    assert order(table, off, ArmMode.AWAY, _at("2026-11-23T05:59:59"))[0] == Order(ArmMode.OFF)
    morning, _ = order(table, off, ArmMode.AWAY, _at("2026-11-23T06:00"))
    assert morning == Order(ArmMode.HOME, ruled=True), "as it was armed when no entry held"
    assert order(table, off, ArmMode.AWAY, _at("2026-11-23T22:00"))[0] == Order(
        ArmMode.NIGHT, scheduled=True, ruled=True
    )


def test_without_a_command_the_configured_mode_is_what_no_entry_changes() -> None:
    table = _table(NIGHTS)
    assert order(table, Hand(), ArmMode.HOME, _at("2026-11-22T12:00"))[0] == Order(ArmMode.HOME, ruled=True)
    assert order(None, Hand(), ArmMode.HOME, None)[0] == Order(ArmMode.HOME)
    assert order(None, commanded(None, Hand(), ArmMode.OFF, None), ArmMode.HOME, None)[0] == Order(ArmMode.OFF)


def test_a_clock_that_may_be_wrong_applies_no_schedule() -> None:
    waiting = Order(ArmMode.HOME, waiting=True)
    assert order(_table(NIGHTS), Hand(), ArmMode.HOME, None)[0] == waiting
    hand = commanded(_table(NIGHTS), Hand(), ArmMode.OFF, None)
    assert order(_table(NIGHTS), hand, ArmMode.HOME, None)[0] == Order(ArmMode.OFF, waiting=True)
    assert order(_table(NIGHTS), hand, ArmMode.HOME, _at("2026-11-22T23:00"))[0] == Order(ArmMode.OFF)


def test_another_schedule_is_the_newer_word_and_none_leaves_the_camera_as_it_is() -> None:
    table, late = _table(NIGHTS), _at("2026-11-22T23:00")
    hand = commanded(table, Hand(resting=ArmMode.AWAY), ArmMode.HOME, late)
    assert order(table, rescheduled(table, hand, ArmMode.HOME), ArmMode.OFF, late)[0].mode is ArmMode.NIGHT
    assert order(None, rescheduled(None, hand, ArmMode.HOME), ArmMode.OFF, late)[0] == Order(ArmMode.HOME)


def test_a_schedule_of_visitors_alone_arms_nothing() -> None:
    table = _table(expected=(Window(EVERY, 0, DAY_MINUTES),))
    hand = commanded(table, Hand(), ArmMode.AWAY, _at("2026-11-22T12:00"))
    assert order(table, hand, ArmMode.HOME, _at("2026-12-22T12:00"))[0] == Order(ArmMode.AWAY, expected=True)
