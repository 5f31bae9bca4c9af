"""What made conditions share: levels as whole numbers again, lengths of a picture 576 lines high, seconds of a stream.

See design/sight.md, made conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Frame, Plane

# Video range: black is 16, and colourless is 128. Lengths in design/sight.md are those of a picture of so many lines.
BLACK, COLOURLESS = 16.0, 128.0
LINES = 576

Levels = NDArray[np.float32]


def levels(plane: Plane) -> Levels:
    """A plane to calculate with."""
    return plane.astype(np.float32)


def plane(values: NDArray[Any]) -> Plane:
    """Levels as a plane: rounded, within 0 to 255, C-contiguous, owned by the caller."""
    return np.ascontiguousarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def remade(frame: Frame, y: Plane, u: Plane, v: Plane) -> Frame:
    """The frame with other planes."""
    return Frame(frame.t_ns, frame.index, y, u, v)


def with_luma(frame: Frame, y: Plane) -> Frame:
    """The frame with another luma, its colour copied."""
    return Frame(frame.t_ns, frame.index, y, frame.u.copy(), frame.v.copy())


def scale(frame: Frame) -> float:
    """Pixels of this frame for one pixel of a picture 576 lines high."""
    return frame.height / LINES


def timed(frames: Iterable[Frame]) -> Iterator[tuple[float, Frame]]:
    """Each frame with its seconds since the first."""
    first_ns: int | None = None
    for frame in frames:
        first_ns = frame.t_ns if first_ns is None else first_ns
        yield (frame.t_ns - first_ns) / 1e9, frame


class WholePicture:
    """A frame as somebody's fine picture (`protocols.Fine`)."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self._frame.height

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self._frame.width

    def crop(self, x0: int, y0: int, x1: int, y1: int) -> tuple[Plane, Plane, Plane]:
        """Luma and chroma of a piece, owned by the caller; `x0` and `y0` are even."""
        half = slice(y0 // 2, (y1 + 1) // 2), slice(x0 // 2, (x1 + 1) // 2)
        return self._frame.y[y0:y1, x0:x1].copy(), self._frame.u[half].copy(), self._frame.v[half].copy()


def unfolded(frame: Frame) -> Frame:
    """The frame's fine picture as a frame of its own; the frame itself where it has none."""
    if frame.fine is None:
        return frame
    return remade(frame, *frame.fine.crop(0, 0, frame.fine.width, frame.fine.height))
