"""What a motion sensor's output and a push-button mean, by the times of their edges alone."""

from __future__ import annotations

import itertools

import pytest

from sealcam.board.debounce import Debounced, Edge
from sealcam.board.presses import Press, Presses
from sealcam.board.protocols import PirCounts
from sealcam.board.pulses import Pulses

S = 1_000_000_000
MS = S // 1000


def edges(*times_ms: int, begin: bool = True) -> list[Edge]:
    """Up and down in turn at these times."""
    return [Edge(t_ms * MS, begin if number % 2 == 0 else not begin) for number, t_ms in enumerate(times_ms)]


def test_a_contact_counts_once_it_lasted_with_the_time_of_its_edge() -> None:
    contact = Debounced(30 * MS)
    assert contact.take(edges(100), 120 * MS) == ()
    assert not contact.settled
    assert contact.take((), 130 * MS) == (Edge(100 * MS, active=True),)
    assert contact.settled


def test_a_contact_that_bounces_changes_once() -> None:
    contact = Debounced(30 * MS)
    assert contact.take(edges(100, 103, 105, 109, 112), 500 * MS) == (Edge(112 * MS, active=True),)
    assert contact.take(edges(600, 602, 604, begin=False), 900 * MS) == (Edge(604 * MS, active=False),)
    assert contact.brief == 2


def test_an_edge_that_was_lost_turns_nothing_around() -> None:
    contact = Debounced(30 * MS)
    both = [Edge(100 * MS, active=True), Edge(200 * MS, active=True), Edge(300 * MS, active=False)]
    assert contact.take(both, 500 * MS) == (Edge(100 * MS, active=True), Edge(300 * MS, active=False))


def test_pulses_too_short_for_a_person_are_counted_and_not_told() -> None:
    pulses = Pulses(0)
    assert pulses.take(edges(1000, 1002, 1500, 1504), 3 * S) is None
    assert pulses.counts == PirCounts(brief=2)


def test_an_output_that_is_held_counts_again_for_half_a_minute_and_is_stuck_in_the_end() -> None:
    pulses = Pulses(0)
    told = [pulses.take(edges(1000) if at == 20 else (), at * 100 * MS) for at in range(10, 600)]
    times = [at for at in told if at is not None]
    assert times[0] == S
    assert {after - before for before, after in itertools.pairwise(times)} == {1500 * MS}
    assert 29 * S <= times[-1] <= 31 * S
    assert not pulses.counts.stuck
    assert pulses.take((), 1000 * S) is None
    assert pulses.counts.stuck
    pulses.take(edges(1_001_000, begin=False), 1002 * S)
    assert pulses.counts == PirCounts(fired=1)


def test_what_is_high_when_watching_begins_is_not_told() -> None:
    pulses = Pulses(0, active=True)
    assert pulses.take((), 10 * S) is None
    assert pulses.take(edges(11_000, 12_000, begin=False), 13 * S) == 12 * S


@pytest.mark.parametrize(
    ("held_ms", "found"),
    [(20, ()), (40, (Press.SHORT,)), (1900, (Press.SHORT,)), (2100, ()), (9900, ()), (10_100, (Press.LONG,))],
)
def test_a_press_means_what_its_length_says_however_late_it_is_asked_for(held_ms: int, found: tuple[Press]) -> None:
    button = Presses()
    assert button.take(edges(5000, 5000 + held_ms), 60 * S) == found
    assert button.idle


def test_ten_seconds_are_told_while_the_button_is_still_held_and_once() -> None:
    button = Presses()
    told = [(at, button.take(edges(1000) if at == 11 else (), at * 100 * MS)) for at in range(11, 200)]
    assert [(at, found) for at, found in told if found] == [(110, (Press.LONG,))]
    assert button.held_s(20 * S) == 0
    assert button.take(edges(21_000, begin=False), 22 * S) == ()


def test_a_button_that_bounces_while_it_is_held_counts_on() -> None:
    button = Presses()
    assert button.take([*edges(1000), *edges(5000, 5008, begin=False)], 6 * S) == ()
    assert button.held_s(6 * S) == 5
    assert button.take((), 11 * S) == (Press.LONG,)


def test_a_button_that_is_held_at_the_start_counts_from_when_it_is_let_go_of() -> None:
    button = Presses(held=True)
    assert button.take((), 60 * S) == ()
    assert button.take(edges(61_000, begin=False), 62 * S) == ()
    assert button.take(edges(63_000, 64_000), 65 * S) == (Press.SHORT,)
