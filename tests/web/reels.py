"""Real clips for the console in tests: recorded by the product, opened again, and put where the console looks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from sealcam.board.protocols import Frame
from sealcam.sight.types import Stage
from sealcam.wire.clip import ClipInfo, FileSource, content_key, read_header, read_info
from tests.films import film, frames, report, video
from tests.recording import SETTINGS, Rig, incident
from tests.scl1 import RECIPIENTS, SIGNER


def reel(
    folder: Path, source: Iterable[Frame], new_s: float, end_s: float, longest_s: float = 60
) -> list[tuple[bytes, ClipInfo]]:
    """What is recorded of an incident between these times: each part's MP4, and what it says of itself."""
    rig = Rig(folder, replace(SETTINGS, bytes_per_s=375_000, longest_s=longest_s))
    film(rig.recorder, source, incident(new_s, 1e6))
    found = rig.recorder.stop([report(Stage.END, end_s, new_s)])
    made = []
    for one in found:
        with rig.file(one).open("rb") as file:
            header = read_header(FileSource(file), [SIGNER.public])
            info = read_info(header, content_key(header, RECIPIENTS))
        made.append((video(rig.file(one)), info))
    return made


def bars(seconds: float, start_s: float = 0) -> Iterator[Frame]:
    """A light bar, two pixels wide, that goes two pixels to the right from one picture to the next."""
    for index, one in enumerate(frames(seconds, size=(320, 240), start_s=start_s)):
        y = np.full(one.y.shape, 40, np.uint8)
        y[:, 2 * index : 2 * index + 2] = 235
        yield replace(one, y=y)
