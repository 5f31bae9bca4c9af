"""A grainy picture is smoothed for models that see more in it then; any other is left alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sealcam.board.protocols import Plane
from sealcam.board.scripted import grey_frame
from sealcam.sight.prepare import GRAINY, Preparer, grain
from sealcam.sight.spec import InputSpec, Placement
from tests.scenes import ground, luma

INPUT = InputSpec(180, 320, "NHWC", "uint8", "RGB", Placement.STRETCH, 0, 1.0, 0.0, calm=True)


def noisy(level: int, texture: int, sigma: float) -> Plane:
    return luma(ground(level, texture) + np.random.default_rng(3).normal(0, sigma, (180, 320)))


@pytest.mark.parametrize(
    ("level", "texture", "sigma"), [(90, 20, 0), (90, 20, 4), (160, 60, 15), (40, 20, 1), (16, 0, 0)]
)
def test_a_picture_by_day_or_without_noise_is_not_grainy(level: int, texture: int, sigma: float) -> None:
    assert grain(noisy(level, texture, sigma)) < GRAINY


def test_a_dark_picture_full_of_noise_is() -> None:
    assert grain(noisy(40, 10, 12)) > GRAINY


def test_the_smallest_pictures_have_no_grain() -> None:
    for shape in ((1, 1), (2, 2), (8, 2), (1, 300)):
        assert grain(np.full(shape, 40, np.uint8)) == 0


def test_only_a_grainy_picture_is_smoothed_and_only_for_a_model_that_wants_it() -> None:
    def spread(spec: InputSpec, y: Plane) -> float:
        picture, _ = Preparer(spec).prepare(grey_frame(y, 0))
        return float(np.abs(np.diff(picture[0, :, :, 0].astype(np.int16), axis=1)).mean())

    dark, bright = noisy(40, 10, 12), noisy(160, 60, 12)
    plain = replace(INPUT, calm=False)
    assert spread(INPUT, dark) < 0.6 * spread(plain, dark)
    assert spread(INPUT, bright) == spread(plain, bright)


def test_what_is_seen_from_a_step_back_takes_its_share_and_leaves_the_rest() -> None:
    spec = replace(INPUT, placement=Placement.LETTERBOX, fill=7)
    picture, mapping = Preparer(spec, 0.5).prepare(grey_frame(np.full((180, 320), 235, np.uint8), 0))
    assert (picture[0, :90, :160] == 255).all()
    assert (picture[0, 90:] == 7).all()
    assert (picture[0, :, 160:] == 7).all()
    box = mapping.to_frame(40, 20, 80, 60)
    assert (box.x0, box.y0, box.x1, box.y1) == (80, 40, 160, 120)
