"""What was left or taken: told once the person has gone, and only where a thing really came or went."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sealcam.board.replay import ReplayCamera
from sealcam.config import ModelSettings
from sealcam.eyesight import open_detector
from sealcam.sight.doorstep import Change, Doorstep
from sealcam.sight.gate import Gate
from sealcam.sight.settings import SightSettings
from sealcam.sight.things import Happened
from sealcam.sight.types import ArmMode, Box, Report, Stage, Subject, Verdict
from sealcam.sight.watch import Watch
from tests import footage
from tests.scenes import frame, ground, with_block

PARCEL = Box(150, 120, 186, 146)
COMES_S, GOES_S, END_S = 6.0, 9.0, 16.0
Scene = NDArray[np.float64]


def person(seconds: float) -> Box | None:
    """Somebody who steps up from the left, bends down over the place, and goes again."""
    if not COMES_S <= seconds < GOES_S:
        return None
    reach = 1 - abs(seconds - (COMES_S + GOES_S) / 2) / (GOES_S - COMES_S) * 2
    x0 = 20 + 120 * reach
    return Box(x0, 40, x0 + 45, 150)


def parcel(picture: Scene, box: Box = PARCEL, level: float = 190.0) -> Scene:
    """With a box that has a lid and a label."""
    out = with_block(picture, box, level)
    lid = Box(box.x0, box.y0 + 8, box.x1, box.y0 + 11)
    return with_block(out, lid, level - 60)


def play(
    scene: Callable[[float], Scene],
    people: Callable[[float], Box | None] = person,
    others: Callable[[float], list[Box]] = lambda _: [],
    *,
    end_s: float = END_S,
    fps: float = 10.0,
    noise: float = 1.5,
) -> list[Change]:
    """Every change of a made scene in which the people are painted as grey blocks."""
    random = np.random.default_rng(5)
    gate, doorstep = Gate(SightSettings()), Doorstep()

    def changes() -> Iterator[Change]:
        for index in range(round(end_s * fps)):
            now = index / fps
            box, picture = people(now), scene(now)
            if box is not None:
                picture = with_block(picture, box, 60.0)
            shown = frame(picture + random.normal(0, noise, picture.shape), now, index)
            yield from doorstep.step(shown, gate.step(shown), [] if box is None else [box], others(now))

    return list(changes())


def middle(now: float) -> bool:
    """Whether the person has bent down already."""
    return now >= (COMES_S + GOES_S) / 2


def test_a_parcel_that_was_left_is_told_once_and_where() -> None:
    (change,) = play(lambda now: parcel(ground()) if middle(now) else ground())
    assert change.happened is Happened.LEFT
    assert change.box.iou(PARCEL) > 0.6
    assert GOES_S < change.t_ns / 1e9 < GOES_S + 4.0, "before the incident ends"


def test_a_parcel_that_was_taken_is_told_once_and_where() -> None:
    (change,) = play(lambda now: ground() if middle(now) else parcel(ground()))
    assert change.happened is Happened.TAKEN
    assert change.box.iou(PARCEL) > 0.6


def test_one_is_left_and_another_taken() -> None:
    other = Box(100, 120, 130, 142)
    changes = play(lambda now: parcel(ground(), other) if middle(now) else parcel(ground()))
    assert {change.happened for change in changes} == {Happened.LEFT, Happened.TAKEN}


@pytest.mark.parametrize("level", [40.0, 150.0, 220.0])
def test_dark_and_light_things_are_both_seen(level: float) -> None:
    (change,) = play(lambda now: parcel(ground(), level=level) if middle(now) else ground())
    assert change.happened is Happened.LEFT


def test_who_only_comes_and_goes_leaves_nothing() -> None:
    assert play(lambda _: ground()) == []
    assert play(lambda _: parcel(ground())) == []


def test_without_anybody_there_nothing_is_left() -> None:
    """The wind's bag and the rolled-out bin are nobody's delivery."""
    assert play(lambda now: parcel(ground()) if middle(now) else ground(), lambda _: None) == []


def test_what_changes_where_nobody_was_is_none_of_theirs() -> None:
    far = Box(270, 20, 300, 45)
    assert play(lambda now: parcel(ground(), far) if middle(now) else ground()) == []


def test_a_car_that_came_meanwhile_is_no_parcel() -> None:
    there = [Box(140, 110, 200, 150)]
    changes = play(
        lambda now: parcel(ground()) if middle(now) else ground(), others=lambda now: there if middle(now) else []
    )
    assert changes == []


@pytest.mark.parametrize("gain", [0.7, 0.85, 1.2, 1.4])
def test_other_light_on_the_same_ground_is_nothing(gain: float) -> None:
    assert play(lambda now: ground() * gain if middle(now) else ground()) == []


def test_light_on_a_part_of_the_ground_is_nothing() -> None:
    def lit(now: float) -> Scene:
        picture = ground(texture=40)
        if middle(now):
            picture[100:150, 120:200] *= 1.4
        return picture

    assert play(lit) == []


def test_what_was_there_before_the_first_picture_without_them_is_not_judged() -> None:
    """Somebody stood there from the start: nobody knows how the place looked before."""
    stays = Box(100, 40, 200, 150)
    changes = play(lambda _: ground(), lambda now: stays if now < 4.0 else None, end_s=12.0)
    assert changes == []


@pytest.mark.parametrize("fps", [1.0, 2.5, 10.0])
def test_who_was_there_when_watching_began_is_not_taken_away(fps: float) -> None:
    """Nobody is believed in yet in the first pictures, and a slow board has seen few of them when they are."""
    there = Box(130, 60, 170, 140)

    def scene(now: float) -> Scene:
        return with_block(ground(), there, 200.0) if now < 1.0 else ground()

    assert play(scene, end_s=24.0, fps=fps) == []


def test_who_stays_beside_it_keeps_the_question_open() -> None:
    stays = Box(120, 40, 165, 150)
    changes = play(
        lambda now: parcel(ground()) if middle(now) else ground(),
        lambda now: person(now) if not middle(now) else stays,
    )
    assert changes == []


@pytest.mark.parametrize("every_s", [None, 2.0])
def test_a_theft_is_told_although_others_are_in_view_far_away(every_s: float | None) -> None:
    """A street with passers-by, or an accomplice: they are not where the thing was."""
    passer = Box(290, 10, 300, 34)
    random = np.random.default_rng(7)
    gate, doorstep = Gate(SightSettings()), Doorstep()
    changes: list[Change] = []
    for index in range(round(END_S * 10)):
        now = index / 10
        box, picture = person(now), ground() if middle(now) else parcel(ground())
        people = [box] if box is not None else []
        picture = with_block(picture, box, 60.0) if box is not None else picture
        if every_s is None or now % every_s < 1.0:
            people.append(passer)
            picture = with_block(picture, passer, 60.0)
        shown = frame(picture + random.normal(0, 1.5, picture.shape), now, index)
        changes += doorstep.step(shown, gate.step(shown), people, [])
    assert [change.happened for change in changes] == [Happened.TAKEN]
    assert changes[0].t_ns / 1e9 < GOES_S + 4.0


def test_a_new_size_or_a_switched_lamp_begins_anew() -> None:
    doorstep, gate = Doorstep(), Gate(SightSettings())
    for index, size in enumerate([(180, 320), (90, 160), (1, 1), (3, 200), (360, 640)] * 3):
        shown = frame(ground(size=size), index / 10, index)
        box = Box(0, 0, size[1] / 2, float(size[0]))
        assert doorstep.step(shown, gate.step(shown), [box] if index % 2 else [], []) == ()


@pytest.mark.parametrize(
    ("then", "now", "words", "threat"), [(False, True, "left", False), (True, False, "taken", True)]
)
def test_a_made_parcel_on_a_real_porch_is_in_the_incidents_reasons(
    then: bool, now: bool, words: str, threat: bool
) -> None:
    """Made: the porch's empty end is played before and after the man, and a box with a label is painted into it."""
    porch = list(ReplayCamera(footage.porch()).frames())
    man, empty = porch[:41], porch[42:]
    shown = [(one, then) for one in empty * 4] + [(one, then) for one in man] + [(one, now) for one in empty * 5]
    random = np.random.default_rng(1)
    watch = Watch(open_detector(ModelSettings()), SightSettings(), str, ArmMode.AWAY)
    watch.set_mode(ArmMode.AWAY, expected=True)
    reports: list[Report] = []
    for index, (one, there) in enumerate(shown):
        y = one.y + random.normal(0, 1.5, one.y.shape)
        if there and not (then and 20 <= index - 4 * len(empty) < len(man)):
            y[238:282, 248:312] = 110
            y[252:256, 248:312] = 60
        y = np.clip(y, 0, 255).astype(np.uint8)
        reports += watch.step(replace(one, y=y, fine=None, t_ns=index * 100_000_000, index=index))
    reports += watch.close()
    told = [one for one in reports if any(words in reason for reason in one.reasons)]
    assert told
    assert told[0].subject is Subject.PERSON
    assert told[0].stage is Stage.UPDATE, "at once, not with the end"
    assert (told[-1].verdict is Verdict.THREAT) == threat, "an expected visitor may bring, not take"
