"""Writes recorded files for tests: uncompressed, with whatever timestamps the test wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from sealcam.board.protocols import Frame, Plane

MILLISECOND = Fraction(1, 1000)


def write_clip(path: Path, pictures: Iterable[Plane], times_ms: Sequence[int] | None = None) -> Path:
    """A grey clip of luma pictures, even in size; 10 frames a second unless `times_ms` says when each comes."""
    frames = (
        av.VideoFrame.from_ndarray(np.repeat(picture[:, :, None], 3, axis=2), format="rgb24") for picture in pictures
    )
    return _write(path, frames, times_ms)


def copy_frames(path: Path, source: Iterable[Frame]) -> Path:
    """A clip of frames with their times."""
    kept = list(source)
    pictures = []
    for one in kept:
        planes = np.concatenate([one.y.ravel(), one.u.ravel(), one.v.ravel()])
        array = planes.reshape(one.height * 3 // 2, one.width)
        pictures.append(av.VideoFrame.from_ndarray(array, format="yuv420p"))
    return _write(path, pictures, [one.t_ns // 1_000_000 for one in kept])


def _write(path: Path, frames: Iterable[av.VideoFrame], times_ms: Sequence[int] | None) -> Path:
    with av.open(str(path), "w") as container:
        stream = None
        for index, picture in enumerate(frames):
            if stream is None:
                stream = container.add_stream("rawvideo", rate=10)
                stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
                stream.codec_context.time_base = MILLISECOND
            picture.pts = index * 100 if times_ms is None else times_ms[index]
            picture.time_base = MILLISECOND
            container.mux(stream.encode(picture))
        if stream is not None:
            container.mux(stream.encode(None))
    return path
