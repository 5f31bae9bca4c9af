"""Live view through a whole home: real camera, broker, hub and console, as `make bench` looks at it."""

from __future__ import annotations

from pathlib import Path

from sealcam_hub.console import view
from sealcam_provision import bench_live
from tests.home.conftest import RunningHome
from tests.waiting import eventually


def test_the_console_shows_what_the_camera_sees_and_ends_it_when_nobody_looks(home: RunningHome, walkers: Path) -> None:
    home.start(walkers, once=False)
    home.until_events(1)
    glass = bench_live.measure(home.console, pictures=15)
    assert len(glass.ages_ms) == 15
    assert all(age_ms > 0 for age_ms in glass.ages_ms)
    eventually(lambda: "live-ended" in home.hub("events", "--json"), 60.0, "the end")
    said = [line for line in home.hub("audit").splitlines() if "live view of Test door" in line]
    assert len(said) == 2
    assert "is over, after" in said[1]
    answers = [event for event in home.chained() if event["type"] == "answer"]
    assert len(answers) == 2  # begun, and ended


def test_the_bench_reads_what_the_console_writes() -> None:
    assert bench_live._HEAD.format == view.HEAD.format
    assert (bench_live._WORDS, bench_live._KEYFRAME, bench_live._PICTURES) == (
        view.Block.WORDS,
        view.Block.KEYFRAME,
        view.Block.PICTURES,
    )
