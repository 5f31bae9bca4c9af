"""From frames to GOPs, whatever becomes of the encoder: paced, in order of time, with a new encoder after a failure.

What is done with GOPs is the `recorder`'s; a `Tap` sees each picture at once, and may ask for a keyframe. Time is the
frames' own; nothing here waits. design/clips.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from sealcam.board.protocols import AccessUnit, Encoder, Frame
from sealcam.ring import Gop, Gops
from sealcam.wire.errors import HardwareError

_log = logging.getLogger(__name__)

# A new encoder is tried after so many seconds, twice as many each time; one that lived so long had no fault.
FIRST_TRY_S, LAST_TRY_S, SOUND_S = 1.0, 60.0, 60.0
# A source's jitter must not halve its rate: a frame that comes this much of an interval early is taken.
_SLACK = 0.1

Tell = Callable[[str, str], None]


class Tap(Protocol):
    """Who is shown what the encoder makes, picture by picture (live view); never raises, never waits."""

    def wants(self, t_ns: int) -> bool:
        """Whether the picture of this time should be a keyframe."""
        ...

    def picture(self, unit: AccessUnit) -> None:
        """The next picture."""
        ...

    def cut(self) -> None:
        """The stream has ended: the next picture is a keyframe of another one."""
        ...

    def revealed(self) -> None:
        """What comes from here on was seen under the masks that count now."""
        ...


class NoTap:
    """Nobody looks."""

    def wants(self, t_ns: int) -> bool:
        """Never."""
        return False

    def picture(self, unit: AccessUnit) -> None:
        """Nobody sees it."""

    def cut(self) -> None:
        """Nobody minds."""

    def revealed(self) -> None:
        """Nobody saw."""


NO_TAP = NoTap()


class Filming:
    """One source's frames as GOPs. `make` opens an encoder; `tell` takes a health event's code and words."""

    def __init__(
        self, make: Callable[[], Encoder], fps: float, max_gop_bytes: int, tell: Tell, tap: Tap = NO_TAP
    ) -> None:
        self._make, self._tell, self._tap = make, tell, tap
        self._fps = fps
        self._gops = Gops(max_gop_bytes)
        self._encoder: Encoder | None = None
        self._size: tuple[int, int] | None = None
        self._last_ns: int | None = None
        self._credit = 1.0
        self._failures = 0
        self._opened_ns = self._retry_ns = 0

    def take(self, frame: Frame) -> tuple[Gop, ...]:
        """Encode the next frame, if it is due; the GOPs that are whole now."""
        if not self._due(frame.t_ns) or (self._encoder is None and frame.t_ns < self._retry_ns):
            return ()
        whole: list[Gop] = []
        try:
            if self._encoder is None:
                self._encoder, self._opened_ns = self._make(), frame.t_ns
            if self._tap.wants(frame.t_ns):
                self._encoder.force_keyframe()
            self._gather(self._encoder.encode(frame), whole)
            if self._failures and frame.t_ns - self._opened_ns > SOUND_S * 1e9:
                self._failures = 0
        except HardwareError as error:
            self._failed(error, frame.t_ns)
            self._flush(whole)
        return tuple(whole)

    def hurry(self) -> None:
        """End the running GOP with the next picture."""
        if self._encoder is not None:
            self._encoder.force_keyframe()

    def stop(self) -> tuple[Gop, ...]:
        """The source has ended, or rests: what is left. What comes then begins anew, at any time."""
        whole: list[Gop] = []
        try:
            if self._encoder is not None:
                self._gather(self._encoder.finish(), whole)
        except HardwareError as error:
            self._failed(error, self._last_ns or 0)
        self._close()
        self._flush(whole)
        self._last_ns, self._credit, self._retry_ns = None, 1.0, 0
        return tuple(whole)

    def _due(self, t_ns: int) -> bool:
        """Whether a frame of this time is one of the `fps` of its second, and later than the last that was taken."""
        if self._last_ns is not None:
            passed_s = (t_ns - self._last_ns) / 1e9
            if passed_s <= 0:
                return False
            self._credit = min(2.0, self._credit + passed_s * self._fps)
        self._last_ns = t_ns
        if self._credit < 1 - _SLACK:
            return False
        self._credit -= 1
        return True

    def _gather(self, units: Sequence[AccessUnit], whole: list[Gop]) -> None:
        for unit in units:
            size = (unit.width_px, unit.height_px)
            if self._size not in (None, size):
                self._tell("picture-resized", "the picture is now {} x {}".format(*size))
            self._size = size
            gop = self._gops.add(unit)
            self._tap.picture(unit)
            if gop is not None:
                whole.append(gop)

    def _flush(self, whole: list[Gop]) -> None:
        """What was gathered is a GOP; one that lacks what a file needs is nothing."""
        try:
            last = self._gops.flush()
        except HardwareError as error:
            _log.warning("%s; what it gave is dropped", error.message)
            return
        if last is not None:
            whole.append(last)

    def _close(self) -> None:
        encoder, self._encoder = self._encoder, None
        self._tap.cut()
        if encoder is not None:
            encoder.close()

    def _failed(self, error: HardwareError, t_ns: int) -> None:
        self._close()
        wait_s = min(LAST_TRY_S, FIRST_TRY_S * 2**self._failures)
        self._retry_ns = t_ns + round(wait_s * 1e9)
        self._failures = min(self._failures + 1, 16)
        _log.warning("%s; another encoder is tried in %g s", error.message, wait_s)
        if self._failures == 1:
            self._tell("encoder-failed", error.message)
