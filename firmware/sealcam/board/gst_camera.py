"""A camera that GStreamer reads: on a Jetson a CSI sensor, through NVIDIA's `nvarguscamerasrc`.

One picture a frame: what sight looks at is made small from the very buffer that is the frame's fine picture, so the
two never differ in time. NVIDIA's source tells Python nothing of exposure and gain, so no frame has them. A thread of
its own starts the pipeline, reads it and ends it, because each of these may hang where the camera's daemon does;
`newest` turns that into an error. *Not run on a board*, design/bringup.md.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from sealcam.board.closing import Closing
from sealcam.board.fine import PackedPicture
from sealcam.board.gst_encoder import load_gst
from sealcam.board.jetson_pipeline import Asked, Source, argus, asked, pipeline, refused
from sealcam.board.layouts import views_of_nv12
from sealcam.board.newest import STALL_S, NewestFrame
from sealcam.board.protocols import Frame, Plane
from sealcam.board.v4l2 import boottime_ns, fit
from sealcam.clocks import Clock, SystemClock
from sealcam.sensor_settings import NO_LIMITS, SensorSettings
from sealcam.wire.errors import HardwareError

_log = logging.getLogger(__name__)

_POLL_NS = 100_000_000  # how soon the reader notices `close`, and that the pipeline has failed
START_S = 3.0  # NVIDIA's daemon takes more than a second to the first picture
_PLUGIN_HINT = "`gst-inspect-1.0 nvarguscamerasrc` must know it: it comes with nvidia-l4t-gstreamer, on a Jetson alone"
_CABLE_HINT = (
    "another program may hold it; `systemctl restart nvargus-daemon`; then the cable, and whether jetson-io knows it"
)


class GstCamera(Closing):
    """Frames of at most 640 x 360 with the whole picture behind, the newest when the caller is slow.

    Raises:
        HardwareError: GStreamer or one of its plugins is missing.
    """

    def __init__(
        self,
        camera: Asked,
        *,
        source: Source = argus,
        clock: Clock | None = None,
        load: Callable[[], Any] = load_gst,
        stall_s: float = STALL_S,
        start_s: float = START_S,
    ) -> None:
        self._camera, self._start_s, self._stall_s = camera, start_s, stall_s
        self._clock = clock or SystemClock()
        self._gst = load()
        try:
            self._running = self._gst.Gst.parse_launch(pipeline(source, camera))
        except self._gst.GLib.Error as error:
            raise HardwareError(f"{self.name} can't be opened: {error.message}", _PLUGIN_HINT) from error
        self._pictures = self._running.get_by_name("pictures")
        self._newest = NewestFrame(stall_s)
        self._begun = threading.Event()
        self._scaler = VideoReformatter()
        self._last_ns = -1
        self._reader = threading.Thread(target=self._read, name="gst-camera", daemon=True)
        self._reader.start()

    @property
    def name(self) -> str:
        """`Jetson camera 0`."""
        return f"Jetson camera {self._camera.sensor}"

    def frames(self) -> Iterator[Frame]:
        """The newest frames; `index` counts those that were read.

        Raises:
            HardwareError: the camera is missing, busy or lost, or gave no frame for 2 s (the first one: for 5).
        """
        self._begun.wait(self._start_s)
        yield from self._newest.frames()

    def close(self) -> None:
        """End `frames` and the pipeline, waiting `stall_s` at most: a lost camera's end may never come."""
        self._newest.close()
        self._begun.set()
        self._reader.join(self._stall_s)

    def _read(self) -> None:
        """The reader's thread: start, read, put, until nobody looks or the pipeline fails; then end it."""
        gst = self._gst.Gst
        try:
            if self._running.set_state(gst.State.PLAYING) == gst.StateChangeReturn.FAILURE:
                raise self._failed("it doesn't start")
            index = 0
            while not self._newest.closed:
                sample = self._pictures.emit("try-pull-sample", _POLL_NS)
                if sample is not None:
                    self._newest.put(self._frame(sample, index))
                    self._begun.set()
                    index += 1
                elif self._told() is not None or self._pictures.is_eos():
                    raise self._failed("it ended")
        except HardwareError as error:
            self._newest.fail(error)
            self._begun.set()
        finally:
            self._running.set_state(gst.State.NULL)

    def _told(self) -> Any:
        """The error that the pipeline told first, or none; it stays there for `_failed`."""
        message = self._running.get_bus().peek()
        while message is not None and message.type != self._gst.Gst.MessageType.ERROR:
            self._running.get_bus().pop()
            message = self._running.get_bus().peek()
        return message

    def _failed(self, why: str) -> HardwareError:
        message = self._told()
        why = why if message is None else message.parse_error()[0].message
        return HardwareError(f"{self.name}: {why}", _CABLE_HINT)

    def _frame(self, sample: Any, index: int) -> Frame:
        buffer, width_px, height_px = sample.get_buffer(), self._camera.width_px, self._camera.height_px
        whole = np.frombuffer(buffer.extract_dup(0, buffer.get_size()), np.uint8)
        stride = (width_px + 3) // 4 * 4  # GStreamer's lines are multiples of four bytes
        fine = PackedPicture(*views_of_nv12(whole, width_px, height_px, stride))
        y, u, v = self._small(whole, stride)
        return Frame(self._time_of(sample, buffer.pts), index, y, u, v, fine)

    def _small(self, whole: Plane, stride: int) -> tuple[Plane, Plane, Plane]:
        """The picture as sight takes it. One thread: this shares its cores with inference."""
        height_px = self._camera.height_px
        lines = whole[: stride * height_px * 3 // 2].reshape(-1, stride)[:, : self._camera.width_px]
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(lines), format="nv12")
        width, height = fit(self._camera.width_px, height_px)
        ours = self._scaler.reformat(picture, width=width, height=height, format="yuv420p", threads=1)
        y, u, v = (
            np.frombuffer(memoryview(plane), np.uint8)
            .reshape(-1, plane.line_size)[: plane.height, : plane.width]
            .copy()
            for plane in ours.planes
        )
        return y, u, v

    def _time_of(self, sample: Any, pts: int) -> int:
        """CLOCK_BOOTTIME ns: the buffer's time is the pipeline's, whose clock is CLOCK_MONOTONIC."""
        monotonic_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        t_ns = boot_ns = self._clock.boot_ns()
        if pts != self._gst.Gst.CLOCK_TIME_NONE:
            since_ns = sample.get_segment().to_running_time(self._gst.Gst.Format.TIME, pts)
            stamp_ns = self._running.get_base_time() + since_ns
            t_ns = boottime_ns(stamp_ns, monotonic_ns, self._clock.wall_ns(), boot_ns)
        self._last_ns = t_ns = max(t_ns, self._last_ns + 1)  # time never stands still or goes back
        return t_ns


def open_jetson(sensor: int, fps: int, limits: SensorSettings = NO_LIMITS, clock: Clock | None = None) -> GstCamera:
    """A Jetson's camera by its number, within the owner's limits.

    Raises:
        HardwareError: as `GstCamera`.
    """
    for name in refused(limits):
        _log.warning("this camera takes no %s: it stays as it is", name)
    return GstCamera(asked(sensor, fps, limits), clock=clock)
