"""What this camera does about the owner's wishes: arm, privacy, live, fetch, scene, marks, model (design/wire.md 5.3).

Handlers run in the link's thread and only note what is wished, durably where it must last; sight sees to it before
it looks at the next frame. Which commands count, and their answers, are `commands`'. A part that comes later adds
its handler to `handlers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sealcam.commands import Declined, Handler
from sealcam.fetching import Fetching
from sealcam.live import Live
from sealcam.marks import Marks
from sealcam.memoryfile import MemoryFile
from sealcam.outbox import Outbox
from sealcam.ownmodel import OwnModel
from sealcam.privacy import Privacy
from sealcam.scene import Scene
from sealcam.sending import Sending
from sealcam.sight.types import ArmMode
from sealcam.sight.zones import NOTHING_WATCHED, nothing_watched
from sealcam.wire.bodies import Outcome
from sealcam.wire.errors import ConfigError, StorageError
from sealcam.wire.wishes import (
    ArmBody,
    CommandType,
    MasksWish,
    PrivacyWish,
    ScheduleWish,
    ZonesWish,
)


class Duties:
    """The wishes in force; how the camera is armed, and where it looks, is the scene's."""

    def __init__(
        self,
        outbox: Outbox,
        privacy: Privacy,
        scene: Scene,
        memory: MemoryFile | None = None,
        live: Live | None = None,
        sending: Sending | None = None,
        model: OwnModel | None = None,
    ) -> None:
        self._privacy = privacy
        self._scene = scene
        self._memory = memory
        self._live = live
        self._model = model
        self._fetching, self._sends = Fetching(outbox, sending), sending is not None

    @property
    def handlers(self) -> Mapping[CommandType, Handler]:
        """What this camera can carry out."""
        return {
            CommandType.ARM: self._arm,
            CommandType.PRIVACY: self._switch_privacy,
            CommandType.FETCH: self._fetching.wish,
            CommandType.ZONES: self._draw_zones,
            CommandType.MASKS: self._draw_masks,
            CommandType.SCHEDULE: self._keep_schedule,
            **({CommandType.FORGET: self._fetching.forget} if self._sends else {}),
            **(Marks(self._memory).handlers if self._memory is not None else {}),
            **({CommandType.LIVE: self._live.wish} if self._live is not None else {}),
            **(self._model.handlers if self._model is not None else {}),
        }

    def _arm(self, wish: ArmBody) -> str:
        mode = ArmMode[wish.mode.name]
        said = f"armed: {mode}"
        try:
            self._scene.arm(mode)
        except StorageError as error:
            said += f", until it starts again: {error.message}"
        if self._scene.timetable is not None and self._scene.timetable.entries:
            said += ", until the schedule next says otherwise"
        if self._privacy.on and mode is not ArmMode.OFF:
            said += ", but privacy is on: nothing is seen"
        return said

    def _switch_privacy(self, wish: PrivacyWish) -> str:
        mode = self._scene.order().mode
        if not self._privacy.may_switch(on=wish.on, mode=mode):
            raise Declined(Outcome.ARMED, f"armed {mode}: disarm first")
        try:
            changed = self._privacy.switch(on=wish.on)
        except StorageError as error:
            raise Declined(Outcome.FAILED, error.message) from error
        return f"privacy is {'' if changed else 'already '}{'on' if wish.on else 'off'}"

    def _draw_zones(self, wish: ZonesWish) -> str:
        _carry_out(lambda: self._scene.take_zones(wish))
        if not wish.zones:
            return "no zones: the whole picture is watched"
        said = f"{_counted(len(wish.zones), 'zone')} in force: {', '.join(zone.name for zone in wish.zones)}"
        return f"{said}; {NOTHING_WATCHED}" if nothing_watched(self._scene.place.zones) else said

    def _draw_masks(self, wish: MasksWish) -> str:
        _carry_out(lambda: self._scene.take_masks(wish))
        return f"{_counted(len(wish.masks), 'mask')} in force" if wish.masks else "no masks: all of the picture is seen"

    def _keep_schedule(self, wish: ScheduleWish) -> str:
        _carry_out(lambda: self._scene.take_schedule(wish))
        order = self._scene.order()
        if self._scene.timetable is None:
            return f"no schedule: it stays armed {order.mode}"
        if order.waiting:
            return f"kept, but the time of day isn't known yet: armed {order.mode} until it is"
        return f"the schedule is in force: armed {order.mode} now"


def _carry_out(wish: Callable[[], None]) -> None:
    """Do it, or say why not.

    Raises:
        Declined: it makes no sense, or the disk is full.
    """
    try:
        wish()
    except ConfigError as error:
        raise Declined(Outcome.UNREADABLE, f"{error.message}: {error.hint}" if error.hint else error.message) from error
    except StorageError as error:
        raise Declined(Outcome.FAILED, error.message) from error


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing} is" if count == 1 else f"{count} {thing}s are"
