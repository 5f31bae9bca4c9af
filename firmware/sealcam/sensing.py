"""What the owner is told of the motion sensor beside its incidents: once a day what it did, and that it is stuck.

`pir-statistics`: how often it fired, how often nothing moved then, and what was taken out before it counted;
`pir-stuck`. That it isn't believed any more is `guarding`'s to tell. See design/wiring.md, motion sensor.
"""

from __future__ import annotations

import logging

from sealcam.board.protocols import MotionSensor, PirCounts
from sealcam.sealer import Sealer
from sealcam.sight.corroboration import Judged

_log = logging.getLogger(__name__)

EVERY_S = 24 * 3600.0


class Sensing:
    """Follows one sensor, or none."""

    def __init__(self, sensor: MotionSensor | None, sealer: Sealer, now_ns: int) -> None:
        self._sensor, self._sealer = sensor, sealer
        self._told_ns = now_ns
        self._counts, self._judged = PirCounts(), Judged()
        self._stuck = False

    def tell(self, judged: Judged, now_ns: int) -> bool:
        """Queue what is due; whether there was anything. `judged` is what the picture has said of its firings so far.

        Raises:
            StorageError: the disk is full.
        """
        if self._sensor is None:
            return False
        counts = self._sensor.counts
        stuck, self._stuck = counts.stuck and not self._stuck, counts.stuck
        if stuck:
            self._say("pir-stuck", "the motion sensor has been on for a quarter of an hour: is it wired right?")
        if now_ns - self._told_ns < EVERY_S * 1e9:
            return stuck
        self._told_ns = now_ns
        words = summary(self._counts, counts, self._judged, judged)
        self._counts, self._judged = counts, judged
        if words is not None:
            self._say("pir-statistics", words)
        return stuck or words is not None

    def _say(self, code: str, words: str) -> None:
        _log.info("%s: %s", code, words)
        self._sealer.health(code, words)


def summary(before: PirCounts, now: PirCounts, judged_before: Judged, judged: Judged) -> str | None:
    """What it did between two counts, in words; none where that is nothing."""
    fired, brief, warming = (
        now.fired - before.fired,
        now.brief - before.brief,
        now.warming - before.warming,
    )
    if not fired and not brief and not warming:
        return None
    alone, agreed = judged.alone - judged_before.alone, judged.agreed - judged_before.agreed
    said = f"the motion sensor fired {fired} times in a day; something moved {agreed} times, nothing {alone} times"
    if brief:
        said += f"; {brief} pulses were too short for a person (radio beside it)"
    if warming:
        said += f"; {warming} while it warmed up"
    return said
