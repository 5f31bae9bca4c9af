"""The life of an incident: one `new`, updates that are worth it, one `end`, and the times between."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode, Box, Detection, Report, Stage, Subject, Trigger, Verdict
from sealcam.sight.watch import Watch
from tests.scenes import SECOND_NS, ToldDetector, frame, ground, seen, walker, watch_scene, with_block


def _stages(reports: list[Report]) -> str:
    return " ".join(report.stage for report in reports)


def _crossing(seconds: float) -> NDArray[np.float64]:
    box = walker(seconds)
    return ground() if box is None else with_block(ground(), box)


def _person(seconds: float) -> Iterable[Detection]:
    box = walker(seconds)
    return () if box is None else (seen(box),)


def _nothing(_seconds: float) -> Iterable[Detection]:
    return ()


def test_a_visit_is_one_incident_from_the_first_motion_to_the_last_sight() -> None:
    reports, _, _ = watch_scene(_crossing, _person, seconds=16)
    assert _stages(reports).startswith("new")
    assert [report.stage for report in reports].count(Stage.NEW) == 1
    assert [report.stage for report in reports].count(Stage.END) == 1
    last = reports[-1]
    assert {report.incident for report in reports} == {"incident-0"}
    assert (last.trigger, last.subject, last.verdict) == (Trigger.MOTION, Subject.PERSON, Verdict.THREAT)
    assert last.started_ns == 2 * SECOND_NS
    assert last.ended_ns == round(5.9 * SECOND_NS)
    assert last.t_ns > last.ended_ns + 5 * SECOND_NS


def test_the_owner_is_told_within_half_a_second_of_the_first_sight() -> None:
    for fps in (5.0, 10.0, 15.0, 30.0):
        reports, _, _ = watch_scene(_crossing, _person, seconds=8, fps=fps)
        assert reports[0].verdict is Verdict.THREAT
        assert reports[0].t_ns <= 2.5 * SECOND_NS


def test_a_recording_that_ends_during_a_visit_ends_the_incident() -> None:
    reports, _, _ = watch_scene(_crossing, _person, seconds=4)
    assert reports[-1].stage is Stage.END
    assert reports[-1].ended_ns == round(3.9 * SECOND_NS)


def test_motion_without_a_subject_is_a_false_alarm_told_once_it_lasted() -> None:
    reports, _, _ = watch_scene(_crossing, _nothing, seconds=20)
    assert _stages(reports) == "new end"
    assert reports[0].t_ns >= 5 * SECOND_NS
    assert all(report.verdict is Verdict.FALSE_ALARM and report.subject is Subject.NONE for report in reports)
    assert reports[-1].picture is None
    assert reports[0].picture is not None


def test_short_motion_is_told_when_it_is_over() -> None:
    def blink(seconds: float) -> NDArray[np.float64]:
        return with_block(ground(), Box(50, 50, 90, 150)) if 3 <= seconds < 4 else ground()

    reports, _, _ = watch_scene(blink, _nothing, seconds=15)
    assert _stages(reports) == "new end"


def test_a_flicker_of_one_frame_is_nothing() -> None:
    def flicker(seconds: float) -> NDArray[np.float64]:
        return with_block(ground(), Box(50, 50, 90, 150)) if seconds == 3.0 else ground()

    reports, _, _ = watch_scene(flicker, _nothing, seconds=12)
    assert reports == []


def test_a_false_alarm_that_turns_out_a_person_escalates_at_once() -> None:
    def late(seconds: float) -> Iterable[Detection]:
        return _person(seconds) if seconds >= 5.2 else ()

    reports, _, _ = watch_scene(_crossing, late, seconds=16)
    assert reports[0].verdict is Verdict.FALSE_ALARM
    assert reports[1].stage is Stage.UPDATE
    assert reports[1].verdict is Verdict.THREAT
    assert reports[1].t_ns <= 5.5 * SECOND_NS
    assert {report.incident for report in reports} == {"incident-0"}


def test_a_person_who_comes_long_after_the_tree_began_to_wave_is_an_incident_of_its_own() -> None:
    def waving(seconds: float) -> NDArray[np.float64]:
        top = 20 + 10 * (round(seconds * 10) % 4)
        picture = with_block(ground(), Box(280, top, 310, top + 40))
        box = walker(seconds, enters=20, leaves=24)
        return picture if box is None else with_block(picture, box)

    def person(seconds: float) -> Iterable[Detection]:
        box = walker(seconds, enters=20, leaves=24)
        return () if box is None else (seen(box),)

    reports, _, _ = watch_scene(waving, person, seconds=36)
    ends = [report for report in reports if report.stage is Stage.END]
    assert [end.verdict for end in ends][:2] == [Verdict.FALSE_ALARM, Verdict.THREAT]
    assert ends[1].started_ns >= 19.9 * SECOND_NS
    assert ends[1].ended_ns <= 24 * SECOND_NS


def test_another_visit_after_the_calm_is_another_incident() -> None:
    def twice(seconds: float) -> float:
        return seconds if seconds < 14 else seconds - 14

    reports, _, _ = watch_scene(lambda s: _crossing(twice(s)), lambda s: _person(twice(s)), seconds=28)
    assert [report.incident for report in reports if report.stage is Stage.NEW] == ["incident-0", "incident-1"]


def test_arming_during_a_visit_escalates_at_once() -> None:
    watch = Watch(ToldDetector(_person), SightSettings(), str, ArmMode.HOME)
    told: list[Report] = []
    for index in range(50):
        if index == 40:
            watch.set_mode(ArmMode.AWAY)
        told += watch.step(frame(_crossing(index / 10), index / 10, index))
    assert told[0].verdict is Verdict.BENIGN
    escalation = next(report for report in told if report.verdict is Verdict.THREAT)
    assert escalation.stage is Stage.UPDATE
    assert escalation.t_ns == 4 * SECOND_NS


def test_a_busy_street_sends_a_handful_of_reports() -> None:
    def many(seconds: float) -> Iterable[Detection]:
        return [seen(box, 0.6 + 0.3 * (seconds % 7) / 7) for shift in range(4) if (box := _lane(seconds, shift))]

    def street(seconds: float) -> NDArray[np.float64]:
        picture = ground()
        for shift in range(4):
            if box := _lane(seconds, shift):
                picture = with_block(picture, box)
        return picture

    reports, _, _ = watch_scene(street, many, seconds=60)
    assert len(reports) <= 8
    assert _stages(reports).count("new") == 1


def _lane(seconds: float, shift: int) -> Box | None:
    local = (seconds + 2.5 * shift) % 10
    return walker(local, enters=0, leaves=8)


def test_a_better_picture_follows_after_a_second_and_then_rarely() -> None:
    def nearer(seconds: float) -> Box | None:
        if not 2 <= seconds < 30:
            return None
        size = 20 + (seconds - 2) * 4
        return Box(60, 20, 60 + size, 20 + size * 1.2)

    def tell(seconds: float) -> Iterable[Detection]:
        box = nearer(seconds)
        return () if box is None else (seen(box),)

    def show(seconds: float) -> NDArray[np.float64]:
        box = nearer(seconds)
        return ground() if box is None else with_block(ground(), box, 120 + 100 * (round(seconds * 10) % 2))

    reports, _, _ = watch_scene(show, tell, seconds=40)
    pictures = [report.t_ns / SECOND_NS for report in reports if report.picture is not None]
    assert pictures[0] < 2.6
    assert 1.0 <= pictures[1] - pictures[0] <= 2.0
    assert all(later - earlier >= 9.9 for earlier, later in pairwise(pictures[1:]))
    boxes = [report.picture.box for report in reports if report.picture is not None]
    areas = [box.area for box in boxes if box is not None]
    assert areas == sorted(areas)


def test_the_motion_sensor_alone_asks_the_detector_and_opens_an_incident() -> None:
    reports, detector, _ = watch_scene(lambda _: ground(), _nothing, seconds=14, pir=[4.0])
    assert _stages(reports) == "new end"
    assert reports[0].trigger is Trigger.PIR
    assert "the motion sensor fired" in reports[0].reasons
    assert [look for look in detector.looked_at if 4 <= look <= 6]


def test_the_motion_sensor_corroborates_a_person() -> None:
    reports, _, _ = watch_scene(_crossing, _person, seconds=14, pir=[2.5])
    assert "the motion sensor fired too" in reports[-1].reasons
    plain, _, _ = watch_scene(_crossing, _person, seconds=14)
    assert reports[-1].threat > plain[-1].threat


def test_an_id_is_asked_for_once_an_incident() -> None:
    asked: list[int] = []

    def name(number: int) -> str:
        asked.append(number)
        return f"{len(asked)}"

    watch = Watch(ToldDetector(_person), SightSettings(), name, ArmMode.AWAY)
    reports = [r for i in range(140) for r in watch.step(frame(_crossing(i / 10), i / 10, i))]
    assert asked == [0]
    assert {report.incident for report in reports} == {"1"}
