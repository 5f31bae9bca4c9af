"""A picamera2 without a camera: the same calls, with pictures that are handed in and faults that can be made."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAIN_BYTES = 1920 * 1080 * 3 // 2


class FakeRequest:
    """A picture borrowed from the fake; its buffer is overwritten on `release`, as a real one is by the next frame."""

    def __init__(self, main: NDArray[np.uint8], lores: NDArray[np.uint8], metadata: Mapping[str, Any]) -> None:
        self._buffers = {"main": main, "lores": lores}
        self._metadata = metadata
        self.released = 0

    def make_buffer(self, name: str) -> NDArray[np.uint8]:
        """A stream's bytes, copied as picamera2 does."""
        if self.released or name not in self._buffers:
            raise RuntimeError(f"Stream {name!r} is not defined")
        return self._buffers[name].copy()

    def get_metadata(self) -> Mapping[str, Any]:
        """The picture's metadata."""
        if self.released:
            raise RuntimeError("the request was released")
        return self._metadata

    def release(self) -> None:
        """Give the buffer back: its bytes become another picture's."""
        self.released += 1
        for buffer in self._buffers.values():
            buffer[:] = 0xEE


class FakePicamera2:
    """Hands out what `push` was given; silent when there is nothing, as a lost camera is."""

    def __init__(
        self,
        stride: int = 640,
        *,
        refuse: str = "",
        hang_on_close: threading.Event | None = None,
        layout: str = "YUV420",
        controls: Sequence[str] = ("FrameDurationLimits",),
    ) -> None:
        self.stride = stride
        self.camera_controls = dict.fromkeys(controls, (0, 0, 0))
        self.configuration: dict[str, Any] = {}
        self.requests: list[FakeRequest] = []
        self.controls: list[dict[str, Any]] = []
        self.started = self.closed = self.flushed = False
        self._refuse, self._layout = refuse, layout
        self._hang_on_close = hang_on_close
        self._waiting: deque[FakeRequest | str] = deque()
        self._changed = threading.Condition()

    def push(
        self, lores: NDArray[np.uint8], metadata: Mapping[str, Any], main: NDArray[np.uint8] | None = None
    ) -> None:
        """The stimulus: the sensor took a picture; without `main` that stream has zeros."""
        request = FakeRequest(np.zeros(_MAIN_BYTES, np.uint8) if main is None else main.copy(), lores.copy(), metadata)
        self.requests.append(request)
        self._add(request)

    def lose(self, message: str = "Camera frontend has timed out!") -> None:
        """The stimulus: the camera reports an error at the next capture."""
        self._add(message)

    def create_video_configuration(
        self, main: dict[str, Any], lores: dict[str, Any], controls: dict[str, Any]
    ) -> dict[str, Any]:
        """The three, as picamera2 nests them."""
        return {"main": main, "lores": lores, "controls": controls}

    def configure(self, camera_config: dict[str, Any]) -> None:
        """Take it and fill in layout and stride, or refuse."""
        if self._refuse:
            raise RuntimeError(self._refuse)
        main, lores = camera_config["main"], camera_config["lores"]
        self.configuration = {
            **camera_config,
            "main": {**main, "format": self._layout, "stride": self._main_stride(main["size"][0])},
            "lores": {**lores, "format": self._layout, "stride": self.stride},
        }

    def camera_configuration(self) -> dict[str, Any]:
        """What was configured."""
        return self.configuration

    def start(self) -> None:
        """Start."""
        self.started = True

    def set_controls(self, controls: dict[str, Any]) -> None:
        """Noted."""
        self.controls.append(controls)

    def capture_request(self, wait: bool) -> object:
        """A job for the next picture."""
        if self.closed or wait:
            raise RuntimeError("Camera not opened")
        return object()

    def wait(self, job: object, timeout: float) -> FakeRequest:
        """The next picture, or TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._waiting) or self.closed, timeout):
                raise TimeoutError
            if self.closed:
                raise RuntimeError("Camera closed")
            found = self._waiting.popleft()
        if isinstance(found, str):
            raise RuntimeError(found)
        return found

    def cancel_all_and_flush(self) -> None:
        """Noted."""
        self.flushed = True

    def close(self) -> None:
        """Close, or hang as a lost camera does."""
        if self._hang_on_close is not None:
            self._hang_on_close.wait()
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    @staticmethod
    def _main_stride(width: int) -> int:
        """Lines of the main stream are aligned to 64 bytes."""
        return (int(width) + 63) // 64 * 64

    def _add(self, item: FakeRequest | str) -> None:
        with self._changed:
            self._waiting.append(item)
            self._changed.notify_all()
