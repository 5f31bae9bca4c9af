"""Brings a frame to a model's input: resized straight from its planes, one colour conversion, no picture in between.

Whether the frame keeps its shape (letterbox) or not (stretch) is the model's choice; `Mapping` brings boxes back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Frame, Plane
from sealcam.sight.spec import InputSpec, Placement
from sealcam.sight.types import Box

# Below this, bilinear sampling skips pixels, and small people with them.
AREA_BELOW = 0.5
# Chroma is smoothed over so many pixels of the input's half size.
CALM_PX = 3
# In a grainy picture, whose noise is more than this part of its contrast (a dark place, a sensor at its highest gain),
# a model that is calmed gets luma smoothed as well, and chroma more. By day it is 0.03, busy ground included.
GRAINY, GRAINY_PX = 0.08, 5
# Noise is measured on every so many lines, in pictures of less contrast than this.
LINES_APART, DIM = 32, 120.0


@dataclass(frozen=True, slots=True)
class Mapping:
    """From pixels of the model's input to pixels of the frame, which is `width` x `height`."""

    scale_x: float
    scale_y: float
    width: int
    height: int

    def to_frame(self, x0: float, y0: float, x1: float, y1: float) -> Box:
        """The box in the frame's pixels, cut at its edges; without area where it lay outside."""
        return Box(
            min(max(0.0, x0 * self.scale_x), self.width),
            min(max(0.0, y0 * self.scale_y), self.height),
            min(max(0.0, x1 * self.scale_x), self.width),
            min(max(0.0, y1 * self.scale_y), self.height),
        )

    def to_input(self, box: Box) -> Box:
        """A box of the frame in pixels of the model's input."""
        return Box(box.x0 / self.scale_x, box.y0 / self.scale_y, box.x1 / self.scale_x, box.y1 / self.scale_y)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How frames of one size are brought in: the resized planes and where their colours go, all one memory each."""

    mapping: Mapping
    luma_interpolation: int
    planes: Plane
    y: Plane
    u: Plane
    v: Plane
    rough_u: Plane
    rough_v: Plane
    target: Plane


class Preparer:
    """Fills a model's input from frames, over and over in the same memory."""

    def __init__(self, spec: InputSpec, share: float = 1.0) -> None:
        """`share`: how much of the input's width and height the picture may take, as if seen from further away."""
        self._spec = spec
        self._share = share
        self._picture = np.full((spec.height, spec.width, 3), spec.fill, np.uint8)
        self._planned_size: tuple[int, int] | None = None
        self._plan: _Plan | None = None
        self._conversion = cv2.COLOR_YUV2RGB_I420 if spec.channels == "RGB" else cv2.COLOR_YUV2BGR_I420

    def prepare(self, frame: Frame) -> tuple[NDArray[np.generic], Mapping]:
        """The input for `frame`, with a batch of one, and how its pixels lie in the frame.

        The array is the same each time, or a view of it: use it before the next call.
        """
        plan = self._plan_for(frame)
        _resize(frame.y, plan.y, plan.luma_interpolation)
        grainy = self._spec.calm and grain(plan.y) > GRAINY
        if grainy:
            cv2.GaussianBlur(plan.y.copy(), (3, 3), 0, dst=plan.y)
        calm_px = GRAINY_PX if grainy else CALM_PX
        for plane, rough, target in ((frame.u, plan.rough_u, plan.u), (frame.v, plan.rough_v, plan.v)):
            # Chroma is coarse already; the nearest value does, for a third of the time.
            _resize(plane, rough, cv2.INTER_NEAREST_EXACT)
            # Without its noise a dim picture shows its people much better, and nothing else changes.
            cv2.blur(rough, (calm_px, calm_px), dst=target)
        # Video range, as files and cameras give it; a source of full range gains contrast, and detectors don't mind.
        cv2.cvtColor(plan.planes, self._conversion, dst=plan.target)
        return self._as_input(), plan.mapping

    def _as_input(self) -> NDArray[np.generic]:
        spec = self._spec
        picture: NDArray[np.generic] = self._picture
        if spec.dtype != "uint8":
            picture = self._picture.astype(spec.dtype)
            if (spec.scale, spec.offset) != (1.0, 0.0):
                picture = (self._picture * np.float32(spec.scale) + np.float32(spec.offset)).astype(spec.dtype)
        if spec.layout == "NCHW":
            picture = np.ascontiguousarray(picture.transpose(2, 0, 1))
        return picture[None]

    def _plan_for(self, frame: Frame) -> _Plan:
        size = (frame.height, frame.width)
        if self._plan is None or self._planned_size != size:
            self._plan, self._planned_size = self._make_plan(*size), size
            self._picture[:] = self._spec.fill
        return self._plan

    def _make_plan(self, height: int, width: int) -> _Plan:
        spec = self._spec
        most_high, most_wide = self._share * spec.height, self._share * spec.width
        ratio = min(most_high / height, most_wide / width)
        if spec.placement is Placement.STRETCH:
            inner_height, inner_width = _even(most_high, spec.height), _even(most_wide, spec.width)
        else:
            inner_height, inner_width = _even(height * ratio, spec.height), _even(width * ratio, spec.width)
        planes = np.empty((inner_height * 3 // 2, inner_width), np.uint8)
        luma, chroma = inner_height * inner_width, inner_height * inner_width // 4
        flat, half = planes.reshape(-1), (inner_height // 2, inner_width // 2)
        return _Plan(
            mapping=Mapping(width / inner_width, height / inner_height, width, height),
            luma_interpolation=cv2.INTER_AREA if ratio < AREA_BELOW else cv2.INTER_LINEAR,
            planes=planes,
            y=planes[:inner_height],
            u=flat[luma : luma + chroma].reshape(half),
            v=flat[luma + chroma :].reshape(half),
            rough_u=np.empty(half, np.uint8),
            rough_v=np.empty(half, np.uint8),
            target=self._picture[:inner_height, :inner_width],
        )


def grain(luma: Plane) -> float:
    """The noise of a picture as a part of its contrast, from 0 on.

    Noise: the median second difference along some lines, as a standard deviation of Gaussian noise (0.6745 is the
    median of its magnitude, the square root of 6 what a second difference makes of it); edges are few and count little.
    Contrast: from video's black, 16, to what 2 % of the picture are brighter than; above `DIM` no sensor is grainy,
    and nothing is measured.
    """
    lines = luma[LINES_APART // 4 :: LINES_APART].astype(np.int16)
    if lines.shape[0] == 0 or lines.shape[1] < 3:
        return 0.0
    contrast = _ranked(lines, 0.98) - 16
    if contrast > DIM:
        return 0.0
    bends = np.abs(lines[:, :-2] - 2 * lines[:, 1:-1] + lines[:, 2:])
    noise = _ranked(bends, 0.5) / (0.6745 * math.sqrt(6))
    return noise / max(contrast, 8.0)


def _ranked(values: NDArray[np.int16], share: float) -> float:
    """The value that this share of the values does not exceed."""
    flat = values.ravel()
    place = min(int(share * flat.size), flat.size - 1)
    return float(np.partition(flat, place)[place])


def _resize(plane: Plane, target: Plane, interpolation: int) -> None:
    height, width = target.shape
    cv2.resize(plane, (width, height), dst=target, interpolation=interpolation)


def _even(side: float, limit: int) -> int:
    """The even number nearest to `side`, at least 2 and at most `limit`: chroma has half the resolution."""
    return min(max(2, 2 * round(side / 2)), limit - limit % 2)
