"""What several models see in one frame becomes one list."""

from __future__ import annotations

from sealcam.sight.merging import merged
from sealcam.sight.types import Box, Subject
from tests.scenes import seen

HERE, NEAR_HERE, ELSEWHERE = Box(40, 40, 80, 140), Box(44, 38, 86, 142), Box(200, 40, 240, 140)


def test_what_both_see_keeps_the_first_ones_box_and_the_better_score() -> None:
    (one,) = merged([seen(HERE, 0.4)], [seen(NEAR_HERE, 0.7)])
    assert (one.box, one.score) == (HERE, 0.7)


def test_a_weaker_second_word_changes_nothing() -> None:
    assert merged([seen(HERE, 0.8)], [seen(NEAR_HERE, 0.3)]) == (seen(HERE, 0.8),)


def test_what_only_one_sees_is_kept_and_the_best_comes_first() -> None:
    assert merged([seen(HERE, 0.4)], [seen(ELSEWHERE, 0.7)]) == (seen(ELSEWHERE, 0.7), seen(HERE, 0.4))


def test_a_part_of_something_is_the_same_thing() -> None:
    head = Box(50, 42, 70, 70)
    assert merged([seen(HERE, 0.5)], [seen(head, 0.6)]) == (seen(HERE, 0.6),)


def test_another_subject_in_the_same_place_is_another_word_on_it() -> None:
    car = seen(HERE, 0.6, Subject.VEHICLE)
    assert merged([seen(HERE, 0.4)], [car]) == (car, seen(HERE, 0.4))


def test_two_that_the_first_sees_side_by_side_stay_two() -> None:
    both = [seen(Box(0, 0, 40, 100), 0.8), seen(Box(30, 0, 70, 100), 0.7)]
    assert merged(both, [seen(Box(2, 0, 42, 100), 0.9)]) == (seen(Box(0, 0, 40, 100), 0.9), both[1])


def test_nothing_and_nothing_is_nothing() -> None:
    assert merged([], []) == ()
