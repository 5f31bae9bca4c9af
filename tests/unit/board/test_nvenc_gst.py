"""GStreamer's encoder, on real GStreamer with libx264 in NVENC's place: times, keyframes, sizes, faults.

Its name puts it behind the runtime's tests: the first C++ error of a model's runtime ends the process where GStreamer's
libraries were loaded before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from sealcam.board.gst_encoder import GstEncoder, Middle, nvenc, pipeline
from sealcam.board.protocols import AccessUnit, Frame
from sealcam.h264 import parameter_sets
from sealcam.sight.masks import Masks
from sealcam.sight.zones import Polygon
from sealcam.wire.errors import HardwareError
from tests.films import frame, frames, ns
from tests.gstreamer import gstreamer, x264
from tests.unit.board.test_encoder import decoded

SIZE = (128, 96)
STALL_S = 30.0


@pytest.fixture(scope="module")
def gst() -> Any:
    return gstreamer()


def encoder(gst: Any, middle: Middle = x264) -> GstEncoder:
    return GstEncoder(fps=15, bytes_per_s=200_000, middle=middle, load=lambda: gst, stall_s=STALL_S)


def feed(one: GstEncoder, source: Iterable[Frame]) -> list[AccessUnit]:
    return [unit for frame in source for unit in one.encode(frame)]


def encoded(gst: Any, source: Iterable[Frame]) -> list[AccessUnit]:
    one = encoder(gst)
    return [*feed(one, source), *one.finish()]


def sized(seconds: float, fps: float = 10, start_s: float = 0, size: tuple[int, int] = SIZE) -> Iterator[Frame]:
    return frames(seconds, fps=fps, start_s=start_s, size=size)


def test_the_jetson_pipeline_is_told_all_that_an_encoder_promises() -> None:
    text = pipeline(nvenc, 1920, 1080, 15.0, 375_000)
    for told in (
        "width=1920,height=1080",
        "memory:NVMM",
        "nvv4l2h264enc name=encoder",
        "peak-bitrate=3000000",
        "vbv-size=3000000",
        "iframeinterval=15 idrinterval=15",
        "insert-sps-pps=true",
        "stream-format=byte-stream,alignment=au",
        "sync=false",
    ):
        assert told in text
    assert "idrinterval=1 " in pipeline(nvenc, 640, 360, 0.5, 20_000)


def test_every_frame_comes_out_in_order_with_its_own_time_to_the_nanosecond(gst: Any) -> None:
    source = [replace(one, t_ns=one.t_ns + 1_700_000_000_000_000_123) for one in sized(3, 9.7)]
    assert [unit.t_ns for unit in encoded(gst, source)] == [one.t_ns for one in source]


@pytest.mark.parametrize("fps", [1, 3, 9.7, 25])
def test_keyframes_are_at_most_a_second_apart_at_any_rate_and_stand_alone(gst: Any, fps: float) -> None:
    units = encoded(gst, sized(4, fps))
    keys = [index for index, unit in enumerate(units) if unit.key]
    gaps = np.diff([*(units[index].t_ns for index in keys), units[-1].t_ns])
    assert keys[0] == 0
    assert gaps.max() <= ns(1)
    assert all(parameter_sets(units[index].data).pps for index in keys)
    assert len(decoded(units[keys[1] :])) == len(units) - keys[1]


def test_a_keyframe_comes_with_the_frame_that_it_was_asked_for(gst: Any) -> None:
    one = encoder(gst)
    units: list[AccessUnit] = []
    source = list(sized(0.8))
    for index, taken in enumerate(source):
        if index == 4:
            one.force_keyframe()
        units += one.encode(taken)
    units += one.finish()
    assert [unit.t_ns for unit in units if unit.key] == [source[0].t_ns, source[4].t_ns]


def test_what_is_decoded_is_what_was_seen_and_masks_are_black(gst: Any) -> None:
    half = Masks([Polygon(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))])
    source = [half.over(one) for one in sized(1)]
    for picture, one in zip(decoded(encoded(gst, source)), source, strict=True):
        assert np.abs(picture.astype(int) - one.y).mean() < 6
        assert picture[:, :56].max() <= 30


def test_another_size_begins_with_a_keyframe_and_loses_nothing(gst: Any) -> None:
    units = encoded(gst, [*sized(0.5), *sized(0.5, start_s=0.5, size=(101, 67))])
    assert [unit.t_ns for unit in units] == [ns(index / 10) for index in range(10)]
    assert [(unit.width_px, unit.height_px) for unit in units if unit.key] == [SIZE, (96, 66)]
    assert decoded(units[5:])[0].shape == (66, 96)


def test_the_budget_holds_for_what_no_encoder_makes_small(gst: Any) -> None:
    random = np.random.default_rng(1)
    noise = [replace(one, y=random.integers(0, 256, one.y.shape, np.uint8)) for one in sized(4, 15, size=(320, 240))]
    units = encoded(gst, noise)
    assert sum(len(unit.data) for unit in units) <= 1.05 * 200_000 * (4 + 1)


@pytest.mark.parametrize(
    ("middle", "words"),
    [
        (lambda _fps, _rate: "nosuchencoder name=encoder", "can't be made"),
        (
            lambda fps, rate: "identity name=encoder error-after=3 ! " + x264(fps, rate).replace("name=encoder", ""),
            "failed",
        ),
    ],
)
def test_what_gstreamer_refuses_or_breaks_at_is_an_error_of_the_hardware(gst: Any, middle: Middle, words: str) -> None:
    one = encoder(gst, middle)
    with pytest.raises(HardwareError, match=words):
        feed(one, sized(5))
    one.close()
    one.close()


def test_an_encoder_that_takes_frames_and_gives_none_back_is_broken(gst: Any) -> None:
    def swallow(fps: float, rate: int) -> str:
        return f"{x264(fps, rate)} ! valve drop=true"

    one = GstEncoder(fps=15, bytes_per_s=200_000, middle=swallow, load=lambda: gst, stall_s=0.05)
    with pytest.raises(HardwareError, match="no picture for"):
        feed(one, sized(5))


def test_without_gstreamer_it_says_which_packages() -> None:
    def missing() -> Any:
        raise HardwareError("GStreamer can't be loaded (No module named 'gi')", "apt-get install python3-gi")

    with pytest.raises(HardwareError, match="can't be loaded"):
        partial(GstEncoder, fps=15, bytes_per_s=200_000, load=missing)()


def test_a_picture_too_small_for_it_is_an_error_of_the_hardware(gst: Any) -> None:
    with pytest.raises(HardwareError, match="too small"):
        encoder(gst).encode(frame(0, (6, 6)))
