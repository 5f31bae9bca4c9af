"""The bring-up page: what it says to type is there, each line has a status, and no number stands for two things."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from sealcam import doctor
from sealcam.cli import main
from sealcam.config import Config

REPO = Path(__file__).parents[2]
PAGE = (REPO / "design" / "bringup.md").read_text()
SPANS = sorted(set(re.findall(r"`([^`\n]+)`", PAGE)))
TABLES = [
    line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| #", "| Board", "| Copy"))
]
TYPED = [re.sub(r"^.*?/venv/bin/", "", span) for span in SPANS]


def _settings(of: type) -> Iterator[str]:
    for name, hint in get_type_hints(of).items():
        yield name
        for one in (hint, *get_args(hint)):
            if isinstance(one, type) and is_dataclass(one):
                yield from _settings(one)


@pytest.mark.parametrize("line", [one for one in TYPED if re.match(r"sealcam [a-z]", one) and ":" not in one])
def test_a_command_of_ours_is_one(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = line.split()[1:]
    with pytest.raises(SystemExit) as ended:
        main([words[0], "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert all(word in told for word in words if word.startswith("--"))
    if "--only" in words:
        doctor.chosen(doctor.parts(Config(), Path("/")), words[words.index("--only") + 1 :])


@pytest.mark.parametrize("line", [one for one in TYPED if one.startswith("make ")])
def test_a_target_is_one(line: str) -> None:
    assert re.search(rf"^{line.split()[1]}:", (REPO / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("line", [one for one in SPANS if re.match(r"(camera\.)?[a-z_]+ = ", one)])
def test_a_setting_is_one(line: str) -> None:
    name = line.partition(" = ")[0].removeprefix("camera.")
    assert name in set(_settings(Config))


def test_each_numbered_line_says_whether_it_has_run_and_has_a_number_of_its_own() -> None:
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in TABLES]
    numbered = [row for row in rows if re.fullmatch(r"\d+[a-z]?", row[0])]
    assert len(numbered) > 40
    assert len({row[0] for row in numbered}) == len(numbered)
    assert all("run" in row[-1] for row in numbered)


def test_what_takes_longer_than_ten_minutes_stands_apart() -> None:
    before, _, rest = PAGE.partition("## Left alone")
    after = rest.partition("\n## ")[2]
    for line in (before + after).splitlines():
        if line.startswith("| "):
            assert not re.search(r"\ban hour\b|ten minutes|--timeout 600|ten times", line), line


def test_the_settings_are_read_from_the_configuration_itself() -> None:
    assert {"source", "pir", "budget", "most_gain"} <= set(_settings(Config))
    assert {one.name for one in fields(Config)} <= set(_settings(Config))
