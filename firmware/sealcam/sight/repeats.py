"""Repeats tell a picture that stands still, or comes back, from a live one: a sensor's noise is never the same twice.

Only for sources that have noise of their own: a recorded file of a still scene repeats its frames exactly, and rightly.
Frames are named by a checksum of some of their rows; no pixel is kept. See design/sight.md, tamper.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict

from sealcam.board.protocols import Plane

# So many rows of a frame are compared.
ROWS = 12
# The same picture for so long is frozen, once so many frames in all had differed from the one before.
FROZEN_S, LIVE_FRAMES = 5.0, 30
# A picture with less contrast than this (levels) may be all clipped, and repeats rightly: a covered lens at night.
CONTRAST_LEVELS = 16
# One in so many frames is remembered, chosen by its own checksum, so that it is chosen again when it comes back; so
# many of them (about an hour at 10 frames a second).
ONE_IN, REMEMBERED = 4, 8192
# So many remembered frames must come back one after the other, each after so long.
BACK_TIMES, BACK_S = 5, 2.0


class Repeats:
    """Follows one live source, frame by frame."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._since_ns = 0
        self._differed = 0
        self._seen: OrderedDict[int, int] = OrderedDict()
        self._back = 0

    def step(self, luma: Plane, t_ns: int) -> str | None:
        """Take the next frame; why the picture is not live, in words, or none."""
        rows = luma[:: max(1, luma.shape[0] // ROWS)]
        name = zlib.crc32(rows.tobytes())
        if name == self._last:
            stands_s = (t_ns - self._since_ns) / 1e9
            if (
                stands_s < FROZEN_S
                or self._differed < LIVE_FRAMES
                or int(rows.max()) - int(rows.min()) < CONTRAST_LEVELS
            ):
                return None
            return "the picture stands still to the last bit, which no live sensor's does"
        self._last, self._since_ns = name, t_ns
        self._differed += 1
        if name % ONE_IN == 0:
            self._recall(name, t_ns)
        if self._back >= BACK_TIMES:
            return "pictures come back to the last bit, in their order: a recording is shown instead"
        return None

    def _recall(self, name: int, t_ns: int) -> None:
        known_ns = self._seen.get(name)
        self._back = self._back + 1 if known_ns is not None and t_ns - known_ns >= BACK_S * 1e9 else 0
        self._seen[name] = t_ns
        self._seen.move_to_end(name)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
