"""The gate under weather and light: what it takes out of motion, and that someone who walks is never taken out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from sealcam.sight.attention import LIGHT_LOOK_S
from sealcam.sight.corroboration import Doubt
from sealcam.sight.focus import UNKNOWN, Focus
from sealcam.sight.gate import MUTE_S, Gate, Motion
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode, Box, Detection, Report
from sealcam.sight.watch import Watch
from tests.scenes import SECOND_NS, ToldDetector, frame, ground, walker, with_block

Picture = NDArray[np.float64]
# What weather makes of a picture at a time in seconds.
Weather = Callable[[Picture, float], Picture]


def _dice(seconds: float) -> np.random.Generator:
    return np.random.default_rng(round(seconds * 1000))


def _rain(streaks: int) -> Weather:
    def fall(picture: Picture, seconds: float) -> Picture:
        random, out = _dice(seconds), picture.copy()
        for x, y in random.integers((0, 0), (318, 165), (streaks, 2)):
            out[y : y + 15, x] += 60
        return out

    return fall


def _snow(picture: Picture, seconds: float) -> Picture:
    random, out = np.random.default_rng(3), picture.copy()
    start, fall = random.uniform((0, 0), (315, 175), (100, 2)), random.uniform(60, 140, 100)
    for (x, y), speed in zip(start, fall, strict=True):
        row = int((y + speed * seconds) % 175)
        out[row : row + 3, int(x) : int(x) + 3] = 235
    return out


def _shaken(picture: Picture, seconds: float) -> Picture:
    down, right = _dice(seconds).integers(-3, 4, 2)
    return np.roll(picture, (int(down), int(right)), (0, 1))


def _beam(picture: Picture, seconds: float) -> Picture:
    """A headlight crosses the scene in two seconds of five."""
    x = (seconds % 5) / 2 * 500 - 90
    beam = np.exp(-(((np.arange(320) - x) / 45) ** 2))
    return np.asarray(picture * 0.5 * (1 + 1.5 * beam) + 10 * beam)


def _shadow(picture: Picture, seconds: float) -> Picture:
    """A cloud's shadow with a soft edge comes from the left and goes again."""
    x = 400 - abs(seconds % 12 - 6) / 6 * 480
    return np.asarray(picture * (1 - 0.35 / (1 + np.exp((np.arange(320) - x) / 14))))


def _half_dark(picture: Picture, seconds: float) -> Picture:
    """Black on the left, and the lit right of it noisy."""
    out = picture * np.where(np.arange(320) < 190, 0.3, 0.8)
    out[:, 190:] += _dice(seconds).normal(0, 14, (180, 130))
    return np.clip(out, 0, 255)


WEATHERS: tuple[Weather, ...] = (_rain(60), _rain(200), _snow, _shaken, _half_dark)
LIGHTS: tuple[Weather, ...] = (_beam, _shadow)


def _run(weather: Weather, seconds: float, show: Callable[[float], Picture]) -> list[Motion]:
    gate = Gate(SightSettings())
    times = [index / 10 for index in range(round(seconds * 10))]
    return [gate.step(frame(weather(show(at), at), at)) for at in times]


def _walks(seconds: float) -> Picture:
    box = walker(seconds, enters=8, leaves=14)
    return ground() if box is None else with_block(ground(), box, 220)


# The share of frames that may count as motion all the same; a picture of 320 by 180 has small cells, so that so much
# rain is four times as much as in one of 640 by 360.
LEFT = [(_rain(60), 0.05), (_rain(200), 0.3), (_snow, 0.1), (_shaken, 0.05), (_half_dark, 0.05)]


@pytest.mark.parametrize(("weather", "most"), LEFT)
def test_weather_is_hardly_motion_once_it_is_known(weather: Weather, most: float) -> None:
    motions = _run(weather, 20, lambda _: ground())[40:]
    assert sum(motion.moving for motion in motions) <= most * len(motions)


@pytest.mark.parametrize(("light", "most"), [(_beam, 0.1), (_shadow, 0.25)])
def test_a_beam_and_a_shadow_are_light_and_hardly_motion(light: Weather, most: float) -> None:
    motions = _run(light, 24, lambda _: ground())[20:]
    assert sum(motion.moving for motion in motions) <= most * len(motions)
    assert any(motion.lit for motion in motions)


@pytest.mark.parametrize("weather", [*WEATHERS, *LIGHTS])
def test_someone_who_walks_is_seen_in_any_weather(weather: Weather) -> None:
    motions = _run(weather, 14, _walks)
    inside = [
        motions[round(at * 10)].inside(box)
        for at in np.arange(8.3, 13.9, 0.1)
        if (box := walker(float(at), enters=8, leaves=14))
    ]
    assert np.mean([share > 0.05 for share in inside]) >= 0.9


@pytest.mark.parametrize("fps", [2, 5])
def test_slow_frames_of_rain_lose_nobody(fps: int) -> None:
    gate, rain = Gate(SightSettings()), _rain(60)
    for index in range(14 * fps):
        at = index / fps
        motion = gate.step(frame(rain(_walks(at), at), at, index))
        if (box := walker(at, enters=8, leaves=14)) is not None:
            assert motion.inside(box) > 0.3


def _infrared(seconds: float) -> Picture:
    """The filter moves at 5 s: the scene turns over, and the exposure settles slowly."""
    if seconds < 5:
        return ground(texture=40)
    return np.asarray((230 - ground(texture=40)) * (1 + 0.8 * np.exp(-(seconds - 5) / 0.4)))


def test_our_own_infrared_switch_mutes_and_the_background_is_learnt_anew() -> None:
    gate, motions = Gate(SightSettings()), []
    for index in range(150):
        if index == 50:
            gate.mute(5 * SECOND_NS)
        motions.append(gate.step(frame(_infrared(index / 10), index / 10, index)))
    assert not any(motion.moving for motion in motions)
    assert all(motion.whole for motion in motions[50 : 50 + round(MUTE_S * 10)])
    assert not any(motion.whole for motion in motions[50 + round(MUTE_S * 10) :])


def test_someone_who_walks_while_our_filter_switches_is_looked_for_and_then_seen() -> None:
    detector = ToldDetector(lambda _: ())
    watch = Watch(detector, SightSettings(), str, ArmMode.AWAY)
    for index in range(100):
        at = index / 10
        if index == 50:
            watch.switched_ir(5 * SECOND_NS)
        box, scene = walker(at, enters=4, leaves=9), _infrared(at)
        watch.step(frame(scene if box is None else with_block(scene, box, 20), at, index))
    during = [look for look in detector.looked_at if 5 <= look < 5 + MUTE_S + LIGHT_LOOK_S]
    assert len(during) >= 0.9 * 10 * (MUTE_S + LIGHT_LOOK_S)
    assert [look for look in detector.looked_at if 7.5 <= look < 9]


def test_light_is_looked_at_in_case_it_is_none() -> None:
    gate, detector = Gate(SightSettings()), ToldDetector(lambda _: ())
    watch, lit = Watch(detector, SightSettings(), str, ArmMode.AWAY), []
    for index in range(120):
        shown = frame(_beam(ground(), index / 10), index / 10, index)
        watch.step(shown)
        lit += [index / 10] if gate.step(shown).lit else []
    assert lit
    assert all(any(abs(look - at) <= 0.5 for look in detector.looked_at) for at in lit)


class _Counting:
    """A detector that keeps what it was told of each frame."""

    def __init__(self) -> None:
        self.looks = 0

    def detect(self, _frame: object, focus: Focus = UNKNOWN) -> tuple[Detection, ...]:
        self.looks += 1
        assert focus.motion is not None
        return ()

    def look(self, _box: Box) -> None:
        return None


def test_a_motion_sensor_that_is_not_believed_opens_no_incident_but_a_look() -> None:
    detector = _Counting()
    watch = Watch(detector, SightSettings(), str, ArmMode.AWAY)
    reports: list[Report] = []
    doubts: list[Doubt] = []
    late = 0
    for index in range(3000):
        fired = index % 150 == 100
        before = detector.looks
        reports += watch.step(frame(ground(), index / 10, index), index * SECOND_NS // 10 if fired else None)
        doubts += watch.doubts()
        late += detector.looks - before if index > 2000 else 0
    assert [doubt.on for doubt in doubts] == [True]
    told_s = doubts[0].t_ns / SECOND_NS
    assert not [report for report in reports if report.started_ns / SECOND_NS > told_s]
    assert late >= 5
