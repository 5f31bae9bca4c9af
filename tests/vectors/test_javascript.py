"""The JavaScript opener, written from design/wire.md alone, agrees with every vector (skipped where node is absent)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OPENER = HERE.parents[1] / "hub" / "opener"
FILES = sorted(HERE.glob("*.json"))


@pytest.fixture
def node() -> str:
    """Where node is."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node here (apt-get install nodejs)")
    return found


def run(node: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([node, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("vectors", FILES, ids=lambda path: path.stem)
def test_another_language_agrees_on_every_vector(node: str, vectors: Path) -> None:
    ran = run(node, OPENER / "vectors.mjs", vectors)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.endswith(" passed, 0 failed\n")


def test_no_vector_file_is_left_out() -> None:
    known = {
        "bodies",
        "bodies_2",
        "bodies_3",
        "bodies_4",
        "bodies_5",
        "bodies_6",
        "grants",
        "keys",
        "scl1",
        "scl1_2",
        "sev1",
        "slv1",
        "statements_2",
    }
    assert {path.stem for path in FILES} == known


def test_the_openers_own_tests_pass(node: str) -> None:
    tests = sorted((OPENER / "test").glob("*.test.mjs"))
    ran = run(node, "--test", *tests)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert tests
