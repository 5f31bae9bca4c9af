"""How a camera's buffers are laid out: planes out of bytes, with the padding that each plane's lines have of their own.

libcamera's `YUV420` has three planes, `NV12` one for luma and one for chroma. Whose buffers they are is `picamera`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Plane
from sealcam.wire.errors import HardwareError


def views_of_yuv420(buffer: NDArray[np.uint8], width: int, height: int, stride: int) -> tuple[Plane, Plane, Plane]:
    """The three planes of a planar YUV 4:2:0 buffer without the padding of their lines, as views of it.

    `buffer` is one-dimensional uint8. Luma lines are `stride` bytes apart; chroma lines, of half the width, are half
    of that apart, rounded up: each plane has padding of its own (libcamera, `PixelFormatInfo::stride`). Bytes behind
    the last plane are page alignment and are left out.

    Raises:
        HardwareError: the buffer is shorter than its planes, or the lines than the width.
    """
    half_width, half_height, half_stride = (width + 1) // 2, (height + 1) // 2, (stride + 1) // 2
    luma, chroma = stride * height, half_stride * half_height
    if stride < width or width < 1 or height < 1 or buffer.size < luma + 2 * chroma:
        raise _misfit(buffer.size, width, height, stride)
    y = buffer[:luma].reshape(height, stride)[:, :width]
    u = buffer[luma : luma + chroma].reshape(half_height, half_stride)[:, :half_width]
    v = buffer[luma + chroma : luma + 2 * chroma].reshape(half_height, half_stride)[:, :half_width]
    return y, u, v


def views_of_nv12(buffer: NDArray[np.uint8], width: int, height: int, stride: int) -> tuple[Plane, Plane, Plane]:
    """The planes of a buffer with one plane of chroma, u and v in turn, its lines as long as luma's; as views.

    Raises:
        HardwareError: as `views_of_yuv420`.
    """
    half_width, half_height = (width + 1) // 2, (height + 1) // 2
    luma, chroma = stride * height, stride * half_height
    if stride < 2 * half_width or width < 1 or height < 1 or buffer.size < luma + chroma:
        raise _misfit(buffer.size, width, height, stride)
    y = buffer[:luma].reshape(height, stride)[:, :width]
    both = buffer[luma : luma + chroma].reshape(half_height, stride)[:, : 2 * half_width]
    return y, both[:, 0::2], both[:, 1::2]


_VIEWS = {"YUV420": views_of_yuv420, "NV12": views_of_nv12}


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream as it was really configured; the driver may have chosen another layout than was asked for."""

    width_px: int
    height_px: int
    stride: int
    layout: str

    @classmethod
    def of(cls, stream: Mapping[str, Any]) -> Stream:
        """Out of picamera2's words.

        Raises:
            HardwareError: it is laid out as nothing that is known here.
        """
        if stream["format"] not in _VIEWS:
            raise HardwareError(f"the camera gives pictures as {stream['format']}", f"known are {', '.join(_VIEWS)}")
        width_px, height_px = (int(side) for side in stream["size"])
        return cls(width_px, height_px, int(stream["stride"]), stream["format"])

    def views(self, buffer: NDArray[np.uint8]) -> tuple[Plane, Plane, Plane]:
        """Views of a buffer's planes.

        Raises:
            HardwareError: the buffer is too short.
        """
        return _VIEWS[self.layout](buffer, self.width_px, self.height_px, self.stride)

    def planes(self, buffer: NDArray[np.uint8]) -> tuple[Plane, Plane, Plane]:
        """The same as copies, owned by the caller.

        Raises:
            HardwareError: the buffer is too short.
        """
        y, u, v = self.views(buffer)
        return y.copy(), u.copy(), v.copy()


def _misfit(size: int, width: int, height: int, stride: int) -> HardwareError:
    return HardwareError(
        f"the camera gave {size} bytes for {width} x {height} pixels in lines of {stride} bytes",
        hint="its driver and picamera2 don't fit together: upgrade both with the system's packages",
    )
