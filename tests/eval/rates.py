"""What few events say of a rate: the exact Poisson bound; and quantiles of delays, some of which are endless."""

from __future__ import annotations

import math
from collections.abc import Sequence


def poisson_upper(count: int, level: float = 0.95) -> float:
    """The largest mean that would give `count` events or fewer with a chance of 1 - `level`: 3.0 for none at 95 %.

    One-sided and exact (Garwood 1936): the mean m with P(X <= count; m) = 1 - level, found by halving.
    """
    low, high = 0.0, count + 10 * math.sqrt(count + 1) + 10
    for _ in range(100):
        middle = (low + high) / 2
        if _at_most(count, middle) > 1 - level:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def per_hour(count: float, seconds: float) -> float:
    """So many in so many seconds as a rate per hour; endless where no time was spent."""
    return count * 3600 / seconds if seconds > 0 else math.inf


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values don't exceed (the nearest rank); endless values count, none give NaN."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)] if ranked else math.nan


def _at_most(count: int, mean: float) -> float:
    """P(X <= count) for a Poisson variable."""
    if mean <= 0:
        return 1.0
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1))
