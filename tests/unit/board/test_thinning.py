"""Thinning out: as many pictures as were asked for, whatever a camera gives."""

from __future__ import annotations

import random

import pytest

from sealcam.board.thinning import Thinning

MS = 1_000_000


@pytest.mark.parametrize(
    ("given", "fps", "least", "most"),
    [
        (30, 10, 100, 101),
        (25, 10, 99, 101),
        (15, 10, 99, 101),
        (12.5, 10, 99, 101),
        (10, 10, 100, 100),
        (5, 10, 50, 50),
    ],
)
def test_the_rate_is_kept_on_the_average(given: float, fps: int, least: int, most: int) -> None:
    thinning = Thinning(fps)
    times = [round(index * 1e9 / given) for index in range(round(10 * given))]
    assert least <= sum(thinning.keeps(t_ns) for t_ns in times) <= most


def test_a_camera_that_keeps_to_the_rate_loses_nothing_to_its_jitter() -> None:
    thinning, chance = Thinning(10), random.Random(1)
    assert all(thinning.keeps(index * 100 * MS + chance.randint(-9, 9) * MS) for index in range(1000))


def test_after_a_pause_or_a_clock_that_was_set_back_it_goes_on_at_once() -> None:
    thinning = Thinning(10)
    assert [thinning.keeps(t * MS) for t in (0, 33, 66, 100, 5000, 5033, 5100, 200, 233, 300)] == [
        *(True, False, False, True),
        *(True, False, True),
        *(True, False, True),
    ]
