"""A source's broken clock: time goes on all the same, sight with it, and it is told once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from sealcam.board.replay import ReplayCamera
from sealcam.config import ModelSettings
from sealcam.eyesight import open_detector
from sealcam.sight.corroboration import Doubt, Doubted
from sealcam.sight.settings import SightSettings
from sealcam.sight.ticking import PATIENCE, Tick, Ticking
from sealcam.sight.types import ArmMode, Box, Report, Stage, Subject, Verdict
from sealcam.sight.watch import Watch
from tests import footage
from tests.scenes import SECOND_NS, ToldDetector, frame, ground, seen, walker, with_block

STEP_NS = SECOND_NS // 10


def _ticks(*times_ns: int) -> list[Tick]:
    ticking = Ticking()
    return [ticking.take(one) for one in times_ns]


def test_a_source_whose_time_goes_on_keeps_its_times() -> None:
    times = [7 * SECOND_NS + index * 33_333_333 for index in range(50)] + [4000 * SECOND_NS]
    assert _ticks(*times) == [Tick(one) for one in times]


def test_a_single_leap_back_begins_anew_and_little_stands_still() -> None:
    assert _ticks(5 * SECOND_NS, 5 * SECOND_NS - STEP_NS, 6 * SECOND_NS, STEP_NS) == [
        Tick(5 * SECOND_NS),
        Tick(5 * SECOND_NS),
        Tick(6 * SECOND_NS),
        Tick(STEP_NS, anew=True),
    ]


@pytest.mark.parametrize("creep_ns", [0, 1000, -1000, -STEP_NS])
def test_time_that_makes_no_progress_goes_on_by_the_usual_step_and_is_told_once(creep_ns: int) -> None:
    ticks = _ticks(*(9 * SECOND_NS + index * creep_ns for index in range(40)))
    later = [tick.t_ns for tick in ticks[PATIENCE:]]
    assert [b - a for a, b in pairwise(later)] == [STEP_NS] * (len(later) - 1)
    doubts = [tick.doubt for tick in ticks if tick.doubt is not None]
    assert [(one.of, one.on) for one in doubts] == [(Doubted.CLOCK, True)]
    assert not any(tick.anew for tick in ticks)


def test_the_usual_step_is_the_sources_own_where_it_is_known() -> None:
    ran = [index * 40_000_000 for index in range(20)]
    ticks = _ticks(*ran, *[ran[-1]] * 10)
    assert ticks[-1].t_ns == ran[-1] + (10 - PATIENCE) * 40_000_000


def test_a_clock_that_runs_again_sets_the_pace_again_whether_it_is_ahead_or_behind() -> None:
    stuck = [0] * 30
    ahead = _ticks(*stuck, *(10 * SECOND_NS + index * 50_000_000 for index in range(20)))
    assert ahead[-1].t_ns == 10 * SECOND_NS + 19 * 50_000_000
    behind = _ticks(*stuck, *(index * 50_000_000 for index in range(20)))
    last = [tick.t_ns for tick in behind[-10:]]
    assert [b - a for a, b in pairwise(last)] == [50_000_000] * 9


def test_a_closed_source_begins_at_a_time_of_its_own() -> None:
    ticking = Ticking()
    ticking.take(9 * SECOND_NS)
    ticking.rest()
    assert ticking.take(SECOND_NS) == Tick(SECOND_NS)


BROKEN: dict[str, Callable[[int], int]] = {
    "stands still": lambda _: 20 * SECOND_NS,
    "creeps": lambda index: 20 * SECOND_NS + index * 1000,
    "every second frame back": lambda index: 20 * SECOND_NS + index * STEP_NS - (index % 2) * 3 * SECOND_NS // 2,
    "runs back": lambda index: 20 * SECOND_NS - index * STEP_NS,
    "leaps back again and again": lambda index: 1000 * SECOND_NS - index * 2 * SECOND_NS,
}


def _ended(reports: list[Report]) -> list[tuple[Subject, Verdict]]:
    return [(one.subject, one.verdict) for one in reports if one.stage is Stage.END]


@pytest.mark.parametrize("how", BROKEN)
def test_whoever_walks_by_is_seen_whatever_the_clock_says(how: str) -> None:
    shown: list[float] = []  # the scene's own time, which the detector sees by
    detector = ToldDetector(lambda _: [seen(box)] if (box := walker(shown[-1])) else [])
    watch = Watch(detector, SightSettings(), str, ArmMode.AWAY)
    reports: list[Report] = []
    doubts: list[Doubt] = []
    for index in range(80):
        shown.append(index / 10)
        box = walker(index / 10)
        picture = frame(ground() if box is None else with_block(ground(), box), 0, index)
        reports += watch.step(replace(picture, t_ns=BROKEN[how](index)))
        doubts += watch.doubts()
    reports += watch.close()
    assert (Subject.PERSON, Verdict.THREAT) in _ended(reports)
    assert watch.stats.detector_runs > 15
    assert [one.of for one in doubts] == [Doubted.CLOCK]


@pytest.mark.parametrize("how", BROKEN)
def test_the_man_on_the_porch_is_a_threat_whatever_the_clock_says(how: str) -> None:
    watch = Watch(open_detector(ModelSettings()), SightSettings(), str, ArmMode.AWAY)
    reports: list[Report] = []
    for index, one in enumerate(ReplayCamera(footage.porch()).frames()):
        reports += watch.step(replace(one, t_ns=BROKEN[how](index)))
    assert (Subject.PERSON, Verdict.THREAT) in _ended([*reports, *watch.close()])
    assert watch.stats.detector_runs > 10


def test_a_clock_that_leaps_all_the_time_keeps_one_incident() -> None:
    boxes = [Box(60 + 5 * step, 50, 100 + 5 * step, 150) for step in range(7)]
    detector = ToldDetector(lambda _: [seen(boxes[len(detector.looked_at) % 7])])
    watch = Watch(detector, SightSettings(), str, ArmMode.AWAY)
    reports: list[Report] = []
    for index in range(300):
        picture = frame(with_block(ground(), boxes[index % 7]), 0, index)
        reports += watch.step(replace(picture, t_ns=BROKEN["every second frame back"](index)))
    assert [one.stage for one in reports].count(Stage.NEW) <= 2
