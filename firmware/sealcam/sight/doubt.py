"""Doubts: what the first look at a frame left open, and where; `panel` asks further models by them.

A doubt is a place where something goes on and nothing is surely recognised: a faint box over motion, a track that the
look missed, motion that no box explains and that goes on, a subject so near that it fills the picture, or a model that
broke. See design/sight.md, detectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Frame, Plane
from sealcam.sight.focus import Focus
from sealcam.sight.gate import Motion
from sealcam.sight.types import Box, Detection

# From this score on (the default model's scale) a box needs nobody else's word: the usual score of `SightSettings`.
SURE = 0.45
# The share of a box's cells that must have moved for it to be about something that goes on.
STIRRED = 0.05
# Motion that no box explains counts from this share of the picture on: 0.0015 is about 18 by 18 pixels of 640 by 360.
UNEXPLAINED_SHARE = 0.0015
# A box explains the motion around it, too: a shadow, an arm. By this share of its sides.
MARGIN = 0.25
# Cells of one thing that moves, however torn: holes of so many cells are closed.
GAP_CELLS = 5
# What is followed was not missed where a box overlaps the place in which it is expected by so much.
SAME_PLACE_IOU = 0.3
# A box, or a patch of motion, that takes so much of the picture is of something very near.
FILLS = 0.35


class Kind(StrEnum):
    """What is open."""

    FAINT = "faint"  # a box over motion, below SURE
    MISSED = "missed"  # something followed that ought to be here, where it moved
    UNNAMED = "unnamed"  # motion that no box explains
    FILLED = "filled"  # very near, and not surely recognised
    BROKEN = "broken"  # the model said nothing that can be relied on


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is open, and where in the frame."""

    kind: Kind
    box: Box


def doubts(frame: Frame, focus: Focus, found: Sequence[Detection], *, broken: bool = False) -> tuple[Doubt, ...]:
    """What a look that gave `found` leaves open, the most telling first; nothing where no motion is known."""
    whole = Box(0.0, 0.0, float(frame.width), float(frame.height))
    if broken:
        return (Doubt(Kind.BROKEN, whole),)
    motion = focus.motion
    if motion is None or motion.whole:
        return ()
    faint = [one.box for one in found if one.score < SURE and motion.inside(one.box) >= STIRRED]
    missed = list(_missed(focus, motion, found))
    named = [one.box for one in found] + missed
    unnamed = unexplained(motion, named) if motion.moving else ()
    kinds = ((Kind.FAINT, faint), (Kind.MISSED, missed), (Kind.UNNAMED, unnamed))
    return tuple(
        Doubt(Kind.FILLED if box.area >= FILLS * whole.area else kind, box) for kind, boxes in kinds for box in boxes
    )


def unexplained(motion: Motion, boxes: Sequence[Box]) -> tuple[Box, ...]:
    """The patches of motion that lie in none of the boxes, largest first, in the frame's pixels."""
    mask = motion.mask.copy()
    rows, columns = mask.shape
    for box in boxes:
        x, y = MARGIN * box.width, MARGIN * box.height
        x0, x1 = _cells(box.x0 - x, box.x1 + x, motion.cell_x_px, columns)
        y0, y1 = _cells(box.y0 - y, box.y1 + y, motion.cell_y_px, rows)
        mask[y0:y1, x0:x1] = 0
    if cv2.countNonZero(mask) < UNEXPLAINED_SHARE * mask.size:
        return ()
    return tuple(_patches(mask, motion))


def _patches(mask: Plane, motion: Motion) -> Iterator[Box]:
    joined = cv2.dilate(mask, np.ones((GAP_CELLS, GAP_CELLS), np.uint8))
    count, places = cv2.connectedComponents(joined)
    sizes = np.bincount(places[mask > 0], minlength=count)
    for place in np.argsort(-sizes, kind="stable").tolist():
        if sizes[place] < max(4.0, UNEXPLAINED_SHARE * mask.size):
            return
        rows, columns = ((places == place) & (mask > 0)).nonzero()
        yield Box(
            float(columns.min()) * motion.cell_x_px,
            float(rows.min()) * motion.cell_y_px,
            float(columns.max() + 1) * motion.cell_x_px,
            float(rows.max() + 1) * motion.cell_y_px,
        )


def _missed(focus: Focus, motion: Motion, found: Sequence[Detection]) -> Iterator[Box]:
    if not focus.followed:
        return
    best = _overlaps([one.box for one in focus.followed], [one.box for one in found])
    for one, overlap in zip(focus.followed, best, strict=True):
        if overlap < SAME_PLACE_IOU and motion.inside(one.box) >= STIRRED:
            yield one.box


def _overlaps(boxes: Sequence[Box], others: Sequence[Box]) -> list[float]:
    """For each of the boxes its largest intersection over union with any of the others: all pairs at once."""
    if not others:
        return [0.0] * len(boxes)
    x0, y0, x1, y1 = (_edges(boxes)[:, edge, None] for edge in range(4))
    u0, v0, u1, v1 = (_edges(others)[None, :, edge] for edge in range(4))
    shared = (np.minimum(x1, u1) - np.maximum(x0, u0)).clip(0) * (np.minimum(y1, v1) - np.maximum(y0, v0)).clip(0)
    union = (x1 - x0) * (y1 - y0) + (u1 - u0) * (v1 - v0) - shared
    overlaps: list[float] = (shared / np.maximum(union, 1e-9)).max(axis=1).tolist()
    return overlaps


def _edges(boxes: Sequence[Box]) -> NDArray[np.float64]:
    return np.array([(box.x0, box.y0, box.x1, box.y1) for box in boxes])


def _cells(low: float, high: float, cell_px: float, most: int) -> tuple[int, int]:
    return min(max(int(low / cell_px), 0), most), min(max(int(high / cell_px) + 1, 0), most)
