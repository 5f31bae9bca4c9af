"""The status light on gpiozero's own mock pins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from gpiozero.pins.mock import MockFactory

from sealcam.board.led import FakeLight, GpioLight
from sealcam.board.protocols import StatusLight
from sealcam.wire.errors import ConfigError, HardwareError


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
    light.set(on=True)
    light.set(on=False)
    light.set(on=True)
    pin.assert_states([False, True, False, True])
    light.close()


def test_a_light_that_is_wired_to_the_supply_drives_low_for_on(pins: MockFactory) -> None:
    light = GpioLight(27, active_high=False, pins=pins)
    light.set(on=True)
    assert pins.pin(27).state == 0
    light.close()


def test_closing_switches_off_before_it_lets_go(pins: MockFactory) -> None:
    light = GpioLight(27, pins=pins)
    light.set(on=True)
    pin = pins.pin(27)
    light.close()
    light.close()
    assert [state.state for state in pin.states] == [False, True, False]
    GpioLight(27, pins=pins).close()


def test_a_closed_light_is_a_hardware_error(pins: MockFactory) -> None:
    light = GpioLight(27, pins=pins)
    light.close()
    with pytest.raises(HardwareError):
        light.set(on=True)


def test_a_pin_that_does_not_exist_is_a_configuration_error(pins: MockFactory) -> None:
    with pytest.raises(ConfigError) as caught:
        GpioLight("GPIO99", pins=pins)
    assert caught.value.hint is not None


def test_the_fake_remembers_what_it_was_told() -> None:
    light = FakeLight()
    protocol: StatusLight = light
    protocol.set(on=True)
    assert light.on
    protocol.close()
    assert light.told == [True, False]
    assert not light.on
