"""The bench gives whole figures in a stable form; how fast it is here is no test's business."""

from __future__ import annotations

import importlib
import math

import pytest

from sealcam import bench, bench_sight
from sealcam.bench import Figure
from sealcam.sight.gate import Gate
from sealcam.sight.settings import SightSettings
from tests import footage


def _whole(figures: list[Figure]) -> None:
    assert len({figure.name for figure in figures}) == len(figures)
    for figure in figures:
        assert math.isfinite(figure.value)
        assert figure.value > 0
        assert figure.unit
        assert figure.how


def test_the_gate_is_measured_in_turns_with_its_peer() -> None:
    figures = list(bench_sight.gate_figures(bench_sight.quiet_frames(20)))
    _whole(figures)
    ours, theirs, ratio = figures
    assert ratio.value == pytest.approx(ours.value / theirs.value, rel=0.01)


def test_the_work_around_the_invoke_is_measured_on_gated_frames() -> None:
    figures = list(bench_sight.step_figures(bench_sight.made_walkers(16), "made frames"))
    _whole(figures)
    invoke, around, ratio = figures
    assert ratio.value == pytest.approx((invoke.value + around.value) / invoke.value, rel=0.02)


def test_replay_is_measured_on_a_clip() -> None:
    _whole([bench_sight.replay_figure(footage.porch(), 5)])


def test_the_quiet_frames_are_quiet_and_the_walkers_move() -> None:
    quiet, moving = Gate(SightSettings()), Gate(SightSettings())
    assert not any(quiet.step(frame).moving for frame in bench_sight.quiet_frames(30))
    assert all([moving.step(frame).moving for frame in bench_sight.made_walkers(10)][1:])


def test_every_bench_is_a_module_that_gives_figures() -> None:
    for module in bench.BENCHES:
        assert callable(importlib.import_module(module).figures)
