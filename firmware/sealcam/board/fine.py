"""A picture at its full resolution, of which pieces are taken out when sight or an encoder asks: `protocols.Fine`.

Nothing is copied or converted before the first piece is asked for; until then it only holds on to the memory that it
came in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from av.video.reformatter import ColorRange

from sealcam.board.protocols import Plane

Planes = tuple[Plane, Plane, Plane]
# This lies in memory as sight and encoders want it; anything else is converted at the first crop.
_PLANAR = "yuv420p"
_J = "yuvj"  # the names of formats with luma from 0 to 255 begin so


class DecodedPicture:
    """A picture of PyAV's (`av.VideoFrame`), upright, its pixels square; luma from 16 to 235, as video has it."""

    def __init__(self, picture: Any) -> None:
        self._picture = picture
        self._planes: Planes | None = None
        self._turns = round(picture.rotation / 90) % 4

    @property
    def height(self) -> int:
        """Height in pixels, as it is shown."""
        return int(self._picture.width if self._turns % 2 else self._picture.height)

    @property
    def width(self) -> int:
        """Width in pixels, as it is shown."""
        return int(self._picture.height if self._turns % 2 else self._picture.width)

    def crop(self, x0: int, y0: int, x1: int, y1: int) -> Planes:
        """Luma and chroma of a piece, owned by the caller; `x0` and `y0` are even."""
        if self._planes is None:
            self._planes = self._upright()
        return cropped(self._planes, x0, y0, x1, y1)

    def _upright(self) -> Planes:
        """Views of the three planes without the padding of their lines, turned as the file says."""
        picture = self._picture
        full = picture.color_range == ColorRange.JPEG or picture.format.name.startswith(_J)
        if full or picture.format.name != _PLANAR:
            source = ColorRange.JPEG if full else picture.color_range
            picture = picture.reformat(format=_PLANAR, src_color_range=source, dst_color_range=ColorRange.MPEG)
        y, u, v = (np.rot90(_unpadded(plane), self._turns) for plane in picture.planes)
        return y, u, v


class PackedPicture:
    """A picture in one buffer that nobody else writes: views of its three planes, their padding left out."""

    def __init__(self, y: Plane, u: Plane, v: Plane) -> None:
        self._planes = (y, u, v)

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self._planes[0].shape[0])

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self._planes[0].shape[1])

    def crop(self, x0: int, y0: int, x1: int, y1: int) -> Planes:
        """Luma and chroma of a piece, owned by the caller; `x0` and `y0` are even."""
        return cropped(self._planes, x0, y0, x1, y1)


def cropped(planes: Planes, x0: int, y0: int, x1: int, y1: int) -> Planes:
    """Copies of a piece of three planes; `x0` and `y0` are even."""
    y, u, v = planes
    half = slice(y0 // 2, (y1 + 1) // 2), slice(x0 // 2, (x1 + 1) // 2)
    return y[y0:y1, x0:x1].copy(), u[half].copy(), v[half].copy()


def _unpadded(plane: Any) -> Plane:
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
