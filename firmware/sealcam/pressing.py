"""What the button does: a short press is privacy, ten seconds are a factory reset.

A short press while armed away or night changes nothing and is told as tampering (`tamper-button`): whoever is at the
camera then may be no friend. A reset is nobody's to refuse: who holds the camera for ten seconds can take it along.
The status light counts the seconds from the third on. design/wiring.md, button.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from sealcam.board.pin_protocols import Button
from sealcam.board.presses import SHORT_MOST_S, Press
from sealcam.board.protocols import Shine
from sealcam.clocks import Clock
from sealcam.privacy import WATCHFUL, Privacy
from sealcam.sealer import Sealer
from sealcam.service import Beat
from sealcam.shining import Shining
from sealcam.sight.types import ArmMode
from sealcam.wire.bodies import Cause

_log = logging.getLogger(__name__)

IDLE_S, PRESSED_S = 0.5, 0.05


class Pressing:
    """One button; `reset` is called once it was held for ten seconds, `wake` when something was queued."""

    def __init__(
        self,
        button: Button,
        clock: Clock,
        privacy: Privacy,
        mode: Callable[[], ArmMode],
        sealer: Sealer,
        shining: Shining,
        *,
        reset: Callable[[], None],
        wake: Callable[[], None],
    ) -> None:
        self._button, self._clock, self._privacy, self._mode = button, clock, privacy, mode
        self._sealer, self._shining = sealer, shining
        self._reset, self._wake = reset, wake

    def run(self, beat: Beat, stop: threading.Event) -> None:
        """Wait for presses until `stop`.

        Raises:
            StorageError: the disk is full.
            HardwareError: the pin is lost.
        """
        while not stop.is_set():
            beat()
            self._button.stirred.clear()
            self.step()
            self._clock.wait(self._button.stirred, IDLE_S if self._button.idle else PRESSED_S)

    def step(self) -> None:
        """Do what was asked for since the last call, and count for whoever holds it."""
        for press in self._button.take():
            if press is Press.LONG:
                _log.warning("the button was held for ten seconds: the camera is reset")
                self._shining.count(Shine.RESETTING)
                self._reset()
                return
            self._short()
        self._shining.count(Shine.COUNTING if self._button.held_s >= SHORT_MOST_S else None)

    def _short(self) -> None:
        mode = self._mode()
        if mode in WATCHFUL:
            words = f"the camera's button was pressed while armed {mode}: nothing has changed"
            _log.warning("tamper-button: %s", words)
            self._sealer.health("tamper-button", words, urgent=True)
            self._wake()
            return
        self._privacy.switch(on=not self._privacy.on, cause=Cause.BUTTON)
