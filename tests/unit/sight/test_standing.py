"""Standing: whose feet nobody sees is not set aside for where they seem to be."""

from __future__ import annotations

import pytest

from sealcam.board.replay import ReplayCamera
from sealcam.config import ModelSettings
from sealcam.eyesight import open_detector
from sealcam.sight.place import Place
from sealcam.sight.settings import SightSettings
from sealcam.sight.standing import Standing
from sealcam.sight.surroundings import Surroundings
from sealcam.sight.types import ArmMode, Box, Report, Subject, Verdict
from sealcam.sight.watch import Watch
from sealcam.sight.zones import Polygon, Zone, ZoneKind, cover, nothing_watched
from tests import footage
from tests.scenes import SECOND_NS

SIZE = (640, 360)
NEAR = Box(250, 20, 400, 357)  # so near that the picture's lower border cuts the feet off


def _band(top: float, bottom: float, kind: ZoneKind = ZoneKind.IGNORE, name: str = "the street") -> Zone:
    return Zone(name, kind, Polygon(((0.0, top), (1.0, top), (1.0, bottom), (0.0, bottom))))


def _standing(*boxes: Box, every_s: float = 0.1) -> Standing:
    standing = Standing()
    for index, box in enumerate(boxes):
        standing.take(box, round(index * every_s * SECOND_NS), SIZE)
    return standing


@pytest.mark.parametrize("low", [0.02, 0.05, 0.10, 0.15, 0.4])
@pytest.mark.parametrize("bottom_px", [347.0, 353.0, 357.0, 360.0, 372.0])
def test_whom_the_border_cuts_off_is_in_no_ignored_strip_along_it(low: float, bottom_px: float) -> None:
    standing = _standing(*[Box(250, 20, 400, bottom_px)] * 3)
    assert standing.unseen
    assert standing.watched([_band(1 - low, 1)])
    assert standing.ignored([_band(1 - low, 1)]) == ()


def test_whom_the_border_cuts_off_counts_where_the_watched_zone_ends_above_it() -> None:
    assert _standing(NEAR).watched([_band(0.2, 0.8, ZoneKind.WATCH, "the path")])


def test_whom_ignored_zones_cover_is_in_them_without_feet_too() -> None:
    zones = [_band(0.2, 0.6), _band(0.55, 1, name="the bed"), _band(0.0, 0.01, name="the sky")]
    assert not _standing(NEAR).watched(zones)
    assert _standing(NEAR).ignored(zones) == ("the street", "the bed")


def test_who_stands_small_in_a_low_ignored_strip_is_ignored() -> None:
    standing = _standing(*[Box(300, 300, 320, 350)] * 3)
    assert not standing.watched([_band(0.85, 1)])
    assert standing.ignored([_band(0.85, 1)]) == ("the street",)


def test_one_bad_box_down_to_the_border_is_no_cut() -> None:
    seen = Box(300, 100, 340, 200)
    assert not _standing(seen, seen, Box(300, 100, 340, 359), seen).watched([_band(0, 0.7)])


def test_whoever_steps_behind_a_car_stands_where_the_feet_were() -> None:
    full, hidden = Box(300, 100, 350, 250), Box(300, 100, 350, 180)
    standing = _standing(*[full] * 5, *[hidden] * 10)
    assert standing.place[1] == pytest.approx(250 / 360, abs=0.03)
    yard = _band(0.6, 1, ZoneKind.WATCH, "the yard")
    assert standing.watched([yard])
    assert standing.watched([_band(0.0, 0.55)])
    assert standing.watched([_band(0.6, 1)]), "and where the feet seem to be counts as well"


def test_who_crouches_stands_where_he_stood_and_who_walks_away_where_he_walks() -> None:
    crouching = _standing(*[Box(300, 100, 350, 250)] * 5, *[Box(295, 175, 355, 250)] * 5)
    assert crouching.place[1] == pytest.approx(250 / 360)
    away = [Box(300, 150 - 30 / (1 + i / 20), 340, 150 + 150 / (1 + i / 20)) for i in range(60)]
    assert _standing(*away, every_s=0.2).place[1] == pytest.approx(away[-2].y1 / 360, abs=0.01)


def test_zones_cover_a_box_together_and_what_lies_outside_the_picture_is_none_of_it() -> None:
    left = Zone("l", ZoneKind.IGNORE, Polygon(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))))
    assert cover([left], Box(0.25, 0.0, 0.75, 1.0)) == pytest.approx(0.5)
    assert cover([left, left], Box(0.25, 0.5, 0.75, 1.5)) == pytest.approx(0.5)
    assert cover([], Box(0.25, 0.5, 0.75, 1.5)) == 0
    assert cover([left], Box(0.25, 0.5, 0.25, 0.5)) == 0
    bay = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.6, 1.0), (0.6, 0.5), (0.4, 0.5), (0.4, 1.0), (0.0, 1.0))
    assert cover([Zone("bay", ZoneKind.IGNORE, Polygon(bay))], Box(0, 0, 1, 1)) == pytest.approx(0.9)


def test_zones_that_leave_nothing_are_told_from_those_that_leave_little() -> None:
    everything = _band(0, 1)
    slip = Zone("slip", ZoneKind.WATCH, Polygon(((0.501, 0.5), (0.512, 0.5), (0.512, 0.51))))
    assert nothing_watched([everything])
    assert nothing_watched([everything, slip])
    assert nothing_watched([_band(0, 0.5), _band(0.5, 1)])
    assert not nothing_watched([])
    assert not nothing_watched([slip])
    assert not nothing_watched([_band(0, 0.5)])


def _porch(zone: Zone) -> list[Report]:
    surroundings = Surroundings(Place((zone,)))
    watch = Watch(open_detector(ModelSettings()), SightSettings(), str, ArmMode.AWAY, surroundings=surroundings)
    said = [report for frame in ReplayCamera(footage.porch()).frames() for report in watch.step(frame)]
    return [one for one in (*said, *watch.close()) if one.subject is Subject.PERSON]


@pytest.mark.parametrize(
    "zone",
    [_band(0.98, 1), _band(0.85, 1), _band(0.2, 0.8, ZoneKind.WATCH)],
    ids=["ignore 2 %", "ignore 15 %", "watch"],
)
def test_the_man_on_the_porch_alarms_whatever_is_drawn_along_the_lower_border(zone: Zone) -> None:
    reports = _porch(zone)
    assert reports[0].verdict is Verdict.THREAT
    assert reports[-1].verdict is Verdict.THREAT
    assert not any("ignored" in reason or "outside" in reason for one in reports for reason in one.reasons)


def test_the_man_on_a_porch_that_is_ignored_as_a_whole_is_benign() -> None:
    assert {report.verdict for report in _porch(_band(0, 1))} == {Verdict.BENIGN}
