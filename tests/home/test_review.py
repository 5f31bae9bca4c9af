"""The owner's own annotation in a whole home: a mark reaches the camera, its numbers come, a model is taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sealcam import verdict_file, verdicts
from sealcam.sight import judge_features
from sealcam_hub import review
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.review_words import Word
from sealcam_verdict import tflite
from tests.home.conftest import RunningHome
from tests.waiting import eventually

SIDE = {"right": 0.9, "found": 0.9, "false": 0.0, "brier": 0.1, "incidents": 20, "threats": 9}
FIGURES = {"marks": {"before": SIDE, "after": SIDE}, "simulated": {"before": SIDE, "after": SIDE}, "fit": True}


def answered(home: RunningHome, kind: str) -> list[str]:
    found: list[dict[str, Any]] = [json.loads(line) for line in home.hub("command", "list", "--json").splitlines()]
    return [one["detail"] for one in found if one["command"] == kind and one["done"]]


def test_a_mark_reaches_the_camera_and_a_model_from_home_is_taken_and_kept(home: RunningHome, walkers: Path) -> None:
    home.start(walkers, once=False)
    eventually(lambda: '"end"' in home.hub("events", "--json"), 90.0, "an incident that has ended")
    with open_home(Folder(home.folder / "hub")) as hub:
        here = review.of(hub)
        (place,) = here.queue.first(1)
        here.marks.say(place.incident, Word.BENIGN, 0, "Ben")
        (example,) = here.data.examples()
        assert len(example.moments[-1]) == judge_features.COUNT
        # A busy machine may have seen too little of it to recognise anybody by: then the mark is noted alone.
        eventually(lambda: answered(home, "marks"), 60.0, "the camera's answer to the mark")
        (said,) = answered(home, "marks")
        assert said.startswith(("1 mark is taken", "1 mark is noted"))
        layers = verdict_file.read(verdicts.load(), "it")
        here.models.send(here.models.keep(tflite.write(layers), FIGURES))
        taken = ["judges by home-1 from now on"]
        eventually(lambda: answered(home, "model") == taken, 60.0, "the camera's answer to the model")
        home.kill("eye")
        assert list(home.folder.rglob("eye/verdict"))
        home.restart("eye")
        here.models.back()
        shipped = ["judges by the model that it was shipped with"]
        eventually(lambda: answered(home, "model") == shipped, 60.0, "the camera's answer to the way back")
    assert not list(home.folder.rglob("eye/verdict"))
