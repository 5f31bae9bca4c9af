"""Things: whether a patch of the picture that changed shows a thing that is there now, or one that was there before.

A thing differs from what is around it; the bare ground does not. No class of any model is asked. Which patches are
looked at, and when, is `doorstep`'s. See design/sight.md, left and taken.
"""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Plane

Grey = NDArray[np.float32]

# Where the old pattern is still there (correlation of the patch with itself before), only the light on it changed.
SAME_PATTERN = 0.75
# A thing differs from what is around it by so many levels, and by so many times what was there without it; looked at
# in so many directions, over so many pixels on both sides of its rim.
EDGE_LEAST, EDGE_TIMES = 10.0, 1.3
SIDES, RIM_PX = 8, 3


class Happened(StrEnum):
    """What became of a thing."""

    LEFT = "left"
    TAKEN = "taken"


def happened(shape: Plane, now: Grey, was: Grey, noise: float) -> Happened | None:
    """Whether there is a thing here now, or was one before; none where only the light differs, or nobody can say.

    `shape` is 1 (uint8) where the pictures `now` and `was` (float32, levels of luma, the same size) differ; `noise` is
    the pictures', in levels.
    """
    least = max(EDGE_LEAST, 2 * noise)
    inside = shape > 0
    if correlation(now[inside], was[inside]) > SAME_PATTERN:
        return None
    there_now, there_then = contrast(shape, now), contrast(shape, was)
    if there_now >= max(least, EDGE_TIMES * there_then):
        return Happened.LEFT
    if there_then >= max(least, EDGE_TIMES * there_now):
        return Happened.TAKEN
    return None


def contrast(shape: Plane, picture: Grey) -> float:
    """How much the inside of a shape's rim differs from its outside, in levels: the mean over its sides.

    Each side (one of `SIDES` directions from the middle) by itself, so that gravel and bricks even out and a thing that
    is lighter than the wall and darker than the floor does not.
    """
    kernel = np.ones((3, 3), np.uint8)
    grown, shrunk = cv2.dilate(shape, kernel), cv2.erode(shape, kernel)
    outer = cv2.dilate(grown, kernel, iterations=RIM_PX) - grown > 0
    inner = shrunk - cv2.erode(shrunk, kernel, iterations=RIM_PX) > 0
    rows, columns = np.nonzero(shape)
    middle_y, middle_x = rows.mean(), columns.mean()
    means = []
    for rim in (inner, outer):
        ys, xs = np.nonzero(rim)
        turn = np.arctan2(ys - middle_y, xs - middle_x) / (2 * np.pi) % 1.0
        side = np.minimum((turn * SIDES).astype(np.intp), SIDES - 1)
        count = np.bincount(side, minlength=SIDES)
        total = np.bincount(side, picture[ys, xs], minlength=SIDES)
        means.append(np.divide(total, count, out=np.full(SIDES, np.nan), where=count > 0))
    difference = np.abs(means[0] - means[1])
    known = np.isfinite(difference)
    return float(difference[known].mean()) if known.any() else 0.0


def correlation(one: Grey, other: Grey) -> float:
    """Pearson's correlation, 0 where either is flat."""
    a, b = one - one.mean(), other - other.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    if size < 4.0 * len(one):  # two levels of pattern are noise
        return 0.0
    return float(a @ b) / size


def near(x: int, y: int, width: int, height: int) -> tuple[slice, slice]:
    """A thing's rectangle with what is around it."""
    margin = RIM_PX + 2
    return slice(max(0, y - margin), y + height + margin), slice(max(0, x - margin), x + width + margin)
