"""What the container runs reads the add-on's options before anything else, and says so where it can't."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "container" / "sealcam_hub" / "run.sh"


def run(tmp_path: Path, options: str | None) -> tuple[int, str, str]:
    """Run it until it makes the hub, which is a program that writes down how it was called and fails: exit code 3."""
    for tool in ("bash", "jq"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    for name in ("bin", "share", "state"):
        (tmp_path / name).mkdir()
    (tmp_path / "share" / "signed").touch()
    program = tmp_path / "bin" / "sealcam-hub"
    program.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/called\nexit 3\n')
    program.chmod(0o755)
    file = tmp_path / "options.json"
    if options is not None:
        file.write_text(options)
    places = {"SEALCAM_OPTIONS": file, "SEALCAM_SHARE": tmp_path / "share", "SEALCAM_HUB_STATE": tmp_path / "state"}
    told = {"PATH": f"{program.parent}:{os.environ['PATH']}", "SEALCAM_AS_ROOT": "no"}
    told |= {name: str(place) for name, place in places.items()}
    done = subprocess.run(["bash", str(SCRIPT)], env=told, capture_output=True, text=True, check=False)
    called = tmp_path / "called"
    return done.returncode, done.stderr, called.read_text() if called.exists() else ""


@pytest.mark.parametrize(
    ("options", "broker"),
    [
        ('{"broker": "hub.example:8884"}', "hub.example:8884"),
        ("{}", "homeassistant.local:8883"),
        (None, "homeassistant.local:8883"),
    ],
)
def test_the_broker_is_the_one_that_the_options_name(tmp_path: Path, options: str | None, broker: str) -> None:
    code, _, called = run(tmp_path, options)
    assert code == 3
    assert f"init --broker {broker} --signed" in called


@pytest.mark.parametrize("options", ["", "no JSON", "[]", '{"broker": 5}', '{"broker": "a"} {"broker": "b"}'])
def test_options_that_are_none_end_it_with_a_word(tmp_path: Path, options: str) -> None:
    code, said, called = run(tmp_path, options)
    assert (code, called) == (1, "")
    assert "options.json can't be read: look at the add-on's configuration" in said
