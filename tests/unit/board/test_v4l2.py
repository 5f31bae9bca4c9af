"""The webcam: its errors on real paths, its frames through the same library from a generated picture."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.board import v4l2
from sealcam.board.newest import NewestFrame
from sealcam.board.protocols import Camera, Frame
from sealcam.board.v4l2 import V4l2Camera, boottime_ns, fit
from sealcam.clocks import SimulatedClock
from sealcam.wire.errors import HardwareError

S = 1_000_000_000


def generated(source: str, stall_s: float = 10.0) -> V4l2Camera:
    return V4l2Camera(source, container_format="lavfi", stall_s=stall_s)


def first(camera: V4l2Camera) -> Frame:
    with camera:
        return next(iter(camera.frames()))


def until_lost(camera: V4l2Camera) -> tuple[list[Frame], HardwareError]:
    seen: list[Frame] = []
    with camera:
        try:
            seen.extend(camera.frames())
        except HardwareError as error:
            return seen, error
    raise AssertionError("the camera ended without an error")


def test_a_missing_device_is_one_clear_error() -> None:
    with pytest.raises(HardwareError, match="No such file") as caught:
        V4l2Camera("/dev/video-that-is-not-there")
    assert caught.value.hint is not None
    assert "ls /dev/video" in caught.value.hint


def test_a_file_that_is_not_a_device_is_one_clear_error(tmp_path: Path) -> None:
    file = tmp_path / "video0"
    file.write_bytes(b"")
    with pytest.raises(HardwareError, match="is not a camera device"):
        V4l2Camera(str(file))


def test_a_device_that_is_not_a_camera_is_one_clear_error() -> None:
    with V4l2Camera("/dev/null") as camera, pytest.raises(HardwareError, match="Inappropriate ioctl") as caught:
        next(iter(camera.frames()))
    assert caught.value.hint == "this is not a V4L2 camera"
    assert isinstance(caught.value.__cause__, av.FFmpegError)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every device")
def test_a_device_that_is_not_permitted_names_the_group() -> None:
    with pytest.raises(HardwareError) as caught:
        V4l2Camera("/dev/mem")
    assert caught.value.hint is not None
    assert "group video" in caught.value.hint


def test_a_picture_is_scaled_to_fit_and_owned_by_its_frame() -> None:
    frame = first(generated("testsrc2=size=1280x720:rate=10:duration=0.5"))
    assert (frame.width, frame.height) == (640, 360)
    assert frame.u.shape == frame.v.shape == (180, 320)
    for plane in (frame.y, frame.u, frame.v):
        assert plane.dtype == np.uint8
        assert plane.flags.c_contiguous
        assert plane.flags.owndata
    assert frame.y.std() > 10


def test_a_picture_of_another_shape_keeps_its_shape() -> None:
    frame = first(generated("testsrc2=size=640x480:rate=10:duration=0.5"))
    assert (frame.width, frame.height) == (480, 360)


def test_a_camera_that_changes_its_size_while_it_runs_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = tmp_path / "webcam.mjpeg"  # as a webcam sends it: one JPEG after the other
    pictures = [np.full((*size, 3), 128, np.uint8) for size in [(480, 640)] * 4 + [(720, 1280)] * 4]
    stream.write_bytes(b"".join(cv2.imencode(".jpg", one)[1].tobytes() for one in pictures))
    given: list[Frame] = []

    class Every(NewestFrame):
        def put(self, frame: Frame) -> None:
            given.append(frame)
            super().put(frame)

    monkeypatch.setattr(v4l2, "NewestFrame", Every)
    _, error = until_lost(V4l2Camera(str(stream), fps=25, container_format="mjpeg"))
    assert error.message == "the camera ended"
    assert [(one.width, one.height) for one in given] == [(480, 360)] * 4 + [(640, 360)] * 4


def test_full_range_luma_stays_what_the_camera_gave() -> None:
    frame = first(generated("color=white:size=320x240:rate=10:duration=0.2,format=yuvj420p"))
    assert int(frame.y.min()) == 255


def test_the_lines_of_a_packed_picture_arrive_in_their_places() -> None:
    frame = first(
        generated("gradients=size=322x182:c0=black:c1=white:x0=0:y0=0:x1=0:y1=181:duration=0.2,format=yuyv422")
    )
    assert (frame.width, frame.height) == (322, 182)
    rows = frame.y.mean(axis=1)
    assert rows[-1] - rows[0] > 150
    assert frame.y.std(axis=1).max() < 3


def test_a_camera_that_ends_is_lost_after_its_last_frame() -> None:
    seen, error = until_lost(generated("testsrc=size=64x48:rate=10:duration=0.3"))
    assert error.message == "the camera ended"
    assert seen[-1].index == 2  # the newest is never lost
    assert [frame.index for frame in seen] == sorted({frame.index for frame in seen})


def test_a_camera_that_gives_three_times_what_was_asked_for_is_thinned_out() -> None:
    seen, _ = until_lost(generated("testsrc=size=64x48:rate=30:duration=1"))
    assert seen[-1].index == 9


class Failing:
    """What FFmpeg hands out for a driver that gives some pictures, and then an error."""

    def __init__(self, pictures: int, error: int) -> None:
        self._pictures, self._error = pictures, error

    def __enter__(self) -> Failing:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def decode(self, video: int) -> Iterator[av.VideoFrame]:
        for _ in range(self._pictures):
            yield av.VideoFrame(64, 48, "yuv420p")
        raise av.error.ArgumentError(self._error, os.strerror(self._error), "/dev/video0")


@pytest.mark.parametrize(("pictures", "hint"), [(0, "this size and rate"), (1, "unplugged"), (3, "unplugged")])
def test_a_read_that_is_refused_after_pictures_came_is_an_unplugged_camera(
    monkeypatch: pytest.MonkeyPatch, pictures: int, hint: str
) -> None:
    monkeypatch.setattr(v4l2.av, "open", lambda *_args, **_named: Failing(pictures, errno.EINVAL))
    seen, error = until_lost(V4l2Camera("made", container_format="lavfi", stall_s=60))
    assert bool(seen) == bool(pictures)
    assert hint in str(error.hint)


def test_times_grow_and_are_near_now_where_the_source_has_no_clock() -> None:
    clock = SimulatedClock(boot_ns=5 * S, wall_ns=10**18)
    source = "testsrc=size=64x48:rate=10:duration=1"
    seen, _ = until_lost(V4l2Camera(source, container_format="lavfi", clock=clock))
    times = [frame.t_ns for frame in seen]
    assert all(5 * S <= t_ns < 5 * S + 10 for t_ns in times)
    assert times == sorted(set(times))


def test_a_device_that_never_opens_is_a_stall_and_does_not_hang(tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    os.mkfifo(silent)
    camera = V4l2Camera(str(silent), container_format="yuv4mpegpipe", stall_s=0.05)
    with camera, pytest.raises(HardwareError, match=r"no frame for 0\.05 s"):
        next(iter(camera.frames()))
    with silent.open("wb"):  # lets the reader's thread go
        pass


def test_a_camera_that_falls_silent_is_a_stall(tmp_path: Path) -> None:
    pipe = tmp_path / "camera"
    os.mkfifo(pipe)
    done = threading.Event()

    def write() -> None:
        with pipe.open("wb") as out:
            out.write(b"YUV4MPEG2 W16 H16 F10:1 C420\n")
            out.write(30 * (b"FRAME\n" + bytes(16 * 16 * 3 // 2)))
            out.flush()
            done.wait(10)

    writer = threading.Thread(target=write)
    writer.start()
    seen, error = until_lost(V4l2Camera(str(pipe), container_format="yuv4mpegpipe", stall_s=0.3))
    done.set()
    writer.join()
    assert error.message == "the camera gave no frame for 0.3 s"
    assert all(frame.y.shape == (16, 16) for frame in seen)


def test_close_from_another_thread_ends_a_blocked_look() -> None:
    newest = NewestFrame(stall_s=60)
    ended = threading.Event()

    def look() -> None:
        assert list(newest.frames()) == []
        ended.set()

    thread = threading.Thread(target=look)
    thread.start()
    newest.close()
    newest.close()
    thread.join(10)
    assert ended.is_set()


def test_a_closed_camera_has_let_go_of_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2, "_LET_GO_S", 600.0)  # however busy this machine is
    camera = generated("testsrc=size=64x48:rate=10")
    assert next(camera.frames()).index >= 0
    camera.close()
    assert camera._reader is not None
    assert not camera._reader.is_alive()


def test_the_newest_frame_wins_and_is_handed_out_before_the_error() -> None:
    newest = NewestFrame(stall_s=60)
    plane = np.zeros((2, 2), np.uint8)
    for index in range(3):
        newest.put(Frame(index, index, plane, plane, plane))
    newest.fail(HardwareError("gone"))
    newest.fail(HardwareError("the second one"))
    frames = newest.frames()
    assert next(frames).index == 2
    with pytest.raises(HardwareError, match="gone"):
        next(frames)


def test_it_is_a_camera_and_its_name_tells_no_path() -> None:
    camera: Camera = V4l2Camera("/home/somebody/secret.y4m", container_format="yuv4mpegpipe")
    assert camera.name == "webcam"
    camera.close()


def test_monotonic_stamps_move_to_boottime_through_a_suspend() -> None:
    # 100 s monotonic, 3,700 s since boot: it slept for an hour. The frame was taken 40 ms ago.
    assert boottime_ns(100 * S - 40_000_000, 100 * S, 10**18, 3700 * S) == 3700 * S - 40_000_000


def test_wall_clock_stamps_move_to_boottime() -> None:
    assert boottime_ns(10**18 - 40_000_000, 100 * S, 10**18, 3700 * S) == 3700 * S - 40_000_000


@given(st.integers(0, 10**19), st.integers(0, 10**15), st.integers(10**17, 10**19), st.integers(0, 10**15))
def test_no_frame_is_from_the_future_and_none_is_old(stamp: int, monotonic: int, wall: int, boot: int) -> None:
    assert boot - 10 * S < boottime_ns(stamp, monotonic, wall, boot) <= boot


@given(st.integers(2, 8000), st.integers(2, 8000))
def test_a_fitted_size_is_even_fits_and_keeps_the_shape(width: int, height: int) -> None:
    fitted_width, fitted_height = fit(width, height)
    assert fitted_width % 2 == fitted_height % 2 == 0
    assert 2 <= fitted_width <= 640
    assert 2 <= fitted_height <= 360
    if min(fitted_width, fitted_height) > 100:
        assert abs(Fraction(fitted_width, fitted_height) / Fraction(width, height) - 1) < 0.04


def test_a_picture_larger_than_sight_takes_is_at_hand_in_full() -> None:
    frame = first(generated("testsrc=size=1280x720:rate=10"))
    assert frame.y.shape == (360, 640)
    assert frame.fine is not None
    y, u, _ = frame.fine.crop(0, 0, frame.fine.width, frame.fine.height)
    assert (y.shape, u.shape) == ((720, 1280), (360, 640))
    assert first(generated("testsrc=size=640x360:rate=10")).fine is None
