"""What the button does in which mode, what the light shows meanwhile, and what else hangs on the pins does."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from sealcam.board.button import SimulatedButton
from sealcam.board.infrared import FakeInfrared
from sealcam.board.led import FakeLight
from sealcam.board.pir import SimulatedPir
from sealcam.board.protocols import Exposure, Frame, PirCounts, Shine
from sealcam.board.scripted import grey_frame
from sealcam.board.shutter import FakeShutter
from sealcam.clocks import SimulatedClock
from sealcam.darkness import UNTOLD_FRAMES, Darkness
from sealcam.pressing import Pressing
from sealcam.privacy import Privacy
from sealcam.sensing import EVERY_S, Sensing
from sealcam.shading import Shading
from sealcam.shining import Shining
from sealcam.sight.corroboration import Judged
from sealcam.sight.types import ArmMode
from sealcam.wire.bodies import Cause
from sealcam.wire.errors import HardwareError
from tests.scenes import SECOND_NS


@dataclass
class Told:
    """A sealer that keeps what it is to say of the camera's health."""

    said: list[tuple[str, str, bool]] = field(default_factory=list)

    def health(self, code: str, detail: str, *, urgent: bool = False) -> None:
        self.said.append((code, detail, urgent))


class Desk:
    """A camera's button, its light, and what came of pressing it."""

    def __init__(self, folder: Path, mode: ArmMode) -> None:
        self.clock, self.light, self.told = SimulatedClock(boot_ns=SECOND_NS), FakeLight(), Told()
        self.button = SimulatedButton(self.clock)
        self.privacy = Privacy(folder / "privacy")
        self.resets = 0
        self.pressing = Pressing(
            self.button,
            self.clock,
            self.privacy,
            lambda: mode,
            self.told,  # type: ignore[arg-type]
            Shining(self.light, lambda words: None),
            reset=self._reset,
            wake=lambda: None,
        )

    def _reset(self) -> None:
        self.resets += 1

    def hold(self, seconds: float) -> None:
        """Press it for so long; asked twenty times a second."""
        self.button.press()
        for _ in range(round(seconds * 20)):
            if self.resets:
                return
            self.clock.advance(0.05)
            self.pressing.step()
        self.button.press(down=False)
        for _ in range(2):
            self.clock.advance(0.05)
            self.pressing.step()


@pytest.mark.parametrize("mode", [ArmMode.OFF, ArmMode.HOME])
def test_a_short_press_is_privacy_and_the_next_one_its_end(tmp_path: Path, mode: ArmMode) -> None:
    desk = Desk(tmp_path, mode)
    desk.hold(0.3)
    assert (desk.privacy.on, desk.privacy.cause) == (True, Cause.BUTTON)
    desk.hold(0.3)
    assert not desk.privacy.on
    assert desk.told.said == []
    assert not Privacy(tmp_path / "privacy").on


@pytest.mark.parametrize("mode", [ArmMode.AWAY, ArmMode.NIGHT])
@pytest.mark.parametrize("private", [False, True])
def test_a_short_press_while_armed_away_or_night_is_only_told(tmp_path: Path, mode: ArmMode, *, private: bool) -> None:
    desk = Desk(tmp_path, mode)
    desk.privacy.switch(on=private)
    desk.hold(0.3)
    assert desk.privacy.on is private
    ((code, words, urgent),) = desk.told.said
    assert (code, urgent) == ("tamper-button", True)
    assert str(mode) in words


@pytest.mark.parametrize("mode", list(ArmMode))
@pytest.mark.parametrize("private", [False, True])
def test_ten_seconds_reset_in_any_mode_and_the_light_counts_them(
    tmp_path: Path, mode: ArmMode, *, private: bool
) -> None:
    desk = Desk(tmp_path, mode)
    desk.privacy.switch(on=private)
    desk.hold(10.5)
    assert desk.resets == 1
    assert desk.privacy.on is private
    assert desk.told.said == []
    assert desk.light.told == [Shine.COUNTING, Shine.RESETTING]


def test_who_lets_go_in_between_has_done_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ArmMode.HOME)
    desk.hold(9.0)
    assert (desk.resets, desk.privacy.on, desk.told.said) == (0, False, [])
    assert desk.light.told == [Shine.COUNTING, Shine.OFF]


def test_it_listens_until_it_is_stopped(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ArmMode.HOME)
    stop, beats = threading.Event(), []

    def beat() -> None:
        beats.append(desk.clock.boot_ns())
        if len(beats) == 5:
            stop.set()

    desk.pressing.run(beat, stop)
    assert [after - before for before, after in itertools.pairwise(beats)] == [SECOND_NS // 2] * 4


class Broken(FakeLight):
    """A lamp whose pin is lost."""

    def set(self, shine: Shine) -> None:
        raise HardwareError("the status light on pin 27: closed")


def test_a_light_that_fails_is_told_once_and_nothing_else_fails() -> None:
    words: list[str] = []
    shining = Shining(Broken(), words.append)
    shining.camera(Shine.STEADY)
    shining.count(Shine.COUNTING)
    assert words == ["the status light on pin 27: closed"]


def test_a_count_shows_whatever_the_camera_does_meanwhile() -> None:
    light = FakeLight()
    shining = Shining(light, lambda words: None)
    shining.camera(Shine.STEADY)
    shining.count(Shine.COUNTING)
    shining.camera(Shine.BLINKING)
    shining.count(None)
    assert light.told == [Shine.STEADY, Shine.COUNTING, Shine.BLINKING]


def test_a_shutter_that_is_stuck_is_told_each_time_and_tried_again() -> None:
    words: list[str] = []
    shutter = FakeShutter()
    shading = Shading(shutter, words.append)
    shading.set(covered=False)
    shading.set(covered=False)
    assert shutter.told == [False]
    shutter.stuck = True
    shading.set(covered=True)
    assert words == ["the shutter doesn't move: the lens may not be covered"]
    shutter.stuck = False
    shading.set(covered=True)
    assert shutter.told == [False, True]


def picture(index: int, exposure: Exposure | None) -> Frame:
    return replace(grey_frame(np.full((4, 4), 100, np.uint8), index * SECOND_NS, index), exposure=exposure)


def night_and_day(look: Callable[[Frame], bool], lights: list[Exposure | None]) -> list[int]:
    """At which frames, one a second, something was switched."""
    return [index for index, light in enumerate(lights) if look(picture(index, light))]


def test_at_dusk_filter_and_lamp_are_switched_once_and_it_is_said_when() -> None:
    infrared = FakeInfrared()
    darkness = Darkness(infrared, lambda words: None)
    dim = [Exposure(100.0, 1.0)] * 10 + [Exposure(0.5, 12.0)] * 20
    assert night_and_day(darkness.look, [*dim]) == [15]
    assert infrared.told == [False, True]
    darkness.rest()
    assert infrared.told == [False, True, False]
    assert darkness.look(picture(31, Exposure(0.5, 12.0))), "it is still night when somebody looks again"


def test_a_camera_that_does_not_say_how_dark_it_is_leaves_it_day_and_that_is_told_once() -> None:
    infrared, words = FakeInfrared(), list[str]()
    darkness = Darkness(infrared, words.append)
    assert night_and_day(darkness.look, [None] * (3 * UNTOLD_FRAMES)) == []
    assert len(words) == 1
    assert infrared.told == []


def test_a_sensor_is_summed_up_once_a_day_and_told_when_it_is_stuck() -> None:
    sensor, told = SimulatedPir(), Told()
    sensing = Sensing(sensor, told, 0)  # type: ignore[arg-type]
    day_ns = round(EVERY_S * SECOND_NS)
    assert not sensing.tell(Judged(), day_ns)
    sensor.counts = PirCounts(fired=41, brief=2, warming=1)
    assert not sensing.tell(Judged(38, 3), day_ns + 1)
    assert sensing.tell(Judged(38, 3), 2 * day_ns)
    sensor.counts = PirCounts(fired=42, brief=2, warming=1, stuck=True)
    assert sensing.tell(Judged(39, 3), 2 * day_ns + 1)
    assert not sensing.tell(Judged(39, 3), 2 * day_ns + 2)
    assert [code for code, _, _ in told.said] == ["pir-statistics", "pir-stuck"]
    assert told.said[0][1] == (
        "the motion sensor fired 41 times in a day; something moved 38 times, nothing 3 times; "
        "2 pulses were too short for a person (radio beside it); 1 while it warmed up"
    )
