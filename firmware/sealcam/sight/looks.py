"""Looks: what something looks like, pooled from a detector's backbone under its box; the same thing gives the like.

The map's channels are averaged over the cells whose centres lie in the middle of the box, where there is least of what
is behind it. No pixel is kept: some 10^4 of them become 128 numbers. Which map: design/adr/0004; design/sight.md.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sealcam.sight.focus import Look
from sealcam.sight.types import Box

# The middle of a box, as a share of its sides.
MIDDLE = 0.8


def pooled(features: NDArray[np.float32], box: Box, stride: int) -> Look | None:
    """The mean of `features` (rows, columns, channels) under `box` (pixels of the input), of unit length, float32.

    None where the box lies outside the map, or holds a value that is not a number.
    """
    rows, columns, _ = features.shape
    x0, x1 = _span(box.x0, box.x1, stride, columns)
    y0, y1 = _span(box.y0, box.y1, stride, rows)
    if x0 >= x1 or y0 >= y1:
        return None
    mean = features[y0:y1, x0:x1].mean(axis=(0, 1), dtype=np.float32)
    length = float(np.linalg.norm(mean))
    if not math.isfinite(length) or length == 0:
        return None
    look: Look = mean / np.float32(length)
    return look


def likeness(one: Look, other: Look) -> float:
    """The cosine of two looks, -1 to 1; the same thing seen again lies above 0.9 with the default model."""
    return float(one @ other)


def _span(low: float, high: float, stride: int, cells: int) -> tuple[int, int]:
    """The first cell of the middle of a side, and the one after the last; at least one where any of it is inside."""
    margin = (1 - MIDDLE) / 2 * (high - low)
    first = math.floor((low + margin) / stride)
    last = math.ceil((high - margin) / stride)
    return max(0, first), min(cells, max(last, first + 1))
