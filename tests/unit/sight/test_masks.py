"""Masks: what is under one is in nothing that anybody sees, keeps or gets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from sealcam.board.protocols import Frame, Plane
from sealcam.board.scripted import grey_frame
from sealcam.sight.masks import BLACK_LUMA, NO_COLOUR, Masks, filled
from sealcam.sight.picture import thumbnail
from sealcam.sight.place import Place
from sealcam.sight.settings import SightSettings
from sealcam.sight.surroundings import Surroundings
from sealcam.sight.types import ArmMode, Box, Detection, Report
from sealcam.sight.watch import Watch
from sealcam.sight.zones import Polygon
from tests.scenes import ToldDetector, frame, ground, seen, walker, with_block

CORNER = Polygon(((0.0, 0.0), (0.25, 0.0), (0.25, 0.5), (0.0, 0.5)))
EVERYTHING = Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))


def _coloured(height: int, width: int) -> Frame:
    """A frame whose every pixel says where it is, none of them as a mask paints."""
    random = np.random.default_rng(3)
    half = ((height + 1) // 2, (width + 1) // 2)
    planes = [random.integers(30, 120, size, dtype=np.uint8) for size in ((height, width), half, half)]
    return Frame(t_ns=0, index=0, y=planes[0], u=planes[1], v=planes[2])


@pytest.mark.parametrize("size", [(180, 320), (181, 321), (36, 64), (1, 64), (64, 1), (1, 1), (3, 5)])
def test_every_pixel_that_an_area_touches_is_painted_and_those_well_outside_stay(size: tuple[int, int]) -> None:
    height, width = size
    before, after = _coloured(height, width), _coloured(height, width)
    assert Masks([CORNER]).over(after) is after
    rows, columns = np.mgrid[:height, :width]
    touched = (columns < 0.25 * width) & (rows < 0.5 * height)
    assert (after.y[touched] == BLACK_LUMA).all()
    away = (columns > 0.25 * width + 2) | (rows > 0.5 * height + 2)
    assert (after.y[away] == before.y[away]).all()
    colour = touched[::2, ::2]
    for plane in (after.u, after.v):
        assert (plane[colour] == NO_COLOUR).all()


def test_slanted_borders_leave_no_pixel_of_what_they_cut() -> None:
    """Against the same area drawn sixteen times as large."""
    area = Polygon(((0.11, 0.07), (0.83, 0.21), (0.52, 0.93), (0.31, 0.44)))
    large = filled([area], 64 * 16, 48 * 16)
    touched = large.reshape(48, 16, 64, 16).max(axis=(1, 3)) > 0
    painted = _coloured(48, 64)
    Masks([area]).over(painted)
    assert (painted.y[touched] == BLACK_LUMA).all()
    assert (painted.y == BLACK_LUMA).sum() < 1.6 * touched.sum()


def test_masks_that_overlap_cover_what_both_cover() -> None:
    both = _coloured(60, 80)
    Masks([EVERYTHING, CORNER]).over(both)
    assert (both.y == BLACK_LUMA).all()
    assert (both.u == NO_COLOUR).all()


def test_without_masks_nothing_is_touched() -> None:
    one = _coloured(30, 40)
    one.y.setflags(write=False)
    assert Masks().over(one) is one


class _Fine:
    """A fine picture of ones."""

    height, width = 720, 1280

    def crop(self, x0: int, y0: int, x1: int, y1: int) -> tuple[Plane, Plane, Plane]:
        half = ((y1 + 1) // 2 - y0 // 2, (x1 + 1) // 2 - x0 // 2)
        return np.ones((y1 - y0, x1 - x0), np.uint8), np.ones(half, np.uint8), np.ones(half, np.uint8)


def test_no_piece_of_the_fine_picture_shows_what_is_masked() -> None:
    with_fine = replace(_coloured(180, 320), fine=_Fine())
    fine = Masks([CORNER]).over(with_fine).fine
    assert fine is not None
    assert (fine.width, fine.height) == (1280, 720)
    y, u, v = fine.crop(300, 340, 421, 401)
    assert (y[:20, :20] == BLACK_LUMA).all()
    assert (u[:10, :10] == NO_COLOUR).all()
    assert (v[:10, :10] == NO_COLOUR).all()
    assert (y[25:, :] == 1).all()
    assert (y[:, 25:] == 1).all()


def _canary(picture: np.ndarray[tuple[int, ...], np.dtype[np.float64]], seconds: float) -> Frame:
    """The picture with stripes in its upper left corner that run, in the strongest colour there is."""
    made = frame(picture, seconds, round(seconds * 10))
    shift = round(seconds * 20)
    made.y[:90, :80] = np.where((np.arange(80) + shift) // 8 % 2, 250, 5)[None, :]
    made.u[:45, :40] = 0
    made.v[:45, :40] = 255
    return made


def _red_px(jpeg: bytes) -> int:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    blue, green, red = (image[:, :, channel].astype(int) for channel in range(3))
    return int(((red - green > 40) | (red - blue > 40)).sum())


def _run(place: Place, seconds: float = 10, change: tuple[float, Place] | None = None) -> list[Report]:
    def tell(now: float) -> Iterable[Detection]:
        box = walker(now)
        return () if box is None else (seen(box),)

    watch = Watch(ToldDetector(tell), SightSettings(), str, ArmMode.AWAY, surroundings=Surroundings(place))
    reports: list[Report] = []
    for index in range(round(seconds * 10)):
        now = index / 10
        if change is not None and change[0] == now:
            watch.set_place(change[1])
        box = walker(now)
        reports += watch.step(_canary(ground() if box is None else with_block(ground(), box), now))
    return [*reports, *watch.close()]


def test_no_report_shows_a_masked_canary_and_its_motion_is_none() -> None:
    plain, masked = _run(Place()), _run(Place(masks=(CORNER,)))
    shown = [thumbnail(report.picture) for report in plain if report.picture is not None]
    assert max(map(_red_px, shown)) > 500, "the canary is seen where nothing masks it"
    hidden = [thumbnail(report.picture) for report in masked if report.picture is not None]
    assert hidden
    assert max(map(_red_px, hidden)) == 0
    assert plain[0].started_ns < 1_000_000_000, "the canary moves"
    assert masked[0].started_ns >= 2_000_000_000, "and its motion is nobody's under a mask"


def test_a_mask_that_comes_while_an_incident_runs_hides_what_was_kept_before_it() -> None:
    reports = _run(Place(), change=(2.1, Place(masks=(CORNER,))))
    later = [thumbnail(r.picture) for r in reports if r.picture is not None and r.t_ns >= 2_100_000_000]
    assert later
    assert max(map(_red_px, later)) == 0


def test_a_new_mask_is_no_motion() -> None:
    watch = Watch(ToldDetector(lambda _: ()), SightSettings(), str, ArmMode.AWAY)
    still = [grey_frame(np.full((180, 320), 150, np.uint8), index * 100_000_000, index) for index in range(100)]
    reports: list[Report] = []
    for one in still:
        if one.index == 50:
            watch.set_place(Place(masks=(CORNER,)))
        reports += watch.step(one)
    assert [*reports, *watch.close()] == []


def test_a_box_partly_under_a_mask_has_a_picture_without_what_is_under_it() -> None:
    made = _canary(ground(), 1.0)
    Masks([CORNER]).over(made)
    reports = _run(Place(masks=(CORNER,)))
    picture = next(report.picture for report in reports if report.picture is not None)
    assert _red_px(thumbnail(replace(picture, box=Box(20, 20, 120, 120)))) == 0
