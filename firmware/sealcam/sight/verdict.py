"""The verdict says what an incident means for the owner, with a probability and its reasons in words.

Rules stand here until a trained model of the same interface replaces them: features in, judgement out, nothing
remembered in between. See design/sight.md, verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sealcam.sight.types import ArmMode, Subject, Verdict

# Threat probabilities of the rules. They order incidents and lie on the right side of one half; a trained model's are
# calibrated, these are not.
THREAT_FLOOR, THREAT_SPAN, PIR_BONUS = 0.55, 0.4, 0.04
AT_HOME, DISARMED, BY_VEHICLE, BY_ANIMAL, BY_NOTHING = 0.2, 0.05, 0.15, 0.05, 0.02

_ARTICLES = {Subject.PERSON: "a person", Subject.VEHICLE: "a vehicle", Subject.ANIMAL: "an animal"}
_MODES = {ArmMode.AWAY: "armed away", ArmMode.NIGHT: "armed night", ArmMode.HOME: "armed home", ArmMode.OFF: "disarmed"}


@dataclass(frozen=True, slots=True)
class IncidentFeatures:
    """What is known of an incident when it is judged.

    `confidence` is the best median score of the subject (0 without one); `seen_s` how long the subject was in view,
    from its first to its last sight; `motion_s` the same of any motion; `people` the most persons seen at once; `pir`
    whether the motion sensor fired within the incident; `light` whether the light of the whole picture changed.
    """

    subject: Subject
    confidence: float
    seen_s: float
    motion_s: float
    people: int
    pir: bool
    light: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, the probability from 0 to 1 that this is a threat, and the reasons for the owner."""

    verdict: Verdict
    threat: float
    reasons: tuple[str, ...]


class Judge(Protocol):
    """What turns features into a judgement; pure."""

    def judge(self, features: IncidentFeatures, mode: ArmMode) -> Judgement:
        """Judge one incident as it is known so far."""
        ...


class Rules:
    """A person while the owner is away or asleep is a threat; anything else that was recognised is benign."""

    def judge(self, features: IncidentFeatures, mode: ArmMode) -> Judgement:
        """Judge by subject and arming mode."""
        verdict, threat = self._weigh(features, mode)
        return Judgement(verdict, threat, _reasons(features, mode))

    def _weigh(self, features: IncidentFeatures, mode: ArmMode) -> tuple[Verdict, float]:
        if features.subject is Subject.NONE:
            return Verdict.FALSE_ALARM, BY_NOTHING
        if mode is ArmMode.OFF:
            return Verdict.BENIGN, DISARMED
        if features.subject is Subject.VEHICLE:
            return Verdict.BENIGN, BY_VEHICLE
        if features.subject is Subject.ANIMAL:
            return Verdict.BENIGN, BY_ANIMAL
        if mode is ArmMode.HOME:
            return Verdict.BENIGN, AT_HOME
        threat = THREAT_FLOOR + THREAT_SPAN * features.confidence + (PIR_BONUS if features.pir else 0.0)
        return Verdict.THREAT, min(threat, 0.99)


def _reasons(features: IncidentFeatures, mode: ArmMode) -> tuple[str, ...]:
    reasons = [_seen(features)]
    if features.subject is Subject.PERSON and mode is ArmMode.HOME:
        reasons.append("armed home: people are expected")
    else:
        reasons.append(_MODES[mode])
    if features.pir:
        reasons.append(
            "the motion sensor fired too" if features.motion_s or features.seen_s else "the motion sensor fired"
        )
    if features.light and features.subject is Subject.NONE:
        reasons.append("the light changed")
    return tuple(reasons)


def _seen(features: IncidentFeatures) -> str:
    if features.subject is not Subject.NONE:
        who = _ARTICLES[features.subject]
        if features.subject is Subject.PERSON and features.people > 1:
            who = f"{features.people} people"
        were = "were" if who.endswith("people") else "was"
        return f"{who} {were} seen{_for(features.seen_s)}"
    if features.motion_s > 0:
        return f"something moved{_for(features.motion_s)}; no person, vehicle or animal was recognised"
    return "nothing was seen to move"


def _for(seconds: float) -> str:
    return f" for {round(seconds)} s" if seconds >= 1 else ""
