"""The bench gives whole figures in a stable form; how fast it is here is no test's business."""

from __future__ import annotations

import importlib
import math

import pytest

from sealcam import bench, bench_both, bench_live, bench_picamera, bench_record, bench_sight, bench_store, bench_wear
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


def test_recording_is_measured_on_footage_and_on_made_pictures() -> None:
    for clip in (footage.porch(), None):
        figures = list(bench_record.figures(clip))
        by_name = {figure.name: figure for figure in figures}
        assert by_name["written at rest"].value == 0
        _whole([figure for figure in figures if figure.name != "written at rest"])
        assert by_name["written in an incident"].value <= 1.6


def test_recording_and_sight_are_measured_in_a_process_of_their_own() -> None:
    figures = list(bench_both.figures(None, seconds=2, pictures=5))
    _whole(figures)
    both, alone = (figure.value for figure in figures if figure.unit == "MB")
    assert both > alone > 40


def test_each_copy_of_a_pi_cameras_picture_is_measured() -> None:
    figures = list(bench_picamera.figures(turns=6))
    _whole(figures)
    assert [figure.name.removeprefix("Pi camera: ") for figure in figures] == [
        "main copied",
        "lores copied",
        "lores in planes",
    ]


def test_what_is_written_on_the_card_is_counted_by_writer() -> None:
    figures = list(bench_wear.figures(None))
    _whole([figure for figure in figures if figure.name != "card: at rest"])
    by_name = {figure.name: figure.value for figure in figures}
    assert by_name["card: clips"] > by_name["card: events"] > by_name["card: index of clips"]


def test_a_store_of_many_clips_is_measured() -> None:
    _whole(list(bench_store.figures(clips=60)))


def test_live_view_is_measured_beside_recording() -> None:
    _whole(list(bench_live.figures(None, rounds=2)))
