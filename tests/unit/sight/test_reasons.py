"""Reasons are sentences that a person understands, in one order, four at the most."""

from __future__ import annotations

import pytest

from sealcam.sight import reasons
from sealcam.sight.reasons import Weight, Words, subject, told
from sealcam.sight.types import Subject
from tests.judged import incident


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seen_s": 0.3}, "a person was seen"),
        ({"seen_s": 6.2}, "a person was seen for 6 s"),
        ({"seen_s": 15.0, "dwell_s": 14.0}, "a person stayed for 14 s"),
        ({"seen_s": 15.0, "dwell_s": 14.0, "zones": ("door",)}, "a person stayed for 14 s in “door”"),
        ({"seen_s": 40.0, "dwell_s": 14.0}, "a person was seen for 40 s"),
        (
            {"entered": ("door",), "zones": ("path", "door")},
            "a person came into “door” and was seen for 6 s, also in “path”",
        ),
        ({"zones": ("hall",), "ignored": ("bed",)}, "a person was seen for 6 s in “hall”, and in “bed”"),
        ({"ignored": ("bed", "street")}, "a person was seen for 6 s, and in “bed” and “street”"),
        ({"ignored": ("bed",), "watched": False}, "a person was seen for 6 s"),
        ({"zones": ("hall",), "beside": ("bed",)}, "a person was seen for 6 s in “hall”, others in “bed”"),
        ({"zones": ("path", "door")}, "a person was seen for 6 s in “path” and “door”"),
        ({"zones": ("a", "b", "c")}, "a person was seen for 6 s in “a”, “b” and “c”"),
        ({"people": 3}, "3 people were seen for 6 s"),
        ({"people": 2, "entered": ("door",), "seen_s": 0.5}, "2 people came into “door” and were seen"),
        ({"seen_s": 600.0}, "a person was seen for 10 min"),
        ({"seen_s": 9000.0}, "a person was seen for 2 h"),
        ({"seen_s": float("nan")}, "a person was seen"),
        ({"seen_s": float("inf")}, "a person was seen"),
    ],
)
def test_who_did_what_is_said_in_plain_words(changes: dict[str, object], words: str) -> None:
    assert subject(incident(**changes)) == words


def test_vehicles_animals_and_nothing_have_their_words() -> None:
    assert subject(incident(Subject.VEHICLE)) == "a vehicle was seen for 6 s"
    assert subject(incident(Subject.ANIMAL, zones=("lawn",))) == "an animal was seen for 6 s in “lawn”"
    nothing = "something moved for 9 s; no person, vehicle or animal was recognised"
    assert subject(incident(Subject.NONE)) == nothing
    assert subject(incident(Subject.NONE, motion_s=0.0)) == "nothing was seen to move"


def test_what_mattered_most_comes_first_and_what_spoke_against_comes_last() -> None:
    person = incident(pir=True, confidence=0.4)
    weights = [Weight("looks", 0.4), Weight("confidence", -3.0)]
    assert told(person, ("armed away",), weights, doubted=False) == (
        "a person was seen for 6 s",
        "armed away",
        "the motion sensor fired too",
        "but only faintly recognised",
    )


def test_what_hardly_mattered_is_not_said() -> None:
    assert told(incident(), ("armed away",), [Weight("looks", 0.1), Weight("confidence", -0.4)], doubted=False) == (
        "a person was seen for 6 s",
        "armed away",
    )


def test_the_motion_sensor_is_always_heard() -> None:
    assert told(incident(pir=True), ("armed away",), [], doubted=False)[-1] == "the motion sensor fired too"
    assert told(incident(pir=True), ("armed away",), [], doubted=True)[-1] == "but the motion sensor fired too"
    alone = told(incident(Subject.NONE, motion_s=0.0, pir=True), ("armed away",), [], doubted=True)
    assert alone == ("nothing was seen to move", "armed away", "the motion sensor fired")


def test_there_are_four_at_the_most_and_every_order_is_among_them() -> None:
    orders = ("armed away", "a visitor is expected now", "something was left", "you marked something like it as yours")
    said = told(incident(), orders, [Weight("looks", 9.0)], doubted=False)
    assert len(said) == reasons.MOST
    assert all(any(order in one for one in said) for order in orders)


@pytest.mark.parametrize(
    ("group", "changes", "words"),
    [
        ("pir", {"pir": True}, "the motion sensor fired too"),
        ("pir", {}, ""),
        ("light", {"light": True}, "the light changed"),
        ("confidence", {"confidence": 0.8}, "clearly recognised"),
        ("confidence", {"confidence": 0.4}, "only faintly recognised"),
        ("looks", {"hits": 9, "looks": 10}, "seen in 9 of 10 looks"),
        ("looks", {"hits": 1, "looks": 1}, ""),
        ("size", {"height": 0.9}, "close to the camera"),
        ("size", {"height": 0.1}, "far away"),
        ("size", {"height": 0.3}, ""),
        ("way", {"approach": 2.0}, "came nearer"),
        ("way", {"approach": 1.0, "path": 3.0}, "moved across the picture"),
        ("way", {"approach": 1.0, "path": 0.1, "seen_s": 5.0}, "hardly left the spot"),
        ("motion", {"inside": 0.9}, "nearly nothing else moved"),
        ("motion", {"inside": 0.1}, "much else moved"),
        ("nothing of the kind", {}, ""),
    ],
)
def test_a_feature_is_said_as_what_it_shows(group: str, changes: dict[str, object], words: str) -> None:
    shown = reasons.words(incident(**changes), group)
    assert (shown.text if shown is not None else "") == words


def test_of_mere_motion_only_motion_is_said() -> None:
    assert reasons.words(incident(Subject.NONE, spread=0.5), "motion") == Words("much of the picture moved")
    assert reasons.words(incident(Subject.NONE, bursts=4), "motion") == Words("the motion began 4 times")
    assert reasons.words(incident(Subject.NONE), "confidence") is None
    assert reasons.words(incident(Subject.NONE, motion_s=0.0, pir=True), "pir") == Words("the motion sensor fired")


def test_nothing_is_said_that_sounds_like_the_opposite() -> None:
    faint, sure = incident(confidence=0.4), incident(confidence=0.8)
    for_it, against = [Weight("confidence", 2.0)], [Weight("confidence", -2.0)]
    assert "only faintly recognised" not in told(faint, ("armed away",), for_it, doubted=False)
    assert "but only faintly recognised" in told(faint, ("armed away",), against, doubted=False)
    assert "only faintly recognised" in told(faint, ("armed away",), for_it, doubted=True)
    assert "clearly recognised" in told(sure, ("armed away",), for_it, doubted=False)
    assert "but clearly recognised" in told(sure, ("armed away",), against, doubted=True)
    assert len(told(sure, ("armed away",), for_it, doubted=True)) == 2
