"""The governor has the detector look less, step by step, before a hot, throttled or busy board breaks down. Pure.

One step up at a time, each given time to show; one step down only once everything has been well below its limit for a
while. What a step means for sight is `governing`'s, reading the board `board.strain`'s. See design/sight.md, a board
that can't keep up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# From `warm_c` on it looks less, from so much more on at once; well is so much below.
HOT_BY_C, WELL_BY_C = 5.0, 7.0
# Processes that want to run, over a minute, for each core: what lasts so long beyond the first is too much, and well is
# below the second. A busy board slows the camera down by itself, so that this takes one step and no more.
BUSY, NOT_BUSY, BUSY_S, MOST_FOR_LOAD = 1.5, 1.0, 120.0, 1
# Load counts who waits for a memory card, too, whom no look less would help. Where the kernel tells the share of a
# minute in which somebody waited for a processor, a board is busy from the first on alone, and well below the second.
WAITED, HARDLY_WAITED = 0.4, 0.2
# The share of a minute in which somebody waited for memory: short of it, and well. The step without further looks lets
# go of the second model, and what comes after that frees nothing.
SHORT, NOT_SHORT, MOST_FOR_MEMORY = 0.1, 0.02, 2
# A step has so long to show what it does before the next one; well for so long, and one is taken back.
RISE_S, EASE_S = 15.0, 120.0


@dataclass(frozen=True, slots=True)
class Step:
    """What the detector may do: its `share` of the looks it usually takes, and of further ones (a second model, from a
    step back, and at a finer resolution where something small moves)."""

    share: float
    further: float


STEPS = (Step(1.0, 1.0), Step(0.6, 0.5), Step(0.4, 0.0), Step(0.2, 0.0), Step(0.1, 0.0))


class Budget(StrEnum):
    """What the board lives on."""

    MAINS = "mains"
    POE = "poe"
    BATTERY = "battery"


LEAST = {Budget.MAINS: 0, Budget.POE: 1, Budget.BATTERY: 2}


@dataclass(frozen=True, slots=True)
class Readings:
    """What a board says of itself, or none. `throttled`: it is slowed down, or its voltage is low. `waited`, `short`:
    the share of the last minute in which somebody waited for a processor, for memory."""

    celsius: float | None = None
    throttled: bool = False
    load: float | None = None
    waited: float | None = None
    short: float | None = None

    @property
    def busy(self) -> bool:
        """Whether there is more to do than the processor can."""
        return self.load is not None and self.load >= BUSY and (self.waited is None or self.waited >= WAITED)

    @property
    def at_ease(self) -> bool:
        """Whether nothing waits, neither for the processor nor for memory."""
        idle = self.load is None or self.load <= NOT_BUSY or (self.waited is not None and self.waited <= HARDLY_WAITED)
        return idle and (self.short is None or self.short <= NOT_SHORT)


@dataclass(frozen=True, slots=True)
class Change:
    """Another step from now on, and why, in words."""

    step: int
    words: str
    up: bool


class Governor:
    """For one board. Times are ns on CLOCK_BOOTTIME."""

    def __init__(self, budget: Budget = Budget.MAINS, warm_c: float = 75.0) -> None:
        self._least, self._warm_c = LEAST[budget], warm_c
        self.step = self._least
        self._changed_ns: int | None = None
        self._busy_since_ns: int | None = None
        self._well_since_ns: int | None = None

    def take(self, now: Readings, t_ns: int) -> Change | None:
        """What follows from the newest readings."""
        why = self._strained(now, t_ns)
        self._well_since_ns = t_ns if self._well_since_ns is None else self._well_since_ns
        if why is not None or not self._well(now):
            self._well_since_ns = None
        if why is not None:
            return self._rise(why, t_ns, at_once=self._urgent(now))
        if self._well_since_ns is None or _passed_s(self._well_since_ns, t_ns) < EASE_S or self.step == self._least:
            return None
        self._well_since_ns = t_ns
        return self._to(self.step - 1, "the board has been well for two minutes", t_ns)

    def _rise(self, why: tuple[str, int], t_ns: int, *, at_once: bool) -> Change | None:
        words, most = why
        waits = self._changed_ns is not None and _passed_s(self._changed_ns, t_ns) < RISE_S
        if self.step >= most or (waits and not (at_once and self.step == self._least)):
            return None
        return self._to(self.step + 1, words, t_ns)

    def _to(self, step: int, why: str, t_ns: int) -> Change:
        up, self.step, self._changed_ns = step > self.step, step, t_ns
        chosen = STEPS[step]
        further = "as many" if chosen.further == 1 else "fewer" if chosen.further else "no"
        words = (
            f"{why}: {chosen.share:.0%} of the usual looks, {further} further ones (step {step} of {len(STEPS) - 1})"
        )
        return Change(step, words, up)

    def _strained(self, now: Readings, t_ns: int) -> tuple[str, int] | None:
        """Why it should look less, and the highest step for that."""
        if not now.busy:
            self._busy_since_ns = None
        elif self._busy_since_ns is None:
            self._busy_since_ns = t_ns
        if now.throttled:
            return "the board is slowed down, or its voltage is low", len(STEPS) - 1
        if now.celsius is not None and now.celsius >= self._warm_c:
            return f"the board has {now.celsius:.0f} degrees", len(STEPS) - 1
        if now.short is not None and now.short >= SHORT:
            return "the board waits for memory", max(MOST_FOR_MEMORY, self._least)
        if self._busy_since_ns is not None and _passed_s(self._busy_since_ns, t_ns) >= BUSY_S:
            return "the board has more to do than it can", max(MOST_FOR_LOAD, self._least)
        return None

    def _urgent(self, now: Readings) -> bool:
        return now.throttled or (now.celsius is not None and now.celsius >= self._warm_c + HOT_BY_C)

    def _well(self, now: Readings) -> bool:
        cool = now.celsius is None or now.celsius <= self._warm_c - WELL_BY_C
        return cool and not now.throttled and now.at_ease


def _passed_s(since_ns: int, t_ns: int) -> float:
    return (t_ns - since_ns) / 1e9
