"""`sealcam doctor` on speed: what is measured, and what is said of it; how fast this machine is stays untested."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealcam import checks_speed, doctor
from sealcam.bench_sight import Looked
from sealcam.board_settings import BoardSettings
from sealcam.checks import Grade
from sealcam.config import CameraSettings, Config, ModelSettings
from sealcam.governor import Budget
from sealcam.sight.settings import SightSettings
from sealcam.wire.errors import HardwareError, ModelError


def looks(*step_ms: float) -> list[Looked]:
    return [Looked(round(one * 1e6), round(one * 0.9e6), 1) for one in step_ms]


def test_the_first_looks_and_what_would_take_too_long_are_not_measured() -> None:
    warm_up, least = checks_speed.WARM_UP, checks_speed.LEAST
    pace = checks_speed.pace_of(looks(*[900.0] * warm_up, 10, 20, 30, 40, 50))
    assert (pace.bare_ms, pace.whole_ms) == (27, 30)
    slow = iter(looks(*[3000.0] * 80))
    assert checks_speed.pace_of(slow).whole_ms == 3000
    assert len(list(slow)) == 80 - warm_up - least
    with pytest.raises(HardwareError, match="only 9 looks"):
        checks_speed.pace_of(looks(*[1.0] * (warm_up + least - 1)))


@pytest.mark.parametrize(
    ("whole_ms", "wanted_hz", "grade", "words"),
    [
        (20.0, 10.0, Grade.GOOD, "at most 50.0 looks a second, 10 are asked for"),
        (69.9, 10.0, Grade.GOOD, ""),
        (200.0, 10.0, Grade.WARNING, "at most 5.0 looks a second, 10 are asked for"),
        (200.0, 3.0, Grade.GOOD, "3 are asked for"),
        (1500.0, 10.0, Grade.BAD, "who walks by quickly isn't seen"),
    ],
)
def test_a_board_is_held_against_the_looks_that_are_asked_for(
    whole_ms: float, wanted_hz: float, grade: Grade, words: str
) -> None:
    pace = checks_speed.Pace(whole_ms / 1.25, whole_ms)
    found = checks_speed.verdict(ModelSettings(), pace, wanted_hz)
    assert (found.part, found.grade, words in found.words) == ("speed", grade, True)
    assert found.figures["over_bare_ratio"] == 1.25
    assert found.figures["core_share"] == pytest.approx(wanted_hz * whole_ms / 1000, abs=0.001)
    if grade is not Grade.GOOD:
        assert "person-192" in str(found.hint)
        fits = int(str(found.hint).split("detector_hz = ")[1].split()[0])
        assert fits == 1 or checks_speed.verdict(ModelSettings(), pace, fits).grade is Grade.GOOD
        staged = checks_speed.verdict(ModelSettings(first="person-192"), pace, wanted_hz)
        assert "person-192" not in str(staged.hint)


def test_the_looks_that_are_measured_are_the_configured_models_own() -> None:
    ticks = iter(range(0, 10**12, 1_000_000))
    (found,) = checks_speed.look(ModelSettings(second="off", npu="off"), 1.0, lambda: next(ticks))
    # By a clock that goes on by 1 ms whenever it is looked at: once around the invoke, once around the step.
    assert (found.figures["bare_ms"], found.figures["look_ms"]) == (1.0, 3.0)
    with pytest.raises(ModelError):
        checks_speed.look(ModelSettings(name="none"), 1.0)


@pytest.mark.parametrize(
    ("settings", "wanted_hz"),
    [
        (Config(), 10.0),
        (Config(camera=CameraSettings(fps=5)), 5.0),
        (Config(sight=SightSettings(detector_hz=4.0)), 4.0),
        (Config(board=BoardSettings(budget=Budget.POE)), 6.0),
        (Config(board=BoardSettings(budget=Budget.BATTERY)), 4.0),
    ],
)
def test_what_is_asked_for_is_what_the_configuration_and_its_budget_ask_for(
    tmp_path: Path, settings: Config, wanted_hz: float
) -> None:
    (check,) = doctor.chosen(doctor.parts(settings, tmp_path), ["speed"])
    (found,) = check.run()
    assert found.figures["wanted_per_s"] == wanted_hz
