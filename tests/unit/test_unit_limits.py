"""Every service that stays is bounded in memory, and the page that says why names the same bounds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "systemd"
STAYING = sorted(path for path in (SYSTEMD / "system").glob("*.service") if "Restart=always" in path.read_text())


@pytest.mark.parametrize("unit", STAYING, ids=lambda unit: unit.stem)
def test_a_service_that_stays_has_a_bound_that_fits_the_smallest_board(unit: Path) -> None:
    settings = re.findall(r"^(Memory\w+)=(\w+)$", unit.read_text(), re.MULTILINE)
    named = dict(settings)
    assert len(settings) == len(named)
    assert named["MemorySwapMax"] == "0"
    assert "MemoryHigh" not in named, "a process that leaks would be slow instead of started again"
    assert f"| `{unit.stem}` | {named['MemoryMax']} |" in (SYSTEMD / "README.md").read_text()


def test_a_camera_at_its_bounds_leaves_a_board_of_512_mb_something() -> None:
    eye, post = (
        int(re.findall(r"^MemoryMax=(\d+)M$", (SYSTEMD / "system" / f"sealcam-{name}.service").read_text(), re.M)[0])
        for name in ("eye", "post")
    )
    assert eye + post <= 400
    assert len(STAYING) == 5
