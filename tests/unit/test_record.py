"""`sealcam record` as a person or a program calls it, and its clips opened by the hub's command."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from sealcam import models
from sealcam.board.replay import ReplayCamera
from sealcam.cli import main
from sealcam.wire.clip import FileSource, content_key, read_header, read_info
from sealcam.wire.keys import BoxKey
from tests import footage
from tests.clips import copy_frames, write_clip
from tests.films import Shown, shown
from tests.scenes import ground, luma

HUB = str(Path(sys.executable).with_name("sealcam-hub"))
OWNER, FRIEND = BoxKey(b"o" * 32), BoxKey(b"f" * 32)
KEY = OWNER.public.hex()
LOW_ORDER = bytes(32).hex()


def record(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    code = main(["record", *map(str, words)])
    out, error = capsys.readouterr()
    return code, out, error


def opened(line: dict[str, Any], folder: Path, key: BoxKey = OWNER) -> bytes:
    """A clip's video, as the hub's command opens it without a hub."""
    (folder.parent / "secret").write_text(key.secret.hex())
    out = folder.parent / "out.mp4"
    keys = ["--key", folder.parent / "secret", "--signer", folder / "signer.pub"]
    command = [HUB, "clip", "open", line["file"], "-o", out, *keys]
    done = subprocess.run(list(map(str, command)), capture_output=True, check=True, text=True)
    assert done.stderr == ""
    return out.read_bytes()


def times_of(path: Path) -> list[int]:
    """When the pictures of a recording were taken, in microseconds from its first one on."""
    return [(one.t_ns + 500) // 1000 for one in ReplayCamera(path).frames()]


def inside(played: Shown, line: dict[str, Any], source: list[int]) -> None:
    """The clip shows exactly the source's pictures of its time, and its length is theirs."""
    started_us = round(line["started_s"] * 1e6)
    there = [time - started_us for time in source if started_us <= time][: len(played.times_us)]
    assert played.times_us == there
    assert played.duration_us == round(line["seconds"] * 1e6)
    interval_us = max(1, played.times_us[-1] - played.times_us[-2])
    assert played.duration_us - played.times_us[-1] <= 2 * interval_us
    assert max(later - earlier for earlier, later in zip(played.keys_us, played.keys_us[1:], strict=False)) <= 1_000_000


def test_the_porch_is_one_clip_that_holds_the_trigger_and_all_there_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "clips"
    code, out, error = record(capsys, footage.porch(), "--to", folder, "--recipient", KEY, "--arm", "away", "--json")
    assert (code, error) == (0, "")
    (line,) = map(json.loads, out.splitlines())
    assert list(line) == [
        *("file", "clip", "incident", "part", "started_s", "trigger_s", "seconds", "bytes", "video_bytes", "verdict")
    ]
    assert (line["started_s"], line["trigger_s"], line["part"], line["verdict"]) == (0, 0, 0, "threat")
    assert line["bytes"] == Path(line["file"]).stat().st_size
    video = opened(line, folder)
    assert line["video_bytes"] == len(video)
    played, source = shown(video), times_of(footage.porch())
    assert played.size == (1280, 720)
    inside(played, line, source)
    assert len(played.times_us) == len(source) == 60
    probed(folder.parent / "out.mp4", played)


def probed(path: Path, played: Shown) -> None:
    """What FFmpeg's own program finds in a clip is what was found without it: whole, one video, no sound."""
    program = shutil.which("ffprobe")
    if program is None:
        pytest.skip("all but ffprobe's word was seen: it is not here (apt-get install ffmpeg)")
    entries = "stream=codec_name,codec_type,width,height,nb_read_frames:format=duration"
    entries += ":frame=best_effort_timestamp_time"
    command = [program, "-v", "error", "-count_frames", "-show_entries", entries, "-of", "json", str(path)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert done.stderr == ""
    found = json.loads(done.stdout)
    (stream,) = found["streams"]
    assert (stream["codec_type"], stream["codec_name"]) == ("video", "h264")
    assert (stream["width"], stream["height"]) == played.size
    assert int(stream["nb_read_frames"]) == len(played.times_us)
    times_us = [round(float(one["best_effort_timestamp_time"]) * 1e6) for one in found["frames"]]
    assert times_us == played.times_us
    assert float(found["format"]["duration"]) == pytest.approx(played.duration_us / 1e6, abs=1e-5)


def he_comes(path: Path) -> Path:
    """The porch, empty for four seconds, then with the man for three."""
    scene = list(ReplayCamera(footage.porch()).frames())
    empty, man = scene[-8:], scene[10:40]
    times = [*(empty[index % 8] for index in range(40)), *man]
    return copy_frames(path, (replace(one, t_ns=index * 100_000_000) for index, one in enumerate(times)))


CONFIG = '[clips]\npre_roll_s = 2.0\npost_roll_s = 1.0\n[camera]\nname = "the car park"\n'


def with_pre_roll(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Record it with two seconds of pre-roll; each clip's pictures are right."""
    config, folder = tmp_path / "sealcam.toml", tmp_path / "clips"
    config.write_text(CONFIG)
    words = ["--to", folder, "--recipient", KEY, "--config", config, "--json", "--at", "2026-11-22T01:00:00+00:00"]
    code, out, _ = record(capsys, source, *words)
    assert code == 0
    lines = list(map(json.loads, out.splitlines()))
    times = times_of(source)
    for line in lines:
        inside(shown(opened(line, folder)), line, times)
        assert line["trigger_s"] >= min(2.0, line["started_s"] + line["trigger_s"])
        assert line["trigger_s"] <= 3.1
    return lines


def test_an_incident_in_the_midst_has_its_pre_roll(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = with_pre_roll(he_comes(tmp_path / "he-comes.mkv"), tmp_path, capsys)
    assert line["started_s"] + line["trigger_s"] == pytest.approx(4, abs=0.2)
    signer = bytes.fromhex((tmp_path / "clips" / "signer.pub").read_text())
    with Path(line["file"]).open("rb") as file:
        header = read_header(FileSource(file), [signer])
    info = read_info(header, content_key(header, [OWNER]))
    assert (info.camera, info.incident.hex()) == ("the car park", line["incident"])
    assert info.trigger_ns == round((line["started_s"] + line["trigger_s"]) * 1e9)
    assert info.at.wall_ns == pytest.approx((1_795_309_200 + line["started_s"]) * 1e9, abs=1e6)


@pytest.mark.slow
def test_each_of_the_passing_cars_has_its_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = with_pre_roll(footage.cars(), tmp_path, capsys)
    assert len(lines) >= 2
    assert all(line["started_s"] > 0 for line in lines[1:])


def test_each_recipient_opens_it_and_nobody_sees_what_is_masked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "sealcam.toml"
    config.write_text("[[scene.masks]]\ncorners = [[0.0, 0.0], [0.5, 0.0], [0.5, 0.4], [0.0, 0.4]]\n")
    clip, folder = footage.vtest_cut(tmp_path / "cut.avi", 2.5), tmp_path / "clips"
    keys = [KEY, FRIEND.public.hex()]
    code, out, _ = record(capsys, clip, "--to", folder, "--recipient", *keys, "--json", "--config", config)
    assert code == 0
    (line,) = map(json.loads, out.splitlines())
    mp4 = opened(line, folder)
    assert mp4 == opened(line, folder, FRIEND)
    with pytest.raises(subprocess.CalledProcessError):
        opened(line, folder, BoxKey(b"x" * 32))
    with av.open(io.BytesIO(mp4)) as container:
        for picture in container.decode(video=0):
            luma_plane = picture.to_ndarray()[: picture.height]
            assert luma_plane.shape == (576, 768)
            assert luma_plane[:224, :380].max() <= 24
            assert luma_plane[:224, 390:].mean() > 40


def test_a_person_reads_where_it_is_and_how_long(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = footage.vtest_cut(tmp_path / "cut.avi", 2.5)
    code, out, _ = record(capsys, clip, "--to", tmp_path / "clips", "--recipient", KEY)
    assert code == 0
    first, last = out.splitlines()
    assert re.fullmatch(
        rf"{tmp_path}/clips/[0-9a-f]{{32}}\.scl1: 0.0 to 2.5 s  threat, trigger at 0.0 s, 0.\d MB", first
    )
    assert last == f"1 clip from 2.4 s of footage in {tmp_path / 'clips'}"


def test_footage_without_an_incident_gives_no_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    still = write_clip(tmp_path / "still.avi", [luma(ground())] * 20)
    code, out, error = record(capsys, still, "--to", tmp_path / "clips", "--recipient", KEY)
    assert (code, out) == (0, f"0 clips from 1.9 s of footage in {tmp_path / 'clips'}\n")
    assert [path.name for path in (tmp_path / "clips").iterdir()] == ["signer.pub"]
    assert error == ""


def test_another_run_into_the_same_folder_keeps_the_earlier_ones_signer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip, folder = footage.vtest_cut(tmp_path / "cut.avi", 2.5), tmp_path / "clips"
    for _ in range(2):
        assert record(capsys, clip, "--to", folder, "--recipient", KEY)[0] == 0
    signers = sorted(folder.glob("signer*.pub"))
    assert len(signers) == 2
    for path in folder.glob("*.scl1"):
        with path.open("rb") as file:
            read_header(FileSource(file), [bytes.fromhex(signer.read_text()) for signer in signers])


@pytest.mark.parametrize(
    ("word", "said"), [("abc", "'abc' is no key"), ("g" * 64, "is no key"), (LOW_ORDER, "nothing can be sealed")]
)
def test_a_key_that_is_none_is_told_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str, said: str
) -> None:
    code, out, error = record(capsys, tmp_path / "no.avi", "--to", tmp_path / "clips", "--recipient", word)
    assert (code, out) == (2, "")
    assert said in error
    assert "hint: it is an X25519 public key: 64 hex digits" in error
    assert not (tmp_path / "clips").exists()


def test_too_many_recipients_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = [BoxKey(bytes([n]) * 32).public.hex() for n in range(1, 18)]
    code, _, error = record(capsys, tmp_path / "no.avi", "--to", tmp_path / "clips", "--recipient", *keys)
    assert (code, "at most 16 recipients" in error) == (2, True)


def test_a_file_that_cannot_be_read_leaves_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, error = record(capsys, tmp_path / "no.avi", "--to", tmp_path / "clips", "--recipient", KEY)
    assert (code, "no such file" in error) == (1, True)
    assert not (tmp_path / "clips").exists()


def test_a_folder_that_cannot_be_is_told_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    still = write_clip(tmp_path / "still.avi", [luma(ground())] * 5)
    for folder in (still, still / "clips"):
        code, _, error = record(capsys, still, "--to", folder, "--recipient", KEY)
        assert code == 1
        assert f"can't write in {folder}: " in error
        assert "hint: name a folder that you may write in" in error


def test_what_a_torn_recording_holds_is_recorded_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = footage.vtest_cut(tmp_path / "cut.avi", 3)
    torn = tmp_path / "torn.avi"
    torn.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    code, out, error = record(capsys, torn, "--to", tmp_path / "clips", "--recipient", KEY, "--json")
    assert (code, "cut short" in error or "damaged" in error) == (1, True)
    (line,) = map(json.loads, out.splitlines())
    assert len(shown(opened(line, tmp_path / "clips")).times_us) >= 5


def test_a_second_model_that_is_not_here_is_a_warning_and_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if models.is_here("ssdlite"):
        pytest.skip("ssdlite was fetched here")
    (tmp_path / "sealcam.toml").write_text('[model]\nsecond = "ssdlite"\n')
    clip = write_clip(tmp_path / "c.mkv", [luma(ground())] * 3)
    words = ("--to", tmp_path / "clips", "--recipient", KEY, "--config", tmp_path / "sealcam.toml")
    code, _, error = record(capsys, clip, *words)
    assert code == 0
    assert error.count("sealcam: warning: the model ssdlite isn't here") == 1
    assert "make model NAME=ssdlite" in error
