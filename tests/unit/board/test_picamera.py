"""The Raspberry Pi camera: its planes, and the adapter on a library that behaves like picamera2."""

from __future__ import annotations

import importlib.util
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.board.fake_picamera2 import FakePicamera2
from sealcam.board.picamera import PiCamera, open_picamera2, planes_from_yuv420
from sealcam.board.protocols import Camera
from sealcam.clocks import SimulatedClock
from sealcam.wire.errors import HardwareError

PADDING = 0xAA


def packed(y: np.ndarray, u: np.ndarray, v: np.ndarray, stride: int, behind: int = 0) -> np.ndarray:
    """A buffer as libcamera lays it out, built line by line: the other way round from the code under test."""
    out = bytearray()
    for plane, line_bytes in ((y, stride), (u, (stride + 1) // 2), (v, (stride + 1) // 2)):
        for line in plane:
            out += line.tobytes().ljust(line_bytes, bytes([PADDING]))
    return np.frombuffer(bytes(out) + bytes(behind), np.uint8)


@given(
    width=st.integers(1, 70),
    height=st.integers(1, 40),
    padding=st.integers(0, 65),
    behind=st.integers(0, 50),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_plane_loses_exactly_its_own_padding(
    width: int, height: int, padding: int, behind: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    half = ((height + 1) // 2, (width + 1) // 2)
    y = rng.integers(0, 256, (height, width), np.uint8)
    u, v = rng.integers(0, 256, half, np.uint8), rng.integers(0, 256, half, np.uint8)
    planes = planes_from_yuv420(packed(y, u, v, width + padding, behind), width, height, width + padding)
    for plane, wanted in zip(planes, (y, u, v), strict=True):
        np.testing.assert_array_equal(plane, wanted)
        assert plane.flags.c_contiguous
        assert plane.flags.owndata


@given(width=st.integers(1, 70), height=st.integers(1, 40), padding=st.integers(0, 9), missing=st.integers(1, 99))
def test_a_buffer_that_is_too_short_is_refused(width: int, height: int, padding: int, missing: int) -> None:
    stride = width + padding
    whole = stride * height + 2 * ((stride + 1) // 2) * ((height + 1) // 2)
    with pytest.raises(HardwareError):
        planes_from_yuv420(np.zeros(max(0, whole - missing), np.uint8), width, height, stride)


def test_lines_shorter_than_the_picture_are_refused() -> None:
    with pytest.raises(HardwareError, match="640 x 360"):
        planes_from_yuv420(np.zeros(10**6, np.uint8), 640, 360, 639)


def picture(level: int, stride: int = 128, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    width, height = size
    half = (height // 2, width // 2)
    planes = (np.full((height, width), level, np.uint8), np.full(half, 100, np.uint8), np.full(half, 200, np.uint8))
    return packed(*planes, stride)


def opened(fake: FakePicamera2, stall_s: float = 10.0) -> PiCamera:
    return PiCamera((192, 128), (96, 64), 10, clock=SimulatedClock(7), open_camera=lambda: fake, stall_s=stall_s)


def test_it_asks_for_the_streams_and_rate_of_the_manual() -> None:
    fake = FakePicamera2(stride=128)
    with opened(fake) as camera:
        assert fake.started
        assert fake.configuration["main"] == {"size": (192, 128), "format": "YUV420"}
        assert fake.configuration["lores"] == {"size": (96, 64), "format": "YUV420", "stride": 128}
        assert fake.configuration["controls"] == {"FrameDurationLimits": (100_000, 100_000)}
        protocol: Camera = camera
        assert protocol.name == "Raspberry Pi camera"
    assert fake.closed


def test_a_frame_has_its_own_time_and_pixels_and_gives_its_request_back() -> None:
    fake = FakePicamera2(stride=128)
    for level, t_ns in ((10, 111), (20, 222)):
        fake.push(picture(level), {"SensorTimestamp": t_ns, "ExposureTime": 9})
    with opened(fake) as camera:
        frames = camera.frames()
        first, second = next(frames), next(frames)
    assert [(first.t_ns, first.index), (second.t_ns, second.index)] == [(111, 0), (222, 1)]
    assert (first.y == 10).all()
    assert (second.y == 20).all()
    assert (second.u == 100).all()
    assert (second.v == 200).all()
    assert first.y.shape == (64, 96)
    assert [request.released for request in fake.requests] == [1, 1]


def test_a_camera_without_timestamps_gets_the_time_of_arrival() -> None:
    fake = FakePicamera2(stride=128)
    fake.push(picture(10), {})
    with opened(fake) as camera:
        assert next(iter(camera.frames())).t_ns == 7


def test_a_silent_camera_is_lost() -> None:
    fake = FakePicamera2(stride=128)
    fake.push(picture(10), {})
    with opened(fake, stall_s=0.05) as camera:
        frames = camera.frames()
        next(frames)
        with pytest.raises(HardwareError, match=r"no frame for 0\.05 s") as caught:
            next(frames)
    assert caught.value.hint is not None
    assert "ribbon cable" in caught.value.hint
    assert fake.flushed


def test_a_camera_that_reports_an_error_is_lost() -> None:
    fake = FakePicamera2(stride=128)
    fake.lose("Camera frontend has timed out!")
    with opened(fake) as camera, pytest.raises(HardwareError, match="frontend has timed out"):
        next(iter(camera.frames()))


def test_close_from_another_thread_ends_a_blocked_look() -> None:
    fake = FakePicamera2(stride=128)
    camera = opened(fake)
    looking, frames = threading.Event(), []

    def look() -> None:
        looking.set()
        frames.extend(camera.frames())

    thread = threading.Thread(target=look)
    thread.start()
    looking.wait(10)
    camera.close()
    camera.close()
    thread.join(10)
    assert not thread.is_alive()
    assert frames == []


def test_a_lost_camera_whose_close_hangs_does_not_hang_us() -> None:
    let_go = threading.Event()
    camera = opened(FakePicamera2(stride=128, hang_on_close=let_go), stall_s=0.05)
    camera.close()
    let_go.set()


def test_a_configuration_that_is_refused_is_one_clear_error_and_lets_go() -> None:
    fake = FakePicamera2(refuse="lores stream must be YUV")
    with pytest.raises(HardwareError, match="lores stream must be YUV"):
        opened(fake)
    assert fake.closed


def test_a_buffer_of_another_size_is_a_hardware_error() -> None:
    fake = FakePicamera2(stride=128)
    fake.push(picture(10)[:-1], {})
    with opened(fake) as camera, pytest.raises(HardwareError, match="the camera gave"):
        next(iter(camera.frames()))
    assert fake.requests[0].released == 1


@pytest.mark.skipif(importlib.util.find_spec("picamera2") is not None, reason="picamera2 is installed here")
def test_a_system_without_picamera2_says_which_package() -> None:
    with pytest.raises(HardwareError, match="picamera2") as caught:
        open_picamera2()
    assert caught.value.hint is not None
    assert "python3-picamera2" in caught.value.hint
    assert "--system-site-packages" in caught.value.hint
