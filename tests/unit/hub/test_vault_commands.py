"""`sealcam-hub clip list`, `fetch`, `room` and `open ID`, as their owner types them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam_hub.cli import main
from sealcam_hub.home import open_home
from tests.vault import PLAIN, Dock, clip_of, dock, name_of, pieces

FIRST, SECOND = name_of(1).hex(), name_of(2).hex()


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Dock]:
    """A hub with clip 1, and clip 2 on the camera."""
    with dock(tmp_path / "hub") as made:
        made.bring(pieces(clip_of(made.camera)))
        made.desk.take(made.camera.incident(2, clip=made.camera.clip_key(2)), made.camera.clip(2))
        yield made


def hub(at: Dock, *words: str) -> int:
    return main(["--state", str(at.desk.home.folder.path), "clip", *words])


def test_clips_are_listed_with_where_they_are(at: Dock, capsys: pytest.CaptureFixture[str]) -> None:
    at.desk.take(at.camera.clip(1, chunks=18))
    assert hub(at, "list") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(FIRST)
    assert first.endswith("1.2 MB  here")
    assert second.endswith("on the camera")
    assert hub(at, "list", "--json", "--camera", "Door") == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["id"], one["state"], one["percent"]) for one in told] == [
        (FIRST, "here", 100),
        (SECOND, "camera", 0),
    ]
    incident = told[1]["incident"]
    assert hub(at, "list", "--json", "--incident", incident) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == told[1:]


def test_a_clip_of_whose_end_nothing_was_said_is_listed_as_being_recorded(
    at: Dock, capsys: pytest.CaptureFixture[str]
) -> None:
    at.desk.take(at.camera.incident(3, clip=at.camera.clip_key(3)))
    assert hub(at, "list") == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("being recorded")
    at.desk.take(at.camera.clip(3))
    assert hub(at, "list") == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("on the camera")


def test_a_clip_is_opened_by_its_id_and_the_log_has_it(at: Dock, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    assert hub(at, "open", FIRST, "-o", str(out)) == 0
    assert out.read_bytes() == PLAIN
    assert hub(at, "open", str(at.desk.home.folder.clips / f"{FIRST}.scl1"), "-o", str(out)) == 0
    with open_home(at.desk.home.folder) as home, home.store.reading() as connection:
        from sealcam_hub import audit

        assert len(list(audit.entries(connection))) >= 2


def test_what_is_coming_is_opened_as_far_as_it_is_here_and_that_is_said(
    at: Dock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at.bring(pieces(clip_of(at.camera, 2))[:17], name_of(2))
    out = tmp_path / "out.mp4"
    assert hub(at, "open", SECOND, "-o", str(out)) == 0
    assert PLAIN.startswith(out.read_bytes())
    assert "still coming" in capsys.readouterr().err
    assert hub(at, "list") == 0
    assert "coming" in capsys.readouterr().out.splitlines()[1]


def test_what_is_not_here_is_not_opened(at: Dock, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.mp4"
    assert hub(at, "open", SECOND, "-o", str(out)) == 1
    assert "its camera has it\nhint: sealcam-hub clip fetch" in capsys.readouterr().err
    assert hub(at, "open", FIRST, "-o", str(out), "--words") == 2
    assert hub(at, "open", "0" * 32, "-o", str(out)) == 2
    assert not out.exists()


def test_a_clip_and_an_incidents_clips_are_asked_for(at: Dock, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub(at, "fetch", SECOND, FIRST) == 0
    told = capsys.readouterr().out
    assert f"{FIRST}: here" in told
    assert "asked for 1 clip, as soon as the camera beats" in told
    assert at.place(name_of(2)) == "asked"
    assert hub(at, "fetch", "0" * 32) == 2
    assert hub(at, "fetch", SECOND, "--timeout", "5m") == 2


def test_waiting_ends_when_all_is_here_and_when_the_camera_says_no(
    at: Dock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hub(at, "fetch", FIRST, "--wait") == 0
    assert hub(at, "fetch", SECOND, "--wait", "--timeout", "1s") == 1
    assert "not all has come in time" in capsys.readouterr().err


def test_the_owner_says_how_much_room_clips_may_take(at: Dock, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub(at, "room") == 0
    assert "of 100.0 GB" in capsys.readouterr().out
    assert hub(at, "room", "--most", "20g", "--when-full", "oldest", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["most_bytes"], told["when_full"]) == (20 * 10**9, "oldest")
    assert told["used_bytes"] > len(PLAIN)
    assert hub(at, "room") == 0
    assert "are deleted" in capsys.readouterr().out
    assert hub(at, "room", "--when-full", "keep") == 0
    assert "of 20.0 GB" in (told := capsys.readouterr().out)
    assert "stay on their cameras" in told
    assert hub(at, "room", "--most", "9M") == 2
