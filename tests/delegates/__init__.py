"""Real external delegate libraries, compiled from `delegate.c`: one that is right, and others that aren't."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

RIGHT, LYING, CRASHING, HANGING, NAN_GIVING, SLOW, TAKING_NOTHING = range(7)


def compiled(folder: Path, how: int) -> Path:
    """The library that behaves so; the test is skipped where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here (apt-get install gcc libc6-dev)")
    made = folder / f"lib{how}.so"
    source = Path(__file__).with_name("delegate.c")
    command = [compiler, "-shared", "-fPIC", "-O2", f"-DHOW={how}", "-o", str(made), str(source), "-lm"]
    subprocess.run(command, check=True)
    return made
