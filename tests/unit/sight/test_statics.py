"""Statics alone: remembered by place and look, bounded, and the same after a restart."""

from __future__ import annotations

import numpy as np

from sealcam.sight.focus import Look
from sealcam.sight.statics import MOST, MOST_LOOKS, Statics, shared
from sealcam.sight.types import Box, Subject

PLACE = Box(0.4, 0.3, 0.6, 0.8)


def _look(*values: float) -> Look:
    vector = np.array(values, dtype=np.float32)
    return vector / np.float32(np.linalg.norm(vector))


GREY, GREYER, RED = _look(1, 0.1, 0), _look(1, 0.2, 0), _look(0.1, 0, 1)


def test_a_box_in_shares_outlives_the_size_of_the_picture() -> None:
    assert shared(Box(64, 36, 320, 180), 640, 360) == Box(0.1, 0.1, 0.5, 0.5)


def test_what_was_not_seen_for_longest_is_forgotten_first() -> None:
    statics = Statics()
    for index in range(MOST + 10):
        statics.remember(Subject.VEHICLE, Box(index, 0, index + 0.5, 0.5), None)
    assert len(statics) == MOST
    assert statics.find(Subject.VEHICLE, Box(0, 0, 0.5, 0.5), None) is None
    assert statics.find(Subject.VEHICLE, Box(MOST, 0, MOST + 0.5, 0.5), None) is not None


def test_a_thing_is_known_by_its_kind_its_place_and_its_look() -> None:
    statics = Statics()
    statics.remember(Subject.PERSON, PLACE, GREY)
    assert statics.find(Subject.PERSON, PLACE, GREYER) is not None
    assert statics.find(Subject.PERSON, PLACE, None) is not None
    assert statics.find(Subject.PERSON, PLACE, RED) is None
    assert statics.find(Subject.PERSON, Box(0.1, 0.3, 0.3, 0.8), GREY) is None
    assert statics.find(Subject.VEHICLE, PLACE, GREY) is None


def test_two_things_of_one_kind_in_one_place_are_told_apart_by_their_look() -> None:
    statics = Statics()
    statics.remember(Subject.VEHICLE, PLACE, GREY)
    statics.remember(Subject.VEHICLE, PLACE, RED)
    assert len(statics) == 2


def test_a_thing_is_known_in_several_lights_and_no_more_than_so_many() -> None:
    statics = Statics()
    for turn in range(10):
        statics.remember(Subject.VEHICLE, PLACE, _look(1, 0.1 + 0.65 * turn, 0))
    assert len(statics) <= 2
    assert all(len(thing.looks) <= MOST_LOOKS for thing in statics.things)


def test_what_left_is_forgotten() -> None:
    statics = Statics()
    thing = statics.remember(Subject.VEHICLE, PLACE, GREY)
    statics.forget(thing)
    statics.forget(thing)
    assert len(statics) == 0


def test_after_a_restart_the_same_is_known_in_the_same_order() -> None:
    before = Statics()
    before.remember(Subject.VEHICLE, PLACE, GREY)
    before.remember(Subject.PERSON, Box(0, 0, 0.1, 0.1), None)
    after = Statics(before.things)
    assert after.things == before.things
    assert after.find(Subject.VEHICLE, PLACE, GREY) is not None
