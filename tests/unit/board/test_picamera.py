"""The Raspberry Pi camera: its planes, and the adapter on a library that behaves like picamera2."""

from __future__ import annotations

import importlib.util
import sys
import threading
import types
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.board.encoder import X264Encoder
from sealcam.board.fake_picamera2 import FakePicamera2
from sealcam.board.infrared import FakeInfrared
from sealcam.board.layouts import Stream, views_of_nv12
from sealcam.board.picamera import PiCamera, open_picamera2
from sealcam.board.picamera_controls import exposure_of
from sealcam.board.protocols import Camera, Exposure
from sealcam.clocks import SimulatedClock
from sealcam.darkness import Darkness
from sealcam.sensor_settings import NO_LIMITS, Hdr, SensorSettings
from sealcam.sight.masks import Masks
from sealcam.sight.zones import Polygon
from sealcam.wire.errors import HardwareError
from tests.unit.board.test_encoder import decoded

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
    planes = Stream(width, height, width + padding, "YUV420").planes(packed(y, u, v, width + padding, behind))
    for plane, wanted in zip(planes, (y, u, v), strict=True):
        np.testing.assert_array_equal(plane, wanted)
        assert plane.flags.c_contiguous
        assert plane.flags.owndata


@given(width=st.integers(1, 70), height=st.integers(1, 40), padding=st.integers(0, 9), missing=st.integers(1, 99))
def test_a_buffer_that_is_too_short_is_refused(width: int, height: int, padding: int, missing: int) -> None:
    stride = width + padding
    whole = stride * height + 2 * ((stride + 1) // 2) * ((height + 1) // 2)
    with pytest.raises(HardwareError):
        Stream(width, height, stride, "YUV420").planes(np.zeros(max(0, whole - missing), np.uint8))


def test_lines_shorter_than_the_picture_are_refused() -> None:
    with pytest.raises(HardwareError, match="640 x 360"):
        Stream(640, 360, 639, "YUV420").planes(np.zeros(10**6, np.uint8))


def picture(level: int, stride: int = 128, size: tuple[int, int] = (96, 64)) -> np.ndarray:
    width, height = size
    half = (height // 2, width // 2)
    planes = (np.full((height, width), level, np.uint8), np.full(half, 100, np.uint8), np.full(half, 200, np.uint8))
    return packed(*planes, stride)


def opened(fake: FakePicamera2, stall_s: float = 10.0, sensor: SensorSettings = NO_LIMITS) -> PiCamera:
    clock = SimulatedClock(7)
    return PiCamera((192, 128), (96, 64), 10, sensor, clock=clock, open_camera=lambda: fake, stall_s=stall_s)


def test_it_asks_for_the_streams_and_rate_of_the_manual() -> None:
    fake = FakePicamera2(stride=128)
    with opened(fake) as camera:
        assert fake.started
        assert fake.configuration["main"] == {"size": (192, 128), "format": "YUV420", "stride": 192}
        assert fake.configuration["lores"] == {"size": (96, 64), "format": "YUV420", "stride": 128}
        assert fake.configuration["controls"] == {"FrameDurationLimits": (100_000, 100_000)}
        protocol: Camera = camera
        assert protocol.name == "Raspberry Pi camera"
    assert fake.closed


def test_a_frame_has_its_own_time_and_pixels_and_gives_its_request_back() -> None:
    fake = FakePicamera2(stride=128)
    for level, t_ns in ((10, 111), (20, 100_000_222)):
        fake.push(picture(level), {"SensorTimestamp": t_ns, "ExposureTime": 9})
    with opened(fake) as camera:
        frames = camera.frames()
        first, second = next(frames), next(frames)
    assert [(first.t_ns, first.index), (second.t_ns, second.index)] == [(111, 0), (100_000_222, 1)]
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


def test_the_main_stream_of_the_same_request_is_the_fine_picture() -> None:
    fake = FakePicamera2(stride=128)
    with opened(fake) as camera:
        for level in (50, 60):
            fake.push(
                picture(level), {"SensorTimestamp": 10_000_000 * level}, main=picture(level + 100, 192, (192, 128))
            )
        frames = camera.frames()
        for level in (50, 60):
            frame = next(frames)
            assert frame.fine is not None
            assert (frame.y[0, 0], frame.fine.width, frame.fine.height) == (level, 192, 128)
            y, u, v = frame.fine.crop(2, 4, 7, 9)
            assert (y.shape, u.shape) == ((5, 5), (3, 3))
            assert {int(y.min()), int(y.max())} == {level + 100}
            assert (u[0, 0], v[0, 0]) == (100, 200)
            y[:] = 0
            assert frame.fine.crop(2, 4, 7, 9)[0].min() == level + 100


def test_what_is_encoded_is_the_main_stream_at_1080p_with_its_masks() -> None:
    fake = FakePicamera2(stride=640)
    size, lores = (1920, 1080), (640, 360)
    fake.push(picture(120, 640, lores), {"SensorTimestamp": 1}, main=picture(120, 1920, size))
    left = Masks([Polygon(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))])
    encoder = X264Encoder(fps=15, bytes_per_s=375_000)
    with PiCamera(clock=SimulatedClock(7), open_camera=lambda: fake) as camera:
        (unit, *_) = [*encoder.encode(left.over(next(iter(camera.frames())))), *encoder.finish()]
    (shown,) = decoded([unit])
    assert (unit.width_px, unit.height_px, shown.shape) == (1920, 1080, (1080, 1920))
    assert shown[:, :950].max() <= 24
    assert shown[:, 970:].min() >= 100


def interleaved(y: np.ndarray, u: np.ndarray, v: np.ndarray, stride: int) -> np.ndarray:
    """A buffer with u and v in turn, built byte by byte: the other way round from the code under test."""
    out = bytearray()
    for line in y:
        out += line.tobytes().ljust(stride, bytes([PADDING]))
    for blue, red in zip(u, v, strict=True):
        out += bytes(part for pair in zip(blue.tolist(), red.tolist(), strict=True) for part in pair).ljust(
            stride, bytes([PADDING])
        )
    return np.frombuffer(bytes(out), np.uint8)


@given(width=st.integers(1, 70), height=st.integers(1, 40), padding=st.integers(1, 65), seed=st.integers(0, 2**32 - 1))
def test_a_driver_that_chose_one_plane_of_chroma_is_understood(
    width: int, height: int, padding: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    half = ((height + 1) // 2, (width + 1) // 2)
    y = rng.integers(0, 256, (height, width), np.uint8)
    u, v = rng.integers(0, 256, half, np.uint8), rng.integers(0, 256, half, np.uint8)
    buffer = interleaved(y, u, v, width + padding)
    for plane, wanted in zip(views_of_nv12(buffer, width, height, width + padding), (y, u, v), strict=True):
        np.testing.assert_array_equal(plane, wanted)
    with pytest.raises(HardwareError, match="the camera gave"):
        views_of_nv12(buffer[:-1], width, height, width + padding)


def test_the_layout_that_was_configured_counts_and_not_the_one_that_was_asked_for() -> None:
    fake = FakePicamera2(stride=128, layout="NV12")
    y, u, v = np.full((64, 96), 10, np.uint8), np.full((32, 48), 100, np.uint8), np.full((32, 48), 200, np.uint8)
    large = (np.full((128, 192), 30, np.uint8), np.full((64, 96), 110, np.uint8), np.full((64, 96), 210, np.uint8))
    fake.push(interleaved(y, u, v, 128), {}, main=interleaved(*large, 192))
    with opened(fake) as camera:
        frame = next(iter(camera.frames()))
    assert {(int(plane.min()), int(plane.max())) for plane in (frame.y, frame.u, frame.v)} == {
        (10, 10),
        (100, 100),
        (200, 200),
    }
    assert all(plane.flags.c_contiguous and plane.flags.owndata for plane in (frame.y, frame.u, frame.v))
    assert frame.fine is not None
    assert [int(plane.max()) for plane in frame.fine.crop(0, 0, 9, 9)] == [30, 110, 210]


def test_a_layout_that_nobody_knows_is_one_clear_error_and_lets_go() -> None:
    fake = FakePicamera2(stride=128, layout="RGB888")
    with pytest.raises(HardwareError, match="RGB888"):
        opened(fake)
    assert fake.closed


def test_pictures_that_come_faster_than_asked_are_given_back_uncopied() -> None:
    fake = FakePicamera2(stride=128)
    for number in range(9):
        fake.push(picture(10 + number), {"SensorTimestamp": 1 + number * 33_000_000})
    with opened(fake) as camera:
        frames = camera.frames()
        taken = [next(frames) for _ in range(3)]
    assert [frame.t_ns for frame in taken] == [1, 99_000_001, 198_000_001]
    assert [frame.index for frame in taken] == [0, 1, 2]
    assert [request.released for request in fake.requests[:7]] == [1] * 7


def test_a_time_that_is_none_is_the_time_of_arrival() -> None:
    fake = FakePicamera2(stride=128)
    fake.push(picture(10), {"SensorTimestamp": 10**15})
    with opened(fake) as camera:
        assert next(iter(camera.frames())).t_ns == 7


def test_a_frame_carries_what_the_sensor_says_of_the_light_of_that_very_picture() -> None:
    fake = FakePicamera2(stride=128)
    fake.push(picture(10), {"Lux": 2.5, "AnalogueGain": 8.0, "DigitalGain": 1.5})
    with opened(fake) as camera:
        assert next(iter(camera.frames())).exposure == Exposure(2.5, 12.0)
    assert exposure_of({"AnalogueGain": 2.0}) == Exposure(None, 2.0)
    assert exposure_of({"Lux": 400}) == Exposure(400.0, None)
    assert exposure_of({"SensorTimestamp": 1}) is None


def test_night_told_by_the_sensor_moves_the_filter_and_lights_the_lamp() -> None:
    fake, infrared = FakePicamera2(stride=128), FakeInfrared()
    lights = [{"Lux": 200.0, "AnalogueGain": 1.0}] + [{"Lux": 0.8, "AnalogueGain": 8.0}] * 7
    for number, light in enumerate(lights):
        fake.push(picture(10 + number), {"SensorTimestamp": 1 + number * 1_000_000_000, **light})
    failed: list[str] = []
    darkness = Darkness(infrared, failed.append)
    with opened(fake) as camera:
        frames = camera.frames()
        switched = [darkness.look(next(frames)) for _ in lights]
    assert infrared.told == [False, True]
    assert switched == [False] * 6 + [True, False]
    assert failed == []


def test_a_gain_beyond_its_limit_is_held_and_let_go_of_once_it_is_brighter() -> None:
    fake = FakePicamera2(stride=128, controls=("FrameDurationLimits", "AnalogueGain"))
    seen = ((2.0, 30_000), (11.0, 99_000), (10.0, 99_000), (8.0, 99_000), (8.0, 20_000), (3.0, 30_000))
    for number, (gain, exposure_us) in enumerate(seen):
        metadata = {"SensorTimestamp": 1 + number * 100_000_000, "AnalogueGain": gain, "ExposureTime": exposure_us}
        fake.push(picture(10 + number), metadata)
    with opened(fake, sensor=SensorSettings(most_gain=8.0)) as camera:
        frames = camera.frames()
        for _ in seen:
            next(frames)
    assert fake.controls == [{"AnalogueGain": 8.0}, {"AnalogueGain": 0.0}]


def test_a_shorter_exposure_takes_more_pictures_of_which_as_many_are_kept_as_were_asked_for() -> None:
    fake = FakePicamera2(stride=128)
    for number in range(9):
        fake.push(picture(10 + number), {"SensorTimestamp": 1 + number * 25_000_000})
    with opened(fake, sensor=SensorSettings(most_exposure_ms=25.0)) as camera:
        frames = camera.frames()
        taken = [next(frames) for _ in range(3)]
    assert fake.configuration["controls"] == {"FrameDurationLimits": (25_000, 25_000)}
    assert [frame.t_ns for frame in taken] == [1, 100_000_001, 200_000_001]


def test_what_a_camera_does_not_take_is_said_and_it_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakePicamera2(stride=128)
    fake.push(picture(10), {"SensorTimestamp": 1, "AnalogueGain": 60.0})
    with opened(fake, sensor=SensorSettings(most_gain=8.0, hdr=Hdr.NIGHT)) as camera:
        assert next(iter(camera.frames())).t_ns == 1
    assert fake.controls == []
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "this camera takes no most_gain: it stays as it is",
        "this camera takes no hdr: it stays as it is",
    ]


def test_what_a_closed_camera_left_is_gone_before_the_next_one_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ring:
        def __init__(self) -> None:
            self.me = self

    left = weakref.ref(Ring())
    there: list[bool] = []
    library = types.ModuleType("picamera2")
    monkeypatch.setattr(library, "Picamera2", lambda _number: there.append(left() is not None), raising=False)
    monkeypatch.setitem(sys.modules, "picamera2", library)
    open_picamera2()
    assert there == [False]
