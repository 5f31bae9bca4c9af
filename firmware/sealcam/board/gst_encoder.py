"""H.264 by GStreamer: on a Jetson its NVENC. Our own frames go in, with their masks painted.

Written against NVIDIA's `nvv4l2h264enc`, which takes a forced keyframe as a signal of its own, not as GStreamer's
event, and against any other encoder of GStreamer's, which takes the event. `gi` comes from the system's packages, as
GStreamer does, so it is imported when an encoder is made and not before. NVENC itself: *not run on a board*,
design/bringup.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from sealcam.board.encoding import Keyframes, MainStream, Times
from sealcam.board.protocols import AccessUnit, Frame
from sealcam.h264 import WholePictures
from sealcam.wire.errors import HardwareError

_HINT = "`gst-inspect-1.0 nvv4l2h264enc` must know it; an Orin Nano has no such encoder: set encoder to software"
_PACKAGES_HINT = (
    "apt-get install python3-gi gir1.2-gst-plugins-base-1.0, and make the environment with --system-site-packages"
)
# GStreamer's lines are multiples of four bytes, those of chroma too: pictures of this grain have no padding.
_GRAIN_PX = 8
# So many pictures may be inside before one is waited for, and so long.
_MOST_INSIDE, STALL_S = 8, 2.0
_POLLS = 40  # how often within that it is asked whether the pipeline has failed
# Of what the rate allows, what is asked for on average; NVENC's own peak is 1.2 times that unless it is said.
_AIM = 0.8
_LEAST_QP = 20

# The pipeline's middle, from raw planes to H.264: of the pictures a second, the bytes a second.
Middle = Callable[[float, int], str]


def nvenc_there(root: Path = Path("/")) -> bool:
    """Whether this board says that it has NVENC: by the device nodes of JetPack 5 and 6."""
    return any((root / "dev" / name).exists() for name in ("v4l2-nvenc", "nvhost-msenc"))


def nvenc(fps: float, bytes_per_s: int) -> str:
    """A Jetson's encoder: variable rate under a peak, a keyframe a second, no B-frames (its default)."""
    interval = max(1, int(fps))
    peak = 8 * bytes_per_s
    return (
        "nvvidconv ! video/x-raw(memory:NVMM),format=NV12 ! nvv4l2h264enc name=encoder"
        f" control-rate=0 bitrate={round(_AIM * peak)} peak-bitrate={peak} vbv-size={peak}"
        f" iframeinterval={interval} idrinterval={interval} insert-sps-pps=true"
        f" qp-range={_LEAST_QP},51:{_LEAST_QP},51:{_LEAST_QP},51"
    )


def pipeline(middle: Middle, width_px: int, height_px: int, fps: float, bytes_per_s: int) -> str:
    """The whole pipeline's text: planes in, one H.264 picture a buffer out, nothing dropped and nothing waited for."""
    raw = f"video/x-raw,format=I420,width={width_px},height={height_px},framerate={max(1, round(fps))}/1"
    return (
        f'appsrc name=frames format=time is-live=true do-timestamp=false caps="{raw}" ! {middle(fps, bytes_per_s)}'
        " ! video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=pictures sync=false"
    )


def load_gst() -> Any:
    """The libraries of GStreamer and GLib that are used here, each under its name.

    Raises:
        HardwareError: they aren't installed, or this environment doesn't see them.
    """
    try:
        import gi

        gi.require_version("Gst", "1.0")
        gi.require_version("GstApp", "1.0")
        gi.require_version("GstVideo", "1.0")
        from gi.repository import GLib, GObject, Gst, GstApp, GstVideo
    except (ImportError, ValueError) as error:
        raise HardwareError(f"GStreamer can't be loaded ({error})", _PACKAGES_HINT) from error
    Gst.init(None)
    return SimpleNamespace(Gst=Gst, GstApp=GstApp, GstVideo=GstVideo, GObject=GObject, GLib=GLib)


class GstEncoder:
    """What `Encoder` promises, by the encoder that is named `encoder` in the pipeline of `middle`.

    Raises:
        HardwareError: GStreamer can't be loaded.
    """

    def __init__(
        self,
        *,
        fps: float,
        bytes_per_s: int,
        middle: Middle = nvenc,
        load: Callable[[], Any] = load_gst,
        stall_s: float = STALL_S,
    ) -> None:
        self._gst = load()
        self._stall_ns = round(stall_s * 1e9)
        self._fps, self._bytes_per_s, self._middle = fps, bytes_per_s, middle
        self._stream = MainStream(_GRAIN_PX)
        self._running: Any = None
        self._size = (0, 0)
        self._first_ns = 0
        self._keyframes, self._times, self._whole = Keyframes(), Times(), WholePictures()

    def encode(self, frame: Frame) -> Sequence[AccessUnit]:
        """The picture of this frame, or of those before it; as `Encoder.encode`."""
        try:
            picture = self._stream.picture(frame)
        except ValueError as error:
            raise HardwareError(f"GStreamer's encoder failed: {error}", _HINT) from error
        before: Sequence[AccessUnit] = ()
        if self._running is None or (picture.width, picture.height) != self._size:
            before = self.finish()
            self._open(picture.width, picture.height, frame.t_ns)
        if self._keyframes.take(frame.t_ns) and frame.t_ns > self._first_ns:  # the first is one by itself
            self._force(frame.t_ns - self._first_ns)
        self._times.put(frame.t_ns)
        self._push(picture, frame.t_ns - self._first_ns)
        found = [*before, *self._ready(0)]
        while self._times.held > _MOST_INSIDE:
            found += self._awaited()
        return found

    def force_keyframe(self) -> None:
        """Make the next picture a keyframe."""
        self._keyframes.force()

    def finish(self) -> Sequence[AccessUnit]:
        """What is left, and the encoder is closed."""
        if self._running is None:
            return []
        try:
            self._frames.emit("end-of-stream")
            found: list[AccessUnit] = []
            while not self._pictures.is_eos():
                found += self._awaited()
            return found
        finally:
            self.close()

    def close(self) -> None:
        """Let go of it; may be called twice."""
        running, self._running = self._running, None
        if running is not None:
            running.set_state(self._gst.Gst.State.NULL)

    def _open(self, width_px: int, height_px: int, first_ns: int) -> None:
        gst = self._gst.Gst
        text = pipeline(self._middle, width_px, height_px, self._fps, self._bytes_per_s)
        try:
            self._running = gst.parse_launch(text)
        except self._gst.GLib.Error as error:
            raise HardwareError(f"GStreamer's encoder can't be made: {error}", _HINT) from error
        self._frames, self._pictures, self._encoder = map(self._running.get_by_name, ("frames", "pictures", "encoder"))
        self._size, self._first_ns = (width_px, height_px), first_ns
        self._keyframes, self._times, self._whole = Keyframes(), Times(), WholePictures()
        if self._running.set_state(gst.State.PLAYING) == gst.StateChangeReturn.FAILURE:
            raise self._failed("it doesn't start")

    def _force(self, pts_ns: int) -> None:
        """Ask for a keyframe in the encoder's own way, or in GStreamer's."""
        if self._gst.GObject.signal_lookup("force-IDR", self._encoder):
            self._encoder.emit("force-IDR")
            return
        make = self._gst.GstVideo.video_event_new_downstream_force_key_unit
        self._frames.send_event(make(pts_ns, pts_ns, pts_ns, True, 0))

    def _push(self, picture: Any, pts_ns: int) -> None:
        gst = self._gst.Gst
        planes = [np.frombuffer(one, np.uint8).reshape(-1, one.line_size)[:, : one.width] for one in picture.planes]
        packed = np.concatenate([plane.reshape(-1) for plane in planes])
        buffer = gst.Buffer.new_allocate(None, packed.size, None)
        buffer.fill(0, packed.tobytes())
        buffer.pts, buffer.duration = pts_ns, round(1e9 / self._fps)
        if self._frames.emit("push-buffer", buffer) != gst.FlowReturn.OK:
            raise self._failed("it takes no frames")

    def _ready(self, wait_ns: int) -> list[AccessUnit]:
        """The pictures that are out, waiting so long for the first."""
        found: list[AccessUnit] = []
        while (sample := self._pictures.emit("try-pull-sample", 0 if found else wait_ns)) is not None:
            buffer = sample.get_buffer()
            whole = self._whole.take(buffer.extract_dup(0, buffer.get_size()))
            if whole is not None:
                # Some encoders move a stream's beginning; its segment says by how much.
                since_ns = sample.get_segment().to_running_time(self._gst.Gst.Format.TIME, buffer.pts)
                t_ns = self._times.exact(self._first_ns + since_ns)
                found.append(AccessUnit(t_ns, whole.key, whole.data, *self._size))
        self._check()
        return found

    def _awaited(self) -> list[AccessUnit]:
        """The pictures that come out next; none where the stream ends."""
        for _ in range(_POLLS):
            found = self._ready(self._stall_ns // _POLLS)
            if found or self._pictures.is_eos():
                return found
        raise self._failed(f"no picture for {self._stall_ns / 1e9:g} s")

    def _check(self) -> None:
        """Raise what the pipeline says of itself."""
        message = self._running.get_bus().pop_filtered(self._gst.Gst.MessageType.ERROR)
        if message is not None:
            raise self._failed(message.parse_error()[0].message)

    def _failed(self, why: str) -> HardwareError:
        self.close()
        return HardwareError(f"GStreamer's encoder failed: {why}", _HINT)
