"""The judges: a trained model that gives calibrated probabilities, and plain rules for where it is missing or fails.

Both first say what it is as if the camera were armed and nobody at home; the owner's orders and marks weigh in
afterwards, by the same written rules (`arming`), and the reasons are the same words (`reasons`). See design/sight.md,
verdict.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Network
from sealcam.sight import judge_features, reasons
from sealcam.sight.arming import Odds, weigh
from sealcam.sight.reasons import Weight
from sealcam.sight.types import ArmMode, Subject
from sealcam.sight.verdict import IncidentFeatures, Judgement
from sealcam.wire.errors import ModelError

# Threat probabilities of the rules. They order incidents and lie on the right side of one half; the trained model's are
# calibrated, these are not.
THREAT_FLOOR, THREAT_SPAN, PIR_BONUS, THREAT_MOST = 0.55, 0.4, 0.04, 0.99
BY_VEHICLE, BY_ANIMAL, BY_NOTHING = 0.15, 0.05, 0.02

# The model is never surer than this: nobody has counted thousands of incidents.
SUREST = 0.995
# Below this, differences of the model's word mean nothing; and where it is so sure, nothing speaks against it.
LEAST, SURE = 1e-7, 0.95
# Outputs are probabilities if they sum to one within this.
SUM_SLACK = 1e-3

# What the reasons ask about, and the features that are then set to their usual value.
GROUPS: Final = {
    "light": ("light",),
    "confidence": ("confidence",),
    "looks": ("hits", "hit_share"),
    "size": ("height",),
    "way": ("path", "approach"),
    "motion": ("spread", "inside", "bursts"),
}
_PLACES = {group: [judge_features.NAMES.index(name) for name in names] for group, names in GROUPS.items()}
_USUAL = {group: [judge_features.USUAL[name] for name in names] for group, names in GROUPS.items()}


class Rules:
    """A person while the owner is away or asleep is a threat; anything else that was recognised is benign."""

    def judge(self, features: IncidentFeatures, mode: ArmMode, *, worded: bool = True) -> Judgement:
        """Judge by the subject, how surely it was recognised, and the motion sensor."""
        if not worded:
            return _judgement(self._odds(features), features, mode, None)
        weights = [Weight("light", 0.5)] if features.subject is Subject.NONE else []
        return _judgement(self._odds(features), features, mode, weights)

    def _odds(self, features: IncidentFeatures) -> Odds:
        if features.subject is Subject.NONE:
            return Odds(BY_NOTHING, 0.0, 1 - BY_NOTHING)
        if features.subject is not Subject.PERSON:
            threat = BY_VEHICLE if features.subject is Subject.VEHICLE else BY_ANIMAL
            return Odds(threat, 1 - threat, 0.0)
        sure = min(max(features.confidence, 0.0), 1.0) if math.isfinite(features.confidence) else 0.0
        threat = min(THREAT_FLOOR + THREAT_SPAN * sure + (PIR_BONUS if features.pir else 0.0), THREAT_MOST)
        return Odds(threat, 0.0, 1 - threat)


class Trained:
    """The verdict model; what it can't answer, the rules do, and `trouble` is told so once.

    `network` takes float32 (1, 18), as `judge_features.vector` makes them, and gives (1, 3): threat, benign, false
    alarm. One thread at a time.

    Raises:
        ModelError: the network has other inputs or outputs.
    """

    def __init__(self, network: Network, trouble: Callable[[str], None] = lambda said: None) -> None:
        shapes = (network.input_shape, network.output_shapes)
        if shapes != ((1, judge_features.COUNT), ((1, 3),)) or network.input_dtype != np.float32:
            raise ModelError(f"this is no verdict model: it takes {shapes[0]} and gives {shapes[1]}")
        self._network, self._trouble = network, trouble
        self._rules, self._troubled = Rules(), False
        self._last: tuple[IncidentFeatures, ArmMode, bool, Judgement] | None = None

    def judge(self, features: IncidentFeatures, mode: ArmMode, *, worded: bool = True) -> Judgement:
        """Judge by the model, then by the owner's orders; the same as last time where nothing has changed.

        The model is asked once, and once more for each reason.
        """
        if self._last is None or self._last[:3] != (features, mode, worded):
            self._last = (features, mode, worded, self._judge(features, mode, worded=worded))
        return self._last[3]

    def _judge(self, features: IncidentFeatures, mode: ArmMode, *, worded: bool) -> Judgement:
        inputs = judge_features.vector(features)
        odds = self._ask(inputs)
        if odds is None:
            return self._rules.judge(features, mode, worded=worded)
        return _judgement(_odds(odds), features, mode, self._weights(features, inputs, odds) if worded else None)

    def _ask(self, inputs: NDArray[np.float32]) -> tuple[float, ...] | None:
        """The model's three probabilities; none where it gave no such thing."""
        try:
            given: tuple[float, ...] = tuple(self._network.invoke(inputs)[0][0].tolist())
        except ModelError as error:
            self._failed(error.message)
            return None
        if not (min(given) >= 0 and abs(sum(given) - 1) <= SUM_SLACK):  # also true of what is no number
            self._failed("it gave no probabilities")
            return None
        return given

    def _failed(self, why: str) -> None:
        if not self._troubled:
            self._trouble(f"the verdict model failed ({why}); plain rules judge instead")
        self._troubled = True

    def _weights(self, features: IncidentFeatures, inputs: NDArray[np.float32], odds: Sequence[float]) -> list[Weight]:
        """How far the log-odds of the likeliest class fall when a group of features is set to its usual values."""
        likeliest = max(range(3), key=lambda index: odds[index])
        weights = []
        for group in GROUPS:
            if reasons.words(features, group) is None:
                continue
            usual = inputs.copy()
            usual[0, _PLACES[group]] = _USUAL[group]
            without = self._ask(usual)
            if without is not None:
                change = _log_odds(odds, likeliest) - _log_odds(without, likeliest)
                weights.append(Weight(group, max(change, 0.0) if odds[likeliest] >= SURE else change))
        return weights


def _odds(given: Sequence[float]) -> Odds:
    """The model's word, never surer than `SUREST`."""
    spread = (1 - SUREST) / 2
    threat, benign, _ = (spread + value * (1 - 3 * spread) for value in given)
    return Odds(threat, benign, 1 - threat - benign)


def _log_odds(odds: Sequence[float], index: int) -> float:
    """Of one class; from the others' sum, which is exact where the one is close to 1."""
    others = sum(odds) - odds[index] if odds[index] < 0.5 else sum(odds[:index]) + sum(odds[index + 1 :])
    return math.log(max(odds[index], LEAST)) - math.log(max(others, LEAST))


def _judgement(odds: Odds, features: IncidentFeatures, mode: ArmMode, weights: Sequence[Weight] | None) -> Judgement:
    """What the odds come to under the owner's orders; without weights, without words."""
    weighed = weigh(odds, features, mode)
    threat = min(max(weighed.odds.threat, 0.0), 1.0)
    if weights is None:
        return Judgement(weighed.odds.verdict, threat, ())
    doubted = odds.false_alarm > max(odds.threat, odds.benign)
    return Judgement(weighed.odds.verdict, threat, reasons.told(features, weighed.reasons, weights, doubted=doubted))
