"""Encoded pictures in RAM: gathered into GOPs, and the newest of those kept, bounded in seconds and bytes.

A GOP is what can be shown by itself: a keyframe and what follows it up to the next one. What is made of them is the
`recorder`'s, how they are written `fmp4`'s. design/clips.md, ring.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sealcam.board.protocols import AccessUnit
from sealcam.h264 import ParameterSets, parameter_sets
from sealcam.wire.errors import HardwareError

# A single picture is taken to last so long, until it is known better.
USUAL_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class Look:
    """What all pictures of one file share."""

    width_px: int
    height_px: int
    parameters: ParameterSets


@dataclass(frozen=True, slots=True)
class Gop:
    """A keyframe and the pictures up to the next one; `end_ns` is until when the last of them is shown."""

    units: tuple[AccessUnit, ...]
    end_ns: int
    look: Look

    @property
    def start_ns(self) -> int:
        """When its first picture was taken."""
        return self.units[0].t_ns

    @property
    def size_bytes(self) -> int:
        """Bytes of its pictures as they were encoded."""
        return sum(len(unit.data) for unit in self.units)


class Gops:
    """Gathers encoded pictures into GOPs, of at most `max_bytes` each."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._units: list[AccessUnit] = []
        self._held_bytes = 0

    def add(self, unit: AccessUnit) -> Gop | None:
        """Take the next picture; the GOP that it ends, if it is a keyframe. What comes before the first one is nothing.

        Raises:
            HardwareError: it isn't later than the one before, or no keyframe comes.
        """
        if self._units and unit.t_ns <= self._units[-1].t_ns:
            raise HardwareError("the encoder's times don't rise")
        whole = self._ended(unit.t_ns) if unit.key else None
        if unit.key or self._units:
            self._units.append(unit)
            self._held_bytes += len(unit.data)
        if self._held_bytes > self._max_bytes:
            raise HardwareError("the encoder gives no keyframe")
        return whole

    def flush(self) -> Gop | None:
        """What was gathered since the last keyframe: nothing follows it. Its last picture lasts as long as the one
        before."""
        times = [unit.t_ns for unit in self._units]
        if not times:
            return None
        return self._ended(times[-1] + (times[-1] - times[-2] if len(times) > 1 else USUAL_NS))

    def _ended(self, end_ns: int) -> Gop | None:
        units, self._units, self._held_bytes = tuple(self._units), [], 0
        if not units:
            return None
        key = units[0]
        return Gop(units, end_ns, Look(key.width_px, key.height_px, parameter_sets(key.data)))


class Ring:
    """The newest GOPs: they reach back `reach_s` seconds, and have `max_bytes` bytes at the most."""

    def __init__(self, reach_s: float, max_bytes: int) -> None:
        self._reach_ns = round(reach_s * 1e9)
        self._max_bytes = max_bytes
        self._gops: deque[Gop] = deque()
        self._held_bytes = 0

    @property
    def size_bytes(self) -> int:
        """Bytes of what is held."""
        return self._held_bytes

    def add(self, gop: Gop) -> None:
        """Keep it; what is older than the ring reaches goes, and the oldest for room. The newest always stays."""
        self._gops.append(gop)
        self._held_bytes += gop.size_bytes
        while len(self._gops) > 1 and (
            self._held_bytes > self._max_bytes or self._gops[1].start_ns <= gop.end_ns - self._reach_ns
        ):
            self._held_bytes -= self._gops.popleft().size_bytes

    def since(self, t_ns: int) -> tuple[Gop, ...]:
        """From the GOP that is shown at `t_ns`, or the oldest there is, to the newest."""
        return tuple(gop for gop in self._gops if gop.end_ns > t_ns)

    def clear(self) -> None:
        """Forget everything."""
        self._gops.clear()
        self._held_bytes = 0
