"""`sealcam-hub review`: counts, the data set as a file, and forgetting."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sealcam_hub.cli import main
from sealcam_hub.review_words import Word
from tests.reviewing import reviewing


def test_the_marks_are_counted_exported_and_erased(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, file = tmp_path / "hub", tmp_path / "marks.jsonl"
    with reviewing(folder) as room:
        names = [room.sees(number) for number in (1, 2)]
        room.marks.say(names[0], Word.FALSE_ALARM, 0, "Ben")
    here = ["--state", str(folder), "review"]
    assert main([*here, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"marked": 1, "by_word": {"false_alarm": 1}, "waiting": 1, "model": None}
    assert main([*here, "--export", str(file)]) == 0
    assert json.loads(file.read_text())["incident"] == names[0]
    assert main([*here, "--export", str(file)]) == 1, "a file that is there stays"
    assert main([*here, "--erase"]) == 0
    capsys.readouterr()
    assert main(here) == 0
    assert capsys.readouterr().out.startswith("0 marked, 2 wait")
    with pytest.raises(SystemExit, match="2"):
        main([*here, "--export", str(file), "--erase"])
