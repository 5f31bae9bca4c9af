"""What a simulated incident is, and the dice it is drawn with."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sealcam.sight.types import Subject

# The classes, in the order of `sealcam.verdict_file.CLASSES`.
THREAT, BENIGN, FALSE_ALARM = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Life:
    """One incident over time, as far as it is the same at all its moments.

    `lasts_s` in view; `speed` in own heights a second; `rests_s` of it within one place; `grows` the box's growth over
    its whole time; `ahead_s` motion before anything was recognised, `around` the share of the picture that moves
    beside the subject; `strength` the detector's median score.
    """

    label: int
    subject: Subject
    strength: float = 0.0
    lasts_s: float = 0.0
    speed: float = 0.0
    rests_s: float = 0.0
    grows: float = 1.0
    height: float = 0.0
    hit_share: float = 0.0
    people: int = 0
    pir: bool = False
    light: bool = False
    ahead_s: float = 0.0
    around: float = 0.0
    body: float = 0.0
    bursts_per_s: float = 0.2


class Dice:
    """Draws from one seeded source, in one order."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def within(self, low: float, high: float) -> float:
        """Evenly between two values."""
        return low + (high - low) * float(self._random.random())

    def about(self, middle: float, factor: float) -> float:
        """Around a median; about two thirds within it divided and multiplied by `factor`."""
        return middle * math.exp(math.log(factor) * float(self._random.standard_normal()))

    def score(self, middle: float, spread: float, low: float, high: float) -> float:
        """A score: normal, cut at its ends."""
        return min(max(middle + spread * float(self._random.standard_normal()), low), high)

    def whether(self, chance: float) -> bool:
        """True with this chance."""
        return float(self._random.random()) < chance
