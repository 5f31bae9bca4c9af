"""A Jetson's camera: its pipeline's text, and real GStreamer with `videotestsrc` in NVIDIA's place.

Its name puts it behind the runtime's tests: the first C++ error of a model's runtime ends the process where GStreamer's
libraries were loaded before it.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest

from sealcam.board.gst_camera import GstCamera
from sealcam.board.jetson_pipeline import Asked, Source, argus, asked, pipeline, refused, sensor_of
from sealcam.board.protocols import Frame
from sealcam.clocks import SystemClock
from sealcam.sensor_settings import NO_LIMITS, Hdr, SensorSettings
from sealcam.wire.errors import ConfigError, HardwareError
from tests.gstreamer import gstreamer

SMALL = Asked(0, 30, 646, 362)  # no line of it is a multiple of four bytes
LONG_S = 60.0  # no machine is so slow


@pytest.fixture(scope="module")
def gst() -> Any:
    return gstreamer()


def bars(_camera: Asked) -> str:
    """White, yellow, ... from left to right."""
    return "videotestsrc name=source is-live=true pattern=smpte75"


def camera(gst: Any, source: Source = bars, kind: Asked = SMALL, stall_s: float = LONG_S) -> GstCamera:
    return GstCamera(kind, source=source, load=lambda: gst, stall_s=stall_s, start_s=LONG_S if stall_s == LONG_S else 0)


def some(one: GstCamera, number: int) -> list[Frame]:
    return list(islice(one.frames(), number))


def test_nvidias_source_is_asked_for_the_sensor_the_size_the_rate_and_the_limits() -> None:
    assert pipeline(argus, asked(1, 10, NO_LIMITS)) == (
        "nvarguscamerasrc name=source sensor-id=1 sensor-mode=-1"
        " ! video/x-raw(memory:NVMM),format=NV12,width=1920,height=1080,framerate=10/1 ! nvvidconv"
        " ! video/x-raw,format=NV12,width=1920,height=1080,framerate=10/1"
        " ! appsink name=pictures sync=false max-buffers=1 drop=true"
    )
    limited = pipeline(argus, replace(asked(0, 10, SensorSettings(most_exposure_ms=40, most_gain=8)), mode=2))
    assert 'sensor-mode=2 exposuretimerange="34000 40000000" gainrange="1 8" ! ' in limited
    assert asked(0, 10, SensorSettings(most_exposure_ms=250)).most_exposure_ms == 100


def test_what_this_camera_has_not_is_said() -> None:
    assert refused(NO_LIMITS) == ()
    assert refused(SensorSettings(hdr=Hdr.NIGHT)) == ("hdr",)


@pytest.mark.parametrize(
    ("source", "sensor"), [("jetson", 0), ("jetson:1", 1), ("pi", None), ("/dev/video0", None), ("jetson.mp4", None)]
)
def test_a_source_names_a_jetsons_camera_by_its_number(source: str, sensor: int | None) -> None:
    assert sensor_of(source) == sensor


@pytest.mark.parametrize("source", ["jetson:", "jetson:x", "jetson:-1", "jetson:0 ! fakesink", "jetson:100"])
def test_a_jetsons_camera_that_is_no_number_is_refused(source: str) -> None:
    with pytest.raises(ConfigError, match="names no camera"):
        sensor_of(source)


def test_frames_are_small_with_the_whole_picture_behind_and_times_of_this_boot_in_order(gst: Any) -> None:
    clock = SystemClock()
    before_ns = clock.boot_ns()
    with camera(gst) as one:
        found = some(one, 3)
    times = [frame.t_ns for frame in found]
    assert times == sorted(set(times))
    assert before_ns <= times[0] <= times[-1] <= clock.boot_ns()
    for frame in found:
        assert (frame.width, frame.height) == (640, 358)
        assert frame.fine is not None
        assert (frame.fine.width, frame.fine.height) == (SMALL.width_px, SMALL.height_px)


def test_small_and_whole_picture_show_the_same_colours_in_the_same_places(gst: Any) -> None:
    with camera(gst) as one:
        (frame,) = some(one, 1)
    assert frame.fine is not None
    for share in (0.07, 0.21, 0.36, 0.5, 0.64, 0.79, 0.93):  # the middle of each bar
        x, whole_x = round(share * frame.width) // 2, round(share * frame.fine.width) // 2 * 2
        piece = frame.fine.crop(whole_x, 100, whole_x + 2, 102)
        small = frame.y[100, 2 * x], frame.u[50, x], frame.v[50, x]
        for ours, whole in zip(small, piece, strict=True):
            assert abs(int(ours) - int(whole[0, 0])) <= 6
    assert np.ptp(frame.u[50]) > 100


def test_a_missing_plugin_is_one_line_with_a_hint(gst: Any) -> None:
    with pytest.raises(HardwareError, match=r"Jetson camera 0 can't be opened: no element .nosuchsource") as raised:
        camera(gst, lambda _camera: "nosuchsource")
    assert "gst-inspect-1.0" in (raised.value.hint or "")


@pytest.mark.parametrize(
    "fault",
    [
        "videotestsrc is-live=true ! identity error-after=3",  # as NVIDIA's does when its daemon loses the sensor
        "videotestsrc is-live=true num-buffers=3",
        "filesrc location=/dev/null/none",  # what can't even be started
    ],
)
def test_a_camera_that_is_lost_or_ends_is_an_error_of_the_hardware(gst: Any, fault: str) -> None:
    with camera(gst, lambda _camera: fault) as one, pytest.raises(HardwareError, match="Jetson camera 0: ") as raised:
        for _ in one.frames():
            pass
    assert "nvargus-daemon" in (raised.value.hint or "")


def test_a_camera_that_gives_nothing_is_stalled(gst: Any) -> None:
    silent = camera(gst, lambda _camera: "videotestsrc is-live=true ! valve drop=true", stall_s=0.05)
    with closing(silent), pytest.raises(HardwareError, match="no frame for"):
        some(silent, 1)
    silent._reader.join(LONG_S)


def test_close_ends_who_waits_and_may_be_called_twice(gst: Any) -> None:
    one = camera(gst)
    found = one.frames()
    next(found)
    one.close()
    one.close()
    assert list(found) == []
