"""The life of an incident: one `new`, updates that are worth it, one `end`, and the times between."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sealcam.sight import judge_features
from sealcam.sight.gate import Motion
from sealcam.sight.incident import JOIN_BURST, JOIN_EVERY_S, Incidents
from sealcam.sight.judge import Rules
from sealcam.sight.running import MOST_TRACKS, Evidence, Running
from sealcam.sight.settings import SightSettings
from sealcam.sight.tracks import Sighting
from sealcam.sight.types import ArmMode, Box, Detection, Report, Stage, Subject, Trigger, Verdict
from sealcam.sight.watch import Watch
from sealcam.sight.way import Ways
from tests.scenes import HEIGHT, SECOND_NS, WIDTH, ToldDetector, frame, ground, seen, walker, watch_scene, with_block


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


def test_every_report_says_what_the_judge_knew() -> None:
    reports, _, _ = watch_scene(_crossing, _person, seconds=16)
    assert reports
    for report in reports:
        assert len(report.judged) == judge_features.COUNT
        assert all(0 <= number <= 1000 for number in report.judged)
        assert report.judged[judge_features.NAMES.index("person")] == 1000
    assert reports[0].judged != reports[-1].judged


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


def test_a_busy_street_tells_of_each_newcomer_once_and_of_little_else() -> None:
    def many(seconds: float) -> Iterable[Detection]:
        return [seen(box, 0.6 + 0.3 * (seconds % 7) / 7) for shift in range(4) if (box := _lane(seconds, shift))]

    def street(seconds: float) -> NDArray[np.float64]:
        picture = ground()
        for shift in range(4):
            if box := _lane(seconds, shift):
                picture = with_block(picture, box)
        return picture

    reports, _, _ = watch_scene(street, many, seconds=60)
    newcomers = sum(len(later.tracks) > len(before.tracks) for before, later in pairwise(reports))
    assert newcomers <= 24
    assert len(reports) <= newcomers + 8
    assert _stages(reports).count("new") == 1


def test_whoever_joins_a_running_incident_is_told_at_once() -> None:
    def second(seconds: float) -> Box | None:
        box = walker(seconds, enters=8, leaves=14)
        return None if box is None else Box(box.x0, 20, box.x0 + 30, 100)

    def both(seconds: float) -> list[Box]:
        first = walker(seconds, enters=2, leaves=16)
        return [box for box in (first, second(seconds)) if box is not None]

    def show(seconds: float) -> NDArray[np.float64]:
        picture = ground()
        for box in both(seconds):
            picture = with_block(picture, box)
        return picture

    reports, _, _ = watch_scene(show, lambda s: [seen(box) for box in both(s)], seconds=24)
    told = {track: report.t_ns for report in reversed(reports) for track in report.tracks}
    assert list(told) == [1, 2] or sorted(told) == [1, 2]
    assert told[1] <= 2.6 * SECOND_NS
    assert told[2] <= 8.6 * SECOND_NS
    assert all(later.tracks[: len(before.tracks)] == before.tracks for before, later in pairwise(reports))
    assert reports[-1].reasons[0].startswith("2 people were seen")


def test_a_flood_of_newcomers_is_told_in_a_burst_and_then_one_report_a_second() -> None:
    incidents, ways = Incidents(SightSettings(), str, ArmMode.AWAY, Rules()), Ways()
    still = Motion(np.zeros((9, 16), np.uint8), 20.0, 20.0, 0.0, moving=False, whole=False)
    told: list[Report] = []
    for index in range(400):
        now = frame(ground(), index / 10, index)
        box = Box(10 + index % 200, 40, 50 + index % 200, 140)
        sighting = Sighting(index // 2, Subject.PERSON, "person", 0.8, 0.8, box, now.t_ns)
        seen_ways = ways.step([sighting], now.t_ns, (WIDTH, HEIGHT), ())
        evidence = Evidence(now, still, False, 0.0, False, False, True, (sighting,), seen_ways)
        told += incidents.step(evidence)
    told += incidents.close()
    assert len(told[-1].tracks) == 200
    assert len(told) <= JOIN_BURST + 40 / JOIN_EVERY_S + 6
    assert len([report for report in told if report.t_ns <= 2 * SECOND_NS]) >= JOIN_BURST


def test_an_incident_that_never_ends_stays_bounded_and_tells_of_newcomers() -> None:
    ways, running = Ways(), Running(Trigger.MOTION, 0, 0)
    still = Motion(np.zeros((9, 16), np.uint8), 20.0, 20.0, 0.0, moving=False, whole=False)
    stays = Sighting(0, Subject.PERSON, "person", 0.8, 0.8, Box(10, 40, 50, 140), 0)
    for index in range(1, 4 * MOST_TRACKS):
        now = frame(ground(), index, index)
        comes = dataclasses.replace(stays, track=index, box=Box(100, 40, 140, 140), first_ns=now.t_ns)
        seen_now = (stays, comes)
        seen_ways = ways.step(seen_now, now.t_ns, (WIDTH, HEIGHT), ())
        running.take(Evidence(now, still, False, 0.0, False, False, True, seen_now, seen_ways))
        assert len(running.tracks) <= MOST_TRACKS
        assert running.people_came == index + 1
    assert list(running.tracks) == [0, *range(3 * MOST_TRACKS + 1, 4 * MOST_TRACKS)]


def test_an_escalation_passes_an_allowance_that_is_used_up() -> None:
    def crowd(seconds: float) -> list[Detection]:
        return [
            seen(
                Box(10 + 30 * n + 12 * (seconds - 2), 40, 30 + 30 * n + 12 * (seconds - 2), 120), subject=Subject.PERSON
            )
            for n in range(min(10, int((seconds - 2) * 5) + 1) if seconds >= 2 else 0)
        ]

    def show(seconds: float) -> NDArray[np.float64]:
        picture = ground()
        for one in crowd(seconds):
            picture = with_block(picture, one.box)
        return picture

    watch = Watch(ToldDetector(crowd), SightSettings(), str, ArmMode.HOME)
    told: list[Report] = []
    for index in range(60):
        if index == 41:
            watch.set_mode(ArmMode.AWAY)
        told += watch.step(frame(show(index / 10), index / 10, index))
    threats = [report.t_ns for report in told if report.verdict is Verdict.THREAT]
    assert threats[0] == round(4.1 * SECOND_NS)


def test_the_words_of_an_escalation_go_ahead_and_its_picture_follows() -> None:
    def late(seconds: float) -> Iterable[Detection]:
        return _person(seconds) if seconds >= 5.2 else ()

    reports, _, _ = watch_scene(_crossing, late, seconds=16)
    escalation, picture = reports[1], reports[2]
    assert escalation.verdict is Verdict.THREAT
    assert escalation.picture is None
    assert picture.picture is not None
    assert picture.picture.box is not None
    assert picture.t_ns - escalation.t_ns <= SECOND_NS // 5


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
