"""Button, infrared and shutter on gpiozero's own mock pins, and all of them opened from a configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from sealcam.board.button import GpioButton
from sealcam.board.infrared import GpioInfrared
from sealcam.board.presses import Press
from sealcam.board.shutter import ServoShutter
from sealcam.clocks import SimulatedClock
from sealcam.pin_settings import PinSettings
from sealcam.wire.errors import ConfigError, HardwareError
from sealcam.wired import open_wired


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory(pin_class=MockPWMPin)
    yield factory
    factory.close()
    factory.reset()


def test_a_button_to_ground_is_pressed_by_pulling_its_pin_low(pins: MockFactory) -> None:
    clock = SimulatedClock(boot_ns=1)
    button = GpioButton(22, clock, pins=pins)
    assert button.idle
    pins.pin(22).drive_low()
    assert button.stirred.is_set()
    clock.advance(1)
    assert button.take() == ()
    assert button.held_s == 1
    pins.pin(22).drive_high()
    clock.advance(1)
    assert button.take() == (Press.SHORT,)
    assert button.idle
    button.close()


def test_a_button_that_is_down_already_is_not_pressed(pins: MockFactory) -> None:
    clock = SimulatedClock()
    pins.pin(22).pull = "up"
    pins.pin(22).drive_low()
    button = GpioButton(22, clock, pins=pins)
    clock.advance(60)
    assert button.take() == ()
    button.close()


def test_by_night_the_filter_is_out_of_the_way_and_the_lamp_shines(pins: MockFactory) -> None:
    infrared = GpioInfrared(5, 6, lamp_high=False, pins=pins)
    cut, lamp = pins.pin(5), pins.pin(6)
    assert (cut.state, lamp.state) == (1, 1)
    infrared.set(night=True)
    assert (cut.state, lamp.state) == (0, 0)
    infrared.close()
    infrared.close()
    for pin in (cut, lamp):  # by day, by night, by day again; and let go of
        assert [int(state.state) for state in pin.states] == [0, 1, 0, 1, 0]
    with pytest.raises(HardwareError):
        infrared.set(night=True)


def test_a_lamp_alone_is_enough(pins: MockFactory) -> None:
    infrared = GpioInfrared(None, 6, pins=pins)
    infrared.set(night=True)
    assert pins.pin(6).state == 1
    infrared.close()


def test_a_shutter_is_driven_only_while_it_moves(pins: MockFactory) -> None:
    clock = SimulatedClock()
    shutter = ServoShutter(13, 45, -45, clock, pins=pins)
    shutter.set(covered=True)
    assert clock.boot_ns() == 700_000_000
    assert pins.pin(13).state == 0
    widths = [state.state for state in pins.pin(13).states]
    shutter.set(covered=False)
    assert max(state.state for state in pins.pin(13).states) > max(widths) > 0
    shutter.close()


def test_everything_that_is_named_is_opened(pins: MockFactory) -> None:
    named = PinSettings(pir=17, led=27, button=22, ir_cut=5, ir_lamp=6, shutter=13)
    wired = open_wired(named, SimulatedClock(), pins=lambda _: pins)
    parts = (wired.motion_sensor, wired.light, wired.button, wired.infrared, wired.shutter)
    assert all(part is not None for part in parts)
    assert wired.unusable == ()
    wired.close()


def test_a_chip_has_a_number_from_0_on() -> None:
    assert PinSettings(chip=0).chip == 0
    with pytest.raises(ConfigError, match="chip must be a number from 0 on, not -1"):
        PinSettings(chip=-1)


def test_a_pin_that_is_in_use_is_left_out_with_one_line_and_the_rest_is_opened(pins: MockFactory) -> None:
    taken = open_wired(PinSettings(led=17), SimulatedClock(), pins=lambda _: pins)
    wired = open_wired(PinSettings(pir=17, button=22), SimulatedClock(), pins=lambda _: pins)
    assert wired.motion_sensor is None
    assert wired.button is not None
    (one,) = wired.unusable
    assert one.parts == ("pir",)
    assert "motion sensor on pin 17" in one.words
    assert "already in use" in one.words
    assert one.hint
    wired.close()
    taken.close()


@pytest.mark.parametrize("error", [HardwareError("this board has no GPIO chip", "a hint"), ConfigError("no")])
def test_a_board_without_pins_is_one_line_for_all_parts(error: HardwareError | ConfigError) -> None:
    def none(_: int | None) -> Any:
        raise error

    wired = open_wired(PinSettings(pir=17, led=27), SimulatedClock(), pins=none)
    assert (wired.motion_sensor, wired.light) == (None, None)
    assert [one.words for one in wired.unusable] == [f"motion sensor, status light: {error.message}"]


def test_pins_that_contradict_each_other_are_never_touched_and_the_others_are_opened(pins: MockFactory) -> None:
    named = PinSettings(pir=17, led=17, button=1, ir_lamp=40, ir_cut=5, shutter=13)
    wired = open_wired(named, SimulatedClock(), pins=lambda _: pins)
    assert (wired.motion_sensor, wired.light, wired.button) == (None, None, None)
    assert wired.infrared is not None
    assert wired.shutter is not None
    assert [one.words for one in wired.unusable] == [
        "motion sensor and status light are both on GPIO17: neither is used",
        "button: GPIO1 is reserved",
        "infrared lamp: there is no GPIO40 on the header",
    ]
    wired.close()


def test_where_nothing_is_wired_no_chip_is_opened() -> None:
    def never(_: int | None) -> Any:
        raise AssertionError

    assert open_wired(PinSettings(), SimulatedClock(), pins=never).unusable == ()


def test_a_motion_sensor_on_a_pin_that_the_board_pulls_up_is_told_and_a_button_there_works(pins: MockFactory) -> None:
    wired = open_wired(PinSettings(pir=2, button=3), SimulatedClock(), pins=lambda _: pins)
    assert wired.button is not None
    assert [one.words for one in wired.unusable] == ["motion sensor: GPIO2 can't be pulled down"]
    wired.close()
