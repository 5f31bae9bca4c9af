"""The software encoder: times, keyframes, the budget, and every size of picture that a source may give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import av
import numpy as np
import pytest

from sealcam.board.encoder import X264Encoder
from sealcam.board.protocols import AccessUnit, Frame, Plane
from sealcam.board.replay import ReplayCamera
from sealcam.sight.masks import Masks
from sealcam.sight.zones import Polygon
from sealcam.wire.errors import HardwareError
from tests import footage
from tests.films import frame, frames, ns


def encoded(source: Iterable[Frame], *, fps: float = 15.0, bytes_per_s: int = 200_000) -> list[AccessUnit]:
    encoder = X264Encoder(fps=fps, bytes_per_s=bytes_per_s)
    found = [unit for one in source for unit in encoder.encode(one)]
    return [*found, *encoder.finish()]


def decoded(units: Iterable[AccessUnit]) -> list[Plane]:
    """The luma of each picture."""
    codec = av.CodecContext.create("h264", "r")
    pictures = [picture for one in units for picture in codec.decode(av.Packet(one.data))]
    return [one.to_ndarray()[: one.height] for one in [*pictures, *codec.decode(None)]]


def noise(seconds: float, fps: float, size: tuple[int, int] = (320, 240)) -> Iterable[Frame]:
    """What no encoder can make small."""
    random = np.random.default_rng(1)
    for one in frames(seconds, fps=fps, size=size):
        yield replace(one, y=random.integers(0, 256, one.y.shape, np.uint8))


def test_each_frame_comes_out_at_once_and_with_its_own_time() -> None:
    encoder = X264Encoder(fps=15, bytes_per_s=200_000)
    for one in frames(3, fps=9.7):
        (unit,) = encoder.encode(one)
        assert unit.t_ns == one.t_ns
    assert encoder.finish() == []


@pytest.mark.parametrize("fps", [0.5, 1, 3, 9.7, 10, 25, 60])
def test_keyframes_are_at_most_a_second_apart_at_any_rate(fps: float) -> None:
    units = encoded(frames(max(4, 4 / fps), fps=fps))
    keys = [unit.t_ns for unit in units if unit.key]
    assert keys[0] == units[0].t_ns
    interval_ns = ns(1 / fps)
    gaps = np.diff([*keys, units[-1].t_ns])
    assert gaps.max() <= max(ns(1), interval_ns)
    assert fps <= 1 or len(keys) < len(units)


def test_a_keyframe_stands_alone() -> None:
    units = encoded(frames(2.5))
    second = next(index for index, unit in enumerate(units) if unit.key and index)
    assert len(decoded(units[second:])) == len(units) - second


def test_what_is_decoded_is_what_was_seen() -> None:
    source = list(frames(1.5))
    for picture, one in zip(decoded(encoded(source)), source, strict=True):
        assert np.abs(picture.astype(int) - one.y).mean() < 6


def test_a_keyframe_comes_when_it_is_asked_for_and_once() -> None:
    encoder = X264Encoder(fps=15, bytes_per_s=200_000)
    keys = []
    for index, one in enumerate(frames(0.8)):
        if index == 4:
            encoder.force_keyframe()
        keys += [index for unit in encoder.encode(one) if unit.key]
    assert keys == [0, 4]


@pytest.mark.parametrize("fps", [5, 15])
def test_no_stretch_costs_more_than_its_seconds_and_two_more(fps: float) -> None:
    budget = 40_000
    units = encoded(noise(6, fps), fps=15, bytes_per_s=budget)
    for first in range(len(units)):
        spent = np.cumsum([len(unit.data) for unit in units[first:]])
        passed_s = (np.array([unit.t_ns for unit in units[first:]]) - units[first].t_ns) / 1e9
        assert (spent <= 1.05 * budget * (passed_s + 2 + 1 / fps)).all()


def texture(seconds: float) -> Iterable[Frame]:
    """A ground full of detail that moves a little with each frame."""
    ground = np.random.default_rng(1).integers(40, 200, (240, 640), np.uint8)
    for one in frames(seconds, fps=15, size=(320, 240)):
        yield replace(one, y=np.ascontiguousarray(ground[:, one.index : one.index + 320]))


def test_a_keyframe_is_as_good_as_the_pictures_around_it_where_the_budget_is_short() -> None:
    source = list(texture(6))
    units = encoded(source, bytes_per_s=25_000)
    errors = [
        float(np.square(picture.astype(float) - one.y).mean())
        for picture, one in zip(decoded(units), source, strict=True)
    ]
    keys, others = (
        [error for error, unit in zip(errors, units, strict=True) if unit.key is key] for key in (True, False)
    )
    assert np.mean(keys[2:]) <= 1.5 * np.mean(others[30:])


def test_the_same_frames_give_the_same_bytes() -> None:
    assert encoded(frames(1.5)) == encoded(frames(1.5))


def test_another_size_begins_with_a_keyframe_and_loses_nothing() -> None:
    units = encoded([*frames(0.5), *frames(0.5, start_s=0.5, size=(96, 64))])
    assert [unit.t_ns for unit in units] == [ns(index / 10) for index in range(10)]
    assert [(unit.width_px, unit.height_px) for unit in units if unit.key] == [(64, 48), (96, 64)]


@pytest.mark.parametrize(
    ("size", "becomes"),
    [((65, 49), (64, 48)), ((2, 2), (2, 2)), ((3840, 2160), (1920, 1080)), ((1440, 2560), (608, 1080))],
)
def test_odd_and_too_large_pictures_are_made_to_fit(size: tuple[int, int], becomes: tuple[int, int]) -> None:
    (unit, *_) = encoded([frame(0, size)])
    assert (unit.width_px, unit.height_px) == becomes
    assert decoded([unit])[0].shape == becomes[::-1]


def test_the_fine_picture_is_encoded_and_its_masks_are_black() -> None:
    first = next(iter(ReplayCamera(footage.porch()).frames()))
    half = Masks([Polygon(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))])
    (unit, *_) = encoded([half.over(first)])
    (picture,) = decoded([unit])
    assert picture.shape == (720, 1280)
    assert picture[:, :630].max() <= 24
    assert picture[:, 660:].mean() > 40


def test_what_the_library_refuses_is_an_error_of_the_hardware() -> None:
    encoder = X264Encoder(fps=15, bytes_per_s=200_000)
    with pytest.raises(HardwareError, match="encoder failed"):
        encoder.encode(frame(0, (1, 1)))
    assert encoder.encode(frame(1))[0].key
    encoder.close()
    encoder.close()
