"""Following the scene: before each frame, sight is told how the camera is armed, and which zones and masks count now.

What the owner should know of it (a schedule that can't be applied, a scene that was lost) is said once. What counts is
`scene`'s. design/sight.md, zones, masks and schedule.
"""

from __future__ import annotations

import logging

from sealcam.clocks import Clock
from sealcam.orders import ARMED, Order, arms
from sealcam.scene import Scene
from sealcam.sealer import Sealer
from sealcam.sight.place import Place
from sealcam.sight.watch import Watch
from sealcam.sight.zones import Polygon

_log = logging.getLogger(__name__)

# A camera that has just started may not have asked for the time yet.
WAITS_S = 60.0


class Following:
    """What of the scene sight knows already. `watch` has been made with the mode that the scene says."""

    def __init__(self, scene: Scene, watch: Watch, sealer: Sealer, clock: Clock) -> None:
        self._scene, self._watch, self._sealer, self._clock = scene, watch, sealer, clock
        self._place: Place | None = None
        self._order = Order(scene.order().mode)
        self._since_ns = clock.boot_ns()
        self._told_waiting = self._told_lost = self._told_restored = False

    @property
    def order(self) -> Order:
        """How the camera is armed, as sight knows it."""
        return self._order

    @property
    def masks(self) -> tuple[Polygon, ...]:
        """The masks, as sight knows them."""
        return () if self._place is None else self._place.masks

    def take(self) -> bool:
        """Tell sight what is new; whether the camera is armed otherwise than before.

        Raises:
            StorageError: the disk is full.
        """
        place = self._scene.place
        if place is not self._place:
            self._watch.set_place(place)
            self._place = place
        self._tell()
        before, now = self._order, self._scene.order()
        if now == before:
            return False
        self._order = now
        self._watch.set_mode(now.mode, scheduled=now.scheduled, expected=now.expected)
        if (now.mode, now.ruled) == (before.mode, before.ruled):
            return False
        _log.info("armed: %s%s", now.mode, " by the schedule" if now.scheduled else "")
        return True

    def _tell(self) -> None:
        if self._scene.lost and not self._told_lost:
            self._told_lost = True
            words = (
                "what was masked and how it was armed can't be read: all of the picture is masked until masks are sent "
                f"again; armed {self._scene.order().mode} now"
            )
            self._sealer.health("scene-lost", words, urgent=True)
        if self._scene.restored and not self._told_restored:
            self._told_restored = True
            words = "what was kept of zones, masks and times was damaged: the copy of it counts"
            self._sealer.health("scene-restored", words)
        waits = self._order.waiting and self._clock.boot_ns() - self._since_ns >= WAITS_S * 1e9
        if waits and not self._told_waiting:
            self._told_waiting = True
            words = (
                f"the time of day isn't known: the schedule waits for it, armed {self._order.mode} until then, "
                f"{_why(self._order)}"
            )
            # Whoever counts on being guarded by the clock, or is guarded although nobody knows the time, must know now.
            urgent = self._order.mode in ARMED or arms(self._scene.timetable)
            self._sealer.health("schedule-waits", words, urgent=urgent)


def _why(order: Order) -> str:
    """What an order that waits goes by."""
    if order.scheduled:
        return "as the schedule said last"
    return "the most watchful of what is known" if order.ruled else "as commanded or configured"
