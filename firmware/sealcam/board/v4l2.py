"""A webcam, or any camera with a V4L2 device node, read through PyAV (FFmpeg's video4linux2 input).

The driver is read in a daemon thread of its own, because a blocked read can't be interrupted; `newest` turns a
stall into an error. Pictures leave scaled to fit the low-resolution stream, with the driver's timestamps moved to
CLOCK_BOOTTIME. Opening a device again is left to the service, and choosing one to the configuration.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from sealcam.board.closing import Closing
from sealcam.board.fine import DecodedPicture
from sealcam.board.newest import STALL_S, NewestFrame
from sealcam.board.protocols import Frame, Plane
from sealcam.board.thinning import Thinning
from sealcam.board.v4l2_offers import choose, offers
from sealcam.clocks import Clock, SystemClock
from sealcam.wire.errors import HardwareError

LORES_PX = (640, 360)
_NEAR_NS = 10_000_000_000  # a timestamp this close to a clock's "now" is that clock's
_LET_GO_S = 1.0  # a read that lasts longer hangs in the kernel, and is left there
_PERMISSION_HINT = "let the user of this process open it: group video, or DeviceAllow= in the unit"
_HINTS = {
    errno.ENOENT: "plug it in, or name another one in the configuration: `ls /dev/video*` shows what there is",
    errno.ENODEV: "it was unplugged, or its driver is gone: plug it in again",
    errno.ENXIO: "its driver found no hardware: plug it in again",
    errno.EIO: "a cable or a hub on the USB line may be bad: try another port",
    errno.EBUSY: "another program uses it: `fuser -v /dev/video*` shows which",
    errno.EACCES: _PERMISSION_HINT,
    errno.EPERM: _PERMISSION_HINT,
    errno.EINVAL: "it doesn't offer this size and rate: `v4l2-ctl --list-formats-ext` shows what it offers",
    errno.ENOTTY: "this is not a V4L2 camera",
}


def boottime_ns(stamp_ns: int, monotonic_ns: int, wall_ns: int, boot_ns: int) -> int:
    """A driver's timestamp moved to CLOCK_BOOTTIME, given the three clocks' "now".

    Drivers stamp with CLOCK_MONOTONIC (the rule since Linux 3.9), some old ones with the wall clock; FFmpeg hands
    on what it got. A stamp near neither is no time at all: then the frame was taken now.
    """
    for now_ns in (monotonic_ns, wall_ns):
        if abs(now_ns - stamp_ns) < _NEAR_NS:
            return min(boot_ns, boot_ns - (now_ns - stamp_ns))
    return boot_ns


def fit(width: int, height: int, within: tuple[int, int] = LORES_PX) -> tuple[int, int]:
    """The largest even size of the same shape that fits `within`, and never larger than the picture itself."""
    scale = min(1.0, within[0] / width, within[1] / height)
    return max(2, round(width * scale) // 2 * 2), max(2, round(height * scale) // 2 * 2)


class V4l2Camera(Closing):
    """Frames from a V4L2 device, at most 640 x 360 with the whole picture behind, newest first when the caller is slow.

    `width`, `height` and `fps` are wishes: of what the driver offers that which suits them is taken. `container_format`
    is FFmpeg's name of the input: anything but `v4l2` makes `device` that input's own address, which lets the same
    code read a generated picture.

    Raises:
        HardwareError: there is no such device, or this user may not open it.
    """

    def __init__(
        self,
        device: str,
        width: int = 1280,
        height: int = 720,
        fps: int = 10,
        *,
        clock: Clock | None = None,
        container_format: str = "v4l2",
        stall_s: float = STALL_S,
    ) -> None:
        self._device = device
        self._format = container_format
        self._wanted = (width, height, fps)
        self._thinning = Thinning(fps)
        if container_format == "v4l2":
            _check(device)
        self._clock = clock or SystemClock()
        self._newest = NewestFrame(stall_s)
        self._reader: threading.Thread | None = None
        self._scaler = VideoReformatter()
        self._last_ns = -1

    @property
    def name(self) -> str:
        """`webcam video0`."""
        node = Path(self._device).name
        return f"webcam {node}" if self._format == "v4l2" and node.startswith("video") else "webcam"

    def frames(self) -> Iterator[Frame]:
        """The newest frames, thinned out to what was asked for; `index` counts those: a step of more is a drop.

        Raises:
            HardwareError: the device is missing, busy, not permitted, unplugged, or silent for 2 s.
        """
        if self._reader is None:
            self._reader = threading.Thread(target=self._read, name="v4l2-reader", daemon=True)
            self._reader.start()
        yield from self._newest.frames()

    def close(self) -> None:
        """End `frames`, and wait a moment until the reader has let go of the device, so that it can be opened again."""
        self._newest.close()
        if self._reader is not None:
            self._reader.join(_LET_GO_S)

    def _read(self) -> None:
        """The reader's thread: open, decode, put, until nobody looks or the device is gone."""
        seen = False
        try:
            with av.open(self._device, format=self._format, options=self._options()) as container:
                index = 0
                for picture in container.decode(video=0):
                    if self._newest.closed:
                        return
                    stamp_ns = _stamp_ns(picture)
                    if not self._thinning.keeps(self._clock.boot_ns() if stamp_ns is None else stamp_ns):
                        continue
                    self._newest.put(self._frame(picture, index))
                    index, seen = index + 1, True
            self._newest.fail(HardwareError("the camera ended", hint=_HINTS[errno.ENODEV]))
        except (av.FFmpegError, OSError) as error:
            self._newest.fail(_explain(error, self.name, seen=seen))

    def _options(self) -> dict[str, str]:
        """What FFmpeg is told of a device: what suits of what that offers, or the wish where it lists nothing."""
        if self._format != "v4l2":
            return {}
        width, height, fps = self._wanted
        chosen = choose(offers(self._device, width, height, fps), width, height, fps)
        return {"video_size": f"{width}x{height}", "framerate": str(fps)} if chosen is None else chosen.options

    def _frame(self, picture: av.VideoFrame, index: int) -> Frame:
        width, height = fit(picture.width, picture.height)
        # Same range in as out: luma stays what the camera gave. One thread: this shares two cores with inference.
        ours = self._scaler.reformat(
            picture,
            width=width,
            height=height,
            format="yuv420p",
            src_color_range=picture.color_range,
            dst_color_range=picture.color_range,
            threads=1,
        )
        boot_ns = self._clock.boot_ns()
        t_ns = boot_ns
        stamp_ns = _stamp_ns(picture)
        if stamp_ns is not None:
            t_ns = boottime_ns(stamp_ns, time.clock_gettime_ns(time.CLOCK_MONOTONIC), self._clock.wall_ns(), boot_ns)
        self._last_ns = t_ns = max(t_ns, self._last_ns + 1)  # time never stands still or goes back
        y, u, v = (_copy(plane) for plane in ours.planes)
        finer = picture.width * picture.height > width * height
        return Frame(t_ns, index, y, u, v, DecodedPicture(picture) if finer else None)


def _stamp_ns(picture: av.VideoFrame) -> int | None:
    """What the driver says of when a picture was taken, by whichever clock it goes."""
    if picture.pts is None or picture.time_base is None:
        return None
    return int(picture.pts * picture.time_base * 1_000_000_000)


def _copy(plane: av.video.plane.VideoPlane) -> Plane:
    """A plane without its line padding, owned by the caller."""
    lines: Plane = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return lines[: plane.height, : plane.width].copy()


def _check(device: str) -> None:
    """Refuse at once what can't be a camera, before a thread is started for it."""
    try:
        mode = Path(device).stat().st_mode
    except OSError as error:
        raise _explain(error, device) from error
    if not stat.S_ISCHR(mode):
        raise HardwareError(f"{device} is not a camera device", hint="a V4L2 camera is /dev/video0 or alike")
    if not os.access(device, os.R_OK | os.W_OK):
        raise HardwareError(f"{device} may not be opened by this user", hint=_PERMISSION_HINT)


def _explain(error: av.FFmpegError | OSError, what: str, *, seen: bool = False) -> HardwareError:
    """The library's error in our words, with what to do. `seen`: it gave pictures before.

    A driver whose device goes away ends its stream first, and the read that comes after that is told EINVAL: once there
    were pictures, it isn't the size that is wrong.
    """
    number = errno.ENODEV if seen and error.errno == errno.EINVAL else error.errno or 0
    reason = os.strerror(number) if number > 0 else str(error)
    ours = HardwareError(f"{what}: {reason}", hint=_HINTS.get(number))
    ours.__cause__ = error
    return ours
