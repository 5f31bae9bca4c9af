"""The trained judge: its words come from the model, and the rules stand in where the model gives no probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from sealcam.board.litert import ScriptedNetwork
from sealcam.sight import judge_features
from sealcam.sight.judge import SUREST, Rules, Trained
from sealcam.sight.types import ArmMode, Subject, Verdict
from sealcam.wire.errors import ModelError
from tests.judged import ANIMAL, JUST_SEEN, NOTHING, PERSON, VEHICLE, incident

NAN = math.nan


def _network(*given: Sequence[float]) -> ScriptedNetwork:
    script = [(np.array([one], np.float32),) for one in given]
    return ScriptedNetwork((1, judge_features.COUNT), script, np.float32)


def test_the_models_word_decides_before_the_orders() -> None:
    judge = Trained(_network((0.8, 0.15, 0.05)))
    judgement = judge.judge(PERSON, ArmMode.AWAY)
    assert judgement.verdict is Verdict.THREAT
    assert judgement.threat == pytest.approx(0.8, abs=0.01)
    assert judge.judge(PERSON, ArmMode.HOME).verdict is Verdict.BENIGN
    assert Trained(_network((0.1, 0.1, 0.8))).judge(PERSON, ArmMode.AWAY).verdict is Verdict.FALSE_ALARM


def test_nobody_is_surer_than_what_was_counted() -> None:
    assert Trained(_network((1.0, 0.0, 0.0))).judge(PERSON, ArmMode.AWAY).threat == pytest.approx(SUREST)
    assert Trained(_network((0.0, 0.0, 1.0))).judge(PERSON, ArmMode.AWAY).threat > 0


@pytest.mark.parametrize(
    "given", [(NAN, NAN, NAN), (0.5, NAN, 0.5), (math.inf, 0.0, 0.0), (-0.5, 1.0, 0.5), (0.9, 0.9, 0.9), (0, 0, 0)]
)
def test_what_are_no_probabilities_are_told_once_and_the_rules_judge(given: tuple[float, ...]) -> None:
    said: list[str] = []
    judge = Trained(_network(given), said.append)
    for features in (PERSON, JUST_SEEN, NOTHING):
        assert judge.judge(features, ArmMode.AWAY) == Rules().judge(features, ArmMode.AWAY)
    assert said == ["the verdict model failed (it gave no probabilities); plain rules judge instead"]


def test_a_model_that_recovers_judges_again() -> None:
    judge = Trained(_network((NAN, NAN, NAN), (0.1, 0.1, 0.8)))
    assert judge.judge(PERSON, ArmMode.AWAY).verdict is Verdict.THREAT
    assert judge.judge(JUST_SEEN, ArmMode.AWAY).verdict is Verdict.FALSE_ALARM


class _Broken(ScriptedNetwork):
    def invoke(self, image: NDArray[np.generic]) -> Sequence[NDArray[np.float32]]:
        raise ModelError("the model failed to run: out of memory")


def test_a_runtime_that_fails_is_told_and_the_rules_judge() -> None:
    said: list[str] = []
    judge = Trained(_Broken((1, judge_features.COUNT), [(np.zeros((1, 3), np.float32),)], np.float32), said.append)
    assert judge.judge(PERSON, ArmMode.AWAY).verdict is Verdict.THREAT
    assert "out of memory" in said[0]


@pytest.mark.parametrize(
    ("shape", "outputs", "dtype"),
    [((1, 17), (1, 3), np.float32), ((1, 18), (1, 2), np.float32), ((1, 18), (1, 3), np.uint8)],
)
def test_a_network_of_another_shape_is_no_verdict_model(
    shape: tuple[int, ...], outputs: tuple[int, ...], dtype: type[np.generic]
) -> None:
    with pytest.raises(ModelError, match="no verdict model"):
        Trained(ScriptedNetwork(shape, [(np.zeros(outputs, np.float32),)], dtype))


def test_the_model_is_asked_again_only_when_something_changed() -> None:
    network = _network((0.8, 0.1, 0.1))
    judge = Trained(network)
    first = judge.judge(PERSON, ArmMode.AWAY)
    asked = len(network.seen)
    assert judge.judge(incident(), ArmMode.AWAY) == first
    assert len(network.seen) == asked
    judge.judge(incident(pir=True), ArmMode.AWAY)
    assert len(network.seen) > asked


def test_the_reasons_name_what_the_model_would_have_missed() -> None:
    sure, doubtful = (0.9, 0.05, 0.05), (0.4, 0.3, 0.3)
    person = incident(pir=True, confidence=0.9, seen_s=15.0, dwell_s=14.0, zones=("door",), height=0.3)
    asked = Trained(_network(sure, doubtful, sure, sure, sure))  # with the usual score it would doubt
    assert asked.judge(person, ArmMode.AWAY).reasons == (
        "a person stayed for 14 s in “door”",
        "armed away",
        "the motion sensor fired too",
        "clearly recognised",
    )


def test_the_features_are_numbers_from_0_to_1_in_the_documented_order() -> None:
    given = dict(zip(judge_features.NAMES, judge_features.vector(PERSON)[0].tolist(), strict=True))
    assert given["person"] == 1
    assert given["vehicle"] == given["animal"] == 0
    assert given["confidence"] == pytest.approx(0.7)
    assert given["hit_share"] == pytest.approx(50 / 55)
    assert given["seen"] == pytest.approx(math.log1p(6) / math.log1p(30))
    assert given["approach"] == pytest.approx(math.log(1.3) / math.log(4))
    assert given["spread"] == pytest.approx(math.sqrt(0.03))
    assert judge_features.vector(PERSON).dtype == np.float32
    assert judge_features.vector(PERSON).shape == (1, 18)
    for subject, features in ((1, VEHICLE), (2, ANIMAL)):
        assert judge_features.vector(features)[0, :3].tolist() == [float(subject == index) for index in range(3)]


def test_what_was_not_recognised_has_no_features_of_its_own() -> None:
    strange = judge_features.vector(incident(Subject.NONE, confidence=0.9, height=0.5, people=3, path=4.0))
    assert (strange == judge_features.vector(NOTHING)).all()
