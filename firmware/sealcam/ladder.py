"""The ladder out of a lost camera: open it again, start the process anew, restart the board. Pure.

Each rung is taken only after the one below has failed, is counted, and the count survives the process and the board:
so the pauses grow, and a camera that is broken for good ends in slow tries and never in a board that restarts for ever.
What is lost, and how it is told, is `recovery`'s. See design/pipeline.md, a lost camera.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

# Processes that are started anew before the board is; a driver may take seconds to find its camera again.
RESTARTS = 3
# The first process goes on at once, the next waits so long, each further one twice as long, up to the most.
PAUSE_S, MOST_PAUSE_S = 2.0, 60.0
# A board that isn't up for so long isn't restarted; after each restart that didn't help it must be up twice as long.
UPTIME_S = 300.0
# So many restarts of the board in a row that brought no picture, and then none until one has come.
MOST_REBOOTS = 5
# Pictures for so long, and the camera works again; for so long, and the board's restarts are forgotten, too.
STEADY_S, SOUND_S = 30.0, 3600.0
_NS = 1_000_000_000


class Rung(StrEnum):
    """What is done about a camera that gives no pictures."""

    REOPEN = "reopen"
    RESTART = "restart"
    REBOOT = "reboot"


@dataclass(frozen=True, slots=True)
class Climbed:
    """How often each rung was taken in a row, without pictures that lasted in between."""

    reopened: int = 0
    restarts: int = 0
    reboots: int = 0

    @property
    def any(self) -> bool:
        """Whether the camera was lost, and isn't known to work again."""
        return self.reopened > 0 or self.restarts > 0


@dataclass(frozen=True, slots=True)
class Move:
    """Take this rung, once so many seconds have passed with the camera closed."""

    rung: Rung
    after_s: float


def climb(now: Climbed, uptime_s: float, *, may_reboot: bool) -> tuple[Climbed, Move]:
    """What to do about a camera that is lost, and the count with it in. `uptime_s` is the board's."""
    if now.reopened == 0:
        return replace(now, reopened=1), Move(Rung.REOPEN, 0.0)
    if may_reboot and now.restarts >= RESTARTS and now.reboots < MOST_REBOOTS and uptime_s >= needed_s(now.reboots):
        return replace(now, restarts=0, reboots=now.reboots + 1), Move(Rung.REBOOT, 0.0)
    return replace(now, restarts=now.restarts + 1), Move(Rung.RESTART, pause_s(now.restarts))


def pause_s(restarts: int) -> float:
    """How long to wait before the process that has been started anew so often ends again."""
    return 0.0 if restarts == 0 else min(MOST_PAUSE_S, PAUSE_S * 2.0 ** min(restarts - 1, 16))


def needed_s(reboots: int) -> float:
    """How long the board must be up to be restarted once more."""
    return UPTIME_S * 2.0**reboots


class Ladder:
    """One process's place on it. Times are nanoseconds on CLOCK_BOOTTIME, which is the board's uptime, too."""

    def __init__(self, climbed: Climbed | None = None, *, steady_s: float = STEADY_S, sound_s: float = SOUND_S) -> None:
        self._climbed = climbed or Climbed()
        self._steady_ns, self._sound_ns = round(steady_s * _NS), round(sound_s * _NS)
        self._seeing_since_ns: int | None = None

    @property
    def climbed(self) -> Climbed:
        """The counts as they are now."""
        return self._climbed

    def fails(self, now_ns: int, *, may_reboot: bool) -> Move:
        """The camera is lost: what to do."""
        self._seeing_since_ns = None
        self._climbed, move = climb(self._climbed, now_ns / _NS, may_reboot=may_reboot)
        return move

    def sees(self, now_ns: int) -> bool:
        """A picture came. Whether the counts have changed: the camera works again, or the board's restarts are over."""
        if self._seeing_since_ns is None:
            self._seeing_since_ns = now_ns
        seen_ns = now_ns - self._seeing_since_ns
        before = self._climbed
        if seen_ns >= self._steady_ns:
            self._climbed = replace(before, reopened=0, restarts=0)
        if seen_ns >= self._sound_ns:
            self._climbed = Climbed()
        return self._climbed != before

    def rests(self) -> None:
        """The camera was closed on purpose: pictures that come later begin a time of their own."""
        self._seeing_since_ns = None
