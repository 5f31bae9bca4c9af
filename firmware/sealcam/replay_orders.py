"""The schedule over recorded footage: what the clock on the wall said while it was recorded.

Needs to know when the recording began; a mode that was named on the command line counts over the schedule's.
design/sight.md, zones, masks and schedule.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sealcam.orders import Hand, Order, order
from sealcam.sight.types import ArmMode
from sealcam.sight.watch import Watch
from sealcam.timetable import Timetable


class RecordedOrders:
    """Tells a watch the orders of the times in a recording. `armed` is the mode without a schedule; with `fixed` it is
    the mode with one too, and only visitors are expected by it."""

    def __init__(
        self, watch: Watch, timetable: Timetable | None, armed: ArmMode, began: datetime | None, *, fixed: bool
    ) -> None:
        self._watch = watch
        self._timetable = replace(timetable, entries=()) if timetable is not None and fixed else timetable
        self._armed, self._told = armed, Order(armed)
        self._began_ns = None if began is None else round(began.timestamp()) * 1_000_000_000
        self._until_ns = 0

    @property
    def in_vain(self) -> bool:
        """Whether there is a schedule, and nobody said when the recording began."""
        return self._timetable is not None and self._began_ns is None

    def take(self, since_ns: int) -> None:
        """Tell what is new this long after the recording began."""
        if self._timetable is None or self._began_ns is None:
            return
        now_ns = self._began_ns + since_ns
        if now_ns < self._until_ns:
            return
        found, self._until_ns = order(self._timetable, Hand(), self._armed, now_ns)
        if found != self._told:
            self._watch.set_mode(found.mode, scheduled=found.scheduled, expected=found.expected)
            self._told = found
