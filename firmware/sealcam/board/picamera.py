"""The Raspberry Pi's camera through picamera2: both streams of one request at a time.

Written against picamera2's manual (chapters 4, "Configuring the camera", and 6, "Capturing images and requests") and
libcamera's control list; proven on a board by `design/bringup.md`. picamera2 comes from the system's packages only,
because libcamera must match the kernel, so it is imported when a camera is opened and not before. What it needs of
the library is `Picamera2Like`; `FakePicamera2` ships beside it. The main stream is each frame's fine picture. What is
asked of the sensor is `picamera_controls`'.
"""

from __future__ import annotations

import gc
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sealcam.board.closing import Closing
from sealcam.board.fine import PackedPicture
from sealcam.board.layouts import Stream
from sealcam.board.newest import STALL_S
from sealcam.board.picamera_controls import GainLimit, controls_for, exposure_of, refused, timing
from sealcam.board.protocols import Frame
from sealcam.clocks import Clock, SystemClock
from sealcam.sensor_settings import NO_LIMITS, SensorSettings
from sealcam.wire.errors import HardwareError

_log = logging.getLogger(__name__)

_POLL_S = 0.1  # how soon a blocked look notices `close`
_NEAR_NS = 10_000_000_000  # a sensor's time further from now is none
_CABLE_HINT = "check the ribbon cable at both ends and that `rpicam-hello --list-cameras` shows a camera"
_BUSY_HINT = "`fuser -v /dev/media*` names a program that holds it: end that"
_BUSY_ALONE = ("Failed to acquire camera", "unexpected code: -16")  # as older ones of picamera2 say it
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

    @property
    def camera_controls(self) -> Mapping[str, tuple[Any, Any, Any]]:
        """What can be set, each with its least, most and usual value."""
        ...

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

    def set_controls(self, controls: dict[str, Any]) -> None:
        """Set them with the next request."""
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


def open_picamera2(number: int = 0) -> Picamera2Like:
    """The system's picamera2, opened on camera `number`.

    Raises:
        HardwareError: the package is missing, or there is no such camera, or another program has it.
    """
    if "picamera2" in sys.modules:
        gc.collect()  # what a closed one left in rings of references keeps its buffers, and the next may get no picture
    try:
        from picamera2 import Picamera2  # only here: see the module's docstring
    except ImportError as error:
        raise HardwareError(f"picamera2 can't be loaded ({error})", hint=_PACKAGES_HINT) from error
    try:
        camera: Picamera2Like = Picamera2(number)
    except (IndexError, RuntimeError) as error:
        raise _unopened(number, error) from error
    return camera


def _unopened(number: int, error: Exception) -> HardwareError:
    """One clear line on why: picamera2 says that it "did not complete", and the reason is the error before that."""
    first = error
    while isinstance(before := first.__cause__ or first.__context__, Exception):
        first = before
    said = str(first)
    if isinstance(first, IndexError) or "not found" in said or said.startswith("No camera"):
        return HardwareError(f"there is no camera {number} on this board", hint=_CABLE_HINT)
    if "busy" in said.lower() or said.endswith(_BUSY_ALONE):
        return HardwareError("the camera is busy: another program has it", hint=_BUSY_HINT)
    return HardwareError(f"the camera can't be opened ({said})", hint=f"{_BUSY_HINT}; otherwise {_CABLE_HINT}")


class PiCamera(Closing):
    """Frames of the low-resolution stream with the sensor's own times, the main stream behind each.

    Raises:
        HardwareError: picamera2 is missing, or the camera can't be opened, configured or started.
    """

    def __init__(
        self,
        main_px: tuple[int, int] = (1920, 1080),
        lores_px: tuple[int, int] = (640, 360),
        fps: int = 10,
        sensor: SensorSettings = NO_LIMITS,
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
        self._soon_ns = timing(fps, sensor).soon_ns
        try:
            there = self._camera.camera_controls
            for name in refused(there, sensor):
                _log.warning("this camera takes no %s: it stays as it is", name)
            self._gain = GainLimit(there, fps, sensor)
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": main_px, "format": "YUV420"},
                    lores={"size": lores_px, "format": "YUV420"},
                    controls=controls_for(there, fps, sensor),
                )
            )
            configured = self._camera.camera_configuration()
            self._main, self._lores = (Stream.of(configured[name]) for name in ("main", "lores"))
            self._camera.start()
        except HardwareError:
            self.close()
            raise
        except (RuntimeError, KeyError) as error:
            self.close()
            raise HardwareError(f"the camera can't be configured ({error})", hint=_CABLE_HINT) from error

    @property
    def name(self) -> str:
        """`Raspberry Pi camera`."""
        return "Raspberry Pi camera"

    def frames(self) -> Iterator[Frame]:
        """Frames in order of the sensor's time; `index` counts those that were taken from the camera.

        Raises:
            HardwareError: no frame came for 2 s, or the camera reported an error.
        """
        index, last_ns = 0, None
        while not self._closed.is_set():
            try:
                request = self._next_request()
                if request is None:
                    return
                try:  # picture and metadata of one request, copied before it is given back
                    metadata = request.get_metadata()
                    if (wanted := self._gain.take(metadata)) is not None:
                        self._camera.set_controls(wanted)
                    t_ns = self._time_of(metadata)
                    if last_ns is not None and 0 < t_ns - last_ns < self._soon_ns:
                        continue
                    main, lores = (request.make_buffer(name) for name in ("main", "lores"))
                finally:
                    request.release()
            except RuntimeError as error:
                if self._closed.is_set():
                    return
                raise HardwareError(f"the camera is lost ({error})", hint=_CABLE_HINT) from error
            y, u, v = self._lores.planes(lores)
            yield Frame(t_ns, index, y, u, v, PackedPicture(*self._main.views(main)), exposure_of(metadata))
            index, last_ns = index + 1, t_ns

    def close(self) -> None:
        """Stop the sensor and let go of it, waiting `stall_s` at most: a lost camera's close may never return."""
        with self._closing:
            if self._closed.is_set():
                return
            self._closed.set()
        closer = threading.Thread(target=self._close_camera, name="picamera-close", daemon=True)
        closer.start()
        closer.join(self._stall_s)

    def _time_of(self, metadata: Mapping[str, Any]) -> int:
        """CLOCK_BOOTTIME ns at the first line's exposure (libcamera, SensorTimestamp); now, where there is no such."""
        now_ns = self._clock.boot_ns()
        stamp_ns = int(metadata.get("SensorTimestamp") or now_ns)
        return stamp_ns if abs(now_ns - stamp_ns) < _NEAR_NS else now_ns

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
