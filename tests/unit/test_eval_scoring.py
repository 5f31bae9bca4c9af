"""Scoring catches what is planted: a person missed, a threat that is none, a switch of identity, a restless van."""

from __future__ import annotations

import math

import pytest

from sealcam.sight.types import Box, Subject
from tests.eval.lives import ClipLabels, Key, Life, Static, Stretch
from tests.eval.matching import covers
from tests.eval.rates import per_hour, poisson_upper, quantile
from tests.eval.records import Moved, Run, Said, Seen, Shot
from tests.eval.scoring import Score, Walker, score

HIGH = 120.0  # of 576 lines


def walker(
    name: str, from_s: float, to_s: float, x0: float = 100.0, high: float = HIGH, hidden: tuple[Stretch, ...] = ()
) -> Life:
    """Someone who walks 20 px a second to the right."""
    keys = tuple(
        Key(t_s, Box(x0 + 20 * (t_s - from_s), 200, x0 + 20 * (t_s - from_s) + 40, 200 + high))
        for t_s in (from_s, to_s)
    )
    return Life(name, Subject.PERSON, "", keys, hidden)


def drawn(*lives: Life, statics: tuple[Static, ...] = ()) -> ClipLabels:
    """A clip of 768 by 576."""
    return ClipLabels("made.avi", 768, 576, "", lives, statics, ())


def follow(life: Life, track: int, from_s: float, to_s: float, subject: str = "person") -> list[Seen]:
    """Evidence upon a life ten times a second."""
    found = []
    for tenth in range(round(from_s * 10), round(to_s * 10) + 1):
        box = life.box_at(tenth / 10)
        if box is not None:
            found.append(Seen(tenth / 10, track, subject, 0.7, box))
    return found


def said(t_s: float, stage: str = "new", verdict: str = "threat", **more: object) -> Said:
    """One report of an incident that began when it was first told."""
    values: dict[str, object] = {"incident": "i1", "subject": "person", "threat": 0.9, "started_s": t_s, "ended_s": t_s}
    return Said(**{**values, "tracks": (1,), "reasons": (), **more, "t_s": t_s, "stage": stage, "verdict": verdict})  # type: ignore[arg-type]


def run(seen: list[Seen], reports: list[Said], watched_s: float = 20.0) -> Run:
    """A run that saw and said this."""
    return Run(watched_s, round(watched_s * 10), 0, tuple(seen), tuple(reports), (Moved(0.0, 0.0, False, False),))


def of(found: Score, name: str) -> Walker:
    """One walker's part."""
    return next(one for one in found.walkers if one.name == name)


def test_a_person_found_and_told_of_is_no_miss_and_has_a_delay() -> None:
    life = walker("w1", 2.0, 10.0)
    found = of(score(run(follow(life, 1, 2.3, 10.0), [said(2.4)]), drawn(life)), "w1")
    assert (found.must, found.missed, found.seen_s, found.own_s, found.told_s) == (True, False, 2.3, 2.3, 2.4)
    assert found.delay_s == pytest.approx(0.4)
    assert found.switches == 0


def test_a_person_without_evidence_is_missed_although_something_else_was_told() -> None:
    first, second = walker("w1", 0.0, 10.0), walker("w2", 3.0, 8.0, x0=500.0)
    found = score(run(follow(first, 1, 0.3, 10.0), [said(0.3)]), drawn(first, second))
    assert not of(found, "w1").missed
    assert of(found, "w2").missed
    assert of(found, "w2").delay_s == math.inf


def test_evidence_of_another_subject_does_not_find_a_person() -> None:
    life = walker("w1", 0.0, 10.0)
    found = score(run(follow(life, 1, 0.3, 10.0, subject="animal"), [said(0.3)]), drawn(life))
    assert of(found, "w1").missed


def test_evidence_beside_a_person_does_not_find_him() -> None:
    life, elsewhere = walker("w1", 0.0, 10.0), walker("x", 0.0, 10.0, x0=400.0)
    assert of(score(run(follow(elsewhere, 1, 0.3, 10.0), [said(0.3)]), drawn(life)), "w1").missed


@pytest.mark.parametrize(("high", "seconds"), [(59.0, 9.0), (HIGH, 0.9)])
def test_who_is_too_small_or_too_short_in_view_need_not_be_found(high: float, seconds: float) -> None:
    life = walker("w1", 1.0, 1.0 + seconds, high=high)
    found = of(score(run([], []), drawn(life)), "w1")
    assert not found.must
    assert not found.missed


def test_heights_count_for_a_picture_of_576_lines() -> None:
    life = walker("w1", 1.0, 9.0, high=50.0)
    small = ClipLabels("small.avi", 640, 360, "", (life,), (), ())
    assert of(score(run([], []), small), "w1").missed, "50 of 360 lines are 80 of 576"


def test_someone_seen_only_between_two_hidden_moments_shorter_than_a_second_need_not_be_found() -> None:
    life = walker("w1", 0.0, 4.0, hidden=(Stretch(0.5, 2.0), Stretch(2.8, 4.0)))
    assert not of(score(run([], []), drawn(life)), "w1").must


def test_who_is_hidden_is_not_found_by_the_one_who_hides_him() -> None:
    front, behind = walker("w1", 0.0, 10.0), walker("w2", 0.0, 10.0, hidden=(Stretch(2.0, 9.9),))
    found = score(run(follow(front, 1, 2.5, 9.5), [said(2.5)]), drawn(front, behind))
    assert of(found, "w2").missed


def test_a_track_counts_for_a_delay_only_once_it_covers_him() -> None:
    first, second = walker("w1", 0.0, 5.0), walker("w2", 5.0, 12.0, x0=500.0)
    seen = follow(first, 1, 0.3, 5.0) + follow(second, 1, 6.0, 12.0)  # one track, first upon w1, then upon w2
    reports = [said(0.3), said(5.2, "update"), said(9.0, "update"), said(14.0, "end")]
    found = score(run(seen, reports), drawn(first, second))
    assert of(found, "w2").told_s == 9.0


def test_an_end_tells_of_nobody() -> None:
    life = walker("w1", 0.0, 5.0)
    assert of(score(run(follow(life, 1, 0.3, 5.0), [said(9.0, "end")]), drawn(life)), "w1").told_s is None


def test_switches_are_counted_and_a_gap_alone_is_none() -> None:
    life = walker("w1", 0.0, 10.0)
    gap = follow(life, 1, 0.0, 3.0) + follow(life, 1, 6.0, 10.0)
    assert of(score(run(gap, [said(0.3)]), drawn(life)), "w1").switches == 0
    twice = follow(life, 1, 0.0, 3.0) + follow(life, 2, 3.1, 6.0) + follow(life, 1, 6.1, 10.0)
    assert of(score(run(twice, [said(0.3)]), drawn(life)), "w1").switches == 2


def test_two_tracks_upon_one_person_are_no_switch_while_his_own_goes_on() -> None:
    life = walker("w1", 0.0, 10.0)
    both = follow(life, 1, 0.0, 10.0) + follow(life, 2, 4.0, 8.0)
    assert of(score(run(both, [said(0.3)]), drawn(life)), "w1").switches == 0


def test_two_tracks_that_change_places_are_a_switch_for_each() -> None:
    left, right = walker("w1", 0.0, 10.0), walker("w2", 0.0, 10.0, x0=400.0)
    seen = (
        follow(left, 1, 0.0, 5.0)
        + follow(right, 2, 0.0, 5.0)
        + follow(left, 2, 5.1, 10.0)
        + follow(right, 1, 5.1, 10.0)
    )
    found = score(run(seen, [said(0.3, tracks=(1, 2))]), drawn(left, right))
    assert [of(found, name).switches for name in ("w1", "w2")] == [1, 1]
    assert found.mixed == 2


def test_a_track_that_goes_on_to_another_person_is_counted_though_nobody_changes_his_track() -> None:
    first, second = walker("w1", 0.0, 5.0), walker("w2", 5.0, 12.0, x0=500.0)
    found = score(run(follow(first, 1, 0.3, 5.0) + follow(second, 1, 6.0, 12.0), [said(0.3)]), drawn(first, second))
    assert found.mixed == 1
    assert [one.switches for one in found.walkers] == [0, 0]
    brushed = follow(first, 1, 0.3, 5.0) + follow(second, 1, 6.0, 6.1) + follow(second, 2, 6.2, 12.0)
    assert score(run(brushed, [said(0.3)]), drawn(first, second)).mixed == 0


def test_one_track_over_two_people_is_the_own_of_one() -> None:
    left, right = walker("w1", 0.0, 10.0), walker("w2", 0.0, 10.0, x0=110.0)
    found = score(run(follow(left, 1, 0.0, 10.0), [said(0.3)]), drawn(left, right))
    assert not of(found, "w2").missed, "covered"
    assert of(found, "w2").own_s is None
    assert of(found, "w1").own_s == 0.0


def test_a_threat_without_anybody_is_false_and_one_with_him_is_not() -> None:
    life = walker("w1", 0.0, 10.0)
    true = score(run(follow(life, 1, 0.3, 9.0), [said(0.3), said(15.0, "end", started_s=0.3)]), drawn(life))
    assert [(one.should, one.false_threat) for one in true.incidents] == [("threat", False)]
    ghost = [Seen(12.0, 7, "person", 0.6, Box(600, 100, 640, 220))]
    false = score(run(ghost, [said(12.0, tracks=(7,))]), drawn(life))
    assert [(one.should, one.false_threat) for one in false.incidents] == [("false_alarm", True)]


def test_a_threat_by_a_ghost_while_somebody_else_walks_is_false() -> None:
    life = walker("w1", 0.0, 15.0)
    ghost = [Seen(t / 10, 7, "person", 0.6, Box(600, 100, 640, 220)) for t in range(120, 140)]
    assert [one.false_threat for one in score(run(ghost, [said(12.0, tracks=(7,))]), drawn(life)).incidents] == [True]


def test_evidence_upon_nobody_is_counted_once_it_lasts() -> None:
    life = walker("w1", 0.0, 15.0, hidden=(Stretch(5.0, 10.0),))
    ghost = [Seen(t / 10, 7, "person", 0.6, Box(600, 100, 640, 220)) for t in range(120, 130)]
    upon_him = follow(life, 1, 0.3, 15.0)
    assert score(run(upon_him + ghost, [said(0.3)]), drawn(life)).ghosts == 1
    assert score(run(upon_him + ghost[1:], [said(0.3)]), drawn(life)).ghosts == 0


def test_a_threat_that_was_taken_back_is_false_all_the_same() -> None:
    reports = [said(1.0, tracks=()), said(3.0, "update", "benign", tracks=()), said(9.0, "end", "benign", tracks=())]
    (judged,) = score(run([], reports), drawn()).incidents
    assert (judged.verdict, judged.false_threat, judged.threat) == ("benign", True, 0.9)


def test_a_passing_car_should_be_benign_and_a_tree_a_false_alarm() -> None:
    car = Life("car", Subject.VEHICLE, "", walker("w", 0.0, 5.0).keys, ())
    passing = [
        said(0.5, verdict="benign", subject="vehicle"),
        said(6.0, "end", "benign", subject="vehicle", started_s=0.5),
    ]
    assert score(run(follow(car, 1, 0.3, 5.0, "vehicle"), passing), drawn(car)).incidents[0].should == "benign"
    tree = [said(0.5, verdict="false_alarm", subject="none", tracks=())]
    assert score(run([], tree), drawn()).incidents[0].should == "false_alarm"


def test_motion_alone_while_somebody_is_in_view_should_have_been_a_threat() -> None:
    life = walker("w1", 0.0, 10.0)
    report = said(3.0, "end", "false_alarm", subject="none", tracks=(), started_s=1.0, ended_s=4.0)
    assert score(run([], [report]), drawn(life)).incidents[0].should == "threat"


VAN = Static("van", Subject.VEHICLE, Box(600, 50, 700, 100))


def parked(track: int, from_s: float, to_s: float) -> list[Seen]:
    """Evidence upon the van."""
    return [Seen(t / 10, track, "vehicle", 0.6, VAN.box) for t in range(round(from_s * 10), round(to_s * 10))]


def test_a_parked_van_may_alert_in_the_first_minute_and_not_after() -> None:
    early = run(parked(1, 10.0, 12.0), [said(10.0, verdict="benign"), said(20.0, "end", "benign")], 100.0)
    assert [one.learnt for one in score(early, drawn(statics=(VAN,))).statics] == [False]
    late = run(parked(1, 70.0, 72.0), [said(70.0, verdict="benign"), said(80.0, "end", "benign")], 100.0)
    assert [(one.static, one.learnt) for one in score(late, drawn(statics=(VAN,))).statics] == [("van", True)]


def test_someone_who_walks_before_the_van_is_not_the_van() -> None:
    life = Life("car", Subject.VEHICLE, "", (Key(70.0, VAN.box), Key(75.0, VAN.box)), ())
    seen = follow(life, 1, 70.0, 75.0, "vehicle")
    found = score(run(seen, [said(70.0, verdict="benign")], 100.0), drawn(life, statics=(VAN,)))
    assert found.statics == ()


@pytest.mark.parametrize(
    ("seen", "is_covered"),
    [
        (Box(100, 100, 140, 220), True),  # the same
        (Box(100, 100, 140, 160), True),  # the upper half
        (Box(105, 115, 135, 175), True),  # within, its middle there, a third of it
        (Box(115, 130, 130, 190), False),  # within, a fifth of it
        (Box(0, 0, 768, 576), False),  # the whole picture
        (Box(150, 100, 190, 220), False),  # beside
    ],
)
def test_what_covers_a_label(seen: Box, is_covered: bool) -> None:
    assert covers(seen, Box(100, 100, 140, 220)) is is_covered


def test_the_poisson_bound_is_the_exact_one() -> None:
    # From the chi-square quantile: chi2.ppf(0.95, 2 (k + 1)) / 2.
    for count, bound in ((0, 2.9957), (1, 4.7439), (2, 6.2958), (10, 16.9622), (100, 118.0790)):
        assert poisson_upper(count) == pytest.approx(bound, abs=1e-3)
    assert per_hour(2, 0.0) == math.inf
    assert per_hour(2, 1800.0) == 4.0


def test_quantiles_count_those_who_were_never_told_of() -> None:
    assert quantile([0.3, 0.1, math.inf], 0.5) == 0.3
    assert quantile([0.3, math.inf, math.inf], 0.5) == math.inf
    assert math.isnan(quantile([], 0.5))


def test_a_run_comes_back_from_its_json_and_nothing_else_does() -> None:
    life = walker("w1", 0.0, 2.0)
    kept = run(follow(life, 1, 0.0, 2.0), [said(0.3, reasons=("a person was seen",))])
    kept = Run(
        **{**{name: getattr(kept, name) for name in Run.__dataclass_fields__}, "shots": (Shot(0.1, "time", "ab"),)}
    )
    assert Run.from_json(kept.to_json()) == kept
    with pytest.raises(ValueError, match="no run"):
        Run.from_json('{"watched_s": 1}')
