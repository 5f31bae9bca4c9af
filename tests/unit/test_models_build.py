"""The shipped models are what the build makes of the pinned packages, byte for byte. Takes minutes the first time."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


UNTESTED = "that the shipped models are what the build makes was not tested"


@pytest.mark.slow
def test_building_the_models_again_gives_the_same_bytes(tmp_path: Path) -> None:
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip(f"{UNTESTED}: TensorFlow 2.15 is pinned for x86-64, and this is {platform.machine()}")
    if not shutil.which("npm"):
        pytest.skip(f"{UNTESTED}: npm, which gets the package, is not here; sudo apt-get install npm")
    if not shutil.which("python3.11"):
        pytest.skip(f"{UNTESTED}: TensorFlow 2.15 needs python3.11, which is not here")
    done = subprocess.run(
        [TOP / "models" / "build" / "build.sh", "--out", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    if "is the network there?" in done.stderr or "could not be installed" in done.stderr:
        pytest.skip(f"{UNTESTED}: the packages could not be fetched: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    assert "the rebuilt graph is exact" in done.stderr
    built = sorted(path.name for path in tmp_path.iterdir())
    shipped = [*(TOP / "models").glob("nanodet_g_*.tflite"), *(TOP / "models").glob("ssd_*.tflite")]
    assert built == sorted(path.name for path in shipped)
    for name in built:
        assert (tmp_path / name).read_bytes() == (TOP / "models" / name).read_bytes(), name
