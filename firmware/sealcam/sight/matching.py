"""Matching says which box continues which track: overlap first, then nearness, the best pair first.

Greedy instead of an assignment solver: a handful of boxes that are looked at ten times a second overlap with
themselves, and where two cross, the better overlap is right more often than the better sum.
See design/sight.md, who is believed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sealcam.sight.types import Box, Subject

# A box belongs to a track from this overlap on; without it, from this distance of centres (in units of the square root
# of the larger area) on, so that someone fast is followed at few frames a second; never beyond this ratio of areas.
MATCH_IOU, MATCH_DISTANCE, MATCH_AREA = 0.15, 0.8, 3.0


def match(expected: Sequence[tuple[Subject, Box]], seen: Sequence[tuple[Subject, Box]]) -> list[tuple[int, int]]:
    """Pairs of an index in `expected` and one in `seen`, each used once, best first, equals in their order."""
    if not expected or not seen:
        return []
    affinity = _affinity(_edges(expected), _edges(seen))
    same = np.array([[track is one for one, _ in seen] for track, _ in expected])
    rows, columns = np.nonzero((affinity > 0) & same)
    order = np.argsort(-affinity[rows, columns], kind="stable")
    pairs, rows_taken, columns_taken = [], set(), set()
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in rows_taken and column not in columns_taken:
            rows_taken.add(row)
            columns_taken.add(column)
            pairs.append((row, column))
    return pairs


def _edges(boxes: Sequence[tuple[Subject, Box]]) -> NDArray[np.float64]:
    """The edges as an array (4, n): x0, y0, x1, y1."""
    return np.array([(box.x0, box.y0, box.x1, box.y1) for _, box in boxes]).T


def _affinity(expected: NDArray[np.float64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """How well each box continues each track, (tracks, boxes): above 0 it may, and more is better."""
    then, now = expected[:, :, None], seen[:, None, :]
    across = np.minimum(then[2], now[2]) - np.maximum(then[0], now[0])
    down = np.minimum(then[3], now[3]) - np.maximum(then[1], now[1])
    shared = np.clip(across, 0, None) * np.clip(down, 0, None)
    area_then, area_now = (then[2] - then[0]) * (then[3] - then[1]), (now[2] - now[0]) * (now[3] - now[1])
    larger, smaller = np.maximum(area_then, area_now), np.minimum(area_then, area_now)
    alike = (smaller > 0) & (larger <= MATCH_AREA * smaller)
    overlap = shared / np.maximum(area_then + area_now - shared, 1e-9)
    away = np.hypot(then[0] + then[2] - now[0] - now[2], then[1] + then[3] - now[1] - now[3]) / 2
    near = MATCH_IOU * (1 - away / np.sqrt(np.maximum(larger, 1e-9)) / MATCH_DISTANCE)
    result: NDArray[np.float64] = np.where(alike, np.where(overlap >= MATCH_IOU, overlap, near), 0.0)
    return result
