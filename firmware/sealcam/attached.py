"""All that hangs on the pins, as the eye uses it: it shines, covers, sees to the dark, counts and is pressed.

The eye runs the same where nothing is wired. What can't be used is told at the start (`pin-unusable`), and what fails
later when it does (`pin-failed`, `shutter-failed`). Each part's own rules are in `shining`, `shading`, `darkness`,
`sensing` and `pressing`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from sealcam.board.protocols import Frame, Shine
from sealcam.clocks import Clock
from sealcam.darkness import Darkness
from sealcam.pressing import Pressing
from sealcam.privacy import WATCHFUL, Privacy
from sealcam.scene import Scene
from sealcam.sealer import Sealer
from sealcam.sensing import Sensing
from sealcam.service import Service
from sealcam.shading import Shading
from sealcam.shining import Shining
from sealcam.sight.watch import Watch
from sealcam.wire.errors import HardwareError
from sealcam.wired import Wired

_log = logging.getLogger(__name__)


class Attached:
    """What is wired, for one run of the eye."""

    def __init__(
        self,
        wired: Wired,
        clock: Clock,
        watch: Watch,
        privacy: Privacy,
        scene: Scene,
        sealer: Sealer,
        *,
        wake: Callable[[], None],
    ) -> None:
        self._wired, self._clock, self._watch, self._scene, self._sealer = wired, clock, watch, scene, sealer
        self._privacy, self._wake = privacy, wake
        self._sensor = wired.motion_sensor
        self._shining = Shining(wired.light, partial(self._failed, "pin-failed"))
        self._shading = Shading(wired.shutter, partial(self._failed, "shutter-failed"))
        self._darkness = Darkness(wired.infrared, partial(self._failed, "pin-failed"))
        self._sensing = Sensing(wired.motion_sensor, sealer, clock.boot_ns())
        self.reset = threading.Event()
        """Whether the button asked for a factory reset: to be done once the eye has ended."""

    def work(self, service: Service) -> None:
        """Let the button be heard while `service` runs."""
        if self._wired.button is None:
            return

        def reset() -> None:
            self.reset.set()
            service.finish()

        pressing = Pressing(
            self._wired.button,
            self._clock,
            self._privacy,
            lambda: self._scene.order().mode,
            self._sealer,
            self._shining,
            reset=reset,
            wake=self._wake,
        )
        service.add("button", lambda beat: pressing.run(beat, service.stop))

    def begin(self) -> None:
        """Tell what can't be used; cover the lens where nobody may look.

        Raises:
            StorageError: the disk is full.
        """
        for one in self._wired.unusable:
            _log.warning("%s; %s", one.words, one.hint)
            self._sealer.health("pin-unusable", f"{one.words}; {one.hint}")
        if self._privacy.on:
            self._shading.set(covered=True)

    def shine(self, shine: Shine) -> None:
        """What the status light says of the camera."""
        self._shining.camera(shine)

    def look(self) -> None:
        """A source is about to be opened: uncover the lens; what the motion sensor felt before is none of it."""
        self._shading.set(covered=False)
        self.felt()

    def look_away(self) -> None:
        """The source is closed, and nobody may look: the light and the lamp are off, the lens is covered."""
        self._shining.camera(Shine.OFF)
        self._darkness.rest()
        self._shading.set(covered=True)

    def end(self) -> None:
        """Nobody looks any more, for now: the light and the lamp are off; the lens is covered if this was the last."""
        self._shining.camera(Shine.OFF)
        self._darkness.rest()
        if self.reset.is_set():
            self._shading.set(covered=True)

    def before(self, frame: Frame) -> None:
        """See to the dark, before sight takes the frame."""
        if self._darkness.look(frame):
            self._watch.switched_ir(frame.t_ns)

    def felt(self) -> int | None:
        """When the motion sensor last felt somebody since this was asked, ns on CLOCK_BOOTTIME, or none."""
        if self._sensor is None:
            return None
        try:
            return self._sensor.take()
        except HardwareError as error:
            self._sensor = None
            self._failed("pin-failed", error.message)
            return None

    def tell(self) -> None:
        """What the owner should know of the motion sensor.

        Raises:
            StorageError: the disk is full.
        """
        if self._sensing.tell(self._watch.sensor_judged, self._clock.boot_ns()):
            self._wake()

    def _failed(self, code: str, words: str) -> None:
        _log.warning("%s: %s", code, words)
        self._sealer.health(code, words, urgent=code == "shutter-failed" and self._scene.order().mode in WATCHFUL)
        self._wake()
