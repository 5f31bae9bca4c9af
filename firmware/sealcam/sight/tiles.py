"""Tiles: a piece of the picture at a finer resolution than the model has for the whole of it, for what is far away.

A person of 30 pixels in a picture of 640 is 20 in the default model's input, and hardly one; in a tile of the source's
own picture they may have 60. Which piece, is `region`'s; the model that looks is the first one once more, so it costs
time and no memory. Without a fine picture (`Frame.fine`) the frame's own pixels serve. See design/sight.md, detectors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sealcam.board.protocols import Frame
from sealcam.sight.candidates import Candidates
from sealcam.sight.spec import InputSpec
from sealcam.sight.types import Box, Detection

# The place is at most this part of the tile, either way: what moves has more to it than what moved.
PLACE_SHARE = 0.6
# A tile is worth a look from this gain over the look at the whole picture on.
LEAST_GAIN = 1.4
# A box this near to an edge of the tile, in pixels of its input, is cut off there: the whole has another extent.
CUT_PX = 3.0


@dataclass(frozen=True, slots=True)
class Region:
    """A piece of a picture, `width` x `height` pixels of it from `x0`, `y0` on; one of its pixels is `scale_x` by
    `scale_y` of the frame's. `gain`: how much larger things are in it than in the whole, at the model's input."""

    x0: int
    y0: int
    width: int
    height: int
    scale_x: float
    scale_y: float
    gain: float

    def to_frame(self, box: Box) -> Box:
        """A box of the piece in the frame's pixels."""
        return Box(
            (box.x0 + self.x0) * self.scale_x,
            (box.y0 + self.y0) * self.scale_y,
            (box.x1 + self.x0) * self.scale_x,
            (box.y1 + self.y0) * self.scale_y,
        )


def region(frame: Frame, place: Box, model: InputSpec) -> Region | None:
    """The piece around `place` (the frame's pixels) in which the model sees it best; none where it gains too little.

    It has the input's shape where the picture is large enough, and one pixel of it is one of the input unless the
    place is larger than that.
    """
    width, height = (frame.width, frame.height) if frame.fine is None else (frame.fine.width, frame.fine.height)
    scale_x, scale_y = frame.width / width, frame.height / height
    times = max(
        1.0,
        place.width / scale_x / PLACE_SHARE / model.width,
        place.height / scale_y / PLACE_SHARE / model.height,
    )
    across, down = _even(min(times * model.width, width)), _even(min(times * model.height, height))
    # How many of the picture's pixels one of the input's stands for: over the whole picture, and over the piece.
    whole = max(width / model.width, height / model.height)
    piece = max(across / model.width, down / model.height)
    if across < 2 or down < 2 or whole < LEAST_GAIN * piece:
        return None
    x0 = _start((place.x0 + place.x1) / 2 / scale_x, across, width)
    y0 = _start((place.y0 + place.y1) / 2 / scale_y, down, height)
    return Region(x0, y0, across, down, scale_x, scale_y, whole / piece)


def cut_out(frame: Frame, piece: Region) -> Frame:
    """The piece as a frame of its own."""
    x1, y1 = piece.x0 + piece.width, piece.y0 + piece.height
    if frame.fine is not None:
        return Frame(frame.t_ns, frame.index, *frame.fine.crop(piece.x0, piece.y0, x1, y1))
    half = slice(piece.y0 // 2, (y1 + 1) // 2), slice(piece.x0 // 2, (x1 + 1) // 2)
    y, u, v = (
        np.ascontiguousarray(plane) for plane in (frame.y[piece.y0 : y1, piece.x0 : x1], frame.u[half], frame.v[half])
    )
    return Frame(frame.t_ns, frame.index, y, u, v)


class Tiles:
    """Looks at one piece of a frame with a model that also looks at the whole."""

    def __init__(self, candidates: Candidates, model: InputSpec) -> None:
        """`candidates` is of its own for tiles, since it keeps what it prepares for one size; the network is shared."""
        self._candidates = candidates
        self._model = model

    @property
    def broken(self) -> bool:
        """Whether what the model said last is what no working model says."""
        return self._candidates.broken

    def gains(self, frame: Frame, place: Box) -> bool:
        """Whether a tile shows this place much larger than the look at the whole picture does."""
        return region(frame, place, self._model) is not None

    def detect(self, frame: Frame, places: Sequence[Box]) -> tuple[Detection, ...]:
        """What is at the first of the places that a tile is worth, in the frame's pixels.

        What the tile's edge cuts off is left out, but where that is the picture's edge.

        Raises:
            ModelError: the network failed.
        """
        for place in places:
            piece = region(frame, place, self._model)
            if piece is not None:
                found = self._candidates.detect(cut_out(frame, piece))
                return tuple(
                    replace(one, box=piece.to_frame(one.box))
                    for one in found
                    if not self._is_cut(frame, piece, one.box)
                )
        return ()

    def _is_cut(self, frame: Frame, piece: Region, box: Box) -> bool:
        """Whether the tile's edge, and not the picture's, cuts the box."""
        margin = CUT_PX * max(piece.width / self._model.width, piece.height / self._model.height)
        right, bottom = frame.width / piece.scale_x, frame.height / piece.scale_y
        return (
            (box.x0 < margin and piece.x0 > 0)
            or (box.y0 < margin and piece.y0 > 0)
            or (box.x1 > piece.width - margin and piece.x0 + piece.width < math.floor(right) - 1)
            or (box.y1 > piece.height - margin and piece.y0 + piece.height < math.floor(bottom) - 1)
        )


def _even(side: float) -> int:
    return int(side) // 2 * 2


def _start(centre: float, side: int, limit: int) -> int:
    """Where a piece of `side` pixels begins, even, so that it lies inside and its middle as near to `centre` as may."""
    return _even(min(max(0.0, centre - side / 2), limit - side))
