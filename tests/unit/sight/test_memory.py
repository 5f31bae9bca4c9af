"""Memory: what one mark makes quiet, and all that it must not."""

from __future__ import annotations

import numpy as np
import pytest

from sealcam.sight.focus import Look
from sealcam.sight.memory import MOST, MOST_MARKED, Memory, Part, Trace
from sealcam.sight.recall import MOST_TRACKS, Recall
from sealcam.sight.tracks import Sighting
from sealcam.sight.types import ArmMode, Box, Report, Stage, Subject, Trigger, Verdict
from sealcam.sight.verdict import IncidentFeatures, Mark

HERE, NEAR, ELSEWHERE = Box(0.40, 0.30, 0.50, 0.70), Box(0.41, 0.31, 0.51, 0.70), Box(0.70, 0.30, 0.80, 0.70)
THROUGH = Box(0.0, 0.28, 0.55, 0.72)  # what somebody covers who walks from the edge to HERE
SIZE_PX = (1000, 1000)


def _look(*values: float) -> Look:
    vector = np.array(values, dtype=np.float32)
    return vector / np.float32(np.linalg.norm(vector))


STATUE, STATUE_LATER, BURGLAR = _look(1, 0, 0), _look(1, 0.1, 0), _look(0.8, 0.6, 0)
FEATURES = IncidentFeatures(Subject.PERSON, 0.7, 3.0, 3.0, 1, pir=False, light=False)


def _trace(
    name: str,
    box: Box = HERE,
    look: Look | None = STATUE,
    subject: Subject = Subject.PERSON,
    mark: Mark | None = None,
) -> Trace:
    part = Part(subject, box, () if look is None else (look,))
    return Trace(name, subject, Verdict.THREAT, 0.8, ArmMode.AWAY, FEATURES, (part,), mark)


def _memory(*traces: Trace) -> Memory:
    return Memory(traces)


def test_without_a_mark_nothing_is_told() -> None:
    memory = _memory(_trace("a"))
    assert memory.told(Subject.PERSON, HERE, (STATUE,)) is None


@pytest.mark.parametrize("mark", [Mark.FALSE_ALARM, Mark.BENIGN, Mark.OURS])
def test_one_mark_makes_the_same_thing_in_the_same_place_quiet(mark: Mark) -> None:
    memory = _memory(_trace("a"))
    assert memory.mark("a", mark)
    told = memory.told(Subject.PERSON, NEAR, (STATUE, STATUE_LATER))
    assert told is not None
    assert (told.mark, told.place, told.look) == (mark, True, True)
    assert told.likeness > 0.95


@pytest.mark.parametrize("mark", [Mark.FALSE_ALARM, Mark.BENIGN, Mark.OURS])
def test_a_burglar_is_never_told_of_as_the_statue(mark: Mark) -> None:
    memory = _memory(_trace("a", mark=mark))
    assert memory.told(Subject.PERSON, HERE, (BURGLAR,)) is None, "another look in its place"
    assert memory.told(Subject.PERSON, HERE, (STATUE, BURGLAR)) is None, "who stepped in front of it"
    assert memory.told(Subject.PERSON, ELSEWHERE, (STATUE,)) is None, "a coat makes nobody harmless elsewhere"
    assert memory.told(Subject.PERSON, THROUGH, (STATUE,)) is None, "who walks there is no statue"
    assert memory.told(Subject.ANIMAL, HERE, (STATUE,)) is None, "another kind of thing"


def test_our_own_car_and_cat_are_ours_everywhere_and_a_false_alarm_only_in_its_place() -> None:
    for subject in (Subject.VEHICLE, Subject.ANIMAL):
        ours = _memory(_trace("a", subject=subject, mark=Mark.OURS)).told(subject, ELSEWHERE, (STATUE,))
        assert ours is not None
        assert (ours.place, ours.look) == (False, True)
        alarm = _memory(_trace("a", subject=subject, mark=Mark.FALSE_ALARM))
        assert alarm.told(subject, ELSEWHERE, (STATUE,)) is None


def test_the_like_of_a_threat_is_one_wherever_it_is() -> None:
    memory = _memory(_trace("a", look=BURGLAR, mark=Mark.THREAT))
    told = memory.told(Subject.PERSON, ELSEWHERE, (BURGLAR,))
    assert told is not None
    assert told.mark is Mark.THREAT
    assert memory.told(Subject.PERSON, HERE, (STATUE,)) is None


def test_of_two_marks_on_the_like_the_newer_counts_and_of_unlike_ones_the_liker() -> None:
    quiet, threat = _trace("quiet", mark=Mark.FALSE_ALARM), _trace("threat", mark=Mark.THREAT)
    for traces, mark in (((quiet, threat), Mark.THREAT), ((threat, quiet), Mark.FALSE_ALARM)):
        told = Memory(traces).told(Subject.PERSON, HERE, (STATUE,))
        assert told is not None
        assert told.mark is mark
    other = _trace("other", look=_look(1, 0.3, 0), mark=Mark.THREAT)
    told = _memory(quiet, other).told(Subject.PERSON, HERE, (STATUE,))
    assert told is not None
    assert told.mark is Mark.FALSE_ALARM, "0.958 like a burglar, and the statue itself"


def test_another_mark_on_the_same_incident_replaces_the_first() -> None:
    memory = _memory(_trace("a", mark=Mark.FALSE_ALARM))
    memory.mark("a", Mark.THREAT)
    told = memory.told(Subject.PERSON, HERE, (STATUE,))
    assert told is not None
    assert told.mark is Mark.THREAT


def test_without_looks_the_place_must_agree_closely_and_that_is_said() -> None:
    memory = _memory(_trace("a", look=None, mark=Mark.FALSE_ALARM))
    told = memory.told(Subject.PERSON, NEAR, ())
    assert told is not None
    assert (told.place, told.look) == (True, False)
    assert memory.told(Subject.PERSON, THROUGH, ()) is None
    assert memory.told(Subject.PERSON, Box(0.40, 0.30, 0.50, 0.50), ()) is None, "half as high"
    assert memory.told(Subject.PERSON, NEAR, (_look(1, 0),)) is not None, "looks of another model are none"


def test_a_mark_stays_when_more_is_known_of_its_incident() -> None:
    memory = _memory(_trace("a"))
    memory.mark("a", Mark.FALSE_ALARM)
    memory.keep(_trace("a", box=NEAR))
    (trace,) = memory.traces
    assert (trace.mark, trace.parts[0].box) == (Mark.FALSE_ALARM, NEAR)


def test_an_incident_that_is_not_remembered_takes_no_mark() -> None:
    assert not _memory(_trace("a")).mark("b", Mark.THREAT)


def test_memory_is_bounded_and_keeps_what_is_marked_longest() -> None:
    memory = Memory()
    memory.keep(_trace("first", mark=Mark.FALSE_ALARM))
    for index in range(MOST + 50):
        memory.keep(_trace(f"{index}"))
    assert len(memory.traces) == MOST
    assert memory.traces[0].incident == "first"
    for index in range(MOST + 50):
        memory.mark(f"{index}", Mark.BENIGN)
    assert sum(trace.mark is not None for trace in memory.traces) == MOST_MARKED
    assert memory.traces[-1].incident == f"{MOST + 49}"


def test_what_is_erased_is_told_no_more() -> None:
    memory = _memory(_trace("a", mark=Mark.FALSE_ALARM), _trace("b", mark=Mark.FALSE_ALARM), _trace("c"))
    assert memory.erase(["a", "x"]) == 1
    assert [trace.incident for trace in memory.traces] == ["b", "c"]
    assert memory.erase() == 2
    assert memory.told(Subject.PERSON, HERE, (STATUE,)) is None


def _sighting(track: int, box: Box = HERE, look: Look = STATUE, subject: Subject = Subject.PERSON) -> Sighting:
    pixels = Box(box.x0 * 1000, box.y0 * 1000, box.x1 * 1000, box.y1 * 1000)
    return Sighting(track, subject, str(subject), 0.8, 0.8, pixels, 0, (look, look))


def _report(stage: Stage, *tracks: int) -> Report:
    return Report(
        stage=stage,
        incident="incident",
        trigger=Trigger.MOTION,
        t_ns=2,
        started_ns=1,
        ended_ns=2,
        subject=Subject.PERSON,
        confidence=0.8,
        verdict=Verdict.THREAT,
        threat=0.8,
        reasons=("a person was seen",),
        mode=ArmMode.AWAY,
        detector_runs=3,
        picture=None,
        tracks=tracks,
    )


def test_a_stranger_beside_the_statue_takes_the_word_back_for_the_whole_incident() -> None:
    recall = Recall(_memory(_trace("a", mark=Mark.FALSE_ALARM)))
    assert recall.step([_sighting(1)], SIZE_PX) is not None
    assert recall.step([_sighting(1), _sighting(2, ELSEWHERE, BURGLAR)], SIZE_PX) is None
    assert recall.step([_sighting(1)], SIZE_PX) is None
    recall.traces([_report(Stage.END, 1, 2)], FEATURES, ())
    assert recall.step([_sighting(3)], SIZE_PX) is not None


def test_who_passes_where_nobody_watches_takes_no_word_back_and_says_none() -> None:
    recall = Recall(_memory(_trace("a", mark=Mark.FALSE_ALARM)))
    passer = _sighting(2, ELSEWHERE, BURGLAR)
    assert recall.step([_sighting(1), passer], SIZE_PX, {1}) is not None
    assert recall.step([_sighting(1)], SIZE_PX, {1}) is not None
    assert recall.step([passer], SIZE_PX, set()) is not None
    assert recall.step([_sighting(1), passer], SIZE_PX, {1, 2}) is None, "he has come in"
    assert recall.step([_sighting(1), passer], SIZE_PX, {1}) is None, "and stays somebody who came in"


def test_the_likeness_of_who_passes_where_nobody_watches_is_none_of_the_watched_ones() -> None:
    marked = _trace("a", ELSEWHERE, BURGLAR, mark=Mark.THREAT)
    recall = Recall(_memory(marked))
    assert recall.step([_sighting(1), _sighting(2, ELSEWHERE, BURGLAR)], SIZE_PX, {1}) is None
    told = recall.step([_sighting(2, ELSEWHERE, BURGLAR)], SIZE_PX, {2})
    assert told is not None
    assert told.mark is Mark.THREAT


def test_many_who_pass_where_nobody_watches_push_nobody_out_and_are_no_strangers() -> None:
    recall = Recall(_memory(_trace("a", mark=Mark.FALSE_ALARM)))
    for track in range(2, 3 * MOST_TRACKS):
        told = recall.step([_sighting(1), _sighting(track, ELSEWHERE, BURGLAR)], SIZE_PX, {1})
        assert told is not None
    (trace,) = recall.traces([_report(Stage.NEW, *range(3 * MOST_TRACKS))], FEATURES, ())
    assert [part.box for part in trace.parts] == [HERE], "a mark is not for the passers-by"


def test_who_walks_to_where_the_statue_was_is_no_statue() -> None:
    recall = Recall(_memory(_trace("a", mark=Mark.FALSE_ALARM)))
    for step in range(5):
        told = recall.step([_sighting(1, Box(0.1 * step, 0.30, 0.1 + 0.1 * step, 0.70))], SIZE_PX)
    assert told is None


def test_a_cat_beside_a_person_says_nothing_of_the_person() -> None:
    memory = _memory(_trace("a", subject=Subject.ANIMAL, mark=Mark.OURS))
    recall = Recall(memory)
    assert recall.step([_sighting(1, subject=Subject.ANIMAL)], SIZE_PX) is not None
    assert recall.step([_sighting(2)], SIZE_PX) is None


def test_a_stranger_among_very_many_is_not_forgotten() -> None:
    recall = Recall(_memory(_trace("a", mark=Mark.FALSE_ALARM)))
    recall.step([_sighting(0, ELSEWHERE, BURGLAR)], SIZE_PX)
    for track in range(1, 3 * MOST_TRACKS):
        assert recall.step([_sighting(track)], SIZE_PX) is None


def test_what_is_kept_of_an_incident_are_its_own_things() -> None:
    recall = Recall(Memory())
    for _ in range(3):
        recall.step([_sighting(1), _sighting(2, ELSEWHERE, BURGLAR)], SIZE_PX)
    (trace,) = recall.traces([_report(Stage.NEW, 1)], FEATURES, ())
    assert [part.box for part in trace.parts] == [HERE]
    assert trace.incident == "incident"
    assert trace.mark is None
