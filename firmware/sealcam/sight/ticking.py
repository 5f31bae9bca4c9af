"""Ticking makes of a source's timestamps a time that goes on: with a broken clock a camera must not go blind.

Looks are earned as time passes, and what lasts is told by it: frames whose time stands still or runs back again and
again would never be looked at. Back by little, time stands still; back by more, the source has begun anew, unless it
does so all the time. After some frames without progress each goes on by the usual step. See design/sight.md, times.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

from sealcam.sight.corroboration import Doubt, Doubted

# A source whose time goes back by more than this has begun anew, if it hasn't leapt like that for so long.
BACK_S, LEAPS_APART_S = 1.0, 10.0
# Two frames nearer than this are of one time: no camera takes a thousand a second.
LEAST_S = 0.001
# After so many frames without progress each goes on by the usual step: the median of the source's last ones while its
# time went on (a longer one is a gap), or this where none is known. A source that goes on by itself again for so many
# frames, though behind, sets the pace again.
PATIENCE, LAST_STEPS, LONGEST_STEP_S, USUAL_S = 3, 15, 1.0, 0.1

_STUCK = "the camera's timestamps stand still or run back: its frames are taken to come at their usual pace"


@dataclass(frozen=True, slots=True)
class Tick:
    """The time of a frame in ns; whether the source has begun `anew` with it; a `doubt` of its clock, told once."""

    t_ns: int
    anew: bool = False
    doubt: Doubt | None = None


class Ticking:
    """For one source. Times never go back but where it begins anew, and never stand still for long."""

    def __init__(self) -> None:
        self._steps: deque[int] = deque(maxlen=LAST_STEPS)
        self._doubted = self._told = False
        self._since_leap_ns = round(LEAPS_APART_S * 1e9)
        self.rest()

    def rest(self) -> None:
        """The source is closed: what comes next begins at a time of its own."""
        self._last_ns: int | None = None
        self._source_ns = self._offset_ns = 0
        self._stuck = self._behind = 0

    def take(self, source_ns: int) -> Tick:
        """The time of the next frame, which the source says was at `source_ns`."""
        if self._last_ns is None:
            return self._begin(source_ns)
        step_ns, self._source_ns = source_ns - self._source_ns, source_ns
        if step_ns < -BACK_S * 1e9:
            rare, self._since_leap_ns = self._since_leap_ns >= LEAPS_APART_S * 1e9, 0
            if rare:
                self.rest()
                return self._begin(source_ns, anew=True)
            self._doubted = True
        t_ns = source_ns + self._offset_ns
        if t_ns >= self._last_ns + LEAST_S * 1e9:
            self._go_on(t_ns)
        else:
            self._stay(source_ns, step_ns)
        return Tick(self._at_ns, doubt=self._doubt())

    def _begin(self, source_ns: int, *, anew: bool = False) -> Tick:
        self._last_ns = self._source_ns = source_ns
        return Tick(source_ns, anew)

    def _go_on(self, t_ns: int) -> None:
        """The source's time went on."""
        step_ns = t_ns - self._at_ns
        if not self._stuck and step_ns <= LONGEST_STEP_S * 1e9:
            self._steps.append(step_ns)
        self._stuck = self._behind = 0
        self._pass(t_ns)

    def _stay(self, source_ns: int, step_ns: int) -> None:
        """It did not: it stands still, and after a while goes on by the usual step."""
        self._stuck += 1
        self._behind = self._behind + 1 if LEAST_S * 1e9 <= step_ns <= LONGEST_STEP_S * 1e9 else 0
        if self._stuck <= PATIENCE:
            return
        self._doubted = True
        t_ns = self._at_ns + self._usual_ns()
        if self._behind > PATIENCE:
            self._offset_ns, self._stuck, self._behind = t_ns - source_ns, 0, 0
        self._pass(t_ns)

    def _doubt(self) -> Doubt | None:
        """What there is to tell, once."""
        if self._told or not self._doubted:
            return None
        self._told = True
        return Doubt(on=True, t_ns=self._at_ns, detail=_STUCK, of=Doubted.CLOCK)

    def _usual_ns(self) -> int:
        return round(median(self._steps)) if self._steps else round(USUAL_S * 1e9)

    def _pass(self, t_ns: int) -> None:
        self._since_leap_ns += t_ns - self._at_ns
        self._last_ns = t_ns

    @property
    def _at_ns(self) -> int:
        assert self._last_ns is not None
        return self._last_ns
