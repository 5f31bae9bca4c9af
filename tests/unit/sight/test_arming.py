"""What the owner's orders and marks make of an incident, row by row of the table in design/sight.md."""

from __future__ import annotations

from itertools import product

import pytest

from sealcam.sight.arming import Odds, Weighed, weigh
from sealcam.sight.types import ArmMode, Subject, Verdict
from sealcam.sight.verdict import Mark, Told
from tests.judged import incident

SURE_PERSON, SURE_THING, SURE_NOTHING = Odds(0.95, 0.03, 0.02), Odds(0.04, 0.9, 0.06), Odds(0.05, 0.05, 0.9)
_OF = {
    Subject.PERSON: SURE_PERSON,
    Subject.VEHICLE: SURE_THING,
    Subject.ANIMAL: SURE_THING,
    Subject.NONE: SURE_NOTHING,
}
HERE, LIKE, BOTH = (True, False), (False, True), (True, True)


def _weigh(subject: Subject = Subject.PERSON, mode: ArmMode = ArmMode.AWAY, **changes: object) -> Weighed:
    return weigh(_OF[subject], incident(subject, **changes), mode)


def _told(mark: Mark, by: tuple[bool, bool]) -> Told:
    return Told(mark, 0.9, place=by[0], look=by[1])


@pytest.mark.parametrize(
    ("mode", "verdict"),
    [
        (ArmMode.AWAY, Verdict.THREAT),
        (ArmMode.NIGHT, Verdict.THREAT),
        (ArmMode.HOME, Verdict.BENIGN),
        (ArmMode.OFF, Verdict.BENIGN),
    ],
)
def test_a_person_is_a_threat_while_the_owner_is_away_or_asleep(mode: ArmMode, verdict: Verdict) -> None:
    assert _weigh(mode=mode).odds.verdict is verdict


@pytest.mark.parametrize(("subject", "mode"), list(product((Subject.VEHICLE, Subject.ANIMAL, Subject.NONE), ArmMode)))
def test_nothing_but_a_person_is_ever_called_a_threat(subject: Subject, mode: ArmMode) -> None:
    for threat in (0.0, 0.4, 0.9, 1.0):
        odds = weigh(Odds(threat, 1 - threat, 0.0), incident(subject, entered=("door",), taken=2), mode).odds
        assert odds.verdict is not Verdict.THREAT


@pytest.mark.parametrize("mode", list(ArmMode))
def test_what_nobody_recognised_is_a_false_alarm_even_where_it_was_likely_a_cat(mode: ArmMode) -> None:
    assert weigh(Odds(0.3, 0.6, 0.1), incident(Subject.NONE), mode).odds.verdict is Verdict.FALSE_ALARM


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (ArmMode.AWAY, "armed away"),
        (ArmMode.NIGHT, "armed night"),
        (ArmMode.HOME, "armed home: people are expected"),
        (ArmMode.OFF, "disarmed"),
    ],
)
def test_the_arming_mode_is_always_said_and_who_set_it(mode: ArmMode, words: str) -> None:
    assert _weigh(mode=mode).reasons[0] == words
    by_schedule = _weigh(mode=mode, scheduled=True).reasons[0]
    assert by_schedule == words.replace(":", " by the schedule:") if ":" in words else words + " by the schedule"


@pytest.mark.parametrize("mode", [ArmMode.AWAY, ArmMode.NIGHT])
def test_an_expected_visitor_is_benign_and_said(mode: ArmMode) -> None:
    weighed = _weigh(mode=mode, expected=True)
    assert weighed.odds.verdict is Verdict.BENIGN
    assert weighed.reasons == (f"armed {mode}", "a visitor is expected now")
    delivery = _weigh(mode=mode, expected=True, left=1)
    assert delivery.odds.verdict is Verdict.BENIGN
    assert delivery.reasons[1] == "a visitor is expected now, and something was left"


@pytest.mark.parametrize(
    ("facts", "word"), [({"people": 3}, "so many people"), ({"seen_s": 200.0}, "longer than a visit")]
)
def test_an_expected_visit_excuses_no_gang_and_nobody_who_stays(facts: dict[str, float], word: str) -> None:
    weighed = _weigh(expected=True, **facts)
    assert weighed.odds.verdict is Verdict.THREAT
    assert word in weighed.reasons[1]


def test_a_visitor_who_takes_something_is_a_threat_whether_expected_or_not() -> None:
    assert _weigh(taken=1, expected=True).odds.verdict is Verdict.THREAT
    assert _weigh(taken=1, expected=True).reasons[1] == "a visitor is expected now, but something was taken"
    assert _weigh(taken=2, left=1).reasons[1] == "2 things were taken and something was left"
    unsure = Odds(0.6, 0.2, 0.2)
    assert weigh(unsure, incident(taken=1), ArmMode.AWAY).odds.threat == pytest.approx(0.8)


def test_something_left_by_a_stranger_is_said_and_leaves_a_stranger_a_stranger() -> None:
    assert _weigh(left=1).odds == _weigh().odds
    assert _weigh(left=1).reasons == ("armed away", "something was left")


@pytest.mark.parametrize("mode", [ArmMode.HOME, ArmMode.OFF])
def test_what_was_taken_while_somebody_is_at_home_is_said_and_no_alarm(mode: ArmMode) -> None:
    weighed = _weigh(mode=mode, taken=1)
    assert weighed.odds.verdict is Verdict.BENIGN
    assert "something was taken" in weighed.reasons


def test_who_comes_into_an_entry_zone_weighs_more_while_armed() -> None:
    unsure = Odds(0.4, 0.1, 0.5)
    entered = incident(entered=("door",))
    assert weigh(unsure, entered, ArmMode.AWAY).odds.threat == pytest.approx(0.8 / 1.4)
    assert weigh(unsure, entered, ArmMode.HOME).odds == weigh(unsure, incident(), ArmMode.HOME).odds


@pytest.mark.parametrize("subject", list(Subject))
@pytest.mark.parametrize("mode", list(ArmMode))
def test_what_was_marked_a_false_alarm_here_and_looks_the_same_is_quiet(subject: Subject, mode: ArmMode) -> None:
    weighed = _weigh(subject, mode, told=_told(Mark.FALSE_ALARM, BOTH))
    assert weighed.odds.verdict is Verdict.FALSE_ALARM
    assert weighed.odds.threat < 0.1
    assert "you marked something like it here as a false alarm" in weighed.reasons


def test_without_a_look_only_what_rests_in_its_place_is_quiet() -> None:
    by_place = _told(Mark.FALSE_ALARM, HERE)
    statue = _weigh(told=by_place, path=0.1, approach=1.0)
    assert statue.odds.verdict is Verdict.FALSE_ALARM
    assert "you marked something like it here as a false alarm, by its place and size" in statue.reasons
    burglar = _weigh(told=by_place, path=2.0, approach=1.5)
    assert burglar.odds == _weigh().odds
    assert len(burglar.reasons) == 1


def test_the_same_look_somewhere_else_is_not_quiet() -> None:
    assert _weigh(told=_told(Mark.FALSE_ALARM, LIKE)).odds.verdict is Verdict.THREAT


@pytest.mark.parametrize("mark", [Mark.OURS, Mark.BENIGN])
def test_a_person_is_taken_for_a_known_one_by_place_and_look_together_alone(mark: Mark) -> None:
    assert _weigh(told=_told(mark, BOTH)).odds.verdict is Verdict.BENIGN
    assert _weigh(told=_told(mark, LIKE)).odds == _weigh().odds
    assert _weigh(told=_told(mark, HERE)).odds == _weigh().odds
    assert len(_weigh(told=_told(mark, LIKE)).reasons) == 1


def test_a_marked_vehicle_is_known_by_its_look_or_its_place() -> None:
    for by in (LIKE, HERE, BOTH):
        weighed = _weigh(Subject.VEHICLE, told=_told(Mark.OURS, by))
        assert weighed.odds.verdict is Verdict.BENIGN
        assert any("as yours" in one for one in weighed.reasons)


@pytest.mark.parametrize("mode", [ArmMode.AWAY, ArmMode.NIGHT, ArmMode.HOME])
def test_the_like_of_a_marked_threat_is_never_suppressed(mode: ArmMode) -> None:
    threat = _told(Mark.THREAT, LIKE)
    for changes in ({}, {"expected": True}, {"left": 1}):
        weighed = _weigh(mode=mode, told=threat, **changes)
        assert weighed.odds.threat >= 0.9
        assert "you marked something like it as a threat" in weighed.reasons
        assert not any("expected" in one for one in weighed.reasons)


def test_a_marked_threat_is_none_while_disarmed_but_still_said() -> None:
    weighed = _weigh(mode=ArmMode.OFF, told=_told(Mark.THREAT, LIKE))
    assert weighed.odds.verdict is Verdict.BENIGN
    assert weighed.reasons == ("disarmed", "you marked something like it as a threat")


def test_every_order_that_moved_the_odds_is_said() -> None:
    marks = [None, *(_told(mark, by) for mark in Mark for by in (HERE, LIKE, BOTH))]
    for mode, told, expected, taken in product(ArmMode, marks, (False, True), (0, 1)):
        for subject in Subject:
            weighed = _weigh(subject, mode, told=told, expected=expected, taken=taken)
            if weighed.odds != _weigh(subject, mode).odds:
                assert len(weighed.reasons) > 1, (subject, mode, told, expected, taken)
            total = weighed.odds.threat + weighed.odds.benign + weighed.odds.false_alarm
            assert total == pytest.approx(1.0)
            assert min(weighed.odds.threat, weighed.odds.benign, weighed.odds.false_alarm) >= -1e-12
