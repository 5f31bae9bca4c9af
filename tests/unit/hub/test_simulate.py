"""`sealcam-hub simulate`, before anything is sent: what it refuses. How it sends is `tests/home/test_fleet.py`'s."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealcam.wire.errors import ConfigError
from sealcam_hub.cli import main
from sealcam_hub.clock import SystemClock
from sealcam_hub.home import open_home
from sealcam_hub.simulate import Load, simulate
from tests.hubs import Camera, make


def test_a_hub_with_a_real_camera_is_left_alone(tmp_path: Path) -> None:
    with open_home(make(tmp_path / "hub"), SystemClock()) as home:
        Camera().claim(home, "Front door")
        with pytest.raises(ConfigError, match="this hub has real cameras"):
            simulate(home, Load(1, 1))


@pytest.mark.parametrize("words", [("--cameras", "0"), ("--seconds", "0"), ("--window", "0"), ("--rate", "-1")])
def test_what_would_send_nothing_is_misuse(
    tmp_path: Path, words: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "hub")
    assert main(["--state", str(tmp_path / "hub"), "simulate", *words]) == 2
    assert "nothing would be sent" in capsys.readouterr().err
