"""Keeps the best of boxes that mean the same thing (non-maximum suppression)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# More candidates than this are noise; the bound keeps the table of overlaps small.
MOST_CANDIDATES = 300


def best_boxes(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], groups: NDArray[np.intp], iou: float
) -> list[int]:
    """Indices of the boxes to keep, best score first, equal scores in their order.

    `boxes` (n, 4) as x0, y0, x1, y1; a box is dropped where a better one of the same group (n,) overlaps it by at
    least `iou`.
    """
    order = np.argsort(-scores, kind="stable")[:MOST_CANDIDATES]
    if order.size < 2:
        return [int(index) for index in order]
    ranked = boxes[order]
    low = np.maximum(ranked[:, None, :2], ranked[None, :, :2])
    high = np.minimum(ranked[:, None, 2:], ranked[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area = np.clip(ranked[:, 2:] - ranked[:, :2], 0, None).prod(axis=1)
    union = area[:, None] + area[None, :] - shared
    same = groups[order][:, None] == groups[order][None, :]
    drops = (shared >= iou * union) & same
    kept: list[int] = []
    alive = np.ones(order.size, bool)
    for rank in range(order.size):
        if alive[rank]:
            kept.append(int(order[rank]))
            alive &= ~drops[rank]
    return kept
