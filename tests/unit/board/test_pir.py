"""The motion sensor on gpiozero's own mock pins, and the simulated one."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from sealcam.board.gpio import board_pins
from sealcam.board.pir import GpioPir, Latch, SimulatedPir
from sealcam.board.protocols import MotionSensor, PirCounts
from sealcam.clocks import SimulatedClock
from sealcam.wire.errors import ConfigError, HardwareError

S = 1_000_000_000


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    factory = MockFactory()
    yield factory
    factory.close()
    factory.reset()


def test_a_rising_edge_is_told_once_with_its_time(pins: MockFactory) -> None:
    clock = SimulatedClock(boot_ns=5 * S)
    sensor: MotionSensor = GpioPir(17, warm_up_s=0, clock=clock, pins=pins)
    assert sensor.take() is None
    clock.advance(2)
    pins.pin(17).drive_high()
    clock.advance(1)
    assert sensor.take() == 7 * S
    assert sensor.take() is None
    sensor.close()


def test_a_falling_edge_and_a_level_are_not_told(pins: MockFactory) -> None:
    pins.pin(17).drive_high()
    sensor = GpioPir(17, warm_up_s=0, clock=SimulatedClock(), pins=pins)
    assert sensor.take() is None
    pins.pin(17).drive_low()
    assert sensor.take() is None
    sensor.close()


def test_the_newest_of_two_edges_wins(pins: MockFactory) -> None:
    clock = SimulatedClock()
    sensor = GpioPir("GPIO17", warm_up_s=0, clock=clock, pins=pins)
    for _ in range(2):
        clock.advance(0.5)
        pins.pin(17).drive_high()
        clock.advance(0.5)
        pins.pin(17).drive_low()
    assert sensor.take() == 3 * S // 2
    assert sensor.take() is None
    sensor.close()


def test_edges_while_it_warms_up_are_not_told(pins: MockFactory) -> None:
    clock = SimulatedClock(boot_ns=3 * S)
    sensor = GpioPir(17, warm_up_s=60, clock=clock, pins=pins)
    clock.advance(56.9)
    pins.pin(17).drive_high()
    clock.advance(2)
    assert sensor.take() is None
    pins.pin(17).drive_low()
    clock.advance(1)
    pins.pin(17).drive_high()
    clock.advance(1)
    assert sensor.take() == 62_900_000_000
    assert sensor.counts == PirCounts(fired=1, warming=1)
    sensor.close()


def test_a_process_that_starts_again_does_not_wait_for_a_sensor_that_is_warm(pins: MockFactory) -> None:
    clock = SimulatedClock(boot_ns=600 * S)
    sensor = GpioPir(17, clock, pins=pins)
    pins.pin(17).drive_high()
    clock.advance(1)
    assert sensor.take() == 600 * S
    sensor.close()


def test_a_sensor_that_pulls_low_when_it_feels_somebody(pins: MockFactory) -> None:
    clock = SimulatedClock(boot_ns=600 * S)
    sensor = GpioPir(17, clock, active_high=False, pins=pins)
    pins.pin(17).drive_low()
    clock.advance(1)
    assert sensor.take() == 600 * S
    sensor.close()


def test_an_edge_that_was_never_called_back_is_seen_all_the_same(pins: MockFactory) -> None:
    clock = SimulatedClock(boot_ns=600 * S)
    sensor = GpioPir(17, clock, pins=pins)
    pin = pins.pin(17)
    pin.when_changed = None
    pin.drive_high()
    assert sensor.take() is None
    clock.advance(1)
    assert sensor.take() == 600 * S
    sensor.close()


def test_it_starts_no_thread(pins: MockFactory) -> None:
    before = set(threading.enumerate())
    sensor = GpioPir(17, pins=pins)
    assert set(threading.enumerate()) == before
    sensor.close()


def test_a_closed_sensor_lets_go_of_its_pin(pins: MockFactory) -> None:
    GpioPir(17, pins=pins).close()
    GpioPir(17, pins=pins).close()


@pytest.mark.parametrize("pin", [99, "GPIO99", "door", "BOARD1"])
def test_a_pin_that_does_not_exist_is_a_configuration_error(pins: MockFactory, pin: int | str) -> None:
    with pytest.raises(ConfigError) as caught:
        GpioPir(pin, pins=pins)
    assert str(pin) in caught.value.message
    assert caught.value.hint is not None


def test_a_pin_that_is_taken_is_a_configuration_error(pins: MockFactory) -> None:
    sensor = GpioPir(17, pins=pins)
    with pytest.raises(ConfigError, match="already in use"):
        GpioPir(17, pins=pins)
    sensor.close()


def test_a_pin_with_a_fixed_pull_up_is_a_configuration_error(pins: MockFactory) -> None:
    with pytest.raises(ConfigError, match="GPIO2"):
        GpioPir(2, pins=pins)


@pytest.mark.skipif(importlib.util.find_spec("lgpio") is not None, reason="lgpio is installed here")
def test_a_system_without_lgpio_says_which_package(tmp_path: Path) -> None:
    (tmp_path / "gpiochip0").touch()
    with pytest.raises(HardwareError, match="lgpio") as caught:
        board_pins(None, tmp_path)
    assert caught.value.hint is not None
    assert "python3-lgpio" in caught.value.hint


def test_a_board_without_the_chip_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(HardwareError, match="no GPIO chip"):
        board_pins(None, tmp_path)
    for number in (0, 4):
        (tmp_path / f"gpiochip{number}").touch()
    with pytest.raises(HardwareError, match="no GPIO chip 7") as caught:
        board_pins(7, tmp_path)
    assert "there are gpiochip0, gpiochip4" in str(caught.value.hint)


def test_a_simulated_sensor_tells_its_stimulus_until_it_is_closed() -> None:
    sensor = SimulatedPir()
    protocol: MotionSensor = sensor
    sensor.drive_high(3)
    sensor.drive_high(4)
    assert protocol.take() == 4
    assert protocol.take() is None
    protocol.close()
    sensor.drive_high(5)
    assert protocol.take() is None


def test_a_latch_that_is_set_and_taken_at_once_tells_every_time_at_most_once_and_the_last_always() -> None:
    latch = Latch()
    taken: list[int] = []
    done = threading.Event()

    def take() -> None:
        while not done.is_set():
            found = latch.take()
            if found is not None:
                taken.append(found)

    thread = threading.Thread(target=take)
    thread.start()
    for t_ns in range(5000):
        latch.set(t_ns)
    done.set()
    thread.join(10)
    last = latch.take()
    if last is not None:
        taken.append(last)
    assert taken[-1] == 4999
    assert taken == sorted(set(taken))
