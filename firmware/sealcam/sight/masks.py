"""Masks are parts of the picture that nobody sees: black before anything looks at a frame, keeps it or encodes it.

They are painted into the planes that the frame owns, in place and with one pixel to spare, and into every piece that is
taken of its fine picture. What is painted is made once for each size. See design/sight.md, zones, masks and schedule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from sealcam.board.protocols import Fine, Frame, Plane
from sealcam.sight.types import Picture
from sealcam.sight.zones import Polygon

# Black as video has it (ITU-R BT.601: luma 16, colour differences 128), so that every decoder shows it black.
BLACK_LUMA, NO_COLOUR = 16, 128
# Sizes whose stencils are kept: a camera has two.
MOST_SIZES = 8
_SHIFT = 8  # bits of a pixel's fraction that OpenCV takes

Planes = tuple[Plane, Plane, Plane]


def filled(areas: Iterable[Polygon], width_px: int, height_px: int) -> Plane:
    """255 in every pixel whose middle lies in one of the areas or that a border runs through, else 0."""
    plane = np.zeros((height_px, width_px), np.uint8)
    scale = 1 << _SHIFT
    for area in areas:  # one by one: together, OpenCV would leave out what two of them share
        corners = [((x * width_px - 0.5) * scale, (y * height_px - 0.5) * scale) for x, y in area.corners]
        cv2.fillPoly(plane, [np.array(corners).round().astype(np.int32)], 255, shift=_SHIFT)
    return plane


@dataclass(frozen=True, slots=True)
class _Stencil:
    """For luma and for the halved colour planes: 255 where a pixel is kept, and what is put where it is not."""

    keep_y: Plane
    put_y: Plane
    keep_c: Plane
    put_c: Plane

    def paint(self, planes: Planes) -> None:
        y, u, v = planes
        cv2.bitwise_or(cv2.bitwise_and(y, self.keep_y, dst=y), self.put_y, dst=y)
        for plane in (u, v):
            cv2.bitwise_or(cv2.bitwise_and(plane, self.keep_c, dst=plane), self.put_c, dst=plane)

    def cut(self, x0: int, y0: int, x1: int, y1: int) -> _Stencil:
        fine = slice(y0, y1), slice(x0, x1)
        half = slice(y0 // 2, (y1 + 1) // 2), slice(x0 // 2, (x1 + 1) // 2)
        return _Stencil(self.keep_y[fine], self.put_y[fine], self.keep_c[half], self.put_c[half])


class Masks:
    """The masks in force."""

    def __init__(self, areas: Sequence[Polygon] = ()) -> None:
        self._areas = tuple(areas)
        self._stencils: dict[tuple[int, int], _Stencil] = {}

    @property
    def areas(self) -> tuple[Polygon, ...]:
        """What they cover."""
        return self._areas

    def over(self, frame: Frame) -> Frame:
        """The frame with its masks: its planes are painted in place, its fine picture as pieces are taken of it."""
        if not self._areas:
            return frame
        self._stencil(frame.width, frame.height).paint((frame.y, frame.u, frame.v))
        return frame if frame.fine is None else replace(frame, fine=_MaskedFine(frame.fine, self))

    def blacken(self, picture: Picture) -> None:
        """Paint a picture that was kept since before these masks, in place."""
        if self._areas:
            height_px, width_px = picture.y.shape
            self._stencil(width_px, height_px).paint((picture.y, picture.u, picture.v))

    def piece(self, planes: Planes, fine: Fine, corner: tuple[int, int]) -> Planes:
        """A piece of a fine picture with its masks; `corner` is its first column and row."""
        (x0, y0), (height_px, width_px) = corner, planes[0].shape
        self._stencil(fine.width, fine.height).cut(x0, y0, x0 + width_px, y0 + height_px).paint(planes)
        return planes

    def _stencil(self, width_px: int, height_px: int) -> _Stencil:
        known = self._stencils.get((width_px, height_px))
        if known is not None:
            return known
        if len(self._stencils) >= MOST_SIZES:
            self._stencils.clear()
        luma = cv2.dilate(filled(self._areas, width_px, height_px), np.ones((3, 3), np.uint8))
        # A colour pixel goes if any of the four that it colours does.
        even = cv2.copyMakeBorder(luma, 0, height_px % 2, 0, width_px % 2, cv2.BORDER_CONSTANT, value=0)
        colour = np.maximum.reduce([even[i::2, j::2] for i in (0, 1) for j in (0, 1)])
        made = _Stencil(
            keep_y=np.asarray(cv2.bitwise_not(luma), np.uint8),
            put_y=np.where(luma > 0, np.uint8(BLACK_LUMA), np.uint8(0)),
            keep_c=np.asarray(cv2.bitwise_not(np.ascontiguousarray(colour)), np.uint8),
            put_c=np.where(colour > 0, np.uint8(NO_COLOUR), np.uint8(0)),
        )
        self._stencils[width_px, height_px] = made
        return made


class _MaskedFine:
    """A fine picture under masks."""

    def __init__(self, fine: Fine, masks: Masks) -> None:
        self._fine, self._masks = fine, masks

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self._fine.height

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self._fine.width

    def crop(self, x0: int, y0: int, x1: int, y1: int) -> Planes:
        """A piece, black where it is masked; as `Fine.crop`."""
        return self._masks.piece(self._fine.crop(x0, y0, x1, y1), self._fine, (x0, y0))
