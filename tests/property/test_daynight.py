"""Day and night, whatever the light does: never to and fro, never stuck, and not fooled by our own lamp for long."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.board.protocols import Exposure
from sealcam.sight.daynight import DUSK_S, NIGHT_MOST_S, NIGHT_S, SETTLE_S, DayNight, bright, dark, follow

S = 1_000_000_000
LUX = st.none() | st.floats(0, 1000)
GAIN = st.none() | st.floats(1, 32)
LIGHT = st.builds(Exposure, LUX, GAIN)
DARK, BRIGHT = Exposure(0.1, 16.0), Exposure(400.0, 1.0)


def switches(lights: list[tuple[float, Exposure]]) -> list[tuple[int, bool]]:
    """When it changed, ns, to night or to day; each light lasts so many seconds."""
    now, t_ns, found = DayNight(), 0, []
    for seconds, light in lights:
        t_ns += round(seconds * S)
        before, now = now.night, follow(now, light, t_ns)
        if now.night != before:
            found.append((t_ns, now.night))
    return found


@given(st.lists(st.tuples(st.floats(0.05, 20), LIGHT), max_size=200))
def test_it_never_changes_twice_within_ten_seconds_nor_out_of_a_night_within_thirty(
    lights: list[tuple[float, Exposure]],
) -> None:
    found = switches(lights)
    for (before_ns, night), (after_ns, _) in itertools.pairwise(found):
        assert after_ns - before_ns >= (NIGHT_S if night else SETTLE_S) * S


@given(LIGHT)
def test_no_light_is_both_dark_and_bright(light: Exposure) -> None:
    assert not (dark(light) and bright(light))


@given(st.lists(st.tuples(st.floats(0.05, 60), st.builds(Exposure, st.floats(3.0, 15.0), GAIN)), max_size=50))
def test_what_lies_between_dark_and_bright_changes_nothing(lights: list[tuple[float, Exposure]]) -> None:
    assert switches(lights) == []


@given(st.lists(st.tuples(st.floats(0.05, 20), LIGHT), max_size=50))
def test_whatever_came_before_lasting_darkness_becomes_night_and_lasting_light_day(
    lights: list[tuple[float, Exposure]],
) -> None:
    now, t_ns = DayNight(), 0
    for seconds, light in lights:
        t_ns += round(seconds * S)
        now = follow(now, light, t_ns)
    for light, most_s in ((DARK, DUSK_S + SETTLE_S + 1), (BRIGHT, NIGHT_MOST_S + 1)):
        until_ns = t_ns + round(most_s * S)
        while t_ns < until_ns:
            t_ns += S
            now = follow(now, light, t_ns)
        assert now.night is (light is DARK)


def test_our_own_lamp_that_makes_a_dark_room_bright_switches_ever_less_often() -> None:
    now, found = DayNight(), []
    for t_s in range(12 * 3600):
        before, now = now.night, follow(now, BRIGHT if now.night else DARK, t_s * S)
        found += [t_s] if now.night != before else []
    assert len(found) <= 40
    assert found[-1] - found[-3] >= NIGHT_MOST_S


def test_a_day_that_lasts_forgives_the_lamp() -> None:
    fooled = DayNight(night=False, changed_ns=0, night_s=NIGHT_MOST_S)
    for t_s in (400, 400 + round(DUSK_S)):
        fooled = follow(fooled, DARK, t_s * S)
    assert fooled.night
    assert fooled.night_s == NIGHT_S


@pytest.mark.parametrize("seconds", [1, 4])
def test_a_hand_before_the_lens_or_a_headlight_changes_nothing(seconds: int) -> None:
    night = [(10.0, DARK), (10.0, DARK)]
    assert switches([(100.0, BRIGHT), *[(1.0, DARK)] * seconds, (1.0, BRIGHT)]) == []
    assert len(switches([*night, (100.0, DARK), *[(1.0, BRIGHT)] * seconds, (1.0, DARK)])) == 1


def test_a_source_that_begins_anew_goes_on_from_there() -> None:
    now = DayNight(night=True, changed_ns=1000 * S, doubted_ns=1000 * S)
    for t_s in (0, 1, 31):
        now = follow(now, BRIGHT, t_s * S)
    assert not now.night


def test_a_sensor_that_says_nothing_of_the_light_says_nothing() -> None:
    assert not dark(Exposure())
    assert not bright(Exposure())
    assert dark(Exposure(gain=16.0))
    assert bright(Exposure(lux=100.0))
    assert not dark(Exposure(lux=0.5, gain=1.0)), "the sensor has more to give"
