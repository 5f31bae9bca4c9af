"""`make eval`: what is planned, what is kept, what is counted, and a page that can be read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sealcam.board.scripted import grey_frame
from sealcam.sight.panel import Trouble
from sealcam.sight.types import Box, Detection, Subject
from sealcam.wire.errors import ModelError
from sealcam_verdict.weather import Strength
from tests.clips import write_clip
from tests.eval import mog2, motion, plan, tables
from tests.eval.__main__ import main
from tests.eval.labels import load
from tests.eval.page import page
from tests.eval.plan import Clip, Weather
from tests.eval.records import Moved, Run, Said, Seen, Shot
from tests.eval.watching import Clockwork, forth_and_back, picture, refuse_without
from tests.labelled import LABELS, job, labelled

REAL = (Weather("real", None),)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a still recording of 2 s and its labels."""
    return labelled(tmp_path)


def evaluate(folder: Path, *more: str) -> int:
    """`python -m tests.eval` on that folder alone."""
    places = ["--labels", str(folder), "--footage", str(folder), "--out", str(folder / "out")]
    return main([*places, "--baselines", "", "--quick", *more])


def test_it_runs_counts_writes_and_resumes_from_what_it_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(folder) == 0
    first = capsys.readouterr()
    assert first.out.splitlines()[-1].endswith("eval.json")
    assert "8 of 8: sealcam nanodet-g, made, rain mild" in first.err, "four conditions, the clip and a stretch of it"
    document = (folder / "out" / "eval.json").read_bytes()
    _counts_source_seconds_and_tells_what_went_wrong(json.loads(document))
    text = (folder / "out" / "report.html").read_text()
    assert "4 of 4" in text
    assert "http" not in text, "needs nothing from elsewhere"
    kept = sorted((folder / "out" / "runs").glob("*.json"))
    assert len(kept) == 8
    kept[0].unlink()
    assert evaluate(folder) == 0
    assert capsys.readouterr().err.count(" of 8: ") == 1, "only what was not kept is watched"
    assert (folder / "out" / "eval.json").read_bytes() == document, "and comes out the same"


def _counts_source_seconds_and_tells_what_went_wrong(document: dict[str, Any]) -> None:
    rows = {row["weather"]: row for row in document["rows"]}
    assert rows["real"]["negative_s"] == 1.5, "the stretch of 0.3 s is too short to be a scene"
    assert rows["real"]["watched_s"] > 19.5
    assert rows["all"]["negative_s"] == 6.0
    assert (rows["real"]["positives"], rows["real"]["missed"], rows["real"]["delay_p50_s"]) == (1, 1, None)
    assert {(fault["kind"], fault["what"]) for fault in document["faults"]} == {("missed", "nobody")}


def test_only_what_was_kept_is_reported_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places = ["--labels", str(folder), "--footage", str(folder), "--out", str(folder / "out"), "--baselines", ""]
    kept = next(plan.jobs(plan.clips(folder, footage=[folder]), [("sealcam", "nanodet-g")], REAL))
    (folder / "out" / "runs").mkdir(parents=True)
    (folder / "out" / "runs" / f"{kept.key}.json").write_text(planted(folder).to_json())
    assert main([*places, "--kept"]) == 0
    assert capsys.readouterr().err == ""
    document = json.loads((folder / "out" / "eval.json").read_text())
    assert [(row["weather"], row["positives"]) for row in document["rows"]] == [
        *(("real", 1), ("real and all mild", 1), ("all", 1)),
    ]


def test_a_clip_that_is_not_here_is_told_and_nothing_at_all_is_an_error(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "made.mkv").unlink()
    assert evaluate(folder) == 1
    assert "made.mkv is not here and is left out" in capsys.readouterr().err


def test_an_unknown_baseline_is_told_with_those_there_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--labels", str(folder), "--footage", str(folder), "--baselines", "zoneminder"]) == 1
    assert "there are mog2 and motion" in capsys.readouterr().err


def test_a_key_names_all_that_a_run_depends_on_and_nothing_else(folder: Path) -> None:
    one = job(folder)
    others = [
        replace(one, system="mog2"),
        replace(one, model="ssdlite"),
        replace(one, code="other"),
        replace(one, stretch=one.clip.labels.empty[0]),
        replace(one, weather=Weather("rain", Strength.MILD)),
        replace(one, weather=Weather("rain", Strength.HARD)),
        replace(one, clip=replace(one.clip, sha256="0" * 64)),
    ]
    assert len({one.key, *(other.key for other in others)}) == 1 + len(others)
    assert replace(one, clip=replace(one.clip, path=Path("elsewhere.mkv"))).key == one.key
    relabelled = replace(one.clip, labels=replace(one.clip.labels, note="drawn anew", lives=()))
    assert replace(one, clip=relabelled).key == one.key, "labels judge a run, they don't change it"


def test_every_condition_comes_at_both_strengths_after_the_real_one() -> None:
    weathers = plan.conditions(quick=False)
    assert str(weathers[0]) == "real"
    assert len(weathers) == len(set(map(str, weathers))) == 25
    assert [str(weather) for weather in weathers[1:13]] == [f"{w.name} mild" for w in weathers[1:13]]


def test_one_strength_alone_comes_after_the_real_one() -> None:
    weathers = plan.conditions(quick=False, strengths=[Strength.MILD])
    assert len(weathers) == 13
    assert [weather.strength for weather in weathers] == [None, *[Strength.MILD] * 12]


def test_a_strength_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--strengths", "mild,fierce"])
    assert "--strengths" in capsys.readouterr().err


def test_a_short_stretch_is_played_forth_and_back_while_time_goes_on() -> None:
    frames = [grey_frame(np.full((2, 2), n, np.uint8), t_s * 10**9, n) for n, t_s in enumerate((0, 1, 3, 6))]
    played = list(forth_and_back(frames))
    assert [int(frame.y[0, 0]) for frame in played[:8]] == [0, 1, 2, 3, 2, 1, 0, 1]
    assert [frame.t_ns // 10**9 for frame in played[:8]] == [0, 1, 3, 6, 9, 11, 12, 13]
    assert 18 <= played[-1].t_ns / 1e9 < 20
    assert [frame.index for frame in played] == list(range(len(played)))
    assert len(list(forth_and_back(frames[:1]))) == 1
    assert list(forth_and_back([])) == []


def test_a_long_stretch_is_played_once() -> None:
    frames = [grey_frame(np.zeros((2, 2), np.uint8), n * 10**9, n) for n in range(40)]
    assert len(list(forth_and_back(frames))) == 40


def test_the_baseline_makes_one_alarm_of_detections_in_a_row_and_a_threat_of_a_person() -> None:
    alarms = mog2.Alarms()
    car, person = (Detection(kind, str(kind), 0.6, Box(0, 0, 10, 20)) for kind in (Subject.VEHICLE, Subject.PERSON))
    for t_s, found in ((1.0, [car]), (2.0, [car, person]), (3.0, []), (6.0, [person]), (12.0, [car])):
        alarms.take(t_s, found, 2.0)
    said = alarms.close()
    assert [(one.stage, one.incident, one.t_s, one.verdict) for one in said[:3]] == [
        ("new", "alarm-1", 1.0, "benign"),
        ("update", "alarm-1", 2.0, "threat"),
        ("end", "alarm-1", 2.0, "threat"),
    ]
    assert [one.incident for one in said[3:]] == ["alarm-2", "alarm-2"]
    assert said[2].ended_s == 6.0
    assert alarms.seen[0].box == Box(0, 0, 20, 40)


def test_the_baseline_watches_a_job(folder: Path) -> None:
    run = mog2.watch(job(folder, system="mog2"))
    assert (run.frames, run.watched_s, run.said) == (20, 1.9, ())


def test_nothing_is_measured_without_a_model_that_should_be_there() -> None:
    refuse_without([])
    with pytest.raises(ModelError, match="oidv4 isn't here"):
        refuse_without([Trouble("model-second-missing", "the model oidv4 isn't here")])


def test_foreground_is_counted_without_shadows() -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[:50] = 127
    mask[90:] = 255
    assert mog2.foreground(mask, Box(0, 0, 99, 49)) == 0.0
    assert mog2.foreground(mask, Box(0, 80, 99, 99)) == pytest.approx(0.5)
    assert mog2.foreground(mask, Box(200, 200, 210, 210)) == 0.0


def test_events_of_motion_are_threats_and_end_with_the_clip(folder: Path) -> None:
    clock = Clockwork(job(folder, system="motion"))
    for n in range(100):
        clock.tick(grey_frame(np.zeros((2, 2), np.uint8), n * 10**8, n))
    said = motion.said_of([("end", 0.1), ("start", 1.0), ("end", 4.0), ("start", 8.0)], clock)
    assert [(one.stage, one.incident, one.t_s, one.verdict) for one in said] == [
        ("new", "event-1", 1.0, "threat"),
        ("end", "event-1", 4.0, "threat"),
        ("new", "event-2", 8.0, "threat"),
        ("end", "event-2", 9.9, "threat"),
    ]
    assert [one.started_s for one in said] == [1.0, 1.0, 8.0, 8.0]


@pytest.mark.slow
@pytest.mark.skipif(not motion.here(), reason="Debian's motion is not installed")
def test_motion_sees_a_block_that_crosses_a_file_and_nothing_where_nothing_is(tmp_path: Path) -> None:
    ground = np.full((180, 320), 90, np.uint8)
    pictures = [ground.copy() for _ in range(80)]
    for n in range(40, 80):
        pictures[n][60:140, 6 * (n - 40) : 6 * (n - 40) + 50] = 220
    (tmp_path / "made.toml").write_text(
        LABELS.replace("to_s = 1.5", "to_s = 3.5").replace("from_s = 1.6", "from_s = 0.5")
    )
    write_clip(tmp_path / "made.mkv", pictures, [100 * n for n in range(80)])
    run = motion.watch(job(tmp_path, system="motion"))
    assert [one.stage for one in run.said] == ["new", "end"]
    assert 3.5 < run.said[0].t_s < 6.5
    (clip,) = plan.clips(tmp_path, footage=[tmp_path])
    assert motion.watch(job(tmp_path, system="motion", stretch=clip.labels.empty[0])).said == ()


def planted(folder: Path, threat: Sequence[float] = ()) -> Run:
    """A run that saw somebody where the label is, and a ghost for each of these threats."""
    frame = grey_frame(np.full((90, 160), 90, np.uint8), 0, 0)
    box = Box(100, 60, 160, 150)
    said = [Said(0.3, "new", "i0", "person", "threat", 0.9, 0.3, 0.3, (1,), ("<b>a person</b> was seen",))]
    said += [Said(0.5, "new", f"g{n}", "person", "threat", t, 0.5, 0.5, (9,), ()) for n, t in enumerate(threat)]
    seen = tuple(Seen(n / 10, 1, "person", 0.7, box) for n in range(3, 19))
    shots = (Shot(0.5, "time", picture(frame)),)
    return Run(1.9, 20, 5, seen, tuple(said), (Moved(0.0, 0.1, True, True),), shots, picture(frame))


def test_tables_sum_by_condition_and_name_each_fault(folder: Path) -> None:
    one = job(folder)
    rain = Weather("rain", Strength.HARD)
    results = [
        tables.result(one, planted(folder)),
        tables.result(replace(one, weather=rain), planted(folder, [0.6, 0.7])),
        tables.result(replace(one, weather=rain, stretch=one.clip.labels.empty[0]), planted(folder)),
    ]
    found = {row.weather: row for row in tables.rows(results, [one.weather, rain])}
    assert set(found) == {"real", "rain hard", "all hard", "real and all mild", "all"}
    assert (found["real"].missed, found["real"].delay_p50_s, found["real"].elsewhere) == (0, 0.3, 0)
    assert (found["rain hard"].elsewhere, found["rain hard"].false_threats) == (2, 1)
    assert found["all"].negative_s == 1.5
    assert found["all"].false_threats_per_hour_upper == pytest.approx(4.744 * 3600 / 1.5, rel=1e-3)
    assert [fault.kind for fault in tables.faults(results)] == ["false threat"] * 3
    judged = [one for result in results for one in result.score.incidents]
    assert tables.confusion(judged)["false_alarm", "threat"] == 3
    assert [(b.low, b.count, b.share) for b in tables.calibration(judged)] == [
        (0.6, 1, 0),
        (0.7, 1, 0),
        (0.9, 3, 2 / 3),
    ]


def test_the_page_shows_pictures_faults_and_escapes_what_it_quotes(folder: Path) -> None:
    one = job(folder)
    results = [
        tables.result(one, planted(folder, [0.6])),
        tables.result(replace(one, stretch=one.clip.labels.empty[0]), planted(folder)),
        tables.result(replace(one, system="mog2"), planted(folder)),
    ]
    text = page(results, tables.rows(results, [one.weather]), [one.weather])
    assert "data:image/jpeg;base64," in text
    assert "<b>a person</b>" not in text
    assert "false threat" in text
    assert "MOG2, nanodet-g" in text
    assert "prefers-color-scheme: dark" in text
    assert text.count("<svg") == text.count("</svg>")


def test_labels_of_a_clip_keep_the_time_of_its_first_frame(folder: Path) -> None:
    (clip,) = plan.clips(folder, footage=[folder])
    assert isinstance(clip, Clip)
    assert clip.labels == load(folder / "made.toml")
    assert (clip.first_s, clip.length_s) == (0.0, pytest.approx(1.9, abs=0.01))
