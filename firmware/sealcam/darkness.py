"""The infrared filter and lamp, by the light that the sensor tells of; sight is told that it was ourselves.

When it is night is decided in `sight.daynight`. A filter or lamp that fails is given up and told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from sealcam.board.pin_protocols import Infrared
from sealcam.board.protocols import Frame
from sealcam.sight.daynight import DayNight, follow
from sealcam.wire.errors import HardwareError

_log = logging.getLogger(__name__)

UNTOLD_FRAMES = 100  # a source that hasn't said anything of the light by then never does


class Darkness:
    """Looks at each frame before sight does; `failed` is told in words, at most once for each reason."""

    def __init__(self, infrared: Infrared | None, failed: Callable[[str], None]) -> None:
        self._infrared, self._failed = infrared, failed
        self._state = DayNight()
        self._set: bool | None = None  # night or day, as both were last told to be
        self._untold = 0

    def look(self, frame: Frame) -> bool:
        """Follow the light; whether filter or lamp was switched just now, so that the picture is about to change."""
        if self._infrared is None:
            return False
        if frame.exposure is None:
            self._untold += 1
            if self._untold == UNTOLD_FRAMES:
                self._failed("the camera doesn't say how dark it is: the infrared filter and lamp stay as by day")
            return False
        self._state = follow(self._state, frame.exposure, frame.t_ns)
        return self._switch(night=self._state.night)

    def rest(self) -> None:
        """Nobody looks: the lamp is off, as by day."""
        if self._set is not None:
            self._switch(night=False)

    def _switch(self, *, night: bool) -> bool:
        if self._infrared is None or night is self._set:
            return False
        first, self._set = self._set is None, night
        try:
            self._infrared.set(night=night)
        except HardwareError as error:
            self._infrared = None
            self._failed(error.message)
            return False
        _log.info("the infrared filter and lamp are as by %s", "night" if night else "day")
        return not first or night
