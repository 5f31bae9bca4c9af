"""A camera for tests and demonstrations: it gives the frames it was handed, and then ends or fails as told.

The counterpart of the real ones behind the same protocol; frames are made from plain arrays of luma.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from sealcam.board.closing import Closing
from sealcam.board.protocols import Frame, Plane
from sealcam.wire.errors import SealcamError


def grey_frame(y: Plane, t_ns: int, index: int = 0) -> Frame:
    """A frame without colour from luma, uint8 (height, width)."""
    chroma = np.full(((y.shape[0] + 1) // 2, (y.shape[1] + 1) // 2), 128, np.uint8)
    return Frame(t_ns, index, np.ascontiguousarray(y), chroma, chroma.copy())


class ScriptedCamera(Closing):
    """Gives the frames of a script, each at once, then ends, or raises `error` as a lost device would."""

    def __init__(self, frames: Iterable[Frame], error: SealcamError | None = None) -> None:
        self._frames = frames
        self._error = error
        self._closed = False

    @classmethod
    def of_luma(cls, pictures: Iterable[Plane], interval_ns: int = 100_000_000) -> ScriptedCamera:
        """A camera of grey pictures, one every `interval_ns`."""
        return cls(grey_frame(y, index * interval_ns, index) for index, y in enumerate(pictures))

    @property
    def name(self) -> str:
        """What this source is."""
        return "script"

    def close(self) -> None:
        """End `frames`; may be called twice."""
        self._closed = True

    def frames(self) -> Iterator[Frame]:
        """The script's frames until `close`.

        Raises:
            SealcamError: the error that the script ends with.
        """
        for frame in self._frames:
            if self._closed:
                return
            yield frame
        if self._error is not None and not self._closed:
            raise self._error
