"""When to try again what is away, and how often to say so: each reason once an outage, and once when it is over.

Pure: time and chance are handed in.
"""

from __future__ import annotations

import logging
import random

from sealcam.wire.errors import LinkDown

_NS = 1_000_000_000
STEADY_NS = 10 * _NS  # what lasted this long was really there: the next outage begins with the shortest pause


class Retry:
    """One thing that may be away: `failed`, wait until `due_ns`, try; `came` when it is there.

    The pause doubles from `first_s` to `last_s`; jitter takes up to half of it away, so that many cameras don't come
    back to one broker at once.
    """

    def __init__(self, log: logging.Logger, back: str, chance: random.Random, *, first_s: float, last_s: float) -> None:
        self.due_ns = 0
        self._log = log
        self._back = back
        self._chance = chance
        self._first_s = self._pause_s = first_s
        self._last_s = last_s
        self._came_ns: int | None = None
        self._told: set[str] = set()

    def failed(self, error: LinkDown, now_ns: int) -> None:
        """It is away, or went away; says why unless that was said in this outage."""
        if self._came_ns is not None and now_ns - self._came_ns >= STEADY_NS:
            self._pause_s = self._first_s
        self._came_ns = None
        if error.message not in self._told:
            self._told.add(error.message)
            hint = f" ({error.hint})" if error.hint else ""
            self._log.warning("%s%s; trying again", error.message, hint)
        self.due_ns = now_ns + round(self._pause_s * (1 - self._chance.random() / 2) * _NS)
        self._pause_s = min(2 * self._pause_s, self._last_s)

    def came(self, now_ns: int) -> None:
        """It is there."""
        self._came_ns = now_ns
        if self._told:
            self._told.clear()
            self._log.warning("%s", self._back)
