"""Light is what changes a picture without anything in it moving: a lamp, a cloud, the exposure, a headlight's beam.

An even change is a gain, which the background takes over. A local one (a beam, a shadow's soft edge, a porch lamp) is
told by what it leaves: the structure behind it is still there, brighter or darker, and it has no hard edge of its own.
What can't be told is left to count as motion. See design/sight.md, gate.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from sealcam.board.protocols import Plane
from sealcam.sight.floor import Cells, median

# The exposure may change the picture's gain by `GAIN_STEP` in one frame without counting as a change of the light; the
# background follows once the median cell shifted by more than `GAIN_SHIFT` levels, within these bounds a frame.
GAIN_SHIFT, GAIN_STEP, GAIN_LOWEST, GAIN_HIGHEST = 1.0, 0.25, 0.7, 1.4
# A patch smaller than this share of the picture is never called light: a person far away has few cells to be told by.
PATCH_SHARE = 0.008
# A cell is hard when its structure differs from what light makes of the background's by more than this part of the
# change around it, and by so many levels; light has fewer hard cells than this times the root of its area (an outline
# has four times and more). Hard cells within light are someone in the beam, and stay motion.
HARD_PART, HARD_LEVELS, HARD_LENGTH = 0.25, 5.0, 1.0
# Structure is a cell less the mean around it, so many cells wide; brighter than this it is burnt out and tells nothing.
AROUND, BURNT = 5, 248.0


@dataclass(frozen=True, slots=True)
class Gain:
    """An even change of light in one frame: by how much the background is to be multiplied; `step`: it was a jump."""

    factor: float
    step: bool


def gain(cells: Cells, background: Cells, least: float) -> Gain:
    """The even change of light between the background and this frame; 1 where there is none to speak of."""
    step = max(1, cells.shape[1] // 40)
    now, then = cells[::step, ::step], background[::step, ::step]
    shift = abs(median(now - then))
    if shift <= GAIN_SHIFT:
        return Gain(1.0, step=False)
    factor = median((now + 1.0) / (then + 1.0))
    bounded = min(max(factor, GAIN_LOWEST), GAIN_HIGHEST)
    return Gain(bounded, step=shift > least and abs(factor - 1.0) > GAIN_STEP)


def lit(cells: Cells, background: Cells, mask: Plane) -> Plane | None:
    """The part of `mask` that light explains, patch by patch; none where there is no such patch."""
    least = max(16, round(PATCH_SHARE * mask.size))
    if cv2.countNonZero(mask) < least:
        return None
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    patches = [number for number in range(1, count) if stats[number, cv2.CC_STAT_AREA] >= least]
    if not patches:
        return None
    hard = _hard(cells, background)
    out = np.zeros_like(mask)
    for number in patches:
        x, y, width, height, area = (int(value) for value in stats[number, :5])
        here = slice(y, y + height), slice(x, x + width)
        inside = labels[here] == number
        if np.count_nonzero(hard[here][inside]) <= HARD_LENGTH * area**0.5:
            out[here][inside] = 255
    if not cv2.countNonZero(out):
        return None
    return np.asarray(cv2.subtract(out, cv2.dilate(hard, np.ones((3, 3), np.uint8))), dtype=np.uint8)


def _hard(cells: Cells, background: Cells) -> Plane:
    """255 where a cell's structure is none that light can make of the background's.

    Light multiplies (then structure grows with the mean) or adds a haze (then it stays); what lies between is light.
    """
    size = (AROUND, AROUND)
    mean, mean_then = cv2.blur(cells, size), cv2.blur(background, size)
    now, then = cells - mean, background - mean_then
    times = then * ((mean + 1.0) / (mean_then + 1.0))
    off = np.maximum(now - np.maximum(then, times), np.minimum(then, times) - now)
    off[cells > BURNT] = 0.0
    around = cv2.blur(cv2.absdiff(cells, background), size)
    limit = np.maximum(around * np.float32(HARD_PART), np.float32(HARD_LEVELS))
    return np.asarray(cv2.compare(off.astype(np.float32), limit, cv2.CMP_GT), dtype=np.uint8)
