"""The gate tells in a fraction of a millisecond where a picture moved, so that a quiet scene costs next to nothing.

It sees luma alone, in cells of 1, 2, 4 or more pixels a side (about 160 across): a running background, and for each
cell a floor that a difference must pass (`floor`). What is not motion is taken out, in this order: an even change of
light (`light`), a camera that shakes (`steady`), a beam or shadow (`light`), rain and snow (what is nowhere for two
frames), a change of the whole picture. It decides nothing about subjects. See design/sight.md, gate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from sealcam.board.protocols import Frame, Plane
from sealcam.sight import light, steady
from sealcam.sight.floor import Cells, Floor, follow
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import Box

CELLS_ACROSS = 160
# Seconds in which the background follows: where nothing moves; under something that moves; under something that came
# and holds still (a parked car, or the hole left by one that drove off); under a beam or shadow; and while the light
# settles.
TAU_QUIET_S, TAU_MOVING_S, TAU_RESTING_S, TAU_LIT_S, TAU_SETTLING_S = 6.0, 40.0, 3.0, 3.0, 0.2
# The floor changes slowly: it is measured anew every so many frames.
RENEW_EVERY = 8
# What moved enough must lie together: within a square of so many cells.
PATCH_CELLS = 8
# A change of more than this share of the picture at once is the light's; beyond `WHOLE_LONGEST_S` it is something near.
WHOLE_SHARE, WHOLE_LONGEST_S, SETTLE_S = 0.5, 0.4, 1.0
# Our own infrared filter takes a few tenths of a second to move, and the exposure about a second to follow.
MUTE_S = 1.5
# The picture is taken as shaken when the shift explains this part of what moved.
SHAKEN_PART = 0.3
# It rains (or snows) while cells moved in this share of a grid's fields, usually so within some seconds; then a cell
# counts where it moved in two frames running. Frames further apart than this would lose someone who walks.
FALL_GRID, FALL_SHARE, FALL_TAU_S, FALL_MOST_S = (8, 5), 0.4, 1.5, 0.17

# Cells to the right and down.
Offset = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Motion:
    """Where one frame moved. `mask` is uint8 (rows, columns), 255 where a cell moved; a cell is `cell_x_px` by
    `cell_y_px` pixels of the frame. `share` is the moved share of the picture, 0 to 1. `moving`: enough of it to look.
    `whole`: the whole picture changed at once, so that nothing can be said about motion (`mask` is empty). `lit`: a
    part of it changed by light alone and is not in `mask`; a look is worth while in case that is wrong."""

    mask: Plane
    cell_x_px: float
    cell_y_px: float
    share: float
    moving: bool
    whole: bool
    lit: bool = False

    def inside(self, box: Box) -> float:
        """The share of the box's cells that moved, 0 to 1."""
        rows, columns = self.mask.shape
        x0 = min(max(int(box.x0 / self.cell_x_px), 0), columns - 1)
        y0 = min(max(int(box.y0 / self.cell_y_px), 0), rows - 1)
        x1 = min(max(math.ceil(box.x1 / self.cell_x_px), x0 + 1), columns)
        y1 = min(max(math.ceil(box.y1 / self.cell_y_px), y0 + 1), rows)
        return float(cv2.countNonZero(self.mask[y0:y1, x0:x1]) / ((y1 - y0) * (x1 - x0)))


def _densest(mask: Plane) -> float:
    """The most cells that moved within one patch."""
    sums = cv2.boxFilter(mask, cv2.CV_32F, (PATCH_CELLS, PATCH_CELLS), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return float(sums.max()) / 255


class Gate:
    """A background model of luma; feed it every frame in order."""

    _background: Cells
    _previous: Cells
    _difference: Cells
    _floor: Floor
    _raw: Plane

    def __init__(self, settings: SightSettings) -> None:
        self._settings = settings
        self._shape: tuple[int, int] | None = None
        self._t_ns = 0
        self._muted_ns = (0, -1)

    @property
    def cells(self) -> Cells:
        """The newest frame's luma in cells, float32 (rows, columns); not to be written to."""
        return self._previous

    @property
    def noise(self) -> float:
        """What has been learnt of the sensor's noise, in levels of a cell's change from frame to frame."""
        return self._floor.noise

    def mute(self, t_ns: int) -> None:
        """The picture is about to change by our own doing (the infrared filter): say nothing, learn the background."""
        self._muted_ns = (t_ns, t_ns + round(MUTE_S * 1e9))

    def step(self, frame: Frame) -> Motion:
        """Where this frame moved against the background, which then follows it."""
        cells = self._cells(frame)
        if self._shape != (frame.height, frame.width):
            self._learn_anew(frame, cells)
            return self._motion(frame, self._none, whole=False)
        seconds = min(max((frame.t_ns - self._t_ns) / 1e9, 0.001), 1.0)
        self._t_ns = max(frame.t_ns, self._t_ns)
        if self._muted_ns[0] <= frame.t_ns < self._muted_ns[1]:
            return self._changed(frame, cells)
        changed = light.gain(cells, self._background, self._settings.motion_min_step)
        if changed.factor != 1.0:
            self._background *= np.float32(changed.factor)
        self._renew(cells, seconds)
        mask, lit, offset = self._moved(cells, seconds)
        if self._whole_changed(changed.step, cv2.countNonZero(mask) / mask.size):
            return self._changed(frame, cells)
        self._follow(cells, mask, lit, offset, seconds)
        return self._motion(frame, mask, whole=False, lit=lit is not None)

    def _cells(self, frame: Frame) -> Cells:
        """The luma in cells, by the mean of each cell; a narrow picture keeps its pixels."""
        y = frame.y
        # Halves again and again: OpenCV's exact half is six times faster than its quarter.
        for _ in range(round(math.log2(max(1.0, frame.width / CELLS_ACROSS)))):
            size = (max(1, y.shape[1] // 2), max(1, y.shape[0] // 2))
            y = np.asarray(cv2.resize(y, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        return y.astype(np.float32)

    def _learn_anew(self, frame: Frame, cells: Cells) -> None:
        self._shape = (frame.height, frame.width)
        self._t_ns = frame.t_ns
        self._background = cells.copy()
        self._previous = cells
        self._difference = np.zeros_like(cells)
        self._floor = Floor((cells.shape[0], cells.shape[1]), self._settings.motion_min_step)
        self._none = self._raw = np.zeros(cells.shape, np.uint8)
        self._least = min(max(4.0, self._settings.motion_min_share * cells.size), cells.size)
        self._falling = 0.0
        self._age, self._age_s = 0, 0.0
        self._whole_since_ns: int | None = None
        self._settling_until_ns = frame.t_ns + round(SETTLE_S * 1e9)

    def _motion(self, frame: Frame, mask: Plane, *, whole: bool, lit: bool = False) -> Motion:
        rows, columns = mask.shape
        moved = cv2.countNonZero(mask)
        return Motion(
            mask=mask,
            cell_x_px=frame.width / columns,
            cell_y_px=frame.height / rows,
            share=moved / mask.size,
            moving=moved >= self._least and _densest(mask) >= self._least,
            whole=whole,
            lit=lit,
        )

    def _changed(self, frame: Frame, cells: Cells) -> Motion:
        """The whole picture changed: learn the background anew, and say nothing of motion."""
        self._settling_until_ns = self._t_ns + round(SETTLE_S * 1e9)
        self._background = cells.copy()
        self._previous = cells
        self._difference = np.zeros_like(cells)
        self._raw = self._none
        self._age = -1  # a new background has new edges
        return self._motion(frame, self._none, whole=True)

    def _renew(self, cells: Cells, seconds: float) -> None:
        self._age_s += seconds
        self._age += 1
        settling = self._t_ns < self._settling_until_ns
        if self._age % RENEW_EVERY == 0 or settling:
            self._floor.renew(cells, self._previous, self._background, self._difference, self._age_s, settling=settling)
            self._age_s = 0.0

    def _moved(self, cells: Cells, seconds: float) -> tuple[Plane, Plane | None, Offset | None]:
        """The cells that moved; those that only light changed; and by how much the picture lies beside its place."""
        offset, background = None, self._background
        self._difference, raw = self._beyond(cells, background)
        count = cv2.countNonZero(raw)
        before, self._raw = self._raw, raw
        falling = self._falls(raw, count, seconds)
        if not count:
            return raw, None, None
        if count >= self._least and (aside := steady.shift(cells, background)) is not None:
            moved = steady.shifted(background, *aside)
            difference, beyond = self._beyond(cells, moved)
            if cv2.countNonZero(beyond) <= (1 - SHAKEN_PART) * count:
                self._difference, self._raw = difference, beyond
                offset, background = aside, moved
        lasting = cv2.bitwise_and(self._raw, before) if falling else self._raw
        mask = np.asarray(cv2.medianBlur(lasting, 3), dtype=np.uint8)
        lit = light.lit(cells, background, mask)
        return (mask if lit is None else np.asarray(cv2.subtract(mask, lit), dtype=np.uint8)), lit, offset

    def _beyond(self, cells: Cells, background: Cells) -> tuple[Cells, Plane]:
        """By how much each cell differs, and 255 where that is more than its floor."""
        difference = np.asarray(cv2.absdiff(cells, background), dtype=np.float32)
        beyond = cv2.compare(difference, self._floor.threshold, cv2.CMP_GT)
        return difference, np.asarray(beyond, dtype=np.uint8)

    def _falls(self, raw: Plane, count: int, seconds: float) -> bool:
        """Whether it rains or snows, and frames come often enough to tell it from someone who walks."""
        spread = 0.0
        if count:
            fields = cv2.resize(raw, FALL_GRID, interpolation=cv2.INTER_AREA)
            spread = cv2.countNonZero(fields) / fields.size
        self._falling += follow(seconds, FALL_TAU_S) * (float(spread > FALL_SHARE) - self._falling)
        return self._falling > 0.5 and seconds <= FALL_MOST_S

    def _whole_changed(self, step: bool, share: float) -> bool:
        """Whether this frame's change is the light's; one that goes on is something near that moves."""
        if not step and share < WHOLE_SHARE:
            self._whole_since_ns = None
            return False
        if self._whole_since_ns is None:
            self._whole_since_ns = self._t_ns
        self._settling_until_ns = self._t_ns + round(SETTLE_S * 1e9)
        return self._t_ns - self._whole_since_ns <= WHOLE_LONGEST_S * 1e9

    def _follow(self, cells: Cells, mask: Plane, lit: Plane | None, offset: Offset | None, seconds: float) -> None:
        settling = self._t_ns < self._settling_until_ns
        quiet_s = TAU_SETTLING_S if settling else TAU_QUIET_S
        changed, self._previous = (cv2.absdiff(cells, self._previous) if cv2.countNonZero(mask) else None), cells
        if offset is not None:  # what is followed is the picture in its place
            back = (-offset[0], -offset[1])
            cells = steady.shifted(cells, *back)
        moved = mask if lit is None else cv2.bitwise_or(mask, lit)
        if changed is None and lit is None:
            cv2.accumulateWeighted(cells, self._background, follow(seconds, quiet_s))
            return
        cv2.accumulateWeighted(cells, self._background, follow(seconds, quiet_s), cv2.bitwise_not(moved))
        if lit is not None:
            cv2.accumulateWeighted(cells, self._background, follow(seconds, TAU_LIT_S), lit)
        if changed is not None:
            still = cv2.inRange(changed, 0.0, self._settings.motion_min_step)
            resting, moving = cv2.bitwise_and(mask, still), cv2.bitwise_and(mask, cv2.bitwise_not(still))
            resting_s = TAU_SETTLING_S if settling else TAU_RESTING_S
            cv2.accumulateWeighted(cells, self._background, follow(seconds, resting_s), resting)
            cv2.accumulateWeighted(cells, self._background, follow(seconds, TAU_MOVING_S), moving)
