"""An encoder without a codec: pictures that are told apart but can't be decoded, and faults that can be made."""

from __future__ import annotations

from collections.abc import Sequence

from sealcam.board.protocols import AccessUnit, Frame
from sealcam.wire.errors import HardwareError

_START = b"\0\0\0\1"
SPS, PPS = bytes.fromhex("6742c01fda014016e840"), bytes.fromhex("68ce0fc8")
_KEY, _OTHER = b"\x65", b"\x41"


class FakeEncoder:
    """Gives each picture `held` frames late, with its frame's time as its content, and a keyframe each second.

    `picture_bytes` is how long a picture is; after `fail` the next call is an error. Its parameter sets name the size.
    """

    def __init__(self, *, held: int = 0, picture_bytes: int = 100) -> None:
        self._held, self._picture_bytes = held, picture_bytes
        self._waiting: list[AccessUnit] = []
        self._key_ns: int | None = None
        self._size = (0, 0)
        self._fault = ""
        self.closed = False

    def fail(self, why: str = "the encoder is gone") -> None:
        """The stimulus: the hardware is lost."""
        self._fault = why

    def encode(self, frame: Frame) -> Sequence[AccessUnit]:
        """A picture that says when it was taken."""
        self._check()
        size = (frame.width, frame.height)
        key = self._key_ns is None or size != self._size or frame.t_ns - self._key_ns >= 10**9
        if key:
            self._key_ns, self._size = frame.t_ns, size
        unit = (_KEY if key else _OTHER) + frame.t_ns.to_bytes(8, "big").replace(b"\0", b"\x03") + b"\x80"
        unit += b"\xff" * (self._picture_bytes - len(unit))
        sets = _START + SPS + bytes(size) + b"\x80" + _START + PPS if key else b""
        self._waiting.append(AccessUnit(frame.t_ns, key, sets + _START + unit, *size))
        ready = self._waiting[: max(0, len(self._waiting) - self._held)]
        self._waiting = self._waiting[len(ready) :]
        return ready

    def force_keyframe(self) -> None:
        """Make the next picture a keyframe."""
        self._key_ns = None

    def finish(self) -> Sequence[AccessUnit]:
        """What was held back."""
        self._check()
        rest, self._waiting = self._waiting, []
        return rest

    def close(self) -> None:
        """Noted."""
        self.closed = True

    def _check(self) -> None:
        if self._fault:
            raise HardwareError(self._fault)
