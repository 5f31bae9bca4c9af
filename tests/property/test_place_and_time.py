"""Whatever an owner draws and whenever, zones, masks and schedules mean one thing and fail nobody."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sealcam.board.protocols import Frame
from sealcam.sight.masks import BLACK_LUMA, NO_COLOUR, Masks
from sealcam.sight.types import ArmMode
from sealcam.sight.zones import Polygon
from sealcam.timetable import DAY_MINUTES, Entry, Timetable, Window, zone_named
from sealcam.wire.errors import ConfigError

SHARES = st.integers(0, 1000).map(lambda per_mille: per_mille / 1000)
POINTS = st.tuples(SHARES, SHARES)
CORNERS = st.lists(st.one_of(POINTS, st.tuples(st.floats(), st.floats())), max_size=34).map(tuple)
NS = 10**9


def _drawn(corners: tuple[tuple[float, float], ...]) -> Polygon | None:
    try:
        return Polygon(corners)
    except ConfigError:
        return None


@given(CORNERS)
def test_corners_are_an_area_or_are_refused_and_nothing_else_happens(corners: tuple[tuple[float, float], ...]) -> None:
    area = _drawn(corners)
    if area is None:
        return
    assert 0 < area.area <= 1
    assert all(area.contains(corner) for corner in area.corners)
    again = Polygon((*area.corners[1:], area.corners[0]))
    assert abs(Polygon(tuple(reversed(area.corners))).area - again.area) < 1e-12


@st.composite
def stars(draw: st.DrawFn) -> Polygon:
    """Areas of any shape around a point: corners by rising angle never cross."""
    count = draw(st.integers(3, 12))
    angles = sorted(draw(st.lists(st.floats(0, 6.28), min_size=count, max_size=count, unique=True)))
    reach = draw(st.lists(st.floats(0.05, 0.5), min_size=count, max_size=count))
    corners = [(0.5 + r * np.cos(a), 0.5 + r * np.sin(a)) for r, a in zip(reach, angles, strict=True)]
    area = _drawn(tuple((float(x), float(y)) for x, y in corners))
    assume(area is not None)
    assert area is not None
    return area


@settings(deadline=None)
@given(area=stars(), size=st.tuples(st.integers(1, 70), st.integers(1, 70)))
def test_no_pixel_whose_middle_an_area_contains_is_left(area: Polygon, size: tuple[int, int]) -> None:
    height, width = size
    half = ((height + 1) // 2, (width + 1) // 2)
    one = Frame(0, 0, np.full(size, 200, np.uint8), np.full(half, 7, np.uint8), np.full(half, 9, np.uint8))
    Masks([area]).over(one)
    for row in range(height):
        for column in range(width):
            if area.contains(((column + 0.5) / width, (row + 0.5) / height)):
                assert one.y[row, column] == BLACK_LUMA
                assert one.u[row // 2, column // 2] == one.v[row // 2, column // 2] == NO_COLOUR


@given(area=stars(), start=POINTS, end=POINTS)
def test_who_is_inside_and_then_outside_has_touched_the_border(
    area: Polygon, start: tuple[float, float], end: tuple[float, float]
) -> None:
    if area.contains(start) != area.contains(end):
        assert area.touched(start, end)
        assert area.touched(end, start)


# Zones with every sort of change: by an hour and by half of one, to the south, at midnight, a day left out, none.
ZONES = st.sampled_from(
    [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Havana",
        "Africa/Casablanca",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "UTC",
    ]
)
MINUTES = st.one_of(st.integers(0, DAY_MINUTES - 1), st.sampled_from([0, 60, 120, 150, 179, 180, 1439]))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    start = draw(MINUTES)
    end = draw(MINUTES.filter(lambda minute: minute != start))
    return Window(days, start, end)


TIMES = st.one_of(
    st.integers(0, 4_000_000_000),
    # around the changes of the clocks, and the day that Samoa left out
    *(
        st.integers(around - 100_000, around + 100_000)
        for around in (1774746000, 1792890000, 1772953200, 1793512800, 1775314800, 1325239200)
    ),
).map(lambda second: second * NS)


@settings(deadline=None, max_examples=200)
@given(zone=ZONES, window=windows(), now_ns=TIMES)
def test_a_window_holds_as_the_clock_on_the_wall_says(zone: str, window: Window, now_ns: int) -> None:
    """Wherever no clock is changed within two days, by the plain arithmetic of minutes."""
    where = zone_named(zone)
    local = datetime.fromtimestamp(now_ns // NS, where)
    offsets = {datetime.fromtimestamp(now_ns // NS + hours * 3600, where).utcoffset() for hours in range(-49, 50)}
    assume(len(offsets) == 1)
    minute, day = local.hour * 60 + local.minute, local.weekday()
    start, end = window.from_minute, window.to_minute
    if start < end:
        holds = day in window.days and start <= minute < end
    else:
        holds = (day in window.days and minute >= start) or ((day - 1) % 7 in window.days and minute < end)
    table = Timetable((Entry(window, ArmMode.NIGHT),), (window,), where)
    reading = table.at(now_ns)
    assert (reading.mode is ArmMode.NIGHT) == reading.expected == holds


@settings(deadline=None, max_examples=100)
@given(zone=ZONES, entries=st.lists(windows(), min_size=1, max_size=4), now_ns=TIMES)
def test_what_a_timetable_says_holds_for_as_long_as_it_says(zone: str, entries: list[Window], now_ns: int) -> None:
    modes = list(ArmMode)
    told = tuple(Entry(window, modes[index % 4]) for index, window in enumerate(entries))
    table = Timetable(told, (entries[0],), zone_named(zone))
    reading = table.at(now_ns)
    assert now_ns < reading.until_ns <= now_ns + 86_400 * NS
    for part in (1, 3, 7):
        between = table.at(now_ns + (reading.until_ns - now_ns) * part // 8)
        assert (between.mode, between.expected, between.until_ns >= reading.until_ns) == (
            reading.mode,
            reading.expected,
            True,
        )
    assert not table.changes(now_ns, reading.until_ns - 1)


@settings(deadline=None, max_examples=100)
@given(zone=ZONES, cuts=st.lists(MINUTES, min_size=2, max_size=5, unique=True), now_ns=TIMES)
def test_entries_that_follow_each_other_around_the_day_leave_no_moment_unsaid(
    zone: str, cuts: list[int], now_ns: int
) -> None:
    ranked = sorted(cuts)
    pairs = [*pairwise(ranked), (ranked[-1], ranked[0])]
    every = frozenset(range(7))
    table = Timetable(tuple(Entry(Window(every, *pair), ArmMode.AWAY) for pair in pairs), (), zone_named(zone))
    assert table.at(now_ns).mode is ArmMode.AWAY
