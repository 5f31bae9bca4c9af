"""Which piece of a picture is looked at nearer, and what comes back from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sealcam.board.litert import ScriptedNetwork
from sealcam.board.protocols import Frame, Plane
from sealcam.board.scripted import grey_frame
from sealcam.sight.candidates import Candidates
from sealcam.sight.spec import DecodingSpec, Head, InputSpec, ModelSpec, Placement
from sealcam.sight.tiles import Region, Tiles, cut_out, region
from sealcam.sight.types import Box

INPUT = InputSpec(64, 128, "NHWC", "uint8", "RGB", Placement.LETTERBOX, 0, 1.0, 0.0)
SPEC = ModelSpec("made", INPUT, DecodingSpec(Head.YOLOX, 0.5, strides=(32,)), ("person",), 0.37)


class FinePicture:
    """A picture at hand in full."""

    def __init__(self, y: Plane) -> None:
        self._whole = grey_frame(y, 0)
        self.height, self.width = y.shape

    def crop(self, x0: int, y0: int, x1: int, y1: int) -> tuple[Plane, Plane, Plane]:
        half = slice(y0 // 2, (y1 + 1) // 2), slice(x0 // 2, (x1 + 1) // 2)
        return self._whole.y[y0:y1, x0:x1].copy(), self._whole.u[half].copy(), self._whole.v[half].copy()


def picture(width: int = 320, height: int = 160, times: int = 1) -> Frame:
    """A frame whose pixels tell where they are, with a picture `times` as fine behind it."""
    rows, columns = np.mgrid[: height * times, : width * times]
    fine = ((rows // 8 + columns // 8) % 256).astype(np.uint8)
    frame = grey_frame(np.ascontiguousarray(fine[::times, ::times]), 0)
    return replace(frame, fine=FinePicture(fine)) if times > 1 else frame


def claim(
    x0: float, y0: float, x1: float, y1: float, score: float = 0.8
) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """Outputs in which one cell claims a person, in pixels of the input."""
    cells = np.zeros((1, 8, 6), np.float32)
    cells[0, 0] = ((x0 + x1) / 64, (y0 + y1) / 64, np.log((x1 - x0) / 32), np.log((y1 - y0) / 32), 1, score)
    return [cells]


def tiles(*box: float) -> tuple[Tiles, ScriptedNetwork]:
    network = ScriptedNetwork((1, 64, 128, 3), [claim(*box)])
    return Tiles(Candidates(network, SPEC), INPUT), network


def corners(box: Box) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1, box.y1


def test_a_small_place_gets_a_piece_with_one_pixel_for_one_of_the_input() -> None:
    piece = region(picture(), Box(150, 75, 160, 85), INPUT)
    assert piece == Region(90, 48, 128, 64, 1.0, 1.0, 2.5)


def test_of_a_finer_picture_it_gains_more() -> None:
    piece = region(picture(times=2), Box(150, 75, 160, 85), INPUT)
    assert piece is not None
    assert (piece.width, piece.height, piece.scale_x, piece.gain) == (128, 64, 0.5, 5.0)
    assert (piece.x0, piece.y0) == (246, 128)


def test_a_larger_place_gets_a_larger_piece() -> None:
    piece = region(picture(times=2), Box(100, 40, 200, 80), INPUT)
    assert piece is not None
    assert piece.width * piece.scale_x >= 100 / 0.61
    assert piece.height * piece.scale_y >= 40 / 0.61


def test_a_place_as_large_as_the_picture_is_worth_no_tile() -> None:
    assert region(picture(), Box(20, 10, 300, 150), INPUT) is None
    assert region(picture(width=128, height=64), Box(60, 30, 70, 40), INPUT) is None


@pytest.mark.parametrize("place", [Box(0, 0, 6, 6), Box(314, 154, 320, 160), Box(0, 150, 5, 160), Box(310, 0, 320, 8)])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_piece_lies_inside_the_picture(place: Box, times: int) -> None:
    frame = picture(times=times)
    piece = region(frame, place, INPUT)
    assert piece is not None
    assert 0 <= piece.x0 <= 320 * times - piece.width
    assert 0 <= piece.y0 <= 160 * times - piece.height
    assert piece.x0 % 2 == piece.y0 % 2 == 0
    assert cut_out(frame, piece).y.shape == (piece.height, piece.width)


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_cut_out_is_what_lies_there(times: int) -> None:
    frame = picture(times=times)
    piece = region(frame, Box(150, 75, 160, 85), INPUT)
    assert piece is not None
    cut = cut_out(frame, piece)
    assert int(cut.y[0, 0]) == (piece.y0 // 8 + piece.x0 // 8) % 256
    assert cut.u.shape == (32, 64)


def test_a_box_comes_back_in_the_frames_pixels() -> None:
    near, network = tiles(40, 16, 56, 48)
    (found,) = near.detect(picture(times=2), [Box(150, 75, 160, 85)])
    assert corners(found.box) == pytest.approx(
        ((246 + 40) / 2, (128 + 16) / 2, (246 + 56) / 2, (128 + 48) / 2), abs=0.01
    )
    assert network.seen[0].shape == (1, 64, 128, 3)


def test_a_box_that_the_tile_cuts_off_is_none() -> None:
    for cut in ((0, 16, 20, 48), (110, 16, 128, 48), (40, 0, 60, 30), (40, 30, 60, 64)):
        assert tiles(*cut)[0].detect(picture(times=2), [Box(150, 75, 160, 85)]) == ()


def test_a_box_at_the_pictures_own_edge_stays() -> None:
    (found,) = tiles(0, 16, 20, 48)[0].detect(picture(times=2), [Box(0, 75, 10, 85)])
    assert found.box.x0 == pytest.approx(0, abs=1e-5)
    (found,) = tiles(110, 30, 128, 64)[0].detect(picture(times=2), [Box(310, 150, 320, 160)])
    assert corners(found.box)[2:] == pytest.approx((320, 160))


def test_the_first_place_that_gains_by_it_is_looked_at() -> None:
    near, network = tiles(40, 16, 56, 48)
    assert near.detect(picture(), [Box(0, 0, 320, 160)]) == ()
    assert len(network.seen) == 0
    assert len(near.detect(picture(), [Box(0, 0, 320, 160), Box(150, 75, 160, 85)])) == 1
