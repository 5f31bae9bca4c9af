"""The JavaScript opener on the command line, as tests start it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.shared import Shared

TOP = Path(__file__).resolve().parents[1]
OPENER = TOP / "hub" / "opener"


def find_node() -> str:
    """Where node is."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node here (apt-get install nodejs)")
    return found


def run(node: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [node, str(OPENER / "cli.mjs"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def open_clip(node: str, shared: Shared, output: Path) -> subprocess.CompletedProcess[str]:
    given = ("--grant", shared.bundle, "--key", shared.key, "--root", shared.root, "-o", output)
    return run(node, "clip", shared.clip, *given)


def clear(ran: subprocess.CompletedProcess[str], code: int, said: str) -> bool:
    """Whether it ended with this code, and with one message and a hint instead of a stack."""
    assert (ran.returncode, ran.stdout) == (code, ""), ran.stderr
    assert ran.stderr.startswith(f"sealcam-opener: error: {said}")
    assert "\nhint: " in ran.stderr
    return "    at " not in ran.stderr
