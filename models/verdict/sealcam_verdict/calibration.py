"""How far probabilities can be trusted: reliability, its mean error, and the Brier score, each with its bounds.

Bounds are by resampling whole incidents, since the moments of one are no independent witnesses. Pure numpy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealcam_verdict.fit import Array, Examples

BINS, DRAWS = 10, 300


@dataclass(frozen=True, slots=True)
class Bin:
    """Examples that were given about the same probability: how many, what was said of them, and what was so.

    `low` and `high` bound what is so at 95 % (Wilson's interval), as if the examples were independent.
    """

    count: int
    said: float
    so: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bounded:
    """A figure, and where it lies in 95 of 100 resamplings of the incidents."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """To three places."""
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def reliability(said: Array, so: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Ten bins of equal width, without the empty ones."""
    which = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    bins = []
    for index in range(BINS):
        chosen = which == index
        count = int(chosen.sum())
        if count:
            share = float(so[chosen].mean())
            bins.append(Bin(count, float(said[chosen].mean()), share, *wilson(share, count)))
    return tuple(bins)


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % bounds of a share (Wilson, 1927)."""
    z = 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def expected_error(said: Array, so: NDArray[np.bool_]) -> float:
    """The mean distance between what was said and what was so, over the bins by their counts (ECE)."""
    bins = reliability(said, so)
    return sum(one.count * abs(one.said - one.so) for one in bins) / sum(one.count for one in bins)


def brier(said: Array, classes: NDArray[np.int64]) -> float:
    """The mean squared distance from the truth over the three classes: 0 is perfect, 2 the worst."""
    return float(((said - np.eye(said.shape[1])[classes]) ** 2).sum(axis=1).mean())


def bounded(figure: Callable[[Array, NDArray[np.int64]], float], said: Array, examples: Examples, seed: int) -> Bounded:
    """A figure of (probabilities, classes) with its bounds over resamplings of whole incidents."""
    random = np.random.default_rng(seed)
    numbers = np.unique(examples.incidents)
    order = np.argsort(examples.incidents, kind="stable")
    groups = np.split(order, np.searchsorted(examples.incidents[order], numbers)[1:])
    drawn = []
    for _ in range(DRAWS):
        picked = (random.random(len(groups)) * len(groups)).astype(np.int64)
        rows = np.concatenate([groups[index] for index in picked])
        drawn.append(figure(said[rows], examples.classes[rows]))
    low, high = (float(value) for value in np.quantile(drawn, (0.025, 0.975)))
    return Bounded(figure(said, examples.classes), low, high)
