"""Tampering on real clips with the deed made onto them: told within ten seconds of the clip's time, and only then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from sealcam.board.protocols import Frame
from sealcam.board.replay import ReplayCamera
from sealcam.board.scripted import grey_frame
from sealcam.sight.gate import Gate
from sealcam.sight.settings import SightSettings
from sealcam.sight.tamper import ADOPT_S, EVERY_S, Tamper
from sealcam.sight.types import Tampering, TamperKind
from tests import footage
from tests.scenes import SECOND_NS, frame, ground, luma

# A deed changes a picture, given the seconds since it began.
Deed = Callable[[NDArray[np.float32], float], NDArray[np.float32]]
AT_S, TOLD_S = 15.0, 10.0


def _watched(frames: Iterable[Frame], *, live: bool = False) -> list[Tampering]:
    gate, tamper = Gate(SightSettings()), Tamper(live=live)
    said: list[Tampering] = []
    for one in frames:
        gate.step(one)
        said += tamper.step(one, gate.cells)
    return said


@pytest.fixture(scope="module")
def walkers() -> list[Frame]:
    """30 s of a street with walkers, 5 frames a second."""
    return list(islice(ReplayCamera(footage.vtest()).frames(), 0, 300, 2))


@pytest.fixture(scope="module")
def cars() -> list[Frame]:
    """30 s of a road from above, 6 frames a second."""
    return list(islice(ReplayCamera(footage.cars()).frames(), 0, None, 2))


def _done(frames: Iterable[Frame], deed: Deed, begins_s: float = AT_S, ends_s: float = 1e9) -> Iterator[Frame]:
    for one in frames:
        at_s = one.t_ns / SECOND_NS
        if begins_s <= at_s < ends_s:
            changed = deed(one.y.astype(np.float32), at_s - begins_s)
            one = replace(one, y=np.clip(changed, 0, 255).astype(np.uint8))
        yield one


def _grain(shape: tuple[int, ...], sigma: float, since_s: float) -> NDArray[np.float32]:
    random = np.random.default_rng(round(since_s * 1000))
    return random.normal(0, sigma, shape).astype(np.float32)


def _sheet(level: float) -> Deed:
    """Something even lies on the lens."""
    return lambda y, since_s: level + _grain(y.shape, 2, since_s)


def _hand(y: NDArray[np.float32], since_s: float) -> NDArray[np.float32]:
    """Something dark and blurred comes over the lens from the left in 0.4 s, and stays."""
    texture = cv2.GaussianBlur(_grain(y.shape, 60, 0.0), (0, 0), 40) + 70
    edge = np.clip((since_s / 0.4 * 1.2 * y.shape[1] - np.arange(y.shape[1], dtype=np.float32)) / 40, 0, 1)
    return np.asarray(y * (1 - edge) + texture * edge, dtype=np.float32)


def _turned(right: float, down: float, degrees: float) -> Deed:
    def deed(y: NDArray[np.float32], _since_s: float) -> NDArray[np.float32]:
        height, width = y.shape
        by = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
        by[:, 2] += np.array([right, down])
        moved = cv2.warpAffine(y, by, (width, height), borderMode=cv2.BORDER_REFLECT)
        return np.asarray(moved, dtype=np.float32)

    return deed


def _blurred(sigma: float) -> Deed:
    return lambda y, _: np.asarray(cv2.GaussianBlur(y, (0, 0), sigma), dtype=np.float32)


def _torch(y: NDArray[np.float32], _since_s: float) -> NDArray[np.float32]:
    """A lamp shines into the lens: burnt out in the middle, haze around it."""
    rows, columns = np.mgrid[: y.shape[0], : y.shape[1]].astype(np.float32)
    away = (columns - y.shape[1] / 2) ** 2 + (rows - y.shape[0] / 2) ** 2
    glow = np.exp(-away / (y.shape[1] / 2) ** 2)
    return np.asarray(y * 0.5 * (1 - glow) + 60 + 450 * glow, dtype=np.float32)


DEEDS = [
    (_sheet(10), TamperKind.COVERED),
    (_sheet(120), TamperKind.COVERED),
    (_sheet(235), TamperKind.COVERED),
    (lambda y, _: np.zeros_like(y), TamperKind.COVERED),
    (_hand, TamperKind.COVERED),
    (_turned(60, 10, 0), TamperKind.MOVED),
    (_turned(200, 0, 0), TamperKind.MOVED),
    (_turned(0, 0, 20), TamperKind.MOVED),
    (lambda y, _: y[::-1, ::-1], TamperKind.MOVED),
    (_blurred(6), TamperKind.DEFOCUSED),
    (_blurred(10), TamperKind.DEFOCUSED),
    (_torch, TamperKind.BLINDED),
]


@pytest.mark.parametrize("clip", ["walkers", "cars"])
@pytest.mark.parametrize(("deed", "kind"), DEEDS)
def test_what_is_done_to_the_camera_is_told_within_ten_seconds(
    clip: str, deed: Deed, kind: TamperKind, request: pytest.FixtureRequest
) -> None:
    said = _watched(_done(request.getfixturevalue(clip), deed))
    assert [(one.kind, one.on) for one in said[:1]] == [(kind, True)]
    assert AT_S < said[0].t_ns / SECOND_NS <= AT_S + TOLD_S


@pytest.mark.parametrize(
    ("deed", "kind"),
    [(_hand, TamperKind.COVERED), (_turned(60, 10, 0), TamperKind.MOVED), (_blurred(8), TamperKind.DEFOCUSED)],
)
def test_it_is_over_once_the_view_is_back(walkers: list[Frame], deed: Deed, kind: TamperKind) -> None:
    said = _watched(_done(walkers, deed, begins_s=10, ends_s=20))
    assert [(one.kind, one.on) for one in said] == [(kind, True), (kind, False)]
    assert 20 < said[1].t_ns / SECOND_NS <= 26
    assert not said[1].stays


def _lamp(part: float) -> Deed:
    """A lamp goes off, and little light is left: the sensor's noise lies on it."""
    return lambda y, since_s: 16 + (y - 16) * np.float32(part) + _grain(y.shape, 3, since_s)


def _dusk(y: NDArray[np.float32], since_s: float) -> NDArray[np.float32]:
    return _lamp(max(0.03, 1 - since_s / 15))(y, since_s)


def _infrared(y: NDArray[np.float32], since_s: float) -> NDArray[np.float32]:
    """Dark things return more of it than bright ones, and the exposure settles within a second."""
    shown = (y + 1.4 * np.maximum(0, 110 - y)) * (1 + 2 * np.exp(-since_s / 0.5))
    return np.asarray(shown, dtype=np.float32)


def _headlight(y: NDArray[np.float32], since_s: float) -> NDArray[np.float32]:
    x = (since_s / 3 % 1 * 1.4 - 0.2) * y.shape[1]
    columns = np.arange(y.shape[1], dtype=np.float32)
    beam = np.exp(-(((columns - x) / (0.15 * y.shape[1])) ** 2))
    return np.asarray(y * 0.4 * (1 + 5 * beam) + 60 * beam, dtype=np.float32)


def _lorry(y: NDArray[np.float32], since_s: float) -> NDArray[np.float32]:
    """Something large comes into the picture, fills it, stirs a little, and drives off within five seconds."""
    height, width = y.shape
    side = cv2.GaussianBlur(_grain((height, 2 * width), 250, 0.0), (0, 0), 12) + 120
    reach = round(min(since_s / 0.6, (5 - since_s) / 0.6, 1.0) * width)
    out, at = y.copy(), round(10 + 8 * np.sin(3 * since_s))
    out[:, :reach] = side[:, at : at + reach]
    return out


@pytest.mark.parametrize("clip", ["walkers", "cars"])
@pytest.mark.parametrize(
    ("deed", "lasts_s"),
    [(_lamp(0.3), 1e9), (_lamp(0.05), 1e9), (_dusk, 1e9), (_infrared, 1e9), (_headlight, 1e9), (_lorry, 5.0)],
)
def test_light_and_what_passes_is_no_tampering(
    clip: str, deed: Deed, lasts_s: float, request: pytest.FixtureRequest
) -> None:
    assert _watched(_done(request.getfixturevalue(clip), deed, begins_s=12, ends_s=12 + lasts_s)) == []


@pytest.mark.parametrize("clip", ["walkers", "cars"])
def test_a_street_is_no_tampering(clip: str, request: pytest.FixtureRequest) -> None:
    assert _watched(request.getfixturevalue(clip)) == []


def test_a_dark_room_is_none_when_watching_begins_nor_when_its_lamp_goes_on(walkers: list[Frame]) -> None:
    assert _watched(_done(walkers, _lamp(0.02), begins_s=0, ends_s=15)) == []


def test_a_wall_without_structure_says_nothing() -> None:
    wall = [frame(np.full((180, 320), 90.0), index / 10, index) for index in range(400)]
    assert _watched(wall[:200] + [frame(np.zeros((180, 320)), 20 + index / 10) for index in range(200)]) == []


def _quilt(seed: int) -> NDArray[np.float64]:
    """A scene of patches, with nothing in common with one of another seed."""
    return np.kron(np.random.default_rng(seed).uniform(0, 200, (18, 32)), np.ones((10, 10))).astype(np.float64)


def test_what_stays_so_is_the_new_view_after_ten_minutes() -> None:
    one, other = _quilt(1), _quilt(2)
    times = np.arange(0, ADOPT_S + 60, EVERY_S)
    said = _watched(frame(one if at < 20 else other, at) for at in times)
    assert [(told.kind, told.on) for told in said] == [(TamperKind.MOVED, True), (TamperKind.MOVED, False)]
    assert said[-1].stays
    assert "still looks elsewhere" in said[-1].detail


def test_a_lens_that_stays_covered_is_never_said_to_be_free() -> None:
    scene, covered = _quilt(1), np.full((180, 320), 40.0)
    times = np.arange(0, ADOPT_S + 60, EVERY_S)
    said = _watched(frame(scene if at < 20 else covered, at) for at in times)
    assert [(told.kind, told.on, told.stays) for told in said] == [
        (TamperKind.COVERED, True, False),
        (TamperKind.COVERED, False, True),
    ]
    assert "still covered" in said[-1].detail


def test_our_own_infrared_filter_has_a_view_of_its_own() -> None:
    day, night = _quilt(1), _quilt(2)
    gate, tamper = Gate(SightSettings()), Tamper(live=False)
    said: list[Tampering] = []
    for index in range(1200):
        at_s = index / 10
        if index in (300, 600, 900):
            tamper.switched_ir(index * SECOND_NS // 10)
        shown = frame(night if 30 <= at_s < 60 or at_s >= 90 else day, at_s, index)
        gate.step(shown)
        said += tamper.step(shown, gate.cells)
    assert said == []


def test_what_goes_on_when_watching_ends_is_not_said_to_be_over() -> None:
    gate, tamper = Gate(SightSettings()), Tamper(live=False)
    for index in range(300):
        shown = frame(ground(texture=40) if index < 150 else np.full((180, 320), 60.0), index / 10, index)
        gate.step(shown)
        tamper.step(shown, gate.cells)
    (over,) = tamper.close(30 * SECOND_NS)
    assert (over.kind, over.on, over.stays) == (TamperKind.COVERED, False, True)
    assert over.detail == "watching ended before it did"
    assert not tamper.active


def _live(count: int, seed: int = 1, fps: float = 10.0, sigma: float = 2.0) -> list[Frame]:
    random = np.random.default_rng(seed)
    noisy = (luma(ground(texture=40) + random.normal(0, sigma, (180, 320))) for _ in range(count))
    return [grey_frame(y, round(index / fps * SECOND_NS), index) for index, y in enumerate(noisy)]


def _at_times_of(shown: Iterable[Frame], times: list[Frame]) -> list[Frame]:
    return [replace(one, t_ns=other.t_ns, index=other.index) for one, other in zip(shown, times, strict=False)]


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
def test_a_picture_that_stands_still_is_frozen(fps: float) -> None:
    frames = _live(round(30 * fps), fps=fps)
    stuck = round(10 * fps)
    shown = _at_times_of(frames[:stuck] + [frames[stuck]] * round(10 * fps) + frames[round(20 * fps) :], frames)
    said = _watched(shown, live=True)
    assert [(one.kind, one.on) for one in said] == [(TamperKind.FROZEN, True), (TamperKind.FROZEN, False)]
    assert 10 < said[0].t_ns / SECOND_NS <= 20
    assert 20 < said[1].t_ns / SECOND_NS <= 25


@pytest.mark.parametrize("fps", [5.0, 10.0, 30.0])
def test_a_replayed_loop_is_frozen(fps: float) -> None:
    frames = _live(round(40 * fps), fps=fps)
    second = round(fps)
    shown = _at_times_of(frames[: 20 * second] + frames[3 * second : 18 * second] * 2, frames)
    said = _watched(shown, live=True)
    assert [(one.kind, one.on) for one in said] == [(TamperKind.FROZEN, True)]
    assert 20 < said[0].t_ns / SECOND_NS <= 30
    assert "come back" in said[0].detail


def test_noise_that_goes_on_is_not_frozen() -> None:
    assert _watched(_live(600), live=True) == []


def test_a_recording_repeats_its_pictures_rightly(walkers: list[Frame]) -> None:
    still = [replace(walkers[0], t_ns=index * SECOND_NS // 10, index=index) for index in range(300)]
    assert _watched(still) == []
    assert (
        _watched([*walkers, *_at_times_of(walkers, [replace(w, t_ns=w.t_ns + 30 * SECOND_NS) for w in walkers])]) == []
    )


def test_a_sensor_in_complete_darkness_may_repeat_itself() -> None:
    black = [frame(np.zeros((180, 320)), 20 + index / 10) for index in range(300)]
    assert [one for one in _watched(_live(200) + black, live=True) if one.kind is TamperKind.FROZEN] == []


def test_a_source_that_never_had_noise_is_not_called_frozen() -> None:
    assert _watched([frame(ground(), index / 10, index) for index in range(200)], live=True) == []
