"""Keeps an encoder to its bytes a second, whatever its rate control makes of them: frames are passed over meanwhile.

For encoders that take their rate as an average: no stretch of `t` seconds has more than `(t + 1) x bytes_per_s` bytes
and one picture. design/clips.md, encoder.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sealcam.board.protocols import AccessUnit, Encoder, Frame

_log = logging.getLogger(__name__)


class Budget:
    """An encoder inside another one's rate. Times are the frames'."""

    def __init__(self, encoder: Encoder, bytes_per_s: int) -> None:
        self._encoder, self._bytes_per_s = encoder, bytes_per_s
        self._left_bytes = float(bytes_per_s)
        self._last_ns: int | None = None
        self._told = False

    def encode(self, frame: Frame) -> Sequence[AccessUnit]:
        """As `Encoder.encode`; nothing, where the pictures before have used up what there is."""
        passed_s = 0.0 if self._last_ns is None else (frame.t_ns - self._last_ns) / 1e9
        self._last_ns = frame.t_ns
        self._left_bytes = min(self._left_bytes + passed_s * self._bytes_per_s, self._bytes_per_s)
        if self._left_bytes < 0:
            if not self._told:
                self._told = True
                _log.warning("the encoder takes more than %d bytes a second: frames are passed over", self._bytes_per_s)
            return ()
        return self._spent(self._encoder.encode(frame))

    def force_keyframe(self) -> None:
        """Make the next picture a keyframe."""
        self._encoder.force_keyframe()

    def finish(self) -> Sequence[AccessUnit]:
        """What is left."""
        return self._spent(self._encoder.finish())

    def close(self) -> None:
        """Let go of the encoder."""
        self._encoder.close()

    def _spent(self, units: Sequence[AccessUnit]) -> Sequence[AccessUnit]:
        self._left_bytes -= sum(len(unit.data) for unit in units)
        return units
