"""The Raspberry Pi's camera through picamera2: the low-resolution stream, one request at a time.

Written against picamera2's manual (chapters 4, "Configuring the camera", and 6, "Capturing images and requests") and
libcamera's control list; proven on a board by `design/bringup.md`. picamera2 comes from the system's packages only,
because libcamera must match the kernel, so it is imported when a camera is opened and not before. What it needs of
the library is `Picamera2Like`; `FakePicamera2` ships beside it. The main stream is configured here and encoded by
the recorder.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sealcam.board.newest import STALL_S
from sealcam.board.protocols import Frame, Plane
from sealcam.clocks import Clock, SystemClock
from sealcam.wire.errors import HardwareError

_POLL_S = 0.1  # how soon a blocked look notices `close`
_CABLE_HINT = "check the ribbon cable at both ends and that `rpicam-hello --list-cameras` shows a camera"
_PACKAGES_HINT = (
    "apt-get install python3-picamera2, and make the environment with --system-site-packages: "
    "it has to come with the system, because libcamera must match the kernel"
)


class Request(Protocol):
    """One completed request: a picture and its metadata, borrowed from the camera until `release`."""

    def make_buffer(self, name: str) -> NDArray[np.uint8]:
        """The bytes of stream `name`, with the padding of their lines."""
        ...

    def get_metadata(self) -> Mapping[str, Any]:
        """What the sensor said of this very picture."""
        ...

    def release(self) -> None:
        """Give the buffers back."""
        ...


class Picamera2Like(Protocol):
    """The part of `picamera2.Picamera2` that is used here."""

    def create_video_configuration(
        self, main: dict[str, Any], lores: dict[str, Any], controls: dict[str, Any]
    ) -> dict[str, Any]:
        """A configuration for video with a main and a low-resolution stream."""
        ...

    def configure(self, camera_config: dict[str, Any]) -> None:
        """Apply it."""
        ...

    def camera_configuration(self) -> dict[str, Any]:
        """What was really configured: sizes may be aligned, and `stride` is filled in."""
        ...

    def start(self) -> None:
        """Start the sensor."""
        ...

    def capture_request(self, wait: bool) -> Any:
        """Ask for the next completed request; with `wait=False` a job."""
        ...

    def wait(self, job: object, timeout: float) -> Request:
        """The job's request. Raises TimeoutError after `timeout` seconds; may be asked again."""
        ...

    def cancel_all_and_flush(self) -> None:
        """Give up the jobs that wait."""
        ...

    def close(self) -> None:
        """Stop and let go of the camera; may hang when the camera is lost."""
        ...


def planes_from_yuv420(buffer: NDArray[np.uint8], width: int, height: int, stride: int) -> tuple[Plane, Plane, Plane]:
    """The three planes of a planar YUV 4:2:0 buffer without the padding of their lines, owned by the caller.

    `buffer` is one-dimensional uint8. Luma lines are `stride` bytes apart; chroma lines, of half the width, are half
    of that apart, rounded up: each plane has padding of its own (libcamera, `PixelFormatInfo::stride`). Bytes behind
    the last plane are page alignment and are left out.

    Raises:
        HardwareError: the buffer is shorter than its planes, or the lines than the width.
    """
    half_width, half_height, half_stride = (width + 1) // 2, (height + 1) // 2, (stride + 1) // 2
    luma, chroma = stride * height, half_stride * half_height
    if stride < width or width < 1 or height < 1 or buffer.size < luma + 2 * chroma:
        raise HardwareError(
            f"the camera gave {buffer.size} bytes for {width} x {height} pixels in lines of {stride} bytes",
            hint="its driver and picamera2 don't fit together: upgrade both with the system's packages",
        )
    y = buffer[:luma].reshape(height, stride)[:, :width]
    u = buffer[luma : luma + chroma].reshape(half_height, half_stride)[:, :half_width]
    v = buffer[luma + chroma : luma + 2 * chroma].reshape(half_height, half_stride)[:, :half_width]
    return y.copy(), u.copy(), v.copy()


def open_picamera2(number: int = 0) -> Picamera2Like:
    """The system's picamera2, opened on camera `number`.

    Raises:
        HardwareError: the package is missing, or there is no such camera, or another program has it.
    """
    try:
        from picamera2 import Picamera2  # only here: see the module's docstring
    except ImportError as error:
        raise HardwareError(f"picamera2 can't be loaded ({error})", hint=_PACKAGES_HINT) from error
    try:
        camera: Picamera2Like = Picamera2(number)
    except IndexError as error:
        raise HardwareError(f"there is no camera {number} on this board", hint=_CABLE_HINT) from error
    except RuntimeError as error:
        hint = "another program may hold it (`fuser -v /dev/media*`); otherwise " + _CABLE_HINT
        raise HardwareError(f"the camera can't be opened ({error})", hint=hint) from error
    return camera


class PiCamera:
    """Frames of the low-resolution stream with the sensor's own times.

    Raises:
        HardwareError: picamera2 is missing, or the camera can't be opened, configured or started.
    """

    def __init__(
        self,
        main_px: tuple[int, int] = (1920, 1080),
        lores_px: tuple[int, int] = (640, 360),
        fps: int = 10,
        *,
        clock: Clock | None = None,
        open_camera: Callable[[], Picamera2Like] = open_picamera2,
        stall_s: float = STALL_S,
    ) -> None:
        self._clock = clock or SystemClock()
        self._stall_s = stall_s
        self._closed = threading.Event()
        self._closing = threading.Lock()
        self._camera = open_camera()
        frame_us = round(1_000_000 / fps)
        try:
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": main_px, "format": "YUV420"},
                    lores={"size": lores_px, "format": "YUV420"},
                    controls={"FrameDurationLimits": (frame_us, frame_us)},
                )
            )
            lores = self._camera.camera_configuration()["lores"]
            self._width, self._height = (int(side) for side in lores["size"])
            self._stride = int(lores["stride"])
            self._camera.start()
        except (RuntimeError, KeyError) as error:
            self.close()
            raise HardwareError(f"the camera can't be configured ({error})", hint=_CABLE_HINT) from error

    @property
    def name(self) -> str:
        """`Raspberry Pi camera`."""
        return "Raspberry Pi camera"

    def __enter__(self) -> PiCamera:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def frames(self) -> Iterator[Frame]:
        """Frames in order of the sensor's time; `index` counts those that were taken from the camera.

        Raises:
            HardwareError: no frame came for 2 s, or the camera reported an error.
        """
        index = 0
        while not self._closed.is_set():
            try:
                request = self._next_request()
                if request is None:
                    return
                try:  # picture and metadata of one request, copied before it is given back
                    buffer = request.make_buffer("lores")
                    metadata = request.get_metadata()
                finally:
                    request.release()
            except RuntimeError as error:
                if self._closed.is_set():
                    return
                raise HardwareError(f"the camera is lost ({error})", hint=_CABLE_HINT) from error
            y, u, v = planes_from_yuv420(buffer, self._width, self._height, self._stride)
            # CLOCK_BOOTTIME ns at the first line's exposure (libcamera, SensorTimestamp); webcams may lack it.
            t_ns = int(metadata.get("SensorTimestamp") or self._clock.boot_ns())
            yield Frame(t_ns, index, y, u, v)
            index += 1

    def close(self) -> None:
        """Stop the sensor and let go of it, waiting `stall_s` at most: a lost camera's close may never return."""
        with self._closing:
            if self._closed.is_set():
                return
            self._closed.set()
        closer = threading.Thread(target=self._close_camera, name="picamera-close", daemon=True)
        closer.start()
        closer.join(self._stall_s)

    def _close_camera(self) -> None:
        try:
            self._camera.close()
        except RuntimeError:
            return  # it was lost already; there is nothing left to let go of

    def _next_request(self) -> Request | None:
        """The next request, or none once closed."""
        job = self._camera.capture_request(wait=False)
        polls = max(1, round(self._stall_s / _POLL_S))
        for _ in range(polls):
            try:
                return self._camera.wait(job, timeout=self._stall_s / polls)
            except TimeoutError:
                if self._closed.is_set():
                    return None
        self._camera.cancel_all_and_flush()
        raise HardwareError(f"the camera gave no frame for {self._stall_s:g} s", hint=_CABLE_HINT)
