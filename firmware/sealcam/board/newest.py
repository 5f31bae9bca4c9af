"""A place for one frame between a device's thread and who looks: the newest wins, and a stall is an error.

A driver's read can block for ever inside the kernel and can't be interrupted from outside, so every live camera
reads in a daemon thread that puts here, and looks at it from here with a limit.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from sealcam.board.protocols import Frame
from sealcam.wire.errors import HardwareError

STALL_S = 2.0  # the contract of `Camera.frames`: no frame for this long is a lost camera


class NewestFrame:
    """One frame, or the error that ended them. Any number of threads may put, one may take."""

    def __init__(self, stall_s: float = STALL_S) -> None:
        self._stall_s = stall_s
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._error: HardwareError | None = None
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether nobody looks any more: the device's thread should end."""
        return self._closed

    def put(self, frame: Frame) -> None:
        """Replace the frame that waits."""
        with self._changed:
            self._frame = frame
            self._changed.notify_all()

    def fail(self, error: HardwareError) -> None:
        """No frame will follow; a frame that waits is still handed out. The first error stays."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def close(self) -> None:
        """End `frames`, from any thread; may be called twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def frames(self) -> Iterator[Frame]:
        """The newest frames, each once, until `close`.

        Raises:
            HardwareError: `fail` was called, or nothing was put for `stall_s` seconds.
        """
        while True:
            with self._changed:
                came = self._changed.wait_for(self._anything, self._stall_s)
                if self._closed:
                    return
                if not came:
                    raise HardwareError(
                        f"the camera gave no frame for {self._stall_s:g} s",
                        hint="check its cable and that no other program holds it; it is opened again at restart",
                    )
                frame, self._frame = self._frame, None
                if frame is None and self._error is not None:
                    raise self._error
            if frame is not None:
                yield frame

    def _anything(self) -> bool:
        return self._frame is not None or self._error is not None or self._closed
