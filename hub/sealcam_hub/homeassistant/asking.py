"""Takes or refuses what is asked from Home Assistant: tries the code, makes wishes, counts and logs refusals.

What may be asked at all is decided in `commands`. The sender learns only that something was refused; the log has each
reason once an hour, and never what came.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from sealcam.wire.bodies import Mode
from sealcam.wire.errors import ConfigError
from sealcam.wire.wishes import ArmBody, PrivacyWish
from sealcam_hub.home import Home
from sealcam_hub.homeassistant import commands
from sealcam_hub.homeassistant.code import Keypad
from sealcam_hub.homeassistant.commands import Arm, Asked, Privacy, RefusedError
from sealcam_hub.homeassistant.look import Look
from sealcam_hub.homeassistant.mqtt import Heard, Turned
from sealcam_hub.homeassistant.names import ACTOR
from sealcam_hub.homeassistant.settings import Settings
from sealcam_hub.once import Once
from sealcam_hub.views import CameraView

_log = logging.getLogger(__name__)


class Asking:
    """What one bridge is asked. One thread at a time."""

    def __init__(self, home: Home, look: Look) -> None:
        self._home, self._look = home, look
        self._keypad = Keypad(home.clock.boot_ns)
        self._refused: Counter[str] = Counter()
        self._refused_ns: dict[str, int] = {}
        self._once = Once(home.clock.boot_ns)

    def refused(self, alias: str) -> tuple[int, int | None]:
        """How many commands to a camera, or without an alias to none, were refused, and when last (wall time in ns)."""
        return self._refused[alias], self._refused_ns.get(alias)

    def take(self, heard: Iterable[Heard], settings: Settings) -> None:
        """Take or refuse each, in the order in which they came.

        Raises:
            StorageError: the ledger can't be written.
        """
        for one in heard:
            camera = self._camera(one.alias)
            try:
                if camera is None:
                    raise RefusedError("there is no such camera")
                self._take(one.asked, camera, settings)
            except (RefusedError, ConfigError) as error:
                self._refuse(Turned("" if camera is None else one.alias, one.control, str(error)))

    def turn_away(self, turned: Mapping[Turned, int]) -> None:
        """Count and log what was turned away as it came."""
        for one, times in turned.items():
            self._refuse(one, times)

    def _take(self, asked: Asked, camera: CameraView, settings: Settings) -> None:
        verdict = commands.judge(asked, camera, settings)
        if verdict == "nothing":
            return
        typed = asked.code if isinstance(asked, Arm) else ""
        if verdict == "code" and not self._keypad.opens(typed, settings.code):
            raise RefusedError("the code is wrong, or comes too soon after wrong ones")
        self._wish(camera.alias, asked)
        self._look.refresh()  # the next one is judged by what this one has changed

    def _wish(self, alias: str, asked: Asked) -> None:
        match asked:
            case Arm():
                self._home.wishes().wish(alias, ArmBody(mode=Mode[asked.mode.upper()]), ACTOR)
            case Privacy():
                self._home.wishes().wish(alias, PrivacyWish(on=asked.on), ACTOR)
            case _:
                self._look.set_level(alias, asked.level)

    def _refuse(self, turned: Turned, times: int = 1) -> None:
        self._refused[turned.alias] += times
        self._refused_ns[turned.alias] = self._home.clock.wall_ns()
        if self._once.due(turned):
            camera = self._camera(turned.alias)
            name = "no camera of this home" if camera is None else camera.name
            _log.warning("Home Assistant's command (%s) to %s is refused: %s", turned.control, name, turned.reason)

    def _camera(self, alias: str) -> CameraView | None:
        return next((one.camera for one in self._look.seen() if one.camera.alias == alias), None)
