"""`sealcam replay` as a person or a program calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from sealcam import models
from sealcam.board.replay import ReplayCamera
from sealcam.board.scripted import ScriptedCamera
from sealcam.cli import main
from sealcam.replay import incident_ids, play
from sealcam.replay_lines import IncidentLine, JsonLines, PlainLines, Progress, Tally
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode
from sealcam.sight.watch import Watch
from sealcam.wire.errors import ClipError
from tests import footage
from tests.clips import copy_frames, write_clip
from tests.scenes import ToldDetector, frame, ground, luma, seen, walker, with_block

KEYS = [
    *("clip", "incident", "trigger", "started_s", "ended_s", "subject", "confidence"),
    *("verdict", "threat", "reasons", "detector_runs"),
]


def _lines(out: str) -> tuple[list[dict[str, object]], dict[str, object]]:
    lines = [json.loads(line) for line in out.splitlines()]
    return lines[:-1], lines[-1]["summary"]


def _tree(tmp_path: Path, last: int) -> Path:
    frames = [frame for frame in ReplayCamera(footage.tree()).frames() if frame.index <= last]
    return copy_frames(tmp_path / "tree-cut.mkv", frames)


def test_the_porch_is_one_person_incident_that_ends_when_he_leaves(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--json", "--arm", "away", str(footage.porch())]) == 0
    incidents, summary = _lines(capsys.readouterr().out)
    assert len(incidents) == 1
    one = incidents[0]
    assert list(one) == KEYS
    assert (one["clip"], one["subject"], one["verdict"]) == ("test2-cam-person1.mkv", "person", "threat")
    assert one["started_s"] == 0
    assert one["ended_s"] == pytest.approx(4.1, abs=0.3)
    assert one["reasons"][:2] == ["a person was seen for 4 s", "armed away"]
    assert summary["frames"] == 60
    assert {"frames", "seconds", "fps", "invoke_ms", "gate_ms", "dropped"} <= set(summary)


def test_incident_lines_are_the_same_byte_for_byte(capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for _ in range(2):
        assert main(["replay", "--json", str(footage.porch())]) == 0
        told.append(capsys.readouterr().out.splitlines()[:-1])
    assert told[0] == told[1]
    assert told[0]


def _told_by_a_process(clip: Path) -> bytes:
    """The incident lines that `sealcam replay` writes in a process of its own."""
    code = "import sys; from sealcam.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "replay", "--json", "--arm", "away", str(clip)]
    *lines, _summary = subprocess.run(command, capture_output=True, check=True).stdout.splitlines(keepends=True)
    return b"".join(lines)


@pytest.mark.parametrize("name", ["tree", "vtest"])
def test_two_processes_write_the_same_incident_lines_byte_for_byte(tmp_path: Path, name: str) -> None:
    clip = footage.tree() if name == "tree" else footage.vtest_cut(tmp_path / "vtest-cut.avi", 2.5)
    first, second = _told_by_a_process(clip), _told_by_a_process(clip)
    assert first == second
    assert json.loads(first.splitlines()[0])["clip"] == clip.name


def test_persons_are_seen_and_a_threat_while_armed_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = footage.vtest_cut(tmp_path / "vtest-cut.avi", 2.5)
    assert main(["replay", "--json", "--arm", "away", str(clip)]) == 0
    incidents, summary = _lines(capsys.readouterr().out)
    assert [(one["subject"], one["verdict"]) for one in incidents] == [("person", "threat")]
    assert (incidents[0]["started_s"], incidents[0]["ended_s"]) == (0, 2.4)
    assert "people were seen" in str(incidents[0]["reasons"])
    assert summary["frames"] == 25


def test_the_tree_alone_is_nothing_above_a_false_alarm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--json", "--arm", "away", str(_tree(tmp_path, 52))]) == 0
    incidents, _ = _lines(capsys.readouterr().out)
    assert {one["verdict"] for one in incidents} <= {"false_alarm"}


def test_the_whole_tree_is_no_threat_before_the_hand_comes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--json", "--arm", "away", str(footage.tree())]) == 0
    incidents, _ = _lines(capsys.readouterr().out)
    assert not [one for one in incidents if one["verdict"] == "threat" and float(str(one["started_s"])) < 3.5]


@pytest.mark.slow
def test_the_walkers_are_person_incidents_and_threats(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--json", "--arm", "away", str(footage.vtest())]) == 0
    incidents, summary = _lines(capsys.readouterr().out)
    assert {(one["subject"], one["verdict"]) for one in incidents} == {("person", "threat")}
    assert summary["frames"] == 795


@pytest.mark.slow
def test_cars_from_above_are_benign_vehicles_and_no_threat(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--json", "--arm", "away", str(footage.cars())]) == 0
    incidents, _ = _lines(capsys.readouterr().out)
    assert {one["verdict"] for one in incidents} <= {"benign", "false_alarm"}
    assert "vehicle" in {one["subject"] for one in incidents}


def test_at_home_the_man_is_benign(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--json", "--arm", "home", str(footage.porch())]) == 0
    incidents, _ = _lines(capsys.readouterr().out)
    assert [one["verdict"] for one in incidents] == ["benign"]


def test_the_configuration_says_how_it_is_armed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sealcam.toml").write_text('arm = "off"\n[sight]\ncalm_s = 1.0\n')
    clip = write_clip(tmp_path / "c.mkv", [luma(ground())] * 3)
    assert main(["replay", "--json", "--config", str(tmp_path / "sealcam.toml"), str(clip)]) == 0
    (tmp_path / "sealcam.toml").write_text("[sight]\ncalm = 1.0\n")
    capsys.readouterr()
    assert main(["replay", "--config", str(tmp_path / "sealcam.toml"), str(clip)]) == 2
    assert "did you mean sight.calm_s?" in capsys.readouterr().err


def test_a_second_model_that_is_not_here_is_told_once_with_how_to_get_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if models.is_here("ssdlite"):
        pytest.skip("ssdlite was fetched here")
    (tmp_path / "sealcam.toml").write_text('[model]\nsecond = "ssdlite"\n')
    clips = [str(write_clip(tmp_path / f"{name}.mkv", [luma(ground())] * 3)) for name in "ab"]
    assert main(["replay", "--json", "--config", str(tmp_path / "sealcam.toml"), *clips]) == 0
    out, error = capsys.readouterr()
    words = "the model ssdlite isn't here: goes on with nanodet-g alone; get it with: make model NAME=ssdlite"
    assert error == f"sealcam: warning: {words}\n"
    assert _lines(out)[1]["troubles"] == [{"clip": "a.mkv", "code": "model-second-missing", "words": words}]


def test_where_every_model_is_here_there_is_no_trouble(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = write_clip(tmp_path / "c.mkv", [luma(ground())] * 3)
    assert main(["replay", "--json", str(clip)]) == 0
    out, error = capsys.readouterr()
    assert (error, _lines(out)[1]["troubles"]) == ("", [])


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "is empty"), (b"hello\n" * 99, "can't be read as a video"), (None, "no such file")]
)
def test_a_clip_that_is_none_is_one_clear_error_with_a_hint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, says: str
) -> None:
    clip = tmp_path / "bad.avi"
    if content is not None:
        clip.write_bytes(content)
    assert main(["replay", "--json", str(clip)]) == 1
    captured = capsys.readouterr()
    error, hint = captured.err.splitlines()
    assert error.startswith("sealcam: error: ")
    assert says in error
    assert hint.startswith("hint: ")
    assert _lines(captured.out)[0] == []


def test_a_bad_clip_hides_nothing_of_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--json", str(tmp_path), str(footage.porch()), str(tmp_path / "no.avi")]) == 1
    captured = capsys.readouterr()
    assert [one["clip"] for one in _lines(captured.out)[0]] == ["test2-cam-person1.mkv"]
    assert captured.err.count("sealcam: error:") == 2


def test_a_truncated_clip_tells_what_it_holds_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = footage.porch().read_bytes()
    (tmp_path / "cut.mkv").write_bytes(content[: len(content) * 2 // 3])
    assert main(["replay", "--json", str(tmp_path / "cut.mkv")]) == 1
    captured = capsys.readouterr()
    incidents, summary = _lines(captured.out)
    assert [one["subject"] for one in incidents] == ["person"]
    assert summary["frames"] > 10  # type: ignore[operator]
    assert "is cut short" in captured.err


def test_a_truncated_recording_of_walkers_tells_them_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = footage.vtest_cut(tmp_path / "whole.avi", 3.5).read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) * 2 // 3])
    assert main(["replay", "--json", "--arm", "away", str(tmp_path / "cut.avi")]) == 1
    captured = capsys.readouterr()
    incidents, summary = _lines(captured.out)
    assert [one["subject"] for one in incidents] == ["person"]
    assert 10 < summary["frames"] < 35  # type: ignore[operator]
    error, hint = captured.err.splitlines()
    assert error.startswith("sealcam: error: ")
    assert "is cut short" in error
    assert hint.startswith("hint: ")


@pytest.mark.parametrize("arguments", [["--at", "noon"], ["--arm", "maybe"], []])
def test_misuse_is_exit_code_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replay", *arguments, *(["clip.avi"] if arguments else [])])
    assert ended.value.code == 2
    assert "hint:" in capsys.readouterr().err


def _line(**changes: object) -> IncidentLine:
    facts: dict[str, object] = dict(
        zip(KEYS, ("a.avi", "00ff", "motion", 2.0, 63.5, "person", 0.81, "threat", 0.9), strict=False)
    )
    return IncidentLine(**(facts | {"reasons": ("a person was seen",), "detector_runs": 7} | changes))  # type: ignore[arg-type]


def test_people_read_a_line_with_the_time_of_day() -> None:
    out = StringIO()
    lines = PlainLines(out, datetime.fromisoformat("2026-11-22T01:00:00+01:00"))
    lines.incident(_line())
    lines.incident(_line(subject="none", verdict="false_alarm", threat=0.02))
    lines.summary(Tally(model="m", incidents=2, frames=10, footage_s=1.0, elapsed_s=0.5, dropped=3))
    first, second, last = out.getvalue().splitlines()
    assert "2026-11-22T01:00:02+01:00 to 2026-11-22T01:01:03+01:00" in first
    assert "person 0.81" in first
    assert "threat 0.90" in first
    assert "nothing known" in second
    assert "false alarm 0.02" in second
    assert last.startswith("2 incidents in 10 frames")
    assert "3 dropped" in last


def test_programs_read_the_fields_in_their_order() -> None:
    out = StringIO()
    JsonLines(out).incident(_line())
    assert list(json.loads(out.getvalue())) == KEYS


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_only_and_taken_away() -> None:
    for out, shown in ((_Terminal(), True), (StringIO(), False)):
        moments = iter((0.0, 0.1, 1.0))
        progress = Progress(out, "a.avi", lambda moments=moments: next(moments))  # type: ignore[misc]
        progress.show(1, 0.1)
        if shown:
            progress.show(30, 3.0)
        progress.clear()
        assert ("a.avi: 3 s of footage, 30 frames/s" in out.getvalue()) is shown
        assert out.getvalue().endswith("\r\033[K") is shown


def test_ids_are_the_contents_and_the_numbers(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"one")
    (tmp_path / "c").write_bytes(b"two")
    a, b, c = (incident_ids(tmp_path / name) for name in "abc")
    assert a(0) == b(0)
    assert len({a(0), a(1), c(0), c(1)}) == 4
    assert len(a(0)) == 16


def test_a_source_that_fails_in_mid_visit_still_ends_its_incident() -> None:
    pictures = []
    for index in range(45):
        box = walker(index / 10)
        pictures.append(frame(ground() if box is None else with_block(ground(), box), index / 10, index))
    watch = Watch(ToldDetector(lambda s: [seen(box)] if (box := walker(s)) else []), SightSettings(), str, ArmMode.AWAY)
    tally = Tally(model="m")
    lines = play("a", ScriptedCamera(pictures, ClipError("damaged")), watch, tally)
    assert next(lines).subject == "person"
    with pytest.raises(ClipError, match="damaged"):
        next(lines)
    assert tally.frames == 45
    assert tally.incidents == 1


def test_odd_clips_of_one_pixel_and_one_frame_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = write_clip(tmp_path / "tiny.mkv", [np.full((2, 2), 90, np.uint8)] * 5)
    single = write_clip(tmp_path / "single.mkv", [luma(ground())])
    tall = write_clip(tmp_path / "tall.mkv", [np.full((640, 2), 90, np.uint8)] * 3)
    assert main(["replay", "--json", str(tiny), str(single), str(tall)]) == 0
    assert _lines(capsys.readouterr().out)[0] == []
