"""Who is asked when, and what comes of it, with advisers that say what they are told."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from sealcam.board.litert import ScriptedNetwork
from sealcam.board.protocols import Frame
from sealcam.sight.advisers import ModelAdviser
from sealcam.sight.candidates import Candidates
from sealcam.sight.doubt import Doubt, Kind
from sealcam.sight.focus import Focus, Look
from sealcam.sight.gate import Motion
from sealcam.sight.panel import BROKEN_MOST, LET_GO_S, STOCK, Panel, Trouble
from sealcam.sight.soundness import BROKEN_S, WORKS_S, Soundness
from sealcam.sight.spec import DecodingSpec, Head, InputSpec, ModelSpec, Placement
from sealcam.sight.types import Box, Detection
from sealcam.wire.errors import ModelError
from tests.scenes import HEIGHT, SECOND_NS, WIDTH, frame, ground, seen

INPUT = InputSpec(64, 128, "NHWC", "uint8", "RGB", Placement.STRETCH, 0, 1.0, 0.0)
SPEC = ModelSpec("made", INPUT, DecodingSpec(Head.YOLOX, 0.5, strides=(32,)), ("person",), 0.37)
PICTURE = ground()
MAN = Box(40, 40, 80, 140)


def says(box: Box | None, score: float = 0.8) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """A model's outputs that claim a person at a place of the frame, or nobody."""
    cells = np.zeros((1, 8, 6), np.float32)
    if box is not None:
        x, y = 128 / WIDTH / 32, 64 / HEIGHT / 32
        middle = (box.x0 + box.x1) / 2 * x, (box.y0 + box.y1) / 2 * y
        cells[0, 0] = (*middle, math.log(box.width * x), math.log(box.height * y), 1, score)
    return [cells]


def candidates(*script: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]) -> Candidates:
    return Candidates(ScriptedNetwork((1, 64, 128, 3), script), SPEC)


class ToldAdviser:
    """Says what it is told, and keeps when it was asked and about what."""

    def __init__(self, *said: Detection, name: str = "told", broken: bool = False) -> None:
        self.name = name
        self.broken = broken
        self.asked: list[float] = []
        self.kinds: list[Kind] = []
        self.let_go_of = 0
        self._said = said

    def suits(self, frame: Frame, doubt: Doubt) -> bool:
        return True

    def ask(self, frame: Frame, open_doubts: Sequence[Doubt]) -> Sequence[Detection]:
        self.asked.append(frame.t_ns / SECOND_NS)
        self.kinds += [doubt.kind for doubt in open_doubts]
        return self._said

    def look(self, box: Box) -> Look | None:
        return None

    def let_go(self) -> None:
        self.let_go_of += 1


def moved(box: Box | None) -> Focus:
    mask = np.zeros((HEIGHT // 4, WIDTH // 4), np.uint8)
    if box is not None:
        mask[round(box.y0 / 4) : round(box.y1 / 4), round(box.x0 / 4) : round(box.x1 / 4)] = 255
    return Focus(Motion(mask, 4.0, 4.0, float((mask > 0).mean()), box is not None, whole=False), ())


def run(panel: Panel, seconds: float, focus: Focus, start: float = 0.0) -> list[tuple[Detection, ...]]:
    """Ten looks a second."""
    return [panel.detect(frame(PICTURE, start + index / 10), focus) for index in range(round(seconds * 10))]


def test_nobody_is_asked_about_someone_who_is_surely_seen() -> None:
    other = ToldAdviser()
    panel = Panel(candidates(says(MAN)), [other])
    found = run(panel, 3.0, moved(MAN))
    assert all(len(one) == 1 for one in found)
    assert other.asked == []
    assert (panel.stats.first, panel.stats.further) == (30, 0)


def test_a_faint_box_is_asked_about_at_once_and_then_now_and_then() -> None:
    other = ToldAdviser()
    run(Panel(candidates(says(MAN, 0.3)), [other]), 2.0, moved(MAN))
    assert other.asked == [0.0, 0.5, 1.0, 1.5]
    assert set(other.kinds) == {Kind.FAINT}


def test_motion_that_nothing_explains_is_asked_about_once_it_goes_on() -> None:
    other = ToldAdviser()
    run(Panel(candidates(says(None)), [other]), 1.0, moved(MAN))
    assert other.asked == [0.2, 0.7]


def test_who_sees_what_the_first_does_not_is_asked_at_every_look() -> None:
    other = ToldAdviser(seen(MAN, 0.7))
    found = run(Panel(candidates(says(None)), [other]), 2.0, moved(MAN))
    assert other.asked == [index / 10 for index in range(2, 20)]
    assert [len(one) for one in found] == [0, 0] + [1] * 18


def test_over_long_there_are_no_more_looks_than_the_budget_has() -> None:
    other = ToldAdviser(seen(MAN, 0.7))
    run(Panel(candidates(says(None)), [other], further_hz=1.0), 120.0, moved(MAN))
    assert len(other.asked) <= STOCK + 120


def test_without_a_budget_nobody_is_asked_once_the_stock_is_gone() -> None:
    other = ToldAdviser(seen(MAN, 0.7))
    run(Panel(candidates(says(None)), [other], further_hz=0.0), 60.0, moved(MAN))
    assert len(other.asked) == STOCK


def test_those_who_may_know_are_asked_in_turn() -> None:
    one, other = ToldAdviser(name="one"), ToldAdviser(name="other")
    run(Panel(candidates(says(MAN, 0.3)), [one, other]), 2.0, moved(MAN))
    assert (one.asked, other.asked) == ([0.0, 1.0], [0.5, 1.5])


def test_an_advisers_box_must_be_where_something_moved() -> None:
    parked = ToldAdviser(seen(Box(200, 40, 300, 100), 0.9))
    found = run(Panel(candidates(says(None)), [parked]), 1.0, moved(MAN))
    assert all(one == () for one in found)


def test_a_source_that_begins_anew_has_its_whole_budget_again() -> None:
    other = ToldAdviser(seen(MAN, 0.7))
    panel = Panel(candidates(says(None)), [other], further_hz=0.0)
    run(panel, 30.0, moved(MAN), start=100.0)
    run(panel, 30.0, moved(MAN))
    assert len(other.asked) == 2 * STOCK


def test_the_same_looks_are_taken_in_every_run() -> None:
    def looks() -> tuple[list[float], list[tuple[Detection, ...]]]:
        other = ToldAdviser(seen(MAN, 0.6))
        found = run(Panel(candidates(says(None), says(MAN, 0.3), says(MAN)), [other]), 5.0, moved(MAN))
        return other.asked, found

    assert looks() == looks()


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, 7.0])
def test_a_broken_model_sees_nothing_and_is_told_once(nonsense: float) -> None:
    outputs = says(MAN)
    outputs[0][0, 3, 5] = nonsense
    outputs[0][0, 3, 4] = 1.0
    panel = Panel(candidates(outputs))
    assert run(panel, 1.0, moved(MAN)) == [()] * 10
    assert panel.broken == 10
    assert [trouble.code for trouble in panel.tend(0)] == ["model-broken"]
    assert panel.tend(0) == ()


def test_where_the_first_model_is_broken_the_second_is_asked_at_every_look_while_there_is_a_budget() -> None:
    other = ToldAdviser(seen(MAN, 0.8))
    outputs = says(None)
    outputs[0][0, 3, 5] = math.nan
    found = run(Panel(candidates(outputs), [other]), 2.0, moved(MAN))
    assert [len(one) for one in found] == [1] * 20


def test_a_second_model_that_is_broken_says_nothing_and_is_not_asked_for_ever() -> None:
    other = ToldAdviser(seen(MAN, 0.9), broken=True)
    panel = Panel(candidates(says(None)), [other])
    assert run(panel, 10.0, moved(MAN)) == [()] * 100
    assert len(other.asked) == BROKEN_MOST
    assert [(trouble.code, trouble.blind) for trouble in panel.tend(0)] == [("model-second-broken", None)]


def _broken() -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    outputs = says(None)
    outputs[0][0, 3, 5] = math.nan
    return outputs


def test_a_first_model_that_heals_and_breaks_again_is_told_each_time() -> None:
    other = ToldAdviser(broken=True)
    script = [_broken()] * 20 + [says(None)] * 120 + [_broken()] * 80 + [says(None)] * 5 + [_broken()] * 75
    panel, told = Panel(candidates(*script), [other]), []
    for index in range(300):
        panel.detect(frame(PICTURE, index / 10), moved(None))
        told += [(index / 10, one.code, one.blind) for one in panel.tend(0) if one.code != "model-second-broken"]
    works, broken = round((20 + WORKS_S * 10) / 10, 1), round((140 + BROKEN_S * 10) / 10, 1)
    assert told == [(0.0, "model-broken", True), (works, "model-works", False), (broken, "model-broken", True)]


def test_what_an_adviser_says_hides_nothing_of_the_first_model() -> None:
    other = ToldAdviser(broken=True)
    panel = Panel(candidates(*[says(MAN, 0.3)] * 10, *[_broken()] * 10), [other])
    run(panel, 2.0, moved(MAN))
    assert {one.code for one in panel.tend(0)} == {"model-second-broken", "model-broken"}


def test_a_source_that_begins_anew_makes_nothing_last() -> None:
    sound = Soundness()
    assert sound.take(0, broken=True) is True
    assert sound.take(SECOND_NS, broken=False) is None
    sound.begin_anew()
    assert sound.take(0, broken=False) is None
    assert sound.take(round(WORKS_S * SECOND_NS) - 1, broken=False) is None
    assert sound.take(round(WORKS_S * SECOND_NS), broken=False) is False


def test_a_second_model_that_can_not_be_loaded_is_told_and_the_first_goes_on() -> None:
    def load() -> Candidates:
        raise ModelError("the model other isn't here")

    panel = Panel(candidates(says(MAN, 0.3)), [ModelAdviser("other", load)])
    assert [len(one) for one in run(panel, 2.0, moved(MAN))] == [1] * 20
    (trouble,) = panel.tend(0)
    assert trouble.code == "model-second-missing"
    assert "the model other isn't here" in trouble.words


def test_a_second_model_is_loaded_when_it_is_asked_and_let_go_of_after_quiet_minutes() -> None:
    loads = []

    def load() -> Candidates:
        loads.append(1)
        return candidates(says(MAN, 0.8))

    panel = Panel(candidates(says(None)), [ModelAdviser("other", load)])
    run(panel, 1.0, moved(None))
    assert len(loads) == 0
    run(panel, 1.0, moved(MAN), start=1.0)
    run(panel, 1.0, moved(MAN), start=10.0)
    panel.tend(20 * SECOND_NS)
    run(panel, 1.0, moved(MAN), start=30.0)
    assert len(loads) == 1
    panel.tend(round((40 + LET_GO_S) * SECOND_NS))
    run(panel, 1.0, moved(MAN), start=50.0 + LET_GO_S)
    assert len(loads) == 2


def test_what_is_known_from_outside_is_told_once() -> None:
    panel = Panel(candidates(says(None)))
    for _ in range(2):
        panel.note(Trouble("model-second-missing", "the model other isn't here"))
    assert [trouble.code for trouble in panel.tend(0)] == ["model-second-missing"]
    panel.note(Trouble("model-second-missing", "the model other isn't here"))
    assert panel.tend(0) == ()
