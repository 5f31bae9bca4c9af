"""The view is the structure that a camera usually sees: learnt slowly, compared a few times a second.

Structure is what lies around a place's own mean, so light, gain and even inversion change little of it; it is compared
field by field, so that a visitor spoils a few. Sharpness is how steep the steepest edge of a field is against the
field's contrast, which no lamp changes. What a comparison means is `tamper`'s. See design/sight.md, tamper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Plane
from sealcam.sight.floor import Cells, follow

# The view is compared at half the gate's cells (80 across), in fields of about 8 x 9 of them.
FIELDS = (10, 5)
# The picture is averaged over so many glances: noise and what walks by fade, what stays remains.
GLANCES = 3
# What moves is the median of so many changes between glances.
CHANGES = 5
# Structure is a cell less the mean of so many cells around it.
AROUND = 9
# A field has structure above so many levels (root of the mean square), and so many times what moves in it: noise,
# snow, leaves; what drowns in them can't be missed.
TEXTURE_LEVELS, TEXTURE_NOISE = 1.5, 1.5
# A field is still there with this correlation, or, where it has less than so many times the noise, with so many times
# what chance gives.
SAME, FAINT, SAME_IN_NOISE = 0.4, 2.0, 5.0
# So many fields and this share of all must have structure before anything can be said.
FIELDS_LEAST, FIELDS_SHARE = 6, 0.15
# The view is known after so many seconds and comparisons; what is there follows slowly, what is not slower still, and
# nothing while most of it is lost.
LEARN_S, LEARN_TIMES, TAU_SAME_S, TAU_OTHER_S, FOLLOW_LOST = 8.0, 8, 60.0, 300.0, 0.5
# Brighter than this is burnt out.
BURNT = 248
# Sharpness is taken at half the frame's pixels, in fields so large; it is learnt where there is so much contrast (and
# so many times the noise), and compared with less: what blurs takes contrast too.
SHARP_PX, CONTRAST_LEVELS, CONTRAST_NOISE, CONTRAST_LEFT = 16, 24.0, 8.0, 0.4
# The least noise: luma comes in whole levels.
ROUNDING = 0.3
# The lower quartile of a normal change between two frames, in standard deviations of one.
QUARTILE = 0.3186 * math.sqrt(2.0)


@dataclass(frozen=True, slots=True)
class Glance:
    """One comparison. `known`: enough structure was learnt to say something of `lost`, the share of the learnt fields
    that is not there, 0 to 1. `structure`: how much there is where some was learnt, 1 for as much. `sharpness`: the
    same for sharpness, none where it can't be told (yet). `burnt`: the share of the picture that is burnt out.
    `steady`: how like the picture is to that of two glances ago, -1 to 1."""

    known: bool
    lost: float
    structure: float
    sharpness: float | None
    burnt: float
    steady: float


class View:
    """What one camera sees in one light; feed it a few frames a second."""

    def __init__(self) -> None:
        self._latest: list[Cells] = []
        self._structure: Cells | None = None
        self._before: list[Cells] = []
        self._noise = np.full(FIELDS[::-1], ROUNDING**2)
        self._changes: list[NDArray[np.float32]] = []
        self._sharp: NDArray[np.float32] | None = None
        self._half: Plane | None = None
        self._age_s, self._times = 0.0, 0

    @property
    def learnt(self) -> bool:
        """Whether the first learning is over."""
        return self._age_s >= LEARN_S and self._times >= LEARN_TIMES

    def glance(self, cells: Cells, luma: Plane, seconds: float) -> Glance:
        """Compare the picture, `seconds` after the last time, and learn from it."""
        now = self._take(cells)
        if self._structure is None or self._structure.shape != now.shape:
            self._structure, self._sharp, self._half, self._before = now.copy(), None, None, []
        self._age_s, self._times = self._age_s + seconds, self._times + 1
        textured, same, structure = self._compare(now)
        count = int(np.count_nonzero(textured))
        known = self.learnt and count >= max(FIELDS_LEAST, FIELDS_SHARE * textured.size)
        lost = 1.0 - np.count_nonzero(textured & same) / count if count else 0.0
        self._before = [*self._before[-2:], now]
        sharpness = self._sharpness(luma, seconds, learn=not self.learnt or lost < FOLLOW_LOST)
        glance = Glance(
            known=known,
            lost=lost,
            structure=structure,
            sharpness=sharpness if self.learnt else None,
            burnt=float(np.count_nonzero(cells > BURNT)) / cells.size,
            steady=_likeness(now, self._before[0]),
        )
        self._learn(now, same | ~textured, lost, seconds)
        return glance

    def _take(self, cells: Cells) -> Cells:
        """The picture's structure, averaged over the last glances; measures what is not still in it, too."""
        size = (max(1, cells.shape[1] // 2), max(1, cells.shape[0] // 2))
        small = np.asarray(cv2.resize(cells, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
        now = np.asarray(small - cv2.blur(small, (AROUND, AROUND)), dtype=np.float32)
        if not self._latest or self._latest[-1].shape != now.shape:
            self._latest, self._changes = [], []
        else:
            change = now - self._latest[-1]
            self._changes = [*self._changes[1 - CHANGES :], _fields(change * change)]
            # The median: what changed once, a lamp, is no noise.
            self._noise = np.maximum(np.median(self._changes, axis=0) / (2 * GLANCES), ROUNDING**2)
        self._latest = [*self._latest[1 - GLANCES :], now]
        return np.asarray(sum(self._latest) / np.float32(len(self._latest)), dtype=np.float32)

    def _compare(self, now: Cells) -> tuple[NDArray[np.bool_], NDArray[np.bool_], float]:
        """Which fields have learnt structure, which are there now, and how much there is in the former."""
        then = self._structure if self._structure is not None else now
        both, ours, learnt = _fields(now * then), _fields(now * now), _fields(then * then)
        textured = learnt > np.maximum(TEXTURE_LEVELS**2, TEXTURE_NOISE**2 * self._noise)
        size = np.sqrt(np.maximum(learnt, 1e-6))
        likeness = np.abs(both) / (size * np.sqrt(np.maximum(ours, 1e-6)))
        chance = np.abs(both) * math.sqrt(now.size / learnt.size) / (size * np.sqrt(self._noise))
        faint = ours < FAINT**2 * self._noise
        same = (likeness >= SAME) | (faint & (chance >= SAME_IN_NOISE))
        if faint.any():  # in the dark each field may drown in noise, and all together still be there
            drowned = float(both[faint].sum()) / math.sqrt(max(1e-6, float((learnt * self._noise)[faint].sum())))
            same |= faint & (drowned * math.sqrt(now.size / learnt.size) >= SAME_IN_NOISE)
        had = float(learnt[textured].sum())
        left = float(np.maximum(ours - self._noise, 0.0)[textured].sum())
        return textured, same, math.sqrt(left / had) if had > 0 else 1.0

    def _learn(self, now: Cells, same: NDArray[np.bool_], lost: float, seconds: float) -> None:
        assert self._structure is not None  # `glance` has set it
        if not self.learnt:
            self._structure += np.float32(1 / (self._times + 1)) * (now - self._structure)
            return
        if lost >= FOLLOW_LOST:
            return
        shares = np.where(same, follow(seconds, TAU_SAME_S), follow(seconds, TAU_OTHER_S)).astype(np.float32)
        size = (now.shape[1], now.shape[0])
        self._structure += cv2.resize(shares, size, interpolation=cv2.INTER_NEAREST) * (now - self._structure)

    def _sharpness(self, luma: Plane, seconds: float, *, learn: bool) -> float | None:
        """The median field's sharpness against the learnt one; none where too few fields have contrast."""
        rows, columns = luma.shape[0] // 2, luma.shape[1] // 2
        if min(rows, columns) < SHARP_PX:
            return None
        half = np.asarray(cv2.resize(luma, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        steep = _blocks(cv2.morphologyEx(half, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))).max(axis=(1, 3))
        parts = _blocks(half)
        contrast = parts.max(axis=(1, 3)).astype(np.float32) - parts.min(axis=(1, 3))
        needed = max(CONTRAST_LEVELS, CONTRAST_NOISE * self._pixel_noise(half))
        usable = contrast >= needed
        now = steep.astype(np.float32) / np.maximum(contrast, 1.0)
        if self._sharp is None or self._sharp.shape != now.shape:
            self._sharp = np.zeros_like(now)
        known = (contrast >= CONTRAST_LEFT * needed) & (self._sharp > 0)
        out = None
        if np.count_nonzero(known) >= FIELDS_LEAST:
            out = float(np.median(now[known] / self._sharp[known]))
        if learn:
            fresh = usable & (self._sharp <= 0)
            self._sharp[fresh] = now[fresh]
            tau_s = TAU_SAME_S if self.learnt else LEARN_S / 2
            self._sharp[known] += np.float32(follow(seconds, tau_s)) * (now[known] - self._sharp[known])
        return out

    def _pixel_noise(self, half: Plane) -> float:
        before, self._half = self._half, half
        if before is None or before.shape != half.shape:
            return 0.0
        jitter = cv2.absdiff(half[::3, ::3], before[::3, ::3]).ravel()
        at = jitter.size // 4
        return float(np.partition(jitter, at)[at]) / QUARTILE


def _fields(cells: Cells) -> NDArray[np.float32]:
    """The mean of each field."""
    return np.asarray(cv2.resize(cells, FIELDS, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _blocks(plane: object) -> NDArray[np.uint8]:
    """The plane in squares: (rows, SHARP_PX, columns, SHARP_PX); what is left at its edges is left out."""
    whole = np.asarray(plane, dtype=np.uint8)
    rows, columns = whole.shape[0] // SHARP_PX, whole.shape[1] // SHARP_PX
    cut = whole[: rows * SHARP_PX, : columns * SHARP_PX]
    return cut.reshape(rows, SHARP_PX, columns, SHARP_PX)


def _likeness(one: Cells, other: Cells) -> float:
    """The correlation of two structures; 0 where one has none."""
    size = math.sqrt(float(np.vdot(one, one)) * float(np.vdot(other, other)))
    return float(np.vdot(one, other)) / size if size > 0 else 0.0
