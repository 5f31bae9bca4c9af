"""The features of an incident as the numbers that the verdict model takes, in a fixed order and scale.

The order, the scales and `VERSION` belong to the model: whoever changes one trains anew. Every number lies in 0 to 1,
whatever the incident holds: what is not a number counts as nothing, what is beyond a scale as its end. Arming, zones,
schedule and the owner's marks are not among them: they weigh in afterwards, by rules (`arming`). See design/sight.md,
verdict.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sealcam.sight.types import Subject
from sealcam.sight.verdict import IncidentFeatures

VERSION: Final = 1

# What the numbers are, in their order. Those with `log` grow as log(1 + x), up to 1 at the scale given below.
NAMES: Final = (
    "person",  # 1 if the subject is a person
    "vehicle",
    "animal",
    "confidence",  # the subject's best median score
    "seen",  # log, seconds
    "motion",  # log, seconds
    "people",  # at most four count
    "pir",
    "light",
    "hits",  # log, looks that hit the subject
    "hit_share",  # of the looks since its first
    "height",  # of its tallest box, as a share of the picture's
    "path",  # log, in its own heights
    "dwell",  # log, seconds
    "approach",  # the logarithm of its box's growth
    "spread",  # square root of the share of the picture that moved
    "inside",  # share of the moved cells that lay in a believed box
    "bursts",  # log, how many times the motion began anew
)
COUNT: Final = len(NAMES)

SEEN_S, MOTION_S, DWELL_S = 30.0, 60.0, 30.0
HITS, PATH, APPROACH, BURSTS, PEOPLE = 30.0, 10.0, 4.0, 20.0, 4.0

# What an incident of no mark shows: the reasons say how the verdict would differ were one feature as usual.
USUAL: Final = {
    "confidence": 0.6,
    "pir": 0.0,
    "light": 0.0,
    "hits": 0.45,
    "hit_share": 0.8,
    "height": 0.3,
    "path": 0.3,
    "approach": 0.1,
    "spread": 0.15,
    "inside": 0.4,
    "bursts": 0.25,
}


def vector(features: IncidentFeatures) -> NDArray[np.float32]:
    """The model's input, float32 of shape (1, 18), every number in 0 to 1.

    The subject's own numbers are 0 where nothing was recognised.
    """
    known = features.subject is not Subject.NONE
    own = (
        features.confidence,
        _log(features.seen_s, SEEN_S),
        _log(features.motion_s, MOTION_S),
        features.people / PEOPLE,
        float(features.pir),
        float(features.light),
        _log(features.hits, HITS),
        features.hits / features.looks if features.looks > 0 else 0.0,
        features.height,
        _log(features.path, PATH),
        _log(features.dwell_s, DWELL_S),
        math.log(features.approach) / math.log(APPROACH) if 1 < features.approach < math.inf else 0.0,
        math.sqrt(features.spread) if features.spread > 0 else 0.0,
        features.inside,
        _log(features.bursts, BURSTS),
    )
    subject = (Subject.PERSON, Subject.VEHICLE, Subject.ANIMAL)
    numbers = [float(features.subject is one) for one in subject] + [_bounded(number) for number in own]
    if not known:
        for name in ("confidence", "seen", "people", "hits", "hit_share", "height", "path", "dwell", "approach"):
            numbers[NAMES.index(name)] = 0.0
    return np.array([numbers], np.float32)


def per_mille(features: IncidentFeatures) -> tuple[int, ...]:
    """The same as 18 whole numbers in 0 to 1000, as an incident's report carries them."""
    return tuple(round(1000 * number) for number in vector(features)[0].tolist())


def _log(value: float, scale: float) -> float:
    return math.log1p(value) / math.log1p(scale) if value > 0 else 0.0


def _bounded(number: float) -> float:
    return min(max(number, 0.0), 1.0) if number == number else 0.0
