"""Steadying tells by how much a shaking camera's picture lies beside its background, in parts of a cell.

Lucas and Kanade's method (1981) for a shift of the whole picture: the difference, read along the background's
gradients. Something that moves in front changes little: it has few of all cells. See design/sight.md, gate.
"""

from __future__ import annotations

import cv2
import numpy as np

from sealcam.sight.floor import Cells

# Less is noise, more than so many cells a single step can't tell.
LEAST_CELLS, MOST_CELLS = 0.08, 2.5
# Differences beyond this are no shift's at a usual edge, and must not pull.
CLIP_LEVELS = 24.0
# Gradients in squares of levels per cell, summed and divided by the cells: with less there is nothing to hold on to.
LEAST_TEXTURE = 0.5
ROUNDS = 3


def shift(cells: Cells, background: Cells) -> tuple[float, float] | None:
    """Cells to the right and down by which the picture lies beside the background; none where it can't be told."""
    if min(cells.shape) < 8:
        return None
    right = right_last = 0.0
    down = down_last = 0.0
    moved = background
    for _ in range(ROUNDS):
        across = cv2.Sobel(moved, cv2.CV_32F, 1, 0, scale=1 / 8)
        along = cv2.Sobel(moved, cv2.CV_32F, 0, 1, scale=1 / 8)
        off = np.clip(moved - cells, -CLIP_LEVELS, CLIP_LEVELS)
        xx, yy, xy = (float(np.vdot(a, b)) for a, b in ((across, across), (along, along), (across, along)))
        determinant = xx * yy - xy * xy
        if min(xx, yy) < LEAST_TEXTURE * cells.size or determinant <= 0.05 * xx * yy:
            return None
        x, y = float(np.vdot(across, off)), float(np.vdot(along, off))
        right_last, down_last = (x * yy - y * xy) / determinant, (y * xx - x * xy) / determinant
        right, down = right + right_last, down + down_last
        if max(abs(right), abs(down)) > MOST_CELLS:
            return None
        if max(abs(right_last), abs(down_last)) < LEAST_CELLS:
            break
        moved = shifted(background, right, down)
    return (right, down) if max(abs(right), abs(down)) >= LEAST_CELLS else None


def shifted(cells: Cells, right: float, down: float) -> Cells:
    """The picture moved by parts of cells; its border is repeated."""
    size = (cells.shape[1], cells.shape[0])
    by = np.array([[1, 0, right], [0, 1, down]], np.float32)
    moved = cv2.warpAffine(cells, by, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.float32)
