"""Trails: where the main track of an incident stood, in few spots, and nothing else changes for them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sealcam.sight.trail import MOST_SPOTS, MOST_TRAILS, NEAR, Trails, thinned
from sealcam.sight.types import Box, Detection, Spot, Trail
from tests.scenes import HEIGHT, SECOND_NS, WIDTH, ground, seen, walker, watch_scene, with_block

SIZE = (640, 360)
part = st.floats(0, 1)
spot = st.builds(Spot, st.integers(0, 10**11), part, part, part, part)
walks = st.lists(spot, max_size=120, unique_by=lambda one: one.t_ns).map(
    lambda spots: sorted(spots, key=lambda one: one.t_ns)
)


def box(x: float, y: float) -> Box:
    return Box(x - 20, y - 100, x + 20, y)


def main(trails: Trails) -> Trail:
    found = trails.main()
    assert found is not None
    return found


@given(walks, st.integers(2, 40))
def test_first_and_last_stay_in_the_order_of_time_and_no_more_than_may(spots: list[Spot], most: int) -> None:
    kept = thinned(spots, most)
    assert kept[:1] == tuple(spots[:1])
    assert kept[-1:] == tuple(spots[-1:])
    assert len(kept) <= most
    assert [one.t_ns for one in kept] == sorted(one.t_ns for one in kept)
    assert set(kept) <= set(spots)


@given(walks)
def test_what_is_left_out_is_near_the_line_at_its_time(spots: list[Spot]) -> None:
    kept = thinned(spots, most=len(spots) + 1)
    for before, after in pairwise(kept):
        for one in spots[spots.index(before) : spots.index(after)]:
            share = (one.t_ns - before.t_ns) / max(1, after.t_ns - before.t_ns)
            assert abs(one.x - before.x - share * (after.x - before.x)) <= NEAR + 1e-9
            assert abs(one.y - before.y - share * (after.y - before.y)) <= NEAR + 1e-9


def test_a_straight_walk_is_two_spots_and_a_wait_two_more() -> None:
    walk, wait = Trails(), Trails()
    for step in range(41):
        walk.take(1, box(100 + 10 * step, 300), SIZE, step * SECOND_NS)
        gone = step if step < 10 else max(10, step - 20)
        wait.take(1, box(100 + 10 * gone, 300), SIZE, step * SECOND_NS)
    assert [(one.t_ns // SECOND_NS, round(640 * one.x)) for one in main(walk).spots] == [(0, 100), (40, 500)]
    assert [one.t_ns // SECOND_NS for one in main(wait).spots] == [0, 10, 30, 40]
    assert main(walk).aspect == 640 / 360
    assert main(walk).spots[0] == Spot(0, 100 / 640, 300 / 360, 40 / 640, 100 / 360)


def test_the_main_one_is_seen_most_often_and_a_crowd_is_bounded() -> None:
    trails = Trails()
    for step in range(30):
        trails.take(7, box(100 + step, 300), SIZE, step)
        for passer in range(3):
            trails.take(1000 + 3 * step + passer, box(500, 300), SIZE, step)
    assert main(trails).spots[0].x == 100 / 640
    assert len(trails._spots) == MOST_TRAILS
    full = Trails()
    for number in range(MOST_TRAILS + 5):
        full.take(number, box(100, 300), SIZE, 0)
    assert len(full._spots) == MOST_TRAILS


def test_a_long_stay_takes_no_more_memory() -> None:
    trails = Trails()
    for step in range(5000):
        trails.take(1, box(100 + 400 * (step % 2), 300), SIZE, step)
        assert len(trails._spots[1]) < 2 * MOST_SPOTS
    assert len(main(trails).spots) <= MOST_SPOTS
    assert (main(trails).spots[0].t_ns, main(trails).spots[-1].t_ns) == (0, 4999)


def crossing(seconds: float) -> NDArray[np.float64]:
    at = walker(seconds)
    return ground() if at is None else with_block(ground(), at)


def person(seconds: float) -> Iterable[Detection]:
    at = walker(seconds)
    return () if at is None else (seen(at),)


def test_the_reports_of_a_walker_say_where_he_stood_within_the_incident() -> None:
    reports, _, _ = watch_scene(crossing, person, seconds=16)
    assert all(one.trail is not None for one in reports)
    last = reports[-1]
    assert last.trail is not None
    first, end = last.trail.spots[0], last.trail.spots[-1]
    assert last.started_ns <= first.t_ns < end.t_ns <= last.ended_ns
    where = walker(last.ended_ns / SECOND_NS)
    assert where is not None
    assert abs(end.x - (where.x0 + where.x1) / 2 / WIDTH) < 0.02
    assert abs(end.y - where.y1 / HEIGHT) < 0.02
    assert end.x != first.x


def test_motion_without_a_subject_has_no_trail() -> None:
    reports, _, _ = watch_scene(crossing, lambda _seconds: (), seconds=16)
    assert reports
    assert all(one.trail is None for one in reports)
