"""The hub's own figures: taken on a hub of its own, and named for good. How large they are is no test's business."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sealcam_hub.cli import main


def test_the_figures_are_taken_on_a_hub_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--state", str(tmp_path / "none"), "bench", "--json", "--batches", "1", "--on", str(tmp_path)]) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert [one["name"] for one in figures] == [
        "hub, events",
        "hub, events, over bare",
        "hub, events with a 24 KiB picture",
        "hub, events with a 24 KiB picture, over bare",
        "hub, clips taken in",
        "hub, vault settled",
        "hub, vault listed",
        "hub, clip opened",
        "hub, clip sought",
        "hub, timeline, taken up",
        "hub, timeline, newest page",
        "hub, timeline, page of a camera",
        "hub, timeline, page of a subject",
        "hub, timeline, page of a verdict",
        "hub, timeline, page of a day",
        "hub, timeline, page of words",
        "hub, timeline, page of the rarest verdict",
        "hub, timeline, page of words that none has",
        "hub, timeline, last page",
        "hub, timeline, newest page again",
    ]
    assert all(one["value"] > 0 for one in figures)
    assert all("in turns" in one["how"] for one in figures[:4])
    assert list(tmp_path.iterdir()) == [], "nothing is left, and no hub was touched"
