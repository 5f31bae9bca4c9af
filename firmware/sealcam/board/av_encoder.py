"""An encoder behind PyAV, whichever codec of FFmpeg's is behind that: how frames go in and pictures come out.

Which codec, and how it is set, stands in the files of those who are made of this: `encoder` (libx264, anywhere) and
`m2m_encoder` (a board's own). design/clips.md, encoder.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av.error
from av.video.frame import PictureType

from sealcam.board.encoding import Keyframes, MainStream, Times
from sealcam.board.protocols import AccessUnit, Frame
from sealcam.h264 import WholePictures
from sealcam.wire.errors import HardwareError


class AvEncoder(ABC):
    """What `Encoder` promises, of a codec that `_opened` makes; `name` and `hint` are for its errors."""

    name: str
    hint: str

    def __init__(self) -> None:
        self._codec: Any = None
        self._size = (0, 0)
        self._stream = MainStream()
        self._keyframes, self._times, self._whole = Keyframes(), Times(), WholePictures()

    @abstractmethod
    def _opened(self, width_px: int, height_px: int) -> Any:
        """An `av.CodecContext` for pictures of this size that makes keyframes when it is told, and no others late."""

    def encode(self, frame: Frame) -> Sequence[AccessUnit]:
        """The picture of this frame, or of those before it; as `Encoder.encode`."""
        try:
            picture = self._stream.picture(frame)
            before: Sequence[AccessUnit] = ()
            if self._codec is None or (picture.width, picture.height) != self._size:
                before = self.finish()
                self._codec = self._opened(picture.width, picture.height)
                self._size = (picture.width, picture.height)
                self._keyframes.force()
            if self._keyframes.take(frame.t_ns):
                picture.pict_type = PictureType.I
            picture.pts, picture.time_base = frame.t_ns, Fraction(1, 10**9)
            self._times.put(frame.t_ns)
            return [*before, *self._units(self._codec.encode(picture))]
        except (av.error.FFmpegError, ValueError) as error:  # an unknown codec is a ValueError
            self.close()
            raise HardwareError(f"{self.name} failed: {error}", self.hint) from error

    def force_keyframe(self) -> None:
        """Make the next picture a keyframe."""
        self._keyframes.force()

    def finish(self) -> Sequence[AccessUnit]:
        """What is left, and the encoder is closed."""
        codec = self._codec
        try:
            return [] if codec is None else self._units(codec.encode(None))
        except av.error.FFmpegError as error:
            raise HardwareError(f"{self.name} failed: {error}", self.hint) from error
        finally:
            self.close()

    def close(self) -> None:
        """Let go of it; may be called twice."""
        self._codec = None
        self._keyframes, self._times, self._whole = Keyframes(), Times(), WholePictures()

    def _units(self, packets: Sequence[Any]) -> list[AccessUnit]:
        found = []
        for packet in packets:
            whole = self._whole.take(bytes(packet))
            if whole is not None:
                t_ns = self._times.exact(round(packet.pts * packet.time_base * 10**9))
                found.append(AccessUnit(t_ns, whole.key, whole.data, *self._size))
        return found
