"""Tracks alone: who is believed, what counts as movement, and what belongs to the scene."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sealcam.sight.focus import Look
from sealcam.sight.gate import Motion
from sealcam.sight.settings import SightSettings
from sealcam.sight.statics import Statics
from sealcam.sight.tracks import Sighting, Tracks
from sealcam.sight.types import Box, Detection, Subject
from tests.scenes import SECOND_NS, seen

QUIET = Motion(np.zeros((90, 160), np.uint8), 2, 2, 0.0, moving=False, whole=False)
EVERYWHERE = Motion(np.full((90, 160), 255, np.uint8), 2, 2, 1.0, moving=True, whole=False)


def _run(
    looks: Sequence[Sequence[Detection]],
    motion: Motion = EVERYWHERE,
    every_s: float = 0.1,
    tracks: Tracks | None = None,
) -> list[tuple[Sighting, ...]]:
    tracks = tracks or Tracks(SightSettings())
    return [
        tracks.step(round(index * every_s * SECOND_NS), detections, motion) for index, detections in enumerate(looks)
    ]


def _walk(
    count: int, step: float = 6.0, score: float = 0.8, subject: Subject = Subject.PERSON
) -> list[list[Detection]]:
    return [[seen(Box(20 + step * i, 50, 60 + step * i, 150), score, subject)] for i in range(count)]


def test_a_walker_is_believed_at_the_third_look_and_keeps_one_track() -> None:
    sightings = _run(_walk(20))
    assert sightings[0] == sightings[1] == ()
    assert {one.track for look in sightings[2:] for one in look} == {1}
    assert all(len(look) == 1 for look in sightings[2:])


def test_three_looks_suffice_at_five_frames_a_second() -> None:
    assert _run(_walk(3, step=15), every_s=0.2)[-1]


def test_one_strong_mistake_is_not_believed() -> None:
    looks: list[list[Detection]] = [[] for _ in range(30)]
    looks[10] = [seen(Box(20, 50, 60, 150), 0.95)]
    assert not any(_run(looks))


def test_a_mistake_that_flickers_is_not_believed() -> None:
    looks = [[seen(Box(20, 50, 60, 150), 0.6)] if index % 3 == 0 else [] for index in range(60)]
    assert not any(_run(looks))


def test_a_faint_thing_that_stays_is_not_believed_and_one_that_travels_is() -> None:
    assert not any(_run(_walk(60, step=0, score=0.33)))
    assert _run(_walk(15, step=6, score=0.33))[-1]


def test_a_faint_thing_ceases_to_be_evidence_when_it_rests() -> None:
    travels, rests = _walk(15, step=6, score=0.33), [_walk(15, step=6, score=0.33)[-1]] * 40
    sightings = _run([*travels, *rests])
    assert sightings[14]
    assert not any(sightings[40:])


def test_what_never_moves_is_never_evidence() -> None:
    for subject in (Subject.PERSON, Subject.VEHICLE, Subject.ANIMAL):
        assert not any(_run([[seen(Box(20, 50, 60, 150), 0.9, subject)]] * 50, QUIET))


def test_motion_in_front_of_a_parked_car_does_not_make_it_move() -> None:
    car = seen(Box(100, 60, 200, 120), 0.7, Subject.VEHICLE)
    cut_short = [seen(Box(100, 60, 200 - 6 * index, 120), 0.7, Subject.VEHICLE) for index in range(8)]
    looks = [[car]] * 20 + [[one] for one in cut_short] + [[car]] * 20
    assert not any(_run(looks))


def test_a_parked_car_that_is_found_again_is_still_parked() -> None:
    tracks = Tracks(SightSettings())
    car = seen(Box(100, 60, 200, 120), 0.7, Subject.VEHICLE)
    _run([[car]] * 20, QUIET, tracks=tracks)
    assert not any(_run([[]] * 40 + [[car]] * 20, EVERYWHERE, tracks=tracks))


def test_a_statue_stays_a_statue_when_its_track_was_lost_and_something_moves_in_front() -> None:
    tracks = Tracks(SightSettings())
    statue = seen(Box(100, 40, 140, 160))
    _run([[statue]] * 20, QUIET, tracks=tracks)
    looks = [[statue]] * 20
    late = [
        tracks.step((60 + index) * SECOND_NS // 10 + 60 * SECOND_NS, look, EVERYWHERE)
        for index, look in enumerate(looks)
    ]
    assert not any(late)


def test_a_parked_car_that_drives_off_is_evidence() -> None:
    looks = [[seen(Box(100, 60, 200, 120), 0.7, Subject.VEHICLE)]] * 30
    looks += [[seen(Box(100 + 8 * i, 60, 200 + 8 * i, 120), 0.7, Subject.VEHICLE)] for i in range(15)]
    assert _run(looks)[-1]


def test_someone_who_comes_nearer_without_going_sideways_moves() -> None:
    looks = [[seen(Box(100 - 3 * i, 60 - 3 * i, 130 + 3 * i, 130 + 3 * i))] for i in range(20)]
    assert _run(looks, QUIET)[-1]


def test_someone_who_walked_in_and_stands_still_remains_evidence_until_settled() -> None:
    looks = [*_walk(20), *[_walk(20)[-1]] * 400]
    sightings = _run(looks, QUIET)
    assert all(sightings[20:200])
    assert not any(sightings[-50:])


def test_two_who_cross_stay_two() -> None:
    looks = [
        [seen(Box(20 + 6 * i, 40, 60 + 6 * i, 140)), seen(Box(260 - 6 * i, 60, 300 - 6 * i, 160))] for i in range(40)
    ]
    assert all(len(look) == 2 for look in _run(looks)[5:])


def test_a_car_and_a_person_in_one_place_are_what_scores_better() -> None:
    box = Box(20, 50, 120, 120)
    looks = [
        [seen(Box(box.x0 + 6 * i, 50, box.x1 + 6 * i, 120), score, subject)
         for subject, score in ((Subject.PERSON, 0.5), (Subject.VEHICLE, 0.7))]
        for i in range(20)
    ]  # fmt: skip
    assert {one.subject for look in _run(looks) for one in look} == {Subject.VEHICLE}


def test_someone_fast_at_two_frames_a_second_is_followed() -> None:
    assert {one.track for look in _run(_walk(8, step=35), every_s=0.5) for one in look} == {1}


def test_broken_numbers_are_passed_over() -> None:
    broken = [
        seen(Box(math.nan, 0, 10, 10)),
        seen(Box(0, 0, math.inf, 10)),
        Detection(Subject.PERSON, "person", math.nan, Box(0, 0, 10, 10)),
    ]
    assert not any(_run([broken] * 10))


def _moving_in(box: Box) -> Motion:
    """Motion in this box alone, of a picture of 320 by 180 in cells of two pixels."""
    mask = np.zeros((90, 160), np.uint8)
    mask[round(box.y0 / 2) : round(box.y1 / 2), round(box.x0 / 2) : round(box.x1 / 2)] = 255
    return Motion(mask, 2, 2, float(mask.mean() / 255), moving=True, whole=False)


STANDING = Box(100, 40, 140, 160)


def test_who_stood_still_when_watching_began_counts_once_he_stirs_by_himself() -> None:
    tracks = Tracks(SightSettings())
    assert not any(_run([[seen(STANDING)]] * 20, QUIET, tracks=tracks))
    stirs = _moving_in(Box(105, 60, 125, 90))
    late = [tracks.step((20 + index) * SECOND_NS // 10, [seen(STANDING)], stirs) for index in range(6)]
    assert late[-1]


def test_a_statue_does_not_stir_because_a_tree_sways_across_it() -> None:
    tracks = Tracks(SightSettings())
    _run([[seen(STANDING)]] * 20, QUIET, tracks=tracks)
    sways = _moving_in(Box(60, 40, 180, 160))
    assert not any(tracks.step((20 + i) * SECOND_NS // 10, [seen(STANDING)], sways) for i in range(60))


def test_a_statue_does_not_stir_because_somebody_passes_before_it() -> None:
    tracks = Tracks(SightSettings())
    _run([[seen(STANDING)]] * 20, QUIET, tracks=tracks)
    for index in range(30):
        passer = Box(20 + 8 * index, 60, 50 + 8 * index, 150)
        found = tracks.step((20 + index) * SECOND_NS // 10, [seen(STANDING), seen(passer)], _moving_in(passer))
        assert all(one.box != STANDING for one in found)


def test_a_posters_box_that_jumps_without_any_motion_is_no_movement() -> None:
    jumping = [[seen(Box(100, 40, 140, 160 + 24 * (index // 5 % 2)))] for index in range(60)]
    assert not any(_run(jumping, QUIET))


def test_who_walks_in_and_rests_is_not_remembered_longer_than_his_track() -> None:
    tracks = Tracks(SightSettings())
    _run([*_walk(20), *[_walk(20)[-1]] * 400], QUIET, tracks=tracks)
    assert len(tracks.statics) == 0


def test_a_parked_car_that_left_is_forgotten() -> None:
    tracks = Tracks(SightSettings())
    _run([[seen(Box(100, 60, 200, 120), 0.7, Subject.VEHICLE)]] * 30, QUIET, tracks=tracks)
    assert len(tracks.statics) == 1
    leaves = [[seen(Box(100 + 8 * i, 60, 200 + 8 * i, 120), 0.7, Subject.VEHICLE)] for i in range(15)]
    for index, detections in enumerate(leaves):
        tracks.step((30 + index) * SECOND_NS // 10, detections, EVERYWHERE)
    assert len(tracks.statics) == 0


def test_what_belongs_to_the_scene_still_does_after_a_restart() -> None:
    before = Tracks(SightSettings())
    _run([[seen(STANDING)]] * 20, QUIET, tracks=before)
    after = Tracks(SightSettings(), statics=Statics(before.statics.things))
    assert not any(_run([[seen(STANDING)]] * 20, EVERYWHERE, tracks=after))
    assert any(_run([[seen(STANDING)]] * 20, EVERYWHERE)), "without it, it would stir"


def _look(*values: float) -> Look:
    vector = np.array(values, dtype=np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def test_another_person_where_the_static_one_is_counts_as_any_other() -> None:
    before = Tracks(SightSettings())
    for index in range(20):
        before.step(index * SECOND_NS // 10, [seen(STANDING)], QUIET, lambda _: _look(1, 0))
    for look, counts in ((_look(1, 0), False), (_look(0, 1), True)):
        after = Tracks(SightSettings(), statics=Statics(before.statics.things))
        found = [
            after.step(index * SECOND_NS // 10, [seen(STANDING)], EVERYWHERE, lambda _, look=look: look)
            for index in range(10)
        ]
        assert any(found) is counts


def _hidden_for(seconds: float, before: Look, after: Look) -> set[int]:
    """The tracks of somebody who walks, is hidden, and of whoever walks on beyond."""
    tracks, numbers = Tracks(SightSettings(), (320, 180)), set[int]()
    for index in range(60):
        hidden = 20 <= index < 20 + round(seconds * 10)
        box = Box(60 + 1.5 * index, 50, 100 + 1.5 * index, 150)
        look = before if index < 20 else after
        found = tracks.step(
            index * SECOND_NS // 10, [] if hidden else [seen(box)], EVERYWHERE, lambda _, look=look: look
        )
        numbers |= {one.track for one in found}
    return numbers


def test_who_comes_out_from_behind_something_is_the_same_if_he_looks_like_it() -> None:
    assert len(_hidden_for(2.6, _look(1, 0.2), _look(1, 0.3))) == 1
    assert len(_hidden_for(2.6, _look(1, 0.2), _look(0.2, 1))) == 2


def test_he_is_asked_what_he_looks_like_now_and_then_only() -> None:
    tracks, asked = Tracks(SightSettings(), (320, 180)), []

    def look(box: Box) -> Look | None:
        asked.append(box)
        return _look(1, 0)

    for index, detections in enumerate(_walk(40)):
        tracks.step(index * SECOND_NS // 10, detections, EVERYWHERE, look)
    assert 6 <= len(asked) <= 9
