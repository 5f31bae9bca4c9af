"""A way: what is measured of a subject, and that a detector's jitter is none of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sealcam.sight.aside import THREAT_MOST, set_aside
from sealcam.sight.gate import Motion
from sealcam.sight.running import Evidence, Running
from sealcam.sight.tracks import Sighting
from sealcam.sight.types import Box, Subject, Trigger, Verdict
from sealcam.sight.verdict import IncidentFeatures, Judgement
from sealcam.sight.way import Way, Ways
from sealcam.sight.zones import Polygon, Zone, ZoneKind
from tests.scenes import HEIGHT, SECOND_NS, WIDTH, frame, ground

SIZE = (WIDTH, HEIGHT)
STRIP = Zone("the wire", ZoneKind.ENTRY, Polygon(((0.48, 0.0), (0.52, 0.0), (0.52, 1.0), (0.48, 1.0))))


def _sighting(box: Box, index: int, track: int = 1, subject: Subject = Subject.PERSON) -> Sighting:
    return Sighting(track, subject, str(subject), 0.8, 0.7, box, 0)


def _way(boxes: list[Box], *zones: Zone, every_s: float = 0.1) -> Way:
    ways = Ways()
    for index, box in enumerate(boxes):
        (way,) = ways.step([_sighting(box, index)], round(index * every_s * SECOND_NS), SIZE, zones)
    return way


def _jitter(seed: int, px: float) -> Callable[[], float]:
    random = np.random.default_rng(seed)
    return lambda: float(random.normal(0, px))


def test_who_stands_goes_nowhere_however_the_boxes_tremble() -> None:
    by = _jitter(1, 3.0)
    boxes = [Box(100 + by(), 40 + by(), 140 + by(), 140 + by()) for _ in range(100)]
    way = _way(boxes)
    assert way.path <= 0.5
    assert way.dwell_s == pytest.approx(9.9)
    assert way.approach < 1.1
    assert way.height == pytest.approx(100 / HEIGHT, abs=0.05)


def test_who_crosses_goes_so_many_times_their_own_height_and_stays_nowhere() -> None:
    way = _way([Box(2 * i, 40, 2 * i + 30, 120) for i in range(120)])
    assert way.path == pytest.approx(2 * 119 / 80, abs=0.3)
    assert way.dwell_s <= 4.5


def test_who_comes_nearer_grows_and_one_bad_box_is_no_approach() -> None:
    nearer = _way([Box(100 - i, 60 - i, 130 + i, 100 + i) for i in range(40)])
    assert nearer.approach == pytest.approx((40 + 2 * 38) / 42, abs=0.1)
    boxes = [Box(100, 60, 130, 120) for _ in range(20)]
    boxes[10] = Box(90, 0, 140, 180)
    assert _way(boxes).approach == 1.0


def test_hits_are_counted_of_the_looks_up_to_the_last_sight() -> None:
    ways = Ways()
    for look in range(10):
        seen = [_sighting(Box(100, 40, 130, 120), look)] if look in (0, 1, 4, 5) else []
        found = ways.step(seen, look * SECOND_NS // 10, SIZE, ())
        if found:
            way = found[0]
    assert (way.hits, way.looks) == (4, 6)


def test_a_strip_that_is_jumped_over_between_two_looks_was_entered() -> None:
    way = _way([Box(100 + 15 * i, 40, 120 + 15 * i, 120) for i in range(10)], STRIP, every_s=0.5)
    assert list(way.entered) == ["the wire"]
    assert list(way.zones) == ["the wire"]


def test_who_was_in_it_from_the_start_or_never_came_did_not_enter() -> None:
    inside = _way([Box(150, 40, 170, 120)] * 5, STRIP)
    assert (list(inside.zones), list(inside.entered)) == (["the wire"], [])
    away = _way([Box(20 + i, 40, 40 + i, 120) for i in range(10)], STRIP)
    assert (list(away.zones), list(away.entered)) == ([], [])


def test_one_bad_box_outside_the_ignored_zone_alarms_nobody() -> None:
    street = Zone("the street", ZoneKind.IGNORE, Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 0.6), (0.0, 0.6))))
    boxes = [Box(10 + 5 * i, 40, 30 + 5 * i, 90) for i in range(20)]
    boxes[8] = Box(50, 40, 70, 170)
    way = _way(boxes, street)
    assert not way.watched
    assert list(way.ignored) == ["the street"]


def test_what_is_not_seen_for_long_is_forgotten() -> None:
    ways = Ways()
    box = Box(10, 10, 30, 90)
    (first,) = ways.step([_sighting(box, 0)], 0, SIZE, ())
    assert ways.step([], 5 * SECOND_NS, SIZE, ()) == ()
    (again,) = ways.step([_sighting(box, 1)], 6 * SECOND_NS, SIZE, ())
    assert again is first
    ways.step([], 30 * SECOND_NS, SIZE, ())
    (new,) = ways.step([_sighting(box, 2)], 31 * SECOND_NS, SIZE, ())
    assert new is not first


def _moved(index: int, cells: tuple[slice, slice] | None, sightings: tuple[Sighting, ...] = ()) -> Evidence:
    mask = np.zeros((45, 80), np.uint8)
    if cells is not None:
        mask[cells] = 255
    share = float((mask > 0).mean())
    motion = Motion(mask, 4.0, 4.0, share, moving=cells is not None, whole=False)
    now = frame(ground(), index / 10, index)
    ways = Ways().step(sightings, now.t_ns, SIZE, ())
    return Evidence(now, motion, cells is not None, share, False, False, True, sightings, ways)


def _features(*evidence: Evidence) -> IncidentFeatures:
    running = Running(Trigger.MOTION, 0, 0)
    for one in evidence:
        running.take(one)
    return running.features(expected=False, scheduled=False)


def test_motion_is_counted_in_bursts_and_by_the_share_that_moved() -> None:
    some = (slice(0, 9), slice(0, 40))  # a tenth of the cells
    features = _features(*(_moved(i, some if i < 10 or 30 <= i < 40 or i > 50 else None) for i in range(60)))
    assert features.bursts == 3
    assert features.spread == pytest.approx(0.1)
    assert features.inside == 0.0


def test_motion_in_a_believed_box_is_told_from_that_beside_it() -> None:
    box = (_sighting(Box(0, 0, 80, 180), 0),)
    half = (slice(0, 45), slice(0, 40))  # the left half of the picture, of which the box is half
    features = _features(*(_moved(i, half, box) for i in range(5)))
    assert features.inside == pytest.approx(0.5)


def test_the_best_of_several_tracks_is_what_is_told() -> None:
    ways, running = Ways(), Running(Trigger.MOTION, 0, 0)
    for index in range(30):
        near = _sighting(Box(200, 20, 260, 170), index, track=2)
        far = _sighting(Box(5 * index, 20, 5 * index + 10, 50), index)
        seen = (far, near) if index > 10 else (far,)
        now = frame(ground(), index / 10, index)
        still = Motion(np.zeros((45, 80), np.uint8), 4.0, 4.0, 0.0, moving=False, whole=False)
        running.take(Evidence(now, still, False, 0.0, False, False, True, seen, ways.step(seen, now.t_ns, SIZE, ())))
    features = running.features(expected=True, scheduled=True)
    assert (features.people, features.hits, features.looks) == (2, 30, 30)
    assert features.height == pytest.approx(150 / HEIGHT)
    assert features.path > 4
    assert list(running.tracks) == [1, 2]
    assert (features.expected, features.scheduled, features.watched) == (True, True, True)


def test_zones_are_named_of_whoever_is_there_not_of_the_subject_alone() -> None:
    bed = Zone("the bed", ZoneKind.IGNORE, Polygon(((0.0, 0.0), (0.4, 0.0), (0.4, 1.0), (0.0, 1.0))))
    hall = Zone("the hall", ZoneKind.WATCH, Polygon(((0.4, 0.0), (1.0, 0.0), (1.0, 1.0), (0.4, 1.0))))
    ways, running = Ways(), Running(Trigger.MOTION, 0, 0)
    asleep = _sighting(Box(20, 60, 60, 120), 0)
    for index in range(10):
        walks = _sighting(Box(160 + 5 * index, 20, 200 + 5 * index, 150), index, track=2)
        seen = (asleep, walks) if index < 5 else (walks,)
        now = frame(ground(), index / 10, index)
        still = Motion(np.zeros((45, 80), np.uint8), 4.0, 4.0, 0.0, moving=False, whole=False)
        stood = ways.step(seen, now.t_ns, SIZE, (bed, hall))
        running.take(Evidence(now, still, False, 0.0, False, False, True, seen, stood))
    features = running.features(expected=False, scheduled=False)
    assert (features.zones, features.ignored, features.beside) == (("the hall",), (), ("the bed",))


def test_whatever_a_judge_says_what_nobody_watches_is_benign_and_said() -> None:
    judged = Judgement(Verdict.THREAT, 0.99, ("a person was seen", "armed away"))
    seen = IncidentFeatures(
        subject=Subject.PERSON,
        confidence=0.9,
        seen_s=1,
        motion_s=1,
        people=1,
        pir=False,
        light=False,
        watched=False,
        ignored=("the street", "the bed"),
    )
    aside = set_aside(judged, seen)
    assert (aside.verdict, aside.threat) == (Verdict.BENIGN, THREAT_MOST)
    assert aside.reasons == (
        "a person was seen",
        "it stayed in “the street” and “the bed”, which are ignored",
        "armed away",
    )
