"""The motion sensor against the picture: when it is no longer believed, and when it is again."""

from __future__ import annotations

from collections.abc import Callable

from sealcam.sight.corroboration import Corroboration, Doubt
from tests.scenes import SECOND_NS


def _run(
    seconds: float,
    fires: Callable[[int], bool],
    seen: Callable[[int], bool] = lambda _: False,
    *,
    sensor: Corroboration,
    dark: bool = False,
    from_s: int = 0,
) -> list[Doubt]:
    """Ten frames a second; the functions are asked at each full second."""
    said = []
    for index in range(round(seconds * 10)):
        at_s, part = divmod(index, 10)
        doubt = sensor.step(
            (from_s + at_s) * SECOND_NS + part * SECOND_NS // 10,
            fired=part == 0 and fires(at_s),
            seen=seen(at_s),
            dark=dark,
        )
        said += [] if doubt is None else [doubt]
    return said


def test_a_sensor_that_fires_while_nothing_moves_is_told_once_and_not_believed() -> None:
    sensor = Corroboration()
    (doubt,) = _run(300, lambda s: s % 10 == 0, sensor=sensor)
    assert doubt.on
    assert "6 times, 6 of them while nothing moved" in doubt.detail
    assert not sensor.believed


def test_a_sensor_that_agrees_with_the_picture_stays_believed() -> None:
    sensor = Corroboration()
    assert _run(300, lambda s: s % 10 == 0, lambda s: s % 10 in (2, 3), sensor=sensor) == []
    assert _run(300, lambda s: s % 10 == 5, lambda s: s % 10 == 3, sensor=sensor, from_s=300) == []
    assert sensor.believed


def test_one_walk_past_the_picture_is_no_doubt() -> None:
    sensor = Corroboration()
    assert _run(30, lambda s: s in (3, 10, 20), sensor=sensor) == []


def test_a_sensor_that_fires_all_the_time_is_one_firing() -> None:
    sensor = Corroboration()
    assert _run(60, lambda _: True, sensor=sensor) == []


def test_a_picture_too_dark_to_show_anyone_speaks_against_no_sensor() -> None:
    sensor = Corroboration()
    assert _run(300, lambda s: s % 10 == 0, sensor=sensor, dark=True) == []
    assert sensor.believed


def test_it_is_believed_again_once_it_agrees() -> None:
    sensor = Corroboration()
    _run(100, lambda s: s % 10 == 0, sensor=sensor)
    (doubt,) = _run(100, lambda s: s % 10 == 0, lambda s: s % 10 == 1, sensor=sensor, from_s=100)
    assert not doubt.on
    assert sensor.believed
