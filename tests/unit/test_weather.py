"""Made conditions: the same bytes from the same seed, as strong as design/sight.md says; the source stays as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from sealcam.board.protocols import Frame
from sealcam_verdict import weather
from sealcam_verdict.planes import WholePicture
from sealcam_verdict.weather import Strength

BOTH = pytest.mark.parametrize("strength", list(Strength))
EACH = pytest.mark.parametrize("name", weather.NAMES)
HEIGHT, WIDTH = 288, 512


def scene(count: int = 25, fps: float = 10.0, height: int = HEIGHT, width: int = WIDTH) -> list[Frame]:
    """Still frames of middle grey with blocks of other tones, and some colour."""
    y = np.full((height, width), 120, np.uint8)
    y[: height // 4, : width // 4] = 60
    y[-height // 4 :, -width // 4 :] = 180
    colour = np.full(((height + 1) // 2, (width + 1) // 2), 128, np.uint8)
    u, v = colour + np.uint8(8), colour - np.uint8(16)
    return [Frame(round(index * 1e9 / fps), index, y.copy(), u.copy(), v.copy()) for index in range(count)]


def digest(frames: Iterable[Frame]) -> str:
    """Of every plane of every frame, with its time."""
    found = hashlib.sha256()
    for frame in frames:
        found.update(frame.t_ns.to_bytes(8, "big") + frame.y.tobytes() + frame.u.tobytes() + frame.v.tobytes())
    return found.hexdigest()


def seen(name: str, strength: Strength, of: Callable[[Frame], float], count: int = 165) -> list[float]:
    """One number for each frame of a still scene under a condition."""
    return [of(frame) for frame in weather.made(scene(count), name, strength, 1)]


def grey(frame: Frame) -> float:
    """The mean of what was 120, over black."""
    return float(frame.y[100:140, 200:300].mean()) - 16


@EACH
@BOTH
def test_the_same_seed_makes_the_same_bytes(name: str, strength: Strength) -> None:
    first, second = (digest(weather.made(scene(), name, strength, 5)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "name", ["noise", "night", "light-step", "headlights", "infrared", "shake", "rain", "snow", "insects"]
)
def test_another_seed_makes_other_bytes(name: str) -> None:
    one, other = (digest(weather.made(scene(70), name, Strength.HARD, seed)) for seed in (5, 6))
    assert one != other


@EACH
@BOTH
def test_frames_keep_their_count_times_and_sizes_and_the_source_its_bytes(name: str, strength: Strength) -> None:
    source = scene()
    before = digest(source)
    made = list(weather.made(source, name, strength, 1))
    assert digest(source) == before
    assert [(f.t_ns, f.index, f.y.shape, f.u.shape, f.v.shape) for f in made] == [
        (f.t_ns, f.index, f.y.shape, f.u.shape, f.v.shape) for f in source
    ]
    assert all(plane.dtype == np.uint8 and plane.flags.c_contiguous for f in made for plane in (f.y, f.u, f.v))
    assert not any(np.shares_memory(a.y, b.y) or np.shares_memory(a.u, b.u) for a, b in zip(source, made, strict=True))


@EACH
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 7), (33, 47), (360, 203)])
def test_any_size_will_do(name: str, size: tuple[int, int]) -> None:
    made = list(weather.made(scene(12, height=size[0], width=size[1]), name, Strength.HARD, 1))
    assert {frame.y.shape for frame in made} == {size}
    assert len(made) == 12


@EACH
def test_no_frames_make_no_frames(name: str) -> None:
    assert list(weather.made([], name, Strength.MILD, 1)) == []


def test_an_unknown_condition_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="there is no made condition fog; there are noise, gain"):
        weather.made([], "fog", Strength.MILD, 1)


@pytest.mark.parametrize(("strength", "sigma"), [(Strength.MILD, 8), (Strength.HARD, 20)])
def test_noise_has_the_written_sigma_and_no_bias_and_is_new_in_every_frame(strength: Strength, sigma: float) -> None:
    one, two = (frame.y[100:200, 150:350].astype(float) - 120 for frame in weather.made(scene(2), "noise", strength, 1))
    assert one.std() == pytest.approx(sigma, rel=0.03)
    assert one.mean() == pytest.approx(0, abs=0.5)
    assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.05


@pytest.mark.parametrize(("strength", "gain"), [(Strength.MILD, 0.5), (Strength.HARD, 0.25)])
def test_gain_takes_the_written_share_of_the_light_and_of_the_colour(strength: Strength, gain: float) -> None:
    (frame,) = weather.made(scene(1), "gain", strength, 1)
    assert grey(frame) == pytest.approx(104 * gain, abs=0.5)
    assert frame.v.mean() - 128 == pytest.approx(-16 * gain, abs=0.5)


@pytest.mark.parametrize(("strength", "gain", "sigma"), [(Strength.MILD, 0.5, 8), (Strength.HARD, 0.25, 20)])
def test_night_is_gain_with_noise_upon_it(strength: Strength, gain: float, sigma: float) -> None:
    (frame,) = weather.made(scene(1), "night", strength, 1)
    bright = frame.y[-HEIGHT // 4 :, -WIDTH // 4 :].astype(float) - 16
    assert bright.mean() == pytest.approx(164 * gain, abs=1.0)
    assert bright.std() == pytest.approx(sigma, rel=0.05)


@pytest.mark.parametrize(("strength", "part"), [(Strength.MILD, 0.3), (Strength.HARD, 0.6)])
def test_a_light_step_takes_the_written_part_in_one_frame_and_gives_it_back(strength: Strength, part: float) -> None:
    levels = seen("light-step", strength, grey)
    low, high = min(levels), max(levels)
    assert (low / high) == pytest.approx(1 - part, abs=0.01)
    assert {round(level) for level in levels} == {round(low), round(high)}, "nothing in between"
    steps = [index for index in range(1, len(levels)) if levels[index] != levels[index - 1]]
    assert all(20 <= b - a <= 61 for a, b in pairwise(steps)), "2 to 6 s apart at 10 fps"


@pytest.mark.parametrize(("strength", "part"), [(Strength.MILD, 0.3), (Strength.HARD, 0.6)])
def test_drift_is_slow_and_goes_down_by_the_written_part(strength: Strength, part: float) -> None:
    levels = seen("drift", strength, grey)
    assert min(levels) / max(levels) == pytest.approx(1 - part, abs=0.01)
    assert max(abs(a - b) for a, b in pairwise(levels)) <= 2


@pytest.mark.parametrize(("strength", "peak"), [(Strength.MILD, 60), (Strength.HARD, 120)])
def test_headlights_brighten_by_at_most_the_written_levels_a_third_of_the_time(strength: Strength, peak: float) -> None:
    still = scene(1)[0].y.astype(int)
    brighter = seen("headlights", strength, lambda frame: float((frame.y - still).max()), 360)
    assert 0.55 * peak < max(brighter) <= peak, "the most on white, and nothing here is"
    assert 100 <= sum(levels > 1 for levels in brighter) <= 126, "2 of every 6 s"


@pytest.mark.parametrize(("strength", "most"), [(Strength.MILD, 2), (Strength.HARD, 6)])
def test_shaking_shifts_by_at_most_the_written_pixels_of_576_lines(strength: Strength, most: float) -> None:
    ramp = np.tile(np.linspace(0, 255, WIDTH), (HEIGHT, 1)).astype(np.uint8)
    source = [Frame(f.t_ns, f.index, ramp.copy(), f.u, f.v) for f in scene(200)]
    slope = 255 / (WIDTH - 1)
    offsets = [
        (float(f.y[50:200, 50:-50].mean()) - float(ramp[50:200, 50:-50].mean())) / slope
        for f in weather.made(source, "shake", strength, 1)
    ]
    here = most * HEIGHT / 576
    assert max(map(abs, offsets)) <= here + 0.3
    assert max(offsets) > 0.8 * here
    assert min(offsets) < -0.8 * here


@pytest.mark.parametrize(("strength", "count"), [(Strength.MILD, 200), (Strength.HARD, 800)])
def test_rain_brightens_about_as_many_pixels_as_the_written_streaks_cover(strength: Strength, count: int) -> None:
    one, two = (frame.y > 130 for frame in weather.made(scene(2), "rain", strength, 1))
    flat = np.zeros((HEIGHT, WIDTH), bool)
    flat[80:200, 140:360] = True
    share = one[flat].mean()
    assert share == pytest.approx(count * 12 * 1.6 / (HEIGHT * WIDTH), rel=0.6)
    assert np.logical_and(one, two)[flat].mean() < 3 * share**2 + 0.002, "new places in every frame"


def test_snow_goes_on_from_frame_to_frame_and_hard_is_four_times_as_much() -> None:
    cover = {s: np.mean(seen("snow", s, lambda f: float((f.y[80:200, 140:360] > 150).mean()), 20)) for s in Strength}
    assert 2.5 < cover[Strength.HARD] / cover[Strength.MILD] < 5
    fast = list(weather.made(scene(2, fps=1000.0), "snow", Strength.HARD, 1))
    assert np.abs(fast[0].y.astype(int) - fast[1].y).mean() < 0.5


@pytest.mark.parametrize(("strength", "count"), [(Strength.MILD, 1), (Strength.HARD, 3)])
def test_insects_come_and_go_and_are_as_many_as_written(strength: Strength, count: int) -> None:
    blobs, there = 0, 0
    for frame in weather.made(scene(80), "insects", strength, 1):
        brighter = np.asarray(frame.y.astype(int) - scene(1)[0].y > 20, dtype=np.uint8)
        found = cv2.connectedComponents(brighter)[0] - 1
        blobs, there = max(blobs, found), there + (found > 0)
    assert blobs == count
    assert 20 <= there <= 42, "half of the time"


@BOTH
def test_the_infrared_switch_takes_the_colour_overshoots_and_settles(strength: Strength) -> None:
    frames = list(weather.made(scene(200), "infrared", strength, 1))
    coloured = [float(np.abs(f.u.astype(int) - 128).mean()) > 1 for f in frames]
    first = coloured.index(False)
    assert 15 <= first <= 31
    assert any(coloured[first:]), "and back to day"
    settled = frames[first + 45] if not coloured[first + 45] else frames[first + 40]
    assert max(grey(f) for f in frames[first : first + 6]) > 1.3 * grey(settled)
    dark, middle = (float(settled.y[part].mean()) for part in (np.s_[40:70, 60:120], np.s_[100:140, 200:300]))
    lift = {Strength.MILD: 80, Strength.HARD: 130}[strength]
    assert dark > 60 * 0.8
    assert dark < lift + 5
    assert (settled.u == 128).all()
    assert middle > 100


def test_coarser_coding_loses_more() -> None:
    random = np.random.default_rng(3)
    detail = random.integers(60, 180, (HEIGHT, WIDTH)).astype(np.uint8)
    source = [Frame(f.t_ns, f.index, detail.copy(), f.u, f.v) for f in scene(25)]
    lost = {
        strength: np.mean(
            [np.abs(f.y.astype(int) - detail).mean() for f in weather.made(source, "compression", strength, 1)]
        )
        for strength in Strength
    }
    assert 1 < lost[Strength.MILD] < lost[Strength.HARD]


@EACH
def test_the_fine_picture_is_under_the_same_condition(name: str) -> None:
    fine = scene(45, height=2 * HEIGHT, width=2 * WIDTH)
    small = [replace(f, fine=WholePicture(whole)) for f, whole in zip(scene(45), fine, strict=True)]
    *_, frame = weather.made(small, name, Strength.HARD, 1)
    assert frame.fine is not None
    y, u, _ = frame.fine.crop(0, 0, frame.fine.width, frame.fine.height)
    assert (frame.fine.width, frame.fine.height, u.shape) == (2 * WIDTH, 2 * HEIGHT, (HEIGHT, WIDTH))
    halved = cv2.resize(y, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    blurred = [cv2.GaussianBlur(plane.astype(np.float32), (0, 0), 12) for plane in (halved, frame.y)]
    assert np.abs(blurred[0] - blurred[1]).max() < 12, "the same light, and things in the same places"
