"""The watch: when the detector looks, what odd sources do to it, and the real thing on real footage."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sealcam import models
from sealcam.board.litert import LiteRtNetwork, runtime_name
from sealcam.board.protocols import Frame
from sealcam.board.replay import ReplayCamera
from sealcam.sight.candidates import Candidates
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode, Box, Detection, Report, Stage, Subject, Trigger, Verdict
from sealcam.sight.watch import Watch
from sealcam.wire.errors import ConfigError
from tests import footage
from tests.scenes import SECOND_NS, ToldDetector, frame, ground, seen, walker, watch_scene, with_block


def _crossing(seconds: float) -> NDArray[np.float64]:
    box = walker(seconds)
    return ground() if box is None else with_block(ground(), box)


def _person(seconds: float) -> Iterable[Detection]:
    box = walker(seconds)
    return () if box is None else (seen(box),)


def _nothing(_seconds: float) -> Iterable[Detection]:
    return ()


def test_a_quiet_scene_is_looked_at_only_when_watching_begins() -> None:
    reports, detector, watch = watch_scene(lambda _: ground(), _nothing, seconds=30)
    assert reports == []
    assert all(look <= 0.5 for look in detector.looked_at)
    assert watch.stats.frames == 300
    assert watch.stats.gated == 0
    assert watch.stats.detector_runs == len(detector.looked_at)


def test_the_detector_looks_no_more_often_than_it_may() -> None:
    _, detector, _ = watch_scene(_crossing, _person, seconds=8, fps=30)
    during = [look for look in detector.looked_at if 2 <= look < 6]
    assert 30 <= len(during) <= 45
    _, eager, _ = watch_scene(_crossing, _person, seconds=8, fps=30, settings=SightSettings(detector_hz=30))
    assert len([look for look in eager.looked_at if 2 <= look < 6]) >= 110


def test_motion_in_which_nothing_is_recognised_is_looked_at_less() -> None:
    def waving(seconds: float) -> NDArray[np.float64]:
        return with_block(
            ground(), Box(60 + 40 * (round(seconds * 10) % 5), 40, 100 + 40 * (round(seconds * 10) % 5), 80)
        )

    _, detector, _ = watch_scene(waving, _nothing, seconds=20)
    early = [look for look in detector.looked_at if look < 4]
    late = [look for look in detector.looked_at if look >= 15]
    assert len(early) > 30
    assert len(late) <= 5 * 3.5


def test_someone_who_stands_still_is_not_lost() -> None:
    def stops(seconds: float) -> Box | None:
        return walker(min(seconds, 4.0))

    def tell(seconds: float) -> Iterable[Detection]:
        box = stops(seconds)
        return () if box is None else (seen(box),)

    def show(seconds: float) -> NDArray[np.float64]:
        box = stops(seconds)
        return ground() if box is None else with_block(ground(), box)

    reports, _, _ = watch_scene(show, tell, seconds=20)
    assert [report.stage for report in reports].count(Stage.NEW) == 1
    assert reports[-1].ended_ns == round(19.9 * SECOND_NS)


def test_someone_who_was_there_when_watching_began_is_an_incident_from_the_start() -> None:
    def tell(seconds: float) -> Iterable[Detection]:
        box = walker(seconds, enters=-2, leaves=3)
        return () if box is None else (seen(box),)

    def show(seconds: float) -> NDArray[np.float64]:
        box = walker(seconds, enters=-2, leaves=3)
        return ground() if box is None else with_block(ground(), box)

    reports, _, _ = watch_scene(show, tell, seconds=5)
    assert reports[-1].trigger is Trigger.START
    assert reports[-1].started_ns == 0
    assert reports[-1].ended_ns == round(2.9 * SECOND_NS)
    assert reports[-1].verdict is Verdict.THREAT


def test_a_poster_and_a_parked_car_in_view_from_the_start_never_alert() -> None:
    things = [seen(Box(20, 30, 60, 130)), seen(Box(150, 90, 280, 160), 0.7, Subject.VEHICLE)]
    reports, _, _ = watch_scene(lambda _: ground(), lambda _: things, seconds=20)
    assert reports == []


def test_a_light_switched_on_that_shows_a_poster_is_no_threat() -> None:
    def lit(seconds: float) -> NDArray[np.float64]:
        return ground() * (0.2 if seconds < 5 else 1.0)

    def poster(seconds: float) -> Iterable[Detection]:
        return (seen(Box(100, 30, 150, 140)),) if seconds >= 5 else ()

    reports, detector, _ = watch_scene(lit, poster, seconds=20)
    assert any(look >= 5 for look in detector.looked_at), "the poster was seen"
    assert all(report.verdict is not Verdict.THREAT for report in reports)


def test_a_tree_in_which_a_person_is_seen_now_and_then_by_mistake_is_no_threat() -> None:
    random = np.random.default_rng(7)
    pictures = [ground() + np.kron(random.uniform(-40, 40, (18, 32)), np.ones((10, 10))) for _ in range(40)]

    def mistake(seconds: float) -> Iterable[Detection]:
        index = round(seconds * 10)
        x0 = 20 + 37 * (index % 7)
        return (seen(Box(x0, 30, x0 + 40, 130), 0.55),) if index % 4 == 0 else ()

    reports, detector, _ = watch_scene(lambda s: pictures[round(s * 10) % 40], mistake, seconds=30)
    assert any(mistake(look) for look in detector.looked_at), "the mistake was seen"
    assert reports
    assert all(report.verdict is Verdict.FALSE_ALARM for report in reports)


def test_time_that_goes_back_ends_the_incident_and_begins_anew() -> None:
    watch = Watch(ToldDetector(_person), SightSettings(), str, ArmMode.AWAY)
    reports: list[Report] = []
    for _ in range(2):
        for index in range(40):
            reports += watch.step(frame(_crossing(index / 10), index / 10, index))
    reports += watch.close()
    assert [report.stage for report in reports if report.stage is not Stage.UPDATE] == [Stage.NEW, Stage.END] * 2


def test_a_long_gap_ends_the_incident_at_its_last_evidence() -> None:
    watch = Watch(ToldDetector(_person), SightSettings(), str, ArmMode.AWAY)
    reports = [r for i in range(40) for r in watch.step(frame(_crossing(i / 10), i / 10, i))]
    reports += watch.step(frame(_crossing(0), 3600, 41))
    assert reports[-1].stage is Stage.END
    assert reports[-1].ended_ns == round(3.9 * SECOND_NS)


def test_another_size_in_mid_stream_keeps_the_incident_and_its_times() -> None:
    watch = Watch(ToldDetector(_person), SightSettings(), str, ArmMode.AWAY)
    reports = [r for i in range(40) for r in watch.step(frame(_crossing(i / 10), i / 10, i))]
    for index in range(40, 60):
        picture = _crossing(index / 10)[:120, :200]
        reports += watch.step(frame(picture, index / 10, index))
    reports += watch.close()
    assert [report.stage for report in reports].count(Stage.NEW) == 1
    assert reports[-1].stage is Stage.END


def test_another_size_in_mid_stream_gives_no_track_a_number_that_another_had() -> None:
    watch = Watch(ToldDetector(_person), SightSettings(), str, ArmMode.AWAY)
    numbers: list[set[int]] = []
    for (rows, columns), first, last in (((180, 320), 0, 32), ((120, 200), 33, 43), ((180, 320), 44, 58)):
        numbers.append(set())
        for index in range(first, last + 1):
            watch.step(frame(_crossing(index / 10)[:rows, :columns], index / 10, index))
            assert watch.evidence is not None
            numbers[-1] |= {one.track for one in watch.evidence.sightings}
    assert all(numbers), "somebody was seen in each"
    assert numbers[0].isdisjoint(numbers[1])
    assert (numbers[0] | numbers[1]).isdisjoint(numbers[2])


def test_the_timer_that_was_handed_in_measures_the_parts() -> None:
    ticks = iter(range(0, 10**9, 7))
    watch = Watch(ToldDetector(_nothing), SightSettings(), str, ArmMode.AWAY, timer=lambda: next(ticks))
    watch.step(frame(ground(), 0.0))
    assert watch.stats.gate_ns == 7
    assert watch.stats.detect_ns == 7
    assert watch.stats.step_ns == 21


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), "5", True])
def test_a_setting_that_is_no_positive_number_is_named(value: object) -> None:
    with pytest.raises(ConfigError, match="calm_s"):
        dataclasses.replace(SightSettings(), calm_s=value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("person_score", 0.9),
        ("vehicle_score", 0.9),
        ("animal_score", 0.9),
        ("detector_hz", 120.0),
        ("idle_detector_hz", 120.0),
        ("confirm_hits", 30),
        ("confirm_window_s", 10.0),
        ("calm_s", 600.0),
        ("settle_s", 3600.0),
        ("motion_report_s", 600.0),
        ("motion_min_step", 64.0),
        ("motion_min_share", 0.2),
        ("picture_first_s", 600.0),
        ("picture_every_s", 3600.0),
    ],
)
def test_a_setting_that_would_blind_the_camera_is_refused_with_its_bound(name: str, most: float) -> None:
    assert getattr(SightSettings(**{name: most}), name) == most  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=f"^{name} is at most {most:g}, not .*: ") as caught:
        SightSettings(**{name: most + 1 if most >= 1 else most + 0.01})  # type: ignore[arg-type]
    assert "leave it out" in (caught.value.hint or "")


def test_every_setting_has_a_bound() -> None:
    for field in dataclasses.fields(SightSettings):
        with pytest.raises(ConfigError, match=field.name):
            SightSettings(**{field.name: 10**9})


def _detector() -> Candidates:
    loaded = models.load(None, runtime_name())
    return Candidates(LiteRtNetwork(loaded.content), loaded.spec)


def _ends(frames: Iterable[Frame], mode: ArmMode = ArmMode.AWAY) -> list[Report]:
    watch = Watch(_detector(), SightSettings(), str, mode)
    reports = [report for frame in frames for report in watch.step(frame)]
    return [report for report in (*reports, *watch.close()) if report.stage is Stage.END]


def _frames(path: Path, first: int, last: int) -> list[Frame]:
    return [frame for frame in islice(ReplayCamera(path).frames(), last + 1) if frame.index >= first]


def test_the_man_on_the_porch_is_one_incident_that_ends_when_he_leaves() -> None:
    ends = _ends(ReplayCamera(footage.porch()).frames())
    assert [(end.subject, end.verdict, end.trigger) for end in ends] == [
        (Subject.PERSON, Verdict.THREAT, Trigger.START)
    ]
    assert ends[0].started_ns == 0
    assert abs(ends[0].ended_ns / SECOND_NS - 4.1) <= 0.3


def test_the_man_on_the_porch_seen_backwards_arrives() -> None:
    frames = _frames(footage.porch(), 0, 59)
    turned = [
        dataclasses.replace(old, t_ns=new.t_ns, index=new.index) for old, new in zip(frames[::-1], frames, strict=True)
    ]
    ends = _ends(turned)
    assert [(end.subject, end.trigger) for end in ends] == [(Subject.PERSON, Trigger.MOTION)]
    assert 1.3 <= ends[0].started_ns / SECOND_NS <= 2.2


def test_the_empty_porch_is_quiet() -> None:
    assert _ends(_frames(footage.porch(), 46, 59)) == []


@pytest.mark.parametrize("fps", [None, 15, 5])
def test_the_waving_tree_is_never_more_than_a_false_alarm(fps: int | None) -> None:
    frames = _frames(footage.tree(), 0, 52)
    if fps is not None:
        frames = [dataclasses.replace(one, t_ns=one.index * SECOND_NS // fps) for one in frames]
    watch = Watch(_detector(), SightSettings(), str, ArmMode.AWAY)
    reports = [report for one in frames for report in watch.step(one)]
    assert watch.stats.gated > 10, "it moved"
    assert watch.stats.detector_runs > 10, "and was looked at"
    assert {report.verdict for report in (*reports, *watch.close())} <= {Verdict.FALSE_ALARM}


@pytest.mark.parametrize(("first", "every"), [(0, 1), (300, 2), (600, 4)])
def test_walkers_are_a_threat_while_the_owner_is_away(first: int, every: int) -> None:
    frames = _frames(footage.vtest(), first, first + 30 * every)[::every]
    ends = _ends(frames)
    assert [(end.subject, end.verdict) for end in ends] == [(Subject.PERSON, Verdict.THREAT)]


def test_walkers_are_benign_while_the_owner_is_at_home() -> None:
    assert {end.verdict for end in _ends(_frames(footage.vtest(), 0, 30), ArmMode.HOME)} == {Verdict.BENIGN}


def test_a_car_seen_from_above_is_benign() -> None:
    ends = _ends(_frames(footage.cars(), 40, 110))
    assert [(end.subject, end.verdict) for end in ends] == [(Subject.VEHICLE, Verdict.BENIGN)]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_man_is_found_at_night_in_made_noise_and_the_empty_porch_is_not(seed: int) -> None:
    random = np.random.default_rng(seed)

    def night(one: Frame) -> Frame:
        dark = 16 + (one.y.astype(np.float64) - 16) * 0.25 + random.normal(0, 8, one.y.shape)
        grey = np.full_like(one.u, 128)
        return dataclasses.replace(one, y=np.clip(dark, 0, 255).astype(np.uint8), u=grey, v=grey)

    frames = _frames(footage.porch(), 0, 59)
    assert {end.verdict for end in _ends(map(night, frames))} == {Verdict.THREAT}
    assert {end.verdict for end in _ends(map(night, frames[46:]))} <= {Verdict.FALSE_ALARM}
