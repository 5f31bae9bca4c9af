"""A recorded file as a camera: every frame with the file's timestamps, or paced like real time with drops counted.

Everything that is PyAV's stays in this file and `fine`. Pictures are scaled to fit 640 by 360, straight to planar
YUV. What the timestamps of a damaged file mean is `Timeline`'s: time never goes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO

import av
import av.error
import numpy as np
from av.video.reformatter import VideoReformatter

from sealcam.board.closing import Closing
from sealcam.board.fine import DecodedPicture
from sealcam.board.protocols import Frame, Plane
from sealcam.clocks import Clock, SystemClock
from sealcam.wire.errors import ClipError

FIT_WIDTH_PX, FIT_HEIGHT_PX = 640, 360
# Without any rate in the file, its frames are taken to be so far apart.
USUAL_INTERVAL_NS = 40_000_000
# A file that ends this much before the length it claims was cut.
CUT_S, CUT_SHARE = 1.0, 0.05
# Formats that are lists of other files or addresses: a clip is one file.
_LISTS = frozenset({"hls", "concat", "dash", "webm_dash_manifest"})


class Timeline:
    """A file's timestamps as a time that starts at 0 and never goes back.

    A jump forward is kept, it is the recording's gap. A jump back, a third frame with one time, and a frame without a
    time go on by one usual interval.
    """

    def __init__(self, interval_ns: int) -> None:
        self._interval_ns = interval_ns
        self._offset_ns: int | None = None
        self._last_ns = 0
        self._repeats = 0

    def at(self, file_ns: int | None) -> int:
        """The time in ns of the next frame, whose timestamp in the file is `file_ns`."""
        if self._offset_ns is None:
            self._offset_ns = -(file_ns or 0)
            return 0
        time_ns = None if file_ns is None else file_ns + self._offset_ns
        self._repeats = self._repeats + 1 if time_ns == self._last_ns else 0
        if time_ns is None or time_ns < self._last_ns or self._repeats > 1:
            rebased_ns = self._last_ns + self._interval_ns
            if time_ns is not None:
                self._offset_ns += rebased_ns - time_ns
            time_ns, self._repeats = rebased_ns, 0
        self._last_ns = time_ns
        return time_ns


def fitted(width_px: int, height_px: int, aspect: float = 1.0) -> tuple[int, int]:
    """The even size that fits 640 by 360 in the same shape, never larger. `aspect`: a pixel's width to its height."""
    shown_width = width_px * aspect
    scale = min(FIT_WIDTH_PX / shown_width, FIT_HEIGHT_PX / height_px, 1.0)
    return max(2, round(shown_width * scale / 2) * 2), max(2, round(height_px * scale / 2) * 2)


class ReplayCamera(Closing):
    """Frames of a recorded file. `dropped` counts frames that a paced run had no time for.

    Unpaced, `t_ns` is the file's time from its first frame on. Paced, it is that time on `clock`, frames come when they
    are due, and one whose successor is due already is dropped, as a live camera would; with `repeat` the file begins
    again when it ends. Instead of a file's path it takes one that is open, of which it needs no more than `read`.
    """

    def __init__(
        self, path: Path | BinaryIO, *, paced: bool = False, repeat: bool = False, clock: Clock | None = None
    ) -> None:
        self._path = path
        self._paced = paced
        self._repeat = repeat
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._closed = Event()
        self.dropped = 0

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return f"recording {self._path.name}" if isinstance(self._path, Path) else "a recording"

    def close(self) -> None:
        """End `frames`, from any thread; may be called twice."""
        self._closed.set()

    def frames(self) -> Iterator[Frame]:
        """The file's frames in order.

        Raises:
            ClipError: the file can't be opened as a video, or (after the frames that could be read) it is damaged.
        """
        frames = self._passes()
        return self._pace(frames) if self._paced else frames

    def _passes(self) -> Iterator[Frame]:
        """The frames of one pass through the file, or of one after the other."""
        start_ns, index = 0, 0
        while True:
            last: Frame | None = None
            for frame in _Reader(self._path).frames(start_ns, index):
                if self._closed.is_set():
                    return
                last = frame
                yield frame
            if not self._repeat or last is None:
                return
            start_ns, index = last.t_ns + USUAL_INTERVAL_NS, last.index + 1

    def _pace(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """Frames when they are due on the clock; one frame is read ahead to know whether it is too late already."""
        started_ns = self._clock.boot_ns()
        waiting = next(frames, None)
        while waiting is not None:
            following = next(frames, None)
            now_ns = self._clock.boot_ns() - started_ns
            if following is not None and following.t_ns <= now_ns:
                self.dropped += 1
            else:
                if waiting.t_ns > now_ns and self._clock.wait(self._closed, (waiting.t_ns - now_ns) / 1e9):
                    return
                yield replace(waiting, t_ns=waiting.t_ns + started_ns)
            if self._closed.is_set():
                return
            waiting = following


class _Reader:
    """One pass through a file."""

    def __init__(self, path: Path | BinaryIO) -> None:
        self._path = path if isinstance(path, Path) else "the recording"
        self._open_file = None if isinstance(path, Path) else path
        self._scale = VideoReformatter()
        self._damaged = 0

    def frames(self, start_ns: int, index: int) -> Iterator[Frame]:
        """The frames, from `start_ns` and `index` on; then, where something was wrong with the file, a ClipError."""
        with self._open() as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            rate = stream.average_rate or stream.guessed_rate
            timeline = Timeline(round(1e9 / rate) if rate else USUAL_INTERVAL_NS)
            count, t_ns = 0, 0
            for picture in self._decoded(container, stream):
                t_ns = timeline.at(None if picture.pts is None else round(picture.pts * picture.time_base * 10**9))
                yield self._frame(picture, stream, start_ns + t_ns, index + count)
                count += 1
            self._complain(container, stream, count, t_ns)

    def _open(self) -> Any:
        # The prefix and the list keep a file's name from being taken as an address, and a file from naming another.
        options = {"protocol_whitelist": "file"}
        try:
            container = av.open(self._open_file or f"file:{self._path}", options=options)
        except av.error.FileNotFoundError as error:
            raise ClipError(f"no such file: {self._path}", "check the name") from error
        except av.error.IsADirectoryError as error:
            raise ClipError(f"{self._path} is a folder", "name the recorded files in it") from error
        except av.error.FFmpegError as error:
            if isinstance(self._path, Path) and self._path.is_file() and self._path.stat().st_size == 0:
                raise ClipError(f"{self._path} is empty (0 bytes)", "copy or record it again") from error
            why = (error.strerror or "no video format fits").lower()
            raise ClipError(
                f"{self._path} can't be read as a video: {why}", "try to play it, or copy it again"
            ) from error
        if not container.streams.video or container.format.name in _LISTS:
            container.close()
            raise ClipError(f"{self._path} has no pictures in it", "name a video file")
        return container

    def _decoded(self, container: Any, stream: Any) -> Iterator[Any]:
        """Pictures; a packet that can't be decoded is counted and passed over, an unreadable rest ends it."""
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                self._damaged += 1
                return
            if packet is None:
                return
            self._damaged += packet.is_corrupt
            try:
                yield from packet.decode()
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self._damaged += 1

    def _complain(self, container: Any, stream: Any, count: int, t_ns: int) -> None:
        if count == 0:
            raise ClipError(f"no picture of {self._path} could be read", "try to play it, or copy it again")
        claimed_s = _claimed_s(container, stream)
        # Some writers claim a length, others the time at which it ends: the kinder reading counts.
        offset_s = (container.start_time or 0) / av.time_base
        held_s = t_ns / 1e9 + (offset_s if 0 < offset_s < claimed_s else 0.0)
        if claimed_s - held_s > max(CUT_S, CUT_SHARE * claimed_s):
            words = f"{self._path} is cut short: it holds {t_ns / 1e9:.1f} of {claimed_s:.1f} s"
            raise ClipError(words, "copy it again; what it holds was looked at")
        if self._damaged:
            words = f"{self._path} is damaged: {self._damaged} of its pieces can't be decoded"
            raise ClipError(words, "copy it again; what could be read was looked at")

    def _frame(self, picture: Any, stream: Any, t_ns: int, index: int) -> Frame:
        aspect = stream.sample_aspect_ratio
        pixel = float(aspect) if aspect else 1.0
        if round(picture.rotation / 90) % 2:  # lies on its side until it is turned
            height, width = fitted(picture.height, picture.width, 1 / pixel)
        else:
            width, height = fitted(picture.width, picture.height, pixel)
        scaled = self._scale.reformat(picture, width, height, "yuv420p", interpolation="BILINEAR")
        y, u, v = (_upright(_plane(plane), picture.rotation) for plane in scaled.planes)
        # Pixels that aren't square, and pictures that are small already, have nothing finer to offer.
        finer = pixel == 1 and picture.width * picture.height > width * height
        return Frame(t_ns, index, y, u, v, DecodedPicture(picture) if finer else None)


def _claimed_s(container: Any, stream: Any) -> float:
    """The length the file claims for its pictures, in seconds; 0 where it claims none that can be relied on."""
    claims = [0.0]
    if stream.duration is not None:
        claims.append(float(stream.duration * stream.time_base))
    elif container.duration is not None and len(container.streams) == 1:
        claims.append(float(container.duration / av.time_base))
    if stream.frames and stream.average_rate:
        claims.append(float(stream.frames / stream.average_rate))
    return max(claims)


def _plane(plane: Any) -> Plane:
    """A plane without the padding at the end of its lines, owned by us."""
    lines = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return np.ascontiguousarray(lines[: plane.height, : plane.width]).copy()


def _upright(plane: Plane, rotation: int) -> Plane:
    """Turn a plane as the file says that it must be shown (degrees counter-clockwise, a phone held upright)."""
    turns = round(rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(plane, turns)) if turns else plane
