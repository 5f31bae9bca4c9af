"""The figures that say how far the verdict's probabilities can be trusted are themselves right."""

from __future__ import annotations

import numpy as np
import pytest

from sealcam_verdict import calibration, figures
from sealcam_verdict.calibration import Bin, bounded, brier, expected_error, reliability, wilson
from sealcam_verdict.fit import Examples


def _honest(count: int, seed: int = 1) -> tuple[calibration.Array, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Probabilities, and outcomes that are drawn by them."""
    random = np.random.default_rng(seed)
    said = random.random(count)
    return said, random.random(count) < said


def test_an_honest_forecaster_has_next_to_no_error() -> None:
    said, so = _honest(20_000)
    assert expected_error(said, so) < 0.02
    for one in reliability(said, so):
        assert one.low <= one.so <= one.high
        assert one.said == pytest.approx(one.so, abs=0.05)


def test_an_overconfident_forecaster_is_found_out() -> None:
    said, so = _honest(20_000)
    louder = np.where(said > 0.5, 0.99, 0.01)
    assert expected_error(louder, so) > 0.2


def test_empty_bins_are_left_out_and_the_counts_are_all_there() -> None:
    bins = reliability(np.array([0.05, 0.06, 0.95, 1.0]), np.array([False, True, True, True]))
    assert [one.count for one in bins] == [2, 2]
    assert bins[0].so == 0.5


@pytest.mark.parametrize(("share", "count", "low", "high"), [(0.5, 100, 0.404, 0.596), (0.0, 30, 0.0, 0.114)])
def test_the_bounds_of_a_share_are_wilsons(share: float, count: int, low: float, high: float) -> None:
    assert wilson(share, count) == (pytest.approx(low, abs=0.002), pytest.approx(high, abs=0.002))


def test_the_brier_score_of_certainty_is_0_and_of_certain_error_2() -> None:
    said = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert brier(said, np.array([0, 1])) == 0
    assert brier(said, np.array([1, 0])) == 2


def test_bounds_are_of_incidents_and_not_of_their_moments() -> None:
    said, so = _honest(600)
    probabilities = np.stack([said, 1 - said, np.zeros(600)], axis=1)
    classes = np.where(so, 0, 1)

    def spread(incidents: int) -> float:
        of = np.sort(np.arange(600) % incidents)
        examples = Examples(np.zeros((600, 18)), classes, np.ones(600), of)
        figure = bounded(brier, probabilities, examples, seed=3)
        assert figure.low <= figure.value <= figure.high
        return figure.high - figure.low

    assert spread(12) != spread(600)


def test_the_picture_shows_every_bin_with_its_count() -> None:
    drawn = figures.picture([Bin(40, 0.05, 0.1, 0.04, 0.2), Bin(7000, 0.98, 0.99, 0.98, 0.995)])
    assert drawn.startswith("<svg ")
    assert drawn.count("<circle") == 2
    assert ">40<" in drawn
    assert ">7000<" in drawn
    assert drawn == figures.picture([Bin(40, 0.05, 0.1, 0.04, 0.2), Bin(7000, 0.98, 0.99, 0.98, 0.995)])
