"""Corroboration asks whether the motion sensor can be believed: what fires and fires while nothing moves is not.

A passive infrared sensor also fires at the sun on a wall, at a heater, and at radio close by (a board's own Wi-Fi).
Each firing is held against the picture a few seconds before and after; where the picture is too dark to show anyone,
it is not. A sensor that isn't believed opens no incident and makes nothing more likely. See design/sight.md, gate.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

# Something must move within so long before or after the sensor fired; firing again so soon is the same firing.
AGREE_S, SAME_S = 4.0, 2.0
# Of so many firings, at least so many, this share saw nothing: it is doubted. It is believed again when this share
# of them agreed.
LAST, LEAST, ALONE_SHARE, AGREED_SHARE = 10, 6, 0.8, 0.5
# A picture darker than this (its mean, in levels) shows nobody, and speaks against no sensor.
DARK_LEVEL = 24.0


class Doubted(StrEnum):
    """What of the camera is not to be believed."""

    SENSOR = "sensor"  # the motion sensor fires while nothing moves
    CLOCK = "clock"  # the source's timestamps stand still or run back (`ticking`)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something is not to be believed from now on (`on`), or is again; `detail` is for people."""

    on: bool
    t_ns: int
    detail: str
    of: Doubted = Doubted.SENSOR


@dataclass(frozen=True, slots=True)
class Judged:
    """How often the sensor fired while something moved, and while nothing did."""

    agreed: int = 0
    alone: int = 0


class Corroboration:
    """Follows one motion sensor beside one picture."""

    def __init__(self) -> None:
        self._waiting: deque[int] = deque()
        self._agreed: deque[bool] = deque(maxlen=LAST)
        self.judged = Judged()
        """Of all its firings so far that could be judged."""
        self._fired_ns: int | None = None
        self._seen_ns: int | None = None
        self._doubted = False

    @property
    def believed(self) -> bool:
        """Whether a firing counts."""
        return not self._doubted

    def step(self, t_ns: int, *, fired: bool, seen: bool, dark: bool) -> Doubt | None:
        """Take one frame's: whether the sensor fired since the last, something is `seen` to move, the picture is too
        `dark` for that. What changed, if anything."""
        if seen:
            self._seen_ns = t_ns
            for _ in self._waiting:
                self._judge(agreed=True)
            self._waiting.clear()
        if fired and not dark and not self._again(t_ns):
            if self._seen_ns is not None and t_ns - self._seen_ns <= AGREE_S * 1e9:
                self._judge(agreed=True)
            else:
                self._waiting.append(t_ns)
        while self._waiting and t_ns - self._waiting[0] > AGREE_S * 1e9:
            self._waiting.popleft()
            self._judge(agreed=False)
        return self._change(t_ns)

    def _judge(self, *, agreed: bool) -> None:
        self._agreed.append(agreed)
        self.judged = Judged(self.judged.agreed + agreed, self.judged.alone + (not agreed))

    def _again(self, t_ns: int) -> bool:
        before, self._fired_ns = self._fired_ns, t_ns
        return before is not None and t_ns - before <= SAME_S * 1e9

    def _change(self, t_ns: int) -> Doubt | None:
        times, agreed = len(self._agreed), sum(self._agreed)
        alone = times - agreed
        if not self._doubted and times >= LEAST and alone >= ALONE_SHARE * times:
            self._doubted = True
            words = f"the motion sensor fired {times} times, {alone} of them while nothing moved: it is not believed"
            return Doubt(on=True, t_ns=t_ns, detail=f"{words}; sun, a heater or radio beside it may be why")
        if self._doubted and agreed >= AGREED_SHARE * LAST:
            self._doubted = False
            return Doubt(on=False, t_ns=t_ns, detail="the motion sensor agrees with the picture again")
        return None
