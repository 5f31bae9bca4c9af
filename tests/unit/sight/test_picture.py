"""Pictures of an incident: which is the best, and that its JPEG is small, whole and shows the subject."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sealcam.sight.picture import MOST_BYTES, WIDEST_PX, quality, thumbnail
from sealcam.sight.types import Box, Picture


def _picture(box: Box | None, size: tuple[int, int] = (360, 640), seed: int | None = None) -> Picture:
    height, width = size
    chroma = ((height + 1) // 2, (width + 1) // 2)
    y = np.full(size, 60, np.uint8)
    if seed is not None:
        y = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    if box is not None:
        y[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)] = 220
    return Picture(y, np.full(chroma, 128, np.uint8), np.full(chroma, 128, np.uint8), box, 0)


def _decoded(picture: Picture) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image = cv2.imdecode(np.frombuffer(thumbnail(picture), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, dtype=np.uint8)


@pytest.mark.parametrize(
    "box",
    [
        None,
        Box(300, 100, 360, 300),
        Box(0, 0, 640, 360),
        Box(-20, -20, 30, 90),
        Box(600, 300, 700, 400),
        Box(200.4, 100.2, 203.9, 108.8),
    ],
)
def test_a_thumbnail_is_small_and_whole(box: Box | None) -> None:
    image = _decoded(_picture(box))
    assert 0 < image.shape[1] <= WIDEST_PX
    assert 0 < image.shape[0] <= WIDEST_PX


@pytest.mark.parametrize("size", [(1, 1), (2, 640), (640, 2), (361, 641), (640, 360), (720, 1280)])
def test_pictures_of_odd_sizes_have_a_thumbnail(size: tuple[int, int]) -> None:
    assert thumbnail(_picture(None, size))
    assert thumbnail(_picture(Box(0, 0, size[1], size[0]), size))


def test_the_busiest_picture_still_fits_the_bound() -> None:
    assert len(thumbnail(_picture(None, seed=1))) <= MOST_BYTES


def test_the_subject_is_in_the_middle_of_its_thumbnail() -> None:
    image = _decoded(_picture(Box(300, 120, 340, 240)))
    middle = image[image.shape[0] // 2, image.shape[1] // 2]
    assert middle.min() > 180
    assert image[2, 2].max() < 100


@pytest.mark.parametrize("box", [Box(300, 120, 310, 140), Box(0, 0, 30, 200), Box(100, 200, 400, 260)])
def test_a_thumbnail_has_the_shape_of_the_card_it_is_shown_on(box: Box) -> None:
    image = _decoded(_picture(box))
    assert image.shape[1] / image.shape[0] == pytest.approx(16 / 9, abs=0.02)
    assert image.shape[1] >= 320


def test_colours_survive() -> None:
    y, u, v = np.full((360, 640), 80, np.uint8), np.full((180, 320), 90, np.uint8), np.full((180, 320), 220, np.uint8)
    blue, _, red = _decoded(Picture(y, u, v, None, 0))[50, 50]
    assert red > 150
    assert blue < 100


def test_nearer_surer_and_uncut_is_better() -> None:
    small, large = Box(100, 100, 120, 160), Box(100, 100, 160, 250)
    assert quality(0.8, large, 640, 360) > quality(0.8, small, 640, 360)
    assert quality(0.8, small, 640, 360) > quality(0.5, small, 640, 360)
    assert quality(0.8, Box(0, 100, 60, 250), 640, 360) < quality(0.8, large, 640, 360)
