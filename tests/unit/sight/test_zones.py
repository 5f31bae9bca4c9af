"""Zones: what an area is, who stands in it, and what that makes of an incident."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from sealcam.sight.place import Place
from sealcam.sight.settings import SightSettings
from sealcam.sight.surroundings import Surroundings
from sealcam.sight.types import ArmMode, Box, Detection, Report, Stage, Subject, Verdict
from sealcam.sight.watch import Watch
from sealcam.sight.zones import Point, Polygon, Zone, ZoneKind, feet, watched
from sealcam.wire.errors import ConfigError
from tests.scenes import HEIGHT, SECOND_NS, WIDTH, ToldDetector, frame, ground, seen, walker, with_block

LEFT = Polygon(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
RIGHT = Polygon(((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)))
ALL = Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))


def _square(x: float, y: float, side: float) -> Polygon:
    return Polygon(((x, y), (x + side, y), (x + side, y + side), (x, y + side)))


@pytest.mark.parametrize(
    ("corners", "said"),
    [
        ((), "3 to 32"),
        (((0.0, 0.0), (1.0, 1.0)), "3 to 32"),
        (((0.1, 0.1), (0.1, 0.1), (0.9, 0.9), (0.9, 0.9)), "3 to 32"),
        (tuple((i / 40, (i % 2) / 2) for i in range(33)), "3 to 32"),
        (((0.0, 0.0), (0.5, 0.5), (1.0, 1.0)), "next to nothing"),
        (((0.0, 0.0), (0.001, 0.0), (0.001, 0.001)), "next to nothing"),
        (((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)), "cross or touch"),
        (((0.0, 0.0), (1.0, 0.0), (0.5, 0.5), (1.0, 1.0), (0.0, 1.0), (0.5, 0.5)), "cross or touch"),
        (((0.0, 0.0), (0.8, 0.0), (0.4, 0.0), (0.4, 0.9)), "cross or touch"),
        (((0.0, 0.0), (1.1, 0.0), (0.5, 0.5)), "outside"),
        (((0.0, 0.0), (-0.1, 0.5), (0.5, 0.5)), "outside"),
        (((0.0, 0.0), (float("nan"), 0.5), (0.5, 0.5)), "outside"),
        (((0.0, 0.0), (float("inf"), 0.5), (0.5, 0.5)), "outside"),
    ],
)
def test_what_is_no_area_is_refused_with_words(corners: tuple[Point, ...], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Polygon(corners)
    assert said in caught.value.message
    assert caught.value.hint


def test_a_corner_that_is_repeated_counts_once() -> None:
    closed = Polygon(((0.0, 0.0), (0.5, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0), (0.0, 0.0)))
    assert closed == LEFT


def test_an_area_has_its_border_and_follows_its_bays() -> None:
    bay = Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.6, 1.0), (0.6, 0.4), (0.4, 0.4), (0.4, 1.0), (0.0, 1.0)))
    assert bay.contains((0.2, 0.9))
    assert bay.contains((0.9, 0.9))
    assert not bay.contains((0.5, 0.9))
    for point in ((0.0, 0.0), (1.0, 0.5), (0.5, 0.4), (0.6, 1.0), (0.4, 0.7)):
        assert bay.contains(point)
    assert bay.area == pytest.approx(1 - 0.2 * 0.6)


def test_a_way_that_jumps_over_a_strip_touches_it() -> None:
    strip = Polygon(((0.49, 0.0), (0.51, 0.0), (0.51, 1.0), (0.49, 1.0)))
    assert strip.touched((0.4, 0.5), (0.6, 0.5))
    assert strip.touched((0.5, 0.5), (0.5, 0.6))
    assert not strip.touched((0.4, 0.5), (0.45, 0.9))
    assert not strip.touched((0.6, 0.1), (0.9, 0.9))


def test_a_subject_stands_where_its_feet_are_within_the_picture() -> None:
    assert feet(Box(100, 20, 140, 90), 320, 180) == (0.375, 0.5)
    assert feet(Box(-50, 0, 20, 400), 320, 180) == (0.0, 1.0)
    assert feet(Box(1e300, 0, 2e300, 1e300), 320, 180) == (1.0, 1.0)


def test_without_zones_everything_is_watched_and_an_ignored_part_counts_over_the_others() -> None:
    watch, ignore = Zone("yard", ZoneKind.WATCH, LEFT), Zone("bed", ZoneKind.IGNORE, _square(0.1, 0.1, 0.2))
    gate = Zone("gate", ZoneKind.ENTRY, _square(0.8, 0.8, 0.2))
    assert watched((), (0.9, 0.9))
    assert watched((ignore, gate), (0.5, 0.9))
    assert not watched((ignore,), (0.2, 0.2))
    assert watched((watch, ignore), (0.4, 0.9))
    assert not watched((watch, ignore), (0.2, 0.2))
    assert not watched((watch, ignore), (0.7, 0.7))
    assert watched((watch, ignore, gate), (0.9, 0.9)), "who stands in an entry zone counts"


def _picture(seconds: float) -> NDArray[np.float64]:
    box = walker(seconds)
    return ground() if box is None else with_block(ground(), box)


def _person(seconds: float) -> Iterable[Detection]:
    box = walker(seconds)
    return () if box is None else (seen(box),)


def _watched(*zones: Zone, mode: ArmMode = ArmMode.AWAY, seconds: float = 16) -> list[Report]:
    """The reports of somebody who crosses the picture from left to right, with these zones."""
    watch = Watch(ToldDetector(_person), SightSettings(), str, mode, surroundings=Surroundings(Place(zones)))
    reports: list[Report] = []
    for index in range(round(seconds * 10)):
        reports += watch.step(frame(_picture(index / 10), index / 10, index))
    return [*reports, *watch.close()]


def test_who_stays_in_an_ignored_zone_is_benign_and_told_once_with_the_reason() -> None:
    reports = _watched(Zone("the street", ZoneKind.IGNORE, ALL))
    assert [report.stage for report in reports] == [Stage.NEW, Stage.END]
    assert {(report.subject, report.verdict) for report in reports} == {(Subject.PERSON, Verdict.BENIGN)}
    assert all("it stayed in “the street”, which is ignored" in report.reasons for report in reports)
    assert max(report.threat for report in reports) <= 0.05


def test_who_leaves_the_ignored_zone_alarms_at_once() -> None:
    reports = _watched(Zone("the street", ZoneKind.IGNORE, LEFT))
    crossed = next(i for i in range(60) if (box := walker(i / 10)) and box.x0 + 20 > WIDTH / 2)
    first = reports[0]
    assert (first.stage, first.verdict) == (Stage.NEW, Verdict.THREAT)
    assert 0 <= first.t_ns / SECOND_NS - crossed / 10 <= 0.3
    assert not any("ignored" in reason for reason in first.reasons)


def test_outside_every_watched_zone_nothing_alarms() -> None:
    low = Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5)))
    reports = _watched(Zone("the balcony", ZoneKind.WATCH, low))
    assert {report.verdict for report in reports if report.subject is Subject.PERSON} == {Verdict.BENIGN}
    assert "it stayed outside the zones that are watched" in reports[-1].reasons


def test_within_a_watched_zone_it_is_as_without_one() -> None:
    plain, zoned = _watched(), _watched(Zone("the yard", ZoneKind.WATCH, ALL))
    assert [(one.stage, one.t_ns, one.verdict) for one in plain] == [
        (one.stage, one.t_ns, one.verdict) for one in zoned
    ]
    assert "“the yard”" in zoned[-1].reasons[0]


def test_coming_into_an_entry_zone_from_outside_is_said() -> None:
    reports = _watched(Zone("the door", ZoneKind.ENTRY, RIGHT))
    assert reports[0].verdict is Verdict.THREAT
    assert not any("came into" in report.reasons[0] for report in reports[:1])
    assert "came into “the door”" in reports[-1].reasons[0]


def test_motion_in_an_ignored_part_alone_is_nothing_and_elsewhere_as_always() -> None:
    def waving(seconds: float) -> NDArray[np.float64]:
        top = 20 + 10 * (round(seconds * 10) % 4)
        return with_block(ground(), Box(20, top, 50, top + 40))

    def run(zone: Polygon) -> list[Report]:
        place = Place((Zone("the tree", ZoneKind.IGNORE, zone),))
        watch = Watch(ToldDetector(lambda _: ()), SightSettings(), str, ArmMode.AWAY, surroundings=Surroundings(place))
        told = [r for i in range(120) for r in watch.step(frame(waving(i / 10), i / 10, i))]
        return [*told, *watch.close()]

    assert run(LEFT) == []
    assert [report.verdict for report in run(RIGHT)] == [Verdict.FALSE_ALARM] * 2


def test_a_tree_in_an_ignored_part_is_looked_at_less_as_elsewhere() -> None:
    def waving(seconds: float) -> NDArray[np.float64]:
        top = 20 + 10 * (round(seconds * 10) % 4)
        return with_block(ground(), Box(20, top, 50, top + 40))

    detector = ToldDetector(lambda _: ())
    place = Place((Zone("the tree", ZoneKind.IGNORE, LEFT),))
    watch = Watch(detector, SightSettings(), str, ArmMode.AWAY, surroundings=Surroundings(place))
    for index in range(300):
        watch.step(frame(waving(index / 10), index / 10, index))
    assert len([look for look in detector.looked_at if 2 <= look < 5]) >= 25
    assert len([look for look in detector.looked_at if look >= 20]) <= 32


def test_a_burglar_on_a_busy_ignored_street_has_an_incident_of_its_own() -> None:
    def people(seconds: float) -> list[Detection]:
        passer = Box(20 + 30 * (seconds % 3), 20, 45 + 30 * (seconds % 3), 80)
        box = walker(seconds, enters=20, leaves=24)
        return [seen(passer), *(() if box is None else (seen(box),))]

    def show(seconds: float) -> NDArray[np.float64]:
        picture = ground()
        for one in people(seconds):
            picture = with_block(picture, one.box)
        return picture

    street = Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5)))
    place = Place((Zone("the street", ZoneKind.IGNORE, street),))
    watch = Watch(ToldDetector(people), SightSettings(), str, ArmMode.AWAY, surroundings=Surroundings(place))
    told = [report for i in range(400) for report in watch.step(frame(show(i / 10), i / 10, i))]
    threats = [report for report in told if report.verdict is Verdict.THREAT]
    assert threats[0].stage is Stage.NEW
    assert 20 <= threats[0].t_ns / SECOND_NS <= 20.6
    end = next(report for report in threats if report.stage is Stage.END)
    assert end.ended_ns <= 24 * SECOND_NS, "who passes on the street keeps it open no longer"
    assert end.t_ns <= 31 * SECOND_NS


def test_the_size_of_the_picture_is_of_no_matter() -> None:
    assert feet(Box(0, 0, WIDTH, HEIGHT), WIDTH, HEIGHT) == feet(Box(0, 0, 1, 1), 1, 1)
