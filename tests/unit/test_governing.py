"""Governing: the board's own files are read, sight gets its step, and each step is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealcam.board.strain import read
from sealcam.board_settings import BoardSettings
from sealcam.governing import Governing
from sealcam.governor import STEPS, Budget, Governor, Readings, Step
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode
from sealcam.sight.watch import Watch
from sealcam.wire.errors import ConfigError
from tests.eye_home import Walker, walk

SECOND = 1_000_000_000


def board(root: Path, millidegrees: str = "51200", flags: str = "0x0", load: str = "0.50 0.4 0.3 1/200 77") -> Path:
    zone, firmware = root / "sys/class/thermal/thermal_zone0", root / "sys/devices/platform/soc/soc:firmware"
    for folder in (zone, firmware, root / "proc"):
        folder.mkdir(parents=True, exist_ok=True)
    (zone / "temp").write_text(millidegrees)
    (firmware / "get_throttled").write_text(flags)
    (root / "proc/loadavg").write_text(load)
    return root


def test_a_boards_files_are_read(tmp_path: Path) -> None:
    found = read(board(tmp_path))
    assert (found.celsius, found.throttled) == (51.2, False)
    assert found.load is not None
    assert 0 < found.load <= 0.5


def test_how_long_somebody_waited_is_read_where_the_kernel_tells(tmp_path: Path) -> None:
    (board(tmp_path) / "proc/pressure").mkdir()
    line = "avg10=71.30 avg60={} avg300=89.14 total=39133727487"
    for what, share in (("cpu", "86.59"), ("memory", "2.50")):
        text = f"some {line.format(share)}\nfull {line.format('0.00')}\n"
        (tmp_path / "proc/pressure" / what).write_text(text)
    found = read(tmp_path)
    assert found.waited == pytest.approx(0.8659)
    assert found.short == pytest.approx(0.025)


@pytest.mark.parametrize("text", ["", "some", "some avg10=1.00", "some avg60=much", "some avg60 1.0", "full a=b=c"])
def test_what_tells_of_waiting_in_another_way_tells_nothing(tmp_path: Path, text: str) -> None:
    (board(tmp_path) / "proc/pressure").mkdir()
    (tmp_path / "proc/pressure/cpu").write_text(text)
    found = read(tmp_path)
    assert (found.waited, found.short) == (None, None)


@pytest.mark.parametrize(("flags", "throttled"), [("0x0", False), ("50005\n", True), ("0x50000", False), ("2", True)])
def test_only_what_is_so_now_counts_of_its_flags(tmp_path: Path, flags: str, throttled: bool) -> None:
    assert read(board(tmp_path, flags=flags)).throttled is throttled


def test_a_board_that_says_nothing_or_nonsense_is_no_hotter_for_it(tmp_path: Path) -> None:
    assert read(tmp_path) == Readings()
    assert read(board(tmp_path, "", "yes", "")) == Readings()


def test_a_step_is_applied_at_once_and_told_with_its_end(tmp_path: Path) -> None:
    steps: list[Step] = []
    governing = Governing(Governor(Budget.MAINS), lambda: read(tmp_path), steps.append)
    assert steps == [STEPS[0]]
    board(tmp_path, millidegrees="82000")
    (told,) = governing.tend(SECOND)
    assert told.code == "board-strained"
    assert steps == [STEPS[0], STEPS[1]]
    assert governing.tend(2 * SECOND) == (), "the files are read every five seconds"
    board(tmp_path)
    said = [governing.tend(number * 5 * SECOND) for number in range(2, 40)]
    assert [one.code for troubles in said for one in troubles] == ["board-eased"]
    assert steps[-1] == STEPS[0]


def test_a_budget_is_where_it_begins() -> None:
    steps: list[Step] = []
    Governing(Governor(Budget.BATTERY), Readings, steps.append)
    assert steps == [STEPS[2]]
    with pytest.raises(ConfigError, match="warm_c"):
        BoardSettings(warm_c=20)


@pytest.mark.parametrize("step", STEPS)
def test_sight_looks_as_often_as_its_step_lets_it_and_still_sees_who_walks(step: Step) -> None:
    watch = Watch(Walker(), SightSettings(), lambda number: f"{number:016x}", ArmMode.AWAY)
    watch.set_pace(step.share)
    reports = [report for frame in walk(120) for report in watch.step(frame)]
    assert any(report.subject.name == "PERSON" for report in reports)
    seconds = 120 / 10
    assert watch.stats.detector_runs <= 10 * step.share * seconds + 5
