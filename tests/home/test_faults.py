"""What breaks in mid-run loses nothing: a broker that is away, an eye or a post that is killed."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from tests.home.conftest import RunningHome
from tests.waiting import eventually


def _whole(home: RunningHome) -> int:
    """The number of events in the ledger, all once and in order, with no clone and no refusal."""
    eventually(lambda: all(not event.get("pending") for event in home.chained()), 60.0, "the ledger in order")
    seqs = [event["seq"] for event in home.chained()]
    assert seqs == list(range(1, len(seqs) + 1))
    kinds = {str(event.get("kind")) for event in home.events() if event["type"] == "notice"}
    assert not {kind for kind in kinds if "clone" in kind or "refused" in kind}, kinds
    assert home.status()["refused"] == 0
    return len(seqs)


def _broker_away(home: RunningHome, walkers: Path, seconds: float) -> None:
    home.start(walkers, once=False)
    home.until_events(2)
    home.kill("broker")
    never = threading.Event()
    never.wait(seconds)  # the outage itself is what is tested
    before = _whole(home)
    home.restart_broker()
    home.until_events(before + 2)
    _whole(home)


def test_a_broker_that_was_away_for_some_seconds_loses_nothing(home: RunningHome, walkers: Path) -> None:
    _broker_away(home, walkers, 5.0)


@pytest.mark.slow
def test_a_broker_that_was_away_for_a_minute_loses_nothing(home: RunningHome, walkers: Path) -> None:
    _broker_away(home, walkers, 60.0)


def _kill_often(home: RunningHome, walkers: Path, times: int) -> None:
    chance = random.Random(times)
    home.start(walkers, once=False)
    home.until_events(1)
    reached = before = _whole(home)
    never = threading.Event()
    for number in range(times):
        name = chance.choice(("eye", "post"))
        never.wait(chance.uniform(0.0, 2.5))  # a random point of its life, start-up included
        home.kill(name)
        home.restart(name)
        if number % max(4, times // 8) == 3:  # in the midst of the kills too, what was begun goes on
            home.until_events(reached + 1)
            reached = len(home.chained())
    home.until_events(reached + 1)
    assert _whole(home) > reached > before


def test_an_eye_and_a_post_killed_at_random_points_fork_nothing(home: RunningHome, walkers: Path) -> None:
    _kill_often(home, walkers, 8)


@pytest.mark.slow
def test_a_hundred_kills_at_random_points_fork_nothing(home: RunningHome, walkers: Path) -> None:
    _kill_often(home, walkers, 100)
