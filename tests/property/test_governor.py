"""The governor: for every course of heat, throttling and load it goes step by step, never flaps, and comes back."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from sealcam.governor import (
    BUSY,
    EASE_S,
    HARDLY_WAITED,
    LEAST,
    MOST_FOR_LOAD,
    MOST_FOR_MEMORY,
    NOT_BUSY,
    NOT_SHORT,
    RISE_S,
    SHORT,
    STEPS,
    WAITED,
    Budget,
    Governor,
    Readings,
)

SECOND = 1_000_000_000
EVERY_S = 5
WARM_C = 75.0
TOP = len(STEPS) - 1
BUDGETS = st.sampled_from(Budget)
SHARES = st.none() | st.floats(0, 1)
READINGS = st.builds(
    Readings,
    st.none() | st.floats(-20, 120),
    st.booleans(),
    st.none() | st.floats(0, 20, allow_nan=False),
    SHARES,
    SHARES,
)
WELL = Readings(WARM_C - 20, False, NOT_BUSY / 2)


def course(governor: Governor, readings: list[Readings], from_s: int = 0) -> list[int]:
    """The step after each reading, one every five seconds."""
    steps = []
    for number, now in enumerate(readings):
        governor.take(now, (from_s + number * EVERY_S) * SECOND)
        steps.append(governor.step)
    return steps


@given(BUDGETS, st.lists(READINGS, max_size=200))
def test_it_goes_one_step_at_a_time_within_its_bounds_and_down_only_slowly(
    budget: Budget, readings: list[Readings]
) -> None:
    steps = [LEAST[budget], *course(Governor(budget, WARM_C), readings)]
    assert all(LEAST[budget] <= step <= TOP for step in steps)
    moves = [(at, steps[at], steps[at + 1] - steps[at]) for at in range(len(readings)) if steps[at] != steps[at + 1]]
    assert all(abs(by) == 1 for _, _, by in moves)
    for at, _, by in moves:
        if by < 0:
            lately = readings[at - round(EASE_S / EVERY_S) : at + 1]
            assert all(not one.throttled and (one.celsius is None or one.celsius < WARM_C) for one in lately)
    for (before, _, _), (at, step, by) in itertools.pairwise(moves):
        assert (at - before) * EVERY_S >= (RISE_S if by > 0 else EASE_S) or (by > 0 and step == LEAST[budget])


@given(BUDGETS, st.lists(READINGS, max_size=100))
def test_a_board_that_is_well_for_long_is_back_at_its_least(budget: Budget, readings: list[Readings]) -> None:
    governor = Governor(budget, WARM_C)
    course(governor, readings)
    course(governor, [WELL] * round((TOP + 1) * EASE_S / EVERY_S + 2), from_s=len(readings) * EVERY_S)
    assert governor.step == LEAST[budget]


@given(BUDGETS, st.floats(WARM_C, 150))
def test_a_board_that_stays_hot_ends_at_the_highest_step(budget: Budget, celsius: float) -> None:
    governor = Governor(budget, WARM_C)
    course(governor, [Readings(celsius)] * 60)
    assert governor.step == TOP


@given(st.floats(BUSY, 100))
def test_a_busy_board_takes_one_step_and_only_after_a_while(load: float) -> None:
    governor = Governor(Budget.MAINS, WARM_C)
    assert set(course(governor, [Readings(load=load)] * 24)) == {0}
    course(governor, [Readings(load=load)] * 100, from_s=120)
    assert governor.step == MOST_FOR_LOAD


@given(st.floats(BUSY, 100), st.floats(0, 1))
def test_a_load_that_nobody_waits_for_is_a_slow_card_and_takes_no_step(load: float, waited: float) -> None:
    governor = Governor(Budget.MAINS, WARM_C)
    course(governor, [Readings(load=load, waited=waited)] * 100)
    assert governor.step == (MOST_FOR_LOAD if waited >= WAITED else 0)
    course(governor, [Readings(load=load, waited=HARDLY_WAITED)] * 60, from_s=500)
    assert governor.step == 0


@given(st.floats(SHORT, 1))
def test_a_board_short_of_memory_does_without_further_looks_until_it_has_some(short: float) -> None:
    governor = Governor(Budget.MAINS, WARM_C)
    course(governor, [Readings(short=short)] * 100)
    assert governor.step == MOST_FOR_MEMORY
    assert STEPS[governor.step].further == 0
    course(governor, [Readings(short=(SHORT + NOT_SHORT) / 2)] * 100, from_s=500)
    assert governor.step == MOST_FOR_MEMORY
    course(governor, [Readings(short=NOT_SHORT)] * 60, from_s=1000)
    assert governor.step == 0


@given(st.floats(WARM_C - 6.9, WARM_C - 0.1))
def test_between_warm_and_well_nothing_changes(celsius: float) -> None:
    governor = Governor(Budget.MAINS, WARM_C)
    course(governor, [Readings(WARM_C + 1)] * 4)
    before = governor.step
    assert before > 0
    assert set(course(governor, [Readings(celsius)] * 200, from_s=20)) == {before}


def test_what_it_says_names_the_reason_and_what_is_left() -> None:
    change = Governor().take(Readings(81.4), 0)
    assert change is not None
    assert change.words == "the board has 81 degrees: 60% of the usual looks, fewer further ones (step 1 of 4)"
    assert change.up
