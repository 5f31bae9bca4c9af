"""The gate tells in a fraction of a millisecond where a picture moved, so that a quiet scene costs next to nothing.

It sees luma alone, in cells of 1, 2, 4 or more pixels a side (about 160 across): a running background, a threshold
that grows with the measured noise, with places that always flicker (leaves, rain, water) and at edges, and a guard for
changes of the whole picture (a lamp, the exposure, the infrared filter). It decides nothing about subjects.
See design/sight.md, gate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Frame, Plane
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import Box

CELLS_ACROSS = 160
# Seconds in which the background follows: where nothing moves; under something that moves; under something that came
# and holds still (a parked car, or the hole left by one that drove off); and while the light settles.
TAU_QUIET_S, TAU_MOVING_S, TAU_RESTING_S, TAU_SETTLING_S = 6.0, 40.0, 3.0, 0.2
TAU_FLICKER_S, TAU_NOISE_S = 20.0, 3.0
# A difference counts above so many times the noise (median of the frame-to-frame change in levels; more than so much
# is no sensor's) and the place's own flicker.
NOISE_FACTOR, NOISE_MOST, FLICKER_FACTOR, FLICKER_MOST = 5.0, 8.0, 2.0, 20.0
# At an edge of the background a difference counts above this part of its contrast, at most so many levels: a camera
# that shakes in the wind by half a cell moves every edge and nothing else.
EDGE_FACTOR, EDGE_MOST = 0.4, 40.0
# Noise, flicker and edges change slowly: the threshold is made of them anew every so many frames.
RENEW_EVERY = 8
# What moved enough must lie together: within a square of so many cells.
PATCH_CELLS = 8
# A change of more than this share of the picture at once is the light's; beyond `WHOLE_LONGEST_S` it is something near.
WHOLE_SHARE, WHOLE_LONGEST_S, SETTLE_S = 0.5, 0.4, 1.0
# The exposure may change the picture's gain by `GAIN_STEP` in one frame without counting as a change of the light; the
# background follows once the median cell shifted by more than `GAIN_SHIFT` levels, within these bounds a frame.
GAIN_SHIFT, GAIN_STEP, GAIN_LOWEST, GAIN_HIGHEST = 1.0, 0.25, 0.7, 1.4

Cells = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Motion:
    """Where one frame moved. `mask` is uint8 (rows, columns), 255 where a cell moved; a cell is `cell_x_px` by
    `cell_y_px` pixels of the frame. `share` is the moved share of the picture, 0 to 1. `moving`: enough of it to look.
    `whole`: the whole picture changed at once, so that nothing can be said about motion (`mask` is empty)."""

    mask: Plane
    cell_x_px: float
    cell_y_px: float
    share: float
    moving: bool
    whole: bool

    def inside(self, box: Box) -> float:
        """The share of the box's cells that moved, 0 to 1."""
        rows, columns = self.mask.shape
        x0 = min(max(int(box.x0 / self.cell_x_px), 0), columns - 1)
        y0 = min(max(int(box.y0 / self.cell_y_px), 0), rows - 1)
        x1 = min(max(math.ceil(box.x1 / self.cell_x_px), x0 + 1), columns)
        y1 = min(max(math.ceil(box.y1 / self.cell_y_px), y0 + 1), rows)
        return float(cv2.countNonZero(self.mask[y0:y1, x0:x1]) / ((y1 - y0) * (x1 - x0)))


def _median(values: NDArray[np.float32]) -> float:
    flat = values.ravel()
    middle = flat.size // 2
    return float(np.partition(flat, middle)[middle])


def _densest(mask: Plane) -> float:
    """The most cells that moved within one patch."""
    sums = cv2.boxFilter(mask, cv2.CV_32F, (PATCH_CELLS, PATCH_CELLS), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return float(sums.max()) / 255


def _follow(seconds: float, tau_s: float) -> float:
    """The share by which a running mean moves towards a new value after `seconds`."""
    return 1.0 - math.exp(-seconds / tau_s)


class Gate:
    """A background model of luma; feed it every frame in order."""

    _background: Cells
    _previous: Cells
    _flicker: Cells
    _threshold: Cells

    def __init__(self, settings: SightSettings) -> None:
        self._settings = settings
        self._shape: tuple[int, int] | None = None
        self._t_ns = 0
        self._noise = 0.0
        self._age, self._age_s = 0, 0.0
        self._whole_since_ns: int | None = None
        self._settling_until_ns = 0

    def step(self, frame: Frame) -> Motion:
        """Where this frame moved against the background, which then follows it."""
        cells = self._cells(frame)
        if self._shape != (frame.height, frame.width):
            self._learn_anew(frame, cells)
            return self._motion(frame, np.zeros(cells.shape, np.uint8), whole=False)
        seconds = min(max((frame.t_ns - self._t_ns) / 1e9, 0.001), 1.0)
        self._t_ns = max(frame.t_ns, self._t_ns)
        lit = self._follow_gain(cells)
        difference = np.abs(cells - self._background)
        self._age_s += seconds
        self._age += 1
        if self._age % RENEW_EVERY == 0 or frame.t_ns < self._settling_until_ns:
            self._renew(cells, difference, self._age_s)
            self._age_s = 0.0
        mask = self._moved(difference)
        if self._whole_changed(lit, cv2.countNonZero(mask) / mask.size):
            self._background = cells.copy()
            self._previous = cells
            self._age = -1  # a new background has new edges
            mask[:] = 0
            return self._motion(frame, mask, whole=True)
        self._follow(cells, mask, seconds)
        return self._motion(frame, mask, whole=False)

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
        self._flicker = np.zeros_like(cells)
        self._threshold = np.full_like(cells, self._settings.motion_min_step)
        self._noise = 0.0
        self._age, self._age_s = 0, 0.0
        self._whole_since_ns = None
        self._settling_until_ns = frame.t_ns + round(SETTLE_S * 1e9)

    def _motion(self, frame: Frame, mask: Plane, *, whole: bool) -> Motion:
        rows, columns = mask.shape
        moved = cv2.countNonZero(mask)
        least = min(max(4.0, self._settings.motion_min_share * mask.size), mask.size)
        return Motion(
            mask=mask,
            cell_x_px=frame.width / columns,
            cell_y_px=frame.height / rows,
            share=moved / mask.size,
            moving=moved >= least and _densest(mask) >= least,
            whole=whole,
        )

    def _follow_gain(self, cells: Cells) -> bool:
        """Let the background follow an even change of light or exposure; true when it was a step."""
        step = max(1, cells.shape[1] // 40)
        now, then = cells[::step, ::step], self._background[::step, ::step]
        shift = abs(_median(now - then))
        if shift <= GAIN_SHIFT:
            return False
        gain = _median((now + 1.0) / (then + 1.0))
        self._background *= np.float32(min(max(gain, GAIN_LOWEST), GAIN_HIGHEST))
        return shift > self._settings.motion_min_step and abs(gain - 1.0) > GAIN_STEP

    def _moved(self, difference: Cells) -> Plane:
        """The mask of cells that differ from the background by more than noise, flicker and shaking explain."""
        mask = cv2.compare(difference, self._threshold, cv2.CMP_GT)
        return np.asarray(cv2.medianBlur(mask, 3), dtype=np.uint8)

    def _renew(self, cells: Cells, difference: Cells, seconds: float) -> None:
        """Measure noise and flicker (over `seconds` since the last time) and make the threshold of them."""
        step = max(1, cells.shape[1] // 40)
        jitter = min(_median(np.abs(cells[::step, ::step] - self._previous[::step, ::step])), NOISE_MOST)
        settling = self._t_ns < self._settling_until_ns
        self._noise += _follow(seconds, TAU_SETTLING_S if settling else TAU_NOISE_S) * (jitter - self._noise)
        cv2.accumulateWeighted(difference, self._flicker, _follow(seconds, TAU_FLICKER_S))
        floor = max(self._settings.motion_min_step, NOISE_FACTOR * self._noise)
        flicker = np.minimum(self._flicker * np.float32(FLICKER_FACTOR), np.float32(floor + FLICKER_MOST))
        contrast = cv2.morphologyEx(self._background, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        edges = np.minimum(contrast * np.float32(EDGE_FACTOR), np.float32(EDGE_MOST))
        self._threshold = np.maximum(np.maximum(flicker, edges), np.float32(floor))

    def _whole_changed(self, lit: bool, share: float) -> bool:
        """Whether this frame's change is the light's; one that goes on is something near that moves."""
        if not lit and share < WHOLE_SHARE:
            self._whole_since_ns = None
            return False
        if self._whole_since_ns is None:
            self._whole_since_ns = self._t_ns
        self._settling_until_ns = self._t_ns + round(SETTLE_S * 1e9)
        return self._t_ns - self._whole_since_ns <= WHOLE_LONGEST_S * 1e9

    def _follow(self, cells: Cells, mask: Plane, seconds: float) -> None:
        settling = self._t_ns < self._settling_until_ns
        quiet_s = TAU_SETTLING_S if settling else TAU_QUIET_S
        if cv2.countNonZero(mask):
            changed = cv2.absdiff(cells, self._previous)
            still = cv2.inRange(changed, 0.0, self._settings.motion_min_step)
            resting, moving = cv2.bitwise_and(mask, still), cv2.bitwise_and(mask, cv2.bitwise_not(still))
            cv2.accumulateWeighted(cells, self._background, _follow(seconds, quiet_s), cv2.bitwise_not(mask))
            cv2.accumulateWeighted(cells, self._background, _follow(seconds, TAU_RESTING_S), resting)
            cv2.accumulateWeighted(cells, self._background, _follow(seconds, TAU_MOVING_S), moving)
        else:
            cv2.accumulateWeighted(cells, self._background, _follow(seconds, quiet_s))
        self._previous = cells
