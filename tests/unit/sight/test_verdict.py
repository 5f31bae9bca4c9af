"""The rules: who is a threat in which mode, and what the owner is told."""

from __future__ import annotations

import pytest

from sealcam.sight.judge import Rules
from sealcam.sight.types import ArmMode, Subject, Verdict
from sealcam.sight.verdict import IncidentFeatures, Judgement


def _judge(subject: Subject, mode: ArmMode, **more: float | bool) -> Judgement:
    known = subject is not Subject.NONE
    facts: dict[str, float | bool] = {
        "confidence": 0.8 if known else 0.0,
        "seen_s": 6.2 if known else 0.0,
        "motion_s": 7.0,
    }
    facts |= {"people": int(subject is Subject.PERSON), "pir": False, "light": False, **more}
    return Rules().judge(IncidentFeatures(subject=subject, **facts), mode)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", [ArmMode.AWAY, ArmMode.NIGHT])
def test_a_person_while_the_owner_is_away_or_asleep_is_a_threat(mode: ArmMode) -> None:
    judgement = _judge(Subject.PERSON, mode)
    assert judgement.verdict is Verdict.THREAT
    assert 0.5 < judgement.threat < 1


@pytest.mark.parametrize("mode", [ArmMode.HOME, ArmMode.OFF])
def test_a_person_while_the_owner_is_at_home_is_benign(mode: ArmMode) -> None:
    judgement = _judge(Subject.PERSON, mode)
    assert judgement.verdict is Verdict.BENIGN
    assert judgement.threat < 0.5


@pytest.mark.parametrize("subject", [Subject.VEHICLE, Subject.ANIMAL])
@pytest.mark.parametrize("mode", list(ArmMode))
def test_vehicles_and_animals_are_benign(subject: Subject, mode: ArmMode) -> None:
    assert _judge(subject, mode).verdict is Verdict.BENIGN


@pytest.mark.parametrize("mode", list(ArmMode))
def test_nothing_recognised_is_a_false_alarm(mode: ArmMode) -> None:
    judgement = _judge(Subject.NONE, mode, pir=True)
    assert judgement.verdict is Verdict.FALSE_ALARM
    assert judgement.threat < 0.1


def test_the_reasons_are_words_for_the_owner() -> None:
    assert _judge(Subject.PERSON, ArmMode.AWAY).reasons == ("a person was seen for 6 s", "armed away")
    assert _judge(Subject.PERSON, ArmMode.NIGHT, people=3, pir=True).reasons == (
        "3 people were seen for 6 s",
        "armed night",
        "the motion sensor fired too",
    )
    assert _judge(Subject.PERSON, ArmMode.HOME, seen_s=0.4).reasons == (
        "a person was seen",
        "armed home: people are expected",
    )
    assert _judge(Subject.NONE, ArmMode.AWAY, light=True).reasons == (
        "something moved for 7 s; no person, vehicle or animal was recognised",
        "armed away",
        "the light changed",
    )
    assert _judge(Subject.NONE, ArmMode.OFF, motion_s=0.0, pir=True).reasons == (
        "nothing was seen to move",
        "disarmed",
        "the motion sensor fired",
    )


def test_a_surer_subject_and_the_motion_sensor_raise_the_threat() -> None:
    faint, sure = (
        _judge(Subject.PERSON, ArmMode.AWAY, confidence=0.4),
        _judge(Subject.PERSON, ArmMode.AWAY, confidence=0.9),
    )
    assert faint.threat < sure.threat < _judge(Subject.PERSON, ArmMode.AWAY, confidence=0.9, pir=True).threat <= 0.99
