"""The gate alone, on made luma: what moves, what only looks like it, and what it forgets."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sealcam.sight.gate import Gate, Motion
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import Box
from tests.scenes import frame, ground, walker, with_block


def _run(pictures: list[NDArray[np.float64]], fps: float = 10.0) -> list[Motion]:
    gate = Gate(SightSettings())
    return [gate.step(frame(picture, index / fps, index)) for index, picture in enumerate(pictures)]


def test_a_still_picture_never_moves() -> None:
    assert not any(motion.moving or motion.whole for motion in _run([ground()] * 50))


def test_someone_who_walks_moves_in_every_frame_and_inside_the_box() -> None:
    boxes = [walker(index / 10) for index in range(60)]
    motions = _run([ground() if box is None else with_block(ground(), box) for box in boxes])
    for box, motion in zip(boxes, motions, strict=True):
        if box is not None:
            assert motion.moving
            assert motion.inside(box) > 0.5


def test_noise_of_a_dark_night_is_no_motion() -> None:
    random = np.random.default_rng(1)
    noisy = [ground(level=30) + random.normal(0, 12, ground().shape) for _ in range(80)]
    assert sum(motion.moving for motion in _run(noisy)[10:]) == 0


def test_someone_moves_in_spite_of_the_noise() -> None:
    random = np.random.default_rng(2)
    pictures = [ground(level=60) + random.normal(0, 6, ground().shape) for _ in range(40)]
    box = Box(100, 40, 150, 160)
    motions = _run([*pictures[:30], *(with_block(picture, box, 150) for picture in pictures[30:])])
    assert all(motion.moving for motion in motions[30:34])


@pytest.mark.parametrize("factor", [0.3, 0.6, 1.6, 2.2])
def test_a_lamp_switched_is_a_change_of_the_whole_and_no_motion(factor: float) -> None:
    motions = _run([ground()] * 20 + [ground() * factor] * 30)
    assert not any(motion.moving for motion in motions)


def test_the_infrared_filter_turns_the_picture_over_and_nothing_moves() -> None:
    motions = _run([ground()] * 20 + [220 - ground() * 0.7] * 30)
    assert motions[20].whole
    assert not any(motion.moving for motion in motions)


def test_slow_light_is_followed() -> None:
    assert not any(motion.moving for motion in _run([ground() * (1 + index / 200) for index in range(150)]))


def test_the_exposure_creeping_is_followed() -> None:
    assert not any(motion.moving for motion in _run([ground() * 1.03**index for index in range(25)]))


def test_someone_who_enters_right_after_the_light_changed_is_seen() -> None:
    lit = ground() * 1.8
    boxes = [Box(10 + 12 * index, 50, 60 + 12 * index, 150) for index in range(15)]
    motions = _run([ground()] * 20 + [lit] * 3 + [with_block(lit, box, 20) for box in boxes])
    assert all(motion.moving for motion in motions[24:])


def test_someone_who_fills_the_picture_is_motion_and_not_light_for_long() -> None:
    random = np.random.default_rng(3)
    coats = [np.kron(random.uniform(0, 255, (6, 8)), np.ones((30, 40))) for _ in range(20)]
    assert any(motion.moving for motion in _run([ground()] * 10 + coats)[10:17])


def test_a_camera_that_shakes_by_a_pixel_sees_no_motion_at_its_edges() -> None:
    rows, columns = np.mgrid[:182, :322]
    tiles = np.where((rows // 30 + columns // 40) % 2, 60.0, 160.0)
    shaken = [tiles[: -2 + (index % 2) or None, 1:321][:180] for index in range(60)]
    assert sum(motion.moving for motion in _run(shaken)[10:]) == 0


def test_one_dead_pixel_or_a_line_of_rain_is_no_motion() -> None:
    random = np.random.default_rng(4)
    pictures = []
    for _ in range(40):
        picture = ground()
        picture[:, int(random.integers(0, 320))] += 90
        pictures.append(picture)
    assert sum(motion.moving for motion in _run(pictures)) <= 1  # two lines side by side may meet


def test_what_came_and_stays_becomes_background() -> None:
    parked = with_block(ground(), Box(100, 60, 180, 120))
    motions = _run([ground()] * 20 + [parked] * 150)
    assert motions[22].moving
    assert not any(motion.moving for motion in motions[-50:])


def test_leaves_that_always_flicker_move_less_and_less() -> None:
    random = np.random.default_rng(5)
    pictures = []
    for _ in range(400):
        picture = ground()
        picture[20:80, 200:300] += np.kron(random.choice([-18.0, 18.0], (6, 10)), np.ones((10, 10)))
        pictures.append(picture)
    shares = [motion.share for motion in _run(pictures)]
    assert np.mean(shares[-50:]) < 0.5 * np.mean(shares[5:55])


def test_another_size_starts_anew() -> None:
    gate = Gate(SightSettings())
    gate.step(frame(ground(), 0.0))
    motion = gate.step(frame(ground(size=(240, 320)), 0.1))
    assert not motion.moving
    assert not motion.whole


def test_a_frame_repeated_at_the_same_time_changes_nothing() -> None:
    gate = Gate(SightSettings())
    assert not any(gate.step(frame(ground(), 1.0)).moving for _ in range(20))


@pytest.mark.parametrize("size", [(1, 1), (1, 640), (640, 1), (2, 2), (181, 321), (360, 2)])
def test_pictures_of_odd_sizes_pass(size: tuple[int, int]) -> None:
    gate = Gate(SightSettings())
    for index in range(5):
        motion = gate.step(frame(ground(size=size), index / 10))
        assert motion.inside(Box(-5, -5, size[1] + 5, size[0] + 5)) == 0
