"""The status light on gpiozero's own mock pins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gpiozero import LED
from gpiozero.pins.mock import MockFactory

from sealcam.board.led import FakeLight, GpioLight
from sealcam.board.protocols import Shine, StatusLight
from sealcam.wire.errors import ConfigError, HardwareError
from tests.waiting import eventually


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory()
    yield factory
    factory.close()
    factory.reset()


def test_the_light_drives_its_pin(pins: MockFactory) -> None:
    light: StatusLight = GpioLight(27, pins=pins)
    pin = pins.pin(27)
    pin.assert_states([False])
    light.set(Shine.STEADY)
    light.set(Shine.OFF)
    light.set(Shine.STEADY)
    pin.assert_states([False, True, False, True])
    light.close()


def test_a_light_that_is_wired_to_the_supply_drives_low_for_on(pins: MockFactory) -> None:
    light = GpioLight(27, active_high=False, pins=pins)
    light.set(Shine.STEADY)
    assert pins.pin(27).state == 0
    light.close()


def test_closing_switches_off_before_it_lets_go(pins: MockFactory) -> None:
    light = GpioLight(27, pins=pins)
    light.set(Shine.STEADY)
    pin = pins.pin(27)
    light.close()
    light.close()
    assert [state.state for state in pin.states] == [False, True, False]
    GpioLight(27, pins=pins).close()


def test_a_light_that_blinks_does_so_by_itself_until_it_is_told_otherwise(pins: MockFactory) -> None:
    light = GpioLight(27, pins=pins)
    light.set(Shine.BLINKING)
    eventually(lambda: any(state.state for state in pins.pin(27).states), 10.0, "the light is on")
    light.set(Shine.STEADY)
    assert pins.pin(27).state
    light.set(Shine.OFF)
    assert not pins.pin(27).state
    light.close()


@pytest.mark.parametrize(("shine", "flashes_per_s"), [(Shine.COUNTING, 1), (Shine.RESETTING, 5), (Shine.BLINKING, 1)])
def test_who_holds_the_button_can_count_by_the_light(
    pins: MockFactory, monkeypatch: pytest.MonkeyPatch, shine: Shine, flashes_per_s: int
) -> None:
    asked: list[tuple[float, float]] = []

    def blink(_led: LED, on_time: float, off_time: float, background: bool) -> None:
        assert background, "it blinks by itself"
        asked.append((on_time, off_time))

    monkeypatch.setattr(LED, "blink", blink)
    light = GpioLight(27, pins=pins)
    light.set(shine)
    light.close()
    ((on_s, off_s),) = asked
    assert on_s + off_s == pytest.approx(1 / flashes_per_s)
    # A short flash each second can't be taken for the slow blinking of somebody who looks.
    assert (on_s < off_s / 2) == (shine is Shine.COUNTING)


def test_a_closed_light_is_a_hardware_error(pins: MockFactory) -> None:
    light = GpioLight(27, pins=pins)
    light.close()
    with pytest.raises(HardwareError):
        light.set(Shine.STEADY)


def test_a_pin_that_does_not_exist_is_a_configuration_error(pins: MockFactory) -> None:
    with pytest.raises(ConfigError) as caught:
        GpioLight("GPIO99", pins=pins)
    assert caught.value.hint is not None


def test_the_fake_remembers_what_it_was_told() -> None:
    light = FakeLight()
    protocol: StatusLight = light
    protocol.set(Shine.STEADY)
    assert light.shine is Shine.STEADY
    protocol.close()
    assert light.told == [Shine.STEADY, Shine.OFF]
