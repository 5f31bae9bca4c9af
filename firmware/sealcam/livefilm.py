"""A live view's pictures as a player takes them: each one a fragment of MP4 by itself, as soon as it is encoded.

Times are the camera's own (`AccessUnit.t_ns`), in microseconds, so that one time line goes through a session whatever
begins anew in it. When a session begins and ends is `live`'s, boxes are `fmp4`'s. design/clips.md, live view.
"""

from __future__ import annotations

from sealcam.board.protocols import AccessUnit
from sealcam.fmp4 import beginning, fragment
from sealcam.h264 import parameter_sets, sample
from sealcam.ring import USUAL_NS, Look

# How long a picture lasts is known when the next one comes, and waiting for that would make each a picture late. It is
# said to last twice as long as the one before it did, and at most so long: players take a time that is further away
# than twice what was said for a gap, and show nothing up to the next keyframe (Media Source Extensions, 3.5.8).
_LASTS, MOST_NS = 2, 1_000_000_000


class LiveFilm:
    """One stream of pictures of one look, from a keyframe on."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.media = f'video/mp4; codecs="{look.parameters.codec}"'
        """What it is (RFC 6381)."""
        self.beginning = beginning(look)
        self._count = 0
        self._last_ns: int | None = None
        self._lasts_ns = USUAL_NS

    def picture(self, unit: AccessUnit) -> bytes:
        """The next picture as a fragment."""
        if self._last_ns is not None and unit.t_ns > self._last_ns:
            self._lasts_ns = unit.t_ns - self._last_ns
        self._last_ns = unit.t_ns
        self._count += 1
        lasts_us = min(_LASTS * self._lasts_ns, MOST_NS) // 1000
        return fragment(self._count, unit.t_ns // 1000, [lasts_us], [sample(unit.data)], key=unit.key)


def look_of(key: AccessUnit) -> Look:
    """What the pictures from this keyframe on share.

    Raises:
        HardwareError: it brings no parameter sets along.
    """
    return Look(key.width_px, key.height_px, parameter_sets(key.data))
