"""A small labelled recording for the tests of `make eval`: a still picture of 2 s, and what was drawn for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.clips import write_clip
from tests.eval import plan
from tests.eval.plan import Job, Weather

LABELS = """
clip = "made.mkv"
width_px = 320
height_px = 180
note = "made for a test"

[[person]]
name = "nobody"
note = "stands as the still picture that is shown: nothing finds him"
keys = [[0.0, 100, 60, 160, 150], [1.9, 100, 60, 160, 150]]

[[static]]
subject = "vehicle"
name = "van"
box = [200, 100, 250, 130]

[[empty]]
from_s = 0.0
to_s = 1.5

[[empty]]
from_s = 1.6
to_s = 1.9
"""


def labelled(folder: Path) -> Path:
    """Write the recording and its labels there; the folder."""
    ground = np.tile(np.linspace(40, 200, 320), (180, 1)).astype(np.uint8)
    write_clip(folder / "made.mkv", [ground] * 20, [100 * n for n in range(20)])
    (folder / "made.toml").write_text(LABELS)
    return folder


def job(folder: Path, **more: object) -> Job:
    """A job on the made clip."""
    (clip,) = plan.clips(folder, footage=[folder])
    made = Job("sealcam", "nanodet-g", clip, None, Weather("real", None), "code")
    return replace(made, **more)  # type: ignore[arg-type]
