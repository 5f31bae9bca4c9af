"""What all encoders share: the picture that goes in, when a keyframe is due, and whose time comes out.

Nothing here knows a codec; each has a file of its own, and `encoders` chooses. design/clips.md, encoder.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from sealcam.board.protocols import Frame, Plane
from sealcam.wire.errors import HardwareError

MOST_WIDTH_PX, MOST_HEIGHT_PX = 1920, 1080
KEYFRAME_S = 1.0
# A driver keeps times in microseconds, so that a picture's may differ from its frame's by less than this.
_COARSE_NS = 1000
# An encoder that has held back so many pictures gives none any more.
MOST_HELD = 64


class MainStream:
    """A frame's `fine` picture, or its own planes where it has none, as an encoder takes it.

    Masks are black in it: it is taken from what sight has looked at. Its sides are even, `grain` divides its width, and
    it is at most 1920 by 1080.
    """

    def __init__(self, grain: int = 2) -> None:
        self._grain = grain
        self._smaller = VideoReformatter()

    def picture(self, frame: Frame) -> Any:
        """The picture as PyAV takes it (`av.VideoFrame`), planar YUV 4:2:0.

        Raises:
            ValueError: it is smaller than two pixels or one grain.
        """
        y, u, v = _planes(frame)
        height_px, width_px = y.shape[0] & ~1, y.shape[1] // self._grain * self._grain
        if width_px < 1 or height_px < 1:
            raise ValueError(f"a picture of {y.shape[1]} x {y.shape[0]} is too small to encode")
        picture: Any = av.VideoFrame(width_px, height_px, "yuv420p")
        for plane, pixels in zip(picture.planes, (y, u, v), strict=True):
            lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            lines[: plane.height, : plane.width] = pixels[: plane.height, : plane.width]
        scale = min(MOST_WIDTH_PX / width_px, MOST_HEIGHT_PX / height_px)
        if scale >= 1:
            return picture
        width_px = max(1, round(width_px * scale / self._grain)) * self._grain
        height_px = max(1, round(height_px * scale / 2)) * 2
        return self._smaller.reformat(picture, width_px, height_px, "yuv420p", interpolation="AREA")


class Keyframes:
    """When a keyframe is due: at once, when it is asked for, and at most 1 s after the one before."""

    def __init__(self) -> None:
        self._key_ns = self._last_ns = 0
        self._forced = True

    def force(self) -> None:
        """The next picture is one."""
        self._forced = True

    def take(self, t_ns: int) -> bool:
        """Whether the picture of this time must be one; also where its successor would come too late to be."""
        key = self._forced or t_ns + (t_ns - self._last_ns) - self._key_ns > KEYFRAME_S * 1e9
        self._last_ns = t_ns
        if key:
            self._key_ns, self._forced = t_ns, False
        return key


class Times:
    """The times of frames whose pictures aren't out yet, in their order."""

    def __init__(self) -> None:
        self._waiting: deque[int] = deque()

    @property
    def held(self) -> int:
        """How many pictures are inside."""
        return len(self._waiting)

    def put(self, t_ns: int) -> None:
        """A frame of this time goes in.

        Raises:
            HardwareError: many have, and no picture came out.
        """
        if len(self._waiting) >= MOST_HELD:
            raise HardwareError(f"the encoder gave no picture for {MOST_HELD} frames")
        self._waiting.append(t_ns)

    def exact(self, coarse_ns: int) -> int:
        """The time of the frame whose picture came out with this one; frames before it are passed over by the encoder.

        Raises:
            HardwareError: no frame had it.
        """
        while self._waiting:
            t_ns = self._waiting.popleft()
            if abs(t_ns - coarse_ns) < _COARSE_NS:
                return t_ns
        raise HardwareError("the encoder gave a picture with a time that no frame had")


def _planes(frame: Frame) -> tuple[Plane, Plane, Plane]:
    fine = frame.fine
    return (frame.y, frame.u, frame.v) if fine is None else fine.crop(0, 0, fine.width, fine.height)
