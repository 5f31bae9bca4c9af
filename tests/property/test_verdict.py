"""Whatever an incident's features hold, there is a judgement in range, with reasons, and no threat out of nothing."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from sealcam import verdicts
from sealcam.sight.judge import Rules
from sealcam.sight.judge_features import vector
from sealcam.sight.reasons import MOST
from sealcam.sight.types import ArmMode, Subject, Verdict
from sealcam.sight.verdict import IncidentFeatures, Mark, Told

ANY = st.floats(allow_nan=True, allow_infinity=True)
COUNTS = st.integers(-(2**40), 2**40)
NAMES = st.lists(st.text(max_size=20), max_size=4).map(tuple)
TOLD = st.none() | st.builds(Told, st.sampled_from(Mark), ANY, st.booleans(), st.booleans())
FEATURES = st.builds(
    IncidentFeatures,
    subject=st.sampled_from(Subject),
    **dict.fromkeys(("confidence", "seen_s", "motion_s", "height", "path"), ANY),
    **dict.fromkeys(("dwell_s", "approach", "spread", "inside"), ANY),
    **dict.fromkeys(("people", "hits", "looks", "bursts", "left", "taken"), COUNTS),
    **dict.fromkeys(("pir", "light", "expected", "scheduled", "watched"), st.booleans()),
    **dict.fromkeys(("zones", "entered", "ignored"), NAMES),
    told=TOLD,
)
JUDGE = verdicts.open_judge(lambda said: None)


@given(FEATURES, st.sampled_from(ArmMode))
def test_any_features_give_a_judgement_in_range(features: IncidentFeatures, mode: ArmMode) -> None:
    for judge in (JUDGE, Rules()):
        judgement = judge.judge(features, mode)
        assert 0 <= judgement.threat <= 1
        assert 2 <= len(judgement.reasons) <= MOST
        assert all(judgement.reasons)
        assert (judgement.verdict is Verdict.THREAT) == (judgement.threat >= 0.5)
        if features.subject is Subject.NONE or mode is ArmMode.OFF:
            assert judgement.verdict is not Verdict.THREAT


@given(FEATURES)
def test_the_models_input_is_always_finite_and_in_0_to_1(features: IncidentFeatures) -> None:
    numbers = vector(features)[0].tolist()
    assert all(math.isfinite(number) and 0 <= number <= 1 for number in numbers)


@given(FEATURES, st.sampled_from(ArmMode))
def test_the_same_features_give_the_same_words(features: IncidentFeatures, mode: ArmMode) -> None:
    assert JUDGE.judge(features, mode) == JUDGE.judge(features, mode)
