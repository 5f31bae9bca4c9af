"""Coarse coding: frames through x264 and back, in memory. Everything of this package that is PyAV's stays here.

See design/sight.md, made conditions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np

from sealcam.board.protocols import Frame, Plane
from sealcam_verdict.planes import remade

# The encoder's idea of time is the frame's number: rate control by CRF takes nothing else from it.
_RATE = 10
_KEYFRAME_EVERY_S = 2


def coded(frames: Iterable[Frame], crf: int) -> Iterator[Frame]:
    """The frames as they come out of x264 at this CRF; a new size begins a new stream."""
    coder: _Coder | None = None
    for frame in frames:
        if coder is None or coder.shape != (frame.height, frame.width):
            if coder is not None:
                yield from coder.rest()
            coder = _Coder(frame, crf)
        yield from coder.take(frame)
    if coder is not None:
        yield from coder.rest()


class _Coder:
    """An encoder and a decoder of one size; odd sizes are coded with their last line or column twice."""

    def __init__(self, first: Frame, crf: int) -> None:
        self.shape = (first.height, first.width)
        encoder = av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height = first.width + first.width % 2, first.height + first.height % 2
        encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, _RATE), Fraction(_RATE)
        encoder.gop_size = _RATE * _KEYFRAME_EVERY_S
        encoder.thread_count = 1
        encoder.options = {"crf": str(crf), "preset": "veryfast", "tune": "zerolatency"}
        self._encoder: Any = encoder
        self._decoder: Any = av.CodecContext.create("h264", "r")
        self._decoder.thread_count = 1
        self._waiting: deque[Frame] = deque()
        self._count = 0

    def take(self, frame: Frame) -> Iterator[Frame]:
        """Code one frame; what has come out of the decoder by now."""
        picture = av.VideoFrame(self._encoder.width, self._encoder.height, "yuv420p")
        for part, target in zip((frame.y, frame.u, frame.v), picture.planes, strict=True):
            _fill(part, target)
        picture.pts = self._count
        self._count += 1
        self._waiting.append(frame)
        yield from self._through(self._encoder.encode(picture))

    def rest(self) -> Iterator[Frame]:
        """What is still on its way."""
        yield from self._through([*self._encoder.encode(None), None])

    def _through(self, packets: Iterable[Any]) -> Iterator[Frame]:
        for packet in packets:
            for picture in self._decoder.decode(packet):
                frame = self._waiting.popleft()
                parts = zip((frame.y, frame.u, frame.v), picture.planes, strict=True)
                yield remade(frame, *(_cut(plane, part) for part, plane in parts))


def _fill(part: Plane, target: Any) -> None:
    padded = np.pad(part, ((0, target.height - part.shape[0]), (0, target.width - part.shape[1])), mode="edge")
    lines = np.zeros((target.height, target.line_size), np.uint8)
    lines[:, : target.width] = padded
    target.update(lines.tobytes())


def _cut(source: Any, like: Plane) -> Plane:
    lines = np.frombuffer(source, np.uint8).reshape(-1, source.line_size)
    return np.ascontiguousarray(lines[: like.shape[0], : like.shape[1]]).copy()
