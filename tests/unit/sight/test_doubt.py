"""What a first look leaves open, and where."""

from __future__ import annotations

import numpy as np

from sealcam.board.protocols import Frame
from sealcam.sight.doubt import Kind, doubts, unexplained
from sealcam.sight.focus import UNKNOWN, Focus, Followed
from sealcam.sight.gate import Motion
from sealcam.sight.types import Box, Subject
from tests.scenes import HEIGHT, WIDTH, frame, ground, seen

PICTURE: Frame = frame(ground(), 0.0)
CELL = 4.0


def motion(*boxes: Box, whole: bool = False, moving: bool = True) -> Motion:
    """Motion in every cell of some boxes."""
    mask = np.zeros((round(HEIGHT / CELL), round(WIDTH / CELL)), np.uint8)
    for box in boxes:
        mask[round(box.y0 / CELL) : round(box.y1 / CELL), round(box.x0 / CELL) : round(box.x1 / CELL)] = 255
    return Motion(mask, CELL, CELL, float((mask > 0).mean()), moving, whole)


def followed(box: Box, score: float = 0.6) -> Followed:
    return Followed(Subject.PERSON, box, believed=True, score=score)


MAN = Box(40, 40, 80, 140)
BUSH = Box(240, 20, 300, 80)


def test_a_sure_box_that_explains_all_motion_leaves_nothing_open() -> None:
    assert doubts(PICTURE, Focus(motion(MAN), ()), [seen(MAN, 0.7)]) == ()


def test_a_faint_box_where_it_moved_is_a_doubt() -> None:
    (doubt,) = doubts(PICTURE, Focus(motion(MAN), ()), [seen(MAN, 0.3)])
    assert (doubt.kind, doubt.box) == (Kind.FAINT, MAN)


def test_a_faint_box_where_nothing_moved_is_none() -> None:
    assert doubts(PICTURE, Focus(motion(MAN), ()), [seen(MAN, 0.7), seen(BUSH, 0.3)]) == ()


def test_who_is_followed_and_was_missed_where_it_moved_is_a_doubt() -> None:
    (doubt,) = doubts(PICTURE, Focus(motion(MAN), (followed(MAN),)), [])
    assert (doubt.kind, doubt.box) == (Kind.MISSED, MAN)


def test_what_is_followed_where_nothing_moves_may_be_missed() -> None:
    assert doubts(PICTURE, Focus(motion(MAN), (followed(BUSH),)), [seen(MAN, 0.7)]) == ()


def test_motion_beside_every_box_is_a_doubt_where_it_is() -> None:
    (doubt,) = doubts(PICTURE, Focus(motion(MAN, BUSH), ()), [seen(MAN, 0.7)])
    assert (doubt.kind, doubt.box) == (Kind.UNNAMED, BUSH)


def test_a_shadow_beside_its_owner_is_his() -> None:
    shadow = Box(72, 120, 88, 140)
    assert doubts(PICTURE, Focus(motion(MAN, shadow), ()), [seen(MAN, 0.7)]) == ()


def test_the_largest_motion_comes_first() -> None:
    small = Box(160, 140, 180, 160)
    assert unexplained(motion(small, BUSH), []) == (BUSH, small)


def test_motion_of_a_few_cells_is_no_doubt() -> None:
    assert unexplained(motion(Box(100, 100, 104, 108)), []) == ()


def test_what_fills_the_picture_is_a_doubt_of_its_own() -> None:
    near = Box(40, 0, 300, 180)
    (doubt,) = doubts(PICTURE, Focus(motion(near), ()), [seen(near, 0.3)])
    assert doubt.kind is Kind.FILLED


def test_without_motion_known_or_while_the_light_changes_there_is_no_doubt() -> None:
    assert doubts(PICTURE, UNKNOWN, [seen(MAN, 0.3)]) == ()
    assert doubts(PICTURE, Focus(motion(whole=True), ()), [seen(MAN, 0.3)]) == ()


def test_a_broken_model_leaves_everything_open() -> None:
    (doubt,) = doubts(PICTURE, UNKNOWN, [], broken=True)
    assert (doubt.kind, doubt.box) == (Kind.BROKEN, Box(0, 0, WIDTH, HEIGHT))
