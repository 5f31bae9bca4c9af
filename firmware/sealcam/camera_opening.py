"""A camera's library may hang as it opens: then the eye goes on, and tells it, long before its own watchdog would.

What was begun can't be called off. Where it comes back after all, its camera is closed at once, so that the next
opening finds the device free.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sealcam.board.protocols import Camera
from sealcam.wire.errors import HardwareError

# Told within ten seconds of its beginning; loading picamera2 for the first time may take some from a slow card.
WITHIN_S = 8.0


class _Opening:
    """One opening, in a thread of its own."""

    def __init__(self, open_camera: Callable[[], Camera]) -> None:
        self._open = open_camera
        self._lock = threading.Lock()
        self._given_up = False
        self._camera: Camera | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="camera-open", daemon=True)

    def wait(self, within_s: float) -> Camera:
        self._thread.start()
        self._thread.join(within_s)
        with self._lock:
            self._given_up = self._camera is None and self._error is None
        if self._error is not None:
            raise self._error
        if self._camera is None:
            raise HardwareError(
                f"the camera didn't open within {within_s:g} s: its driver or library hangs",
                hint="take the board's power away for a moment, if starting it anew doesn't help",
            )
        return self._camera

    def _run(self) -> None:
        try:
            camera = self._open()
        except BaseException as error:  # noqa: BLE001  raised again where it is waited for
            self._error = error
            return
        with self._lock:
            if not self._given_up:
                self._camera = camera
                return
        camera.close()


def opened(open_camera: Callable[[], Camera], within_s: float = WITHIN_S) -> Camera:
    """The camera that `open_camera` gives.

    Raises:
        HardwareError: it gave none in time; or whatever it raises.
    """
    return _Opening(open_camera).wait(within_s)
