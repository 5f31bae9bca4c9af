"""How a log is pinned on a device of the owner's works as README.md and the page of the log tell it."""

from __future__ import annotations

import re
import shlex
from html import unescape
from pathlib import Path

import pytest

from sealcam_hub.cli import main
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.home import open_home
from tests.hubs import WALL_NS, make

TOP = Path(__file__).resolve().parents[2]
PAGE = TOP / "hub" / "sealcam_hub" / "console" / "templates" / "log.html"


def told(path: Path) -> list[str]:
    """The commands that a text names which export or check a log."""
    lines = re.findall(r"sealcam-hub (audit --[^<#`\n]+)", unescape(path.read_text()))
    return [line.strip() for line in lines]


@pytest.mark.parametrize("path", [TOP / "README.md", PAGE], ids=["readme", "page"])
def test_a_log_is_exported_here_and_pinned_there(path: Path, tmp_path: Path) -> None:
    folder, nowhere = make(tmp_path / "hub"), tmp_path / "own" / "no-hub"
    nowhere.parent.mkdir()
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        root = home.keys.root_fingerprint
    files = {"LOG": str(tmp_path / "log"), "FINGERPRINT": root, "FILE": str(nowhere.parent / "pin")}
    export, verify = ([files.get(word, word) for word in shlex.split(line)] for line in told(path))
    assert main(["--state", str(folder.path), *export]) == 0
    for _ in range(2):
        assert main(["--state", str(nowhere), *verify]) == 0
    assert (nowhere.parent / "pin").exists()
