"""Whatever is asked of it or kept in it, memory neither fails nor makes a person harmless who is elsewhere."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sealcam import memory_bodies
from sealcam.memory_bodies import Remembered
from sealcam.sight.focus import Look
from sealcam.sight.memory import PLACE_IOU, Memory, Part, Trace
from sealcam.sight.statics import Statics
from sealcam.sight.types import ArmMode, Box, Subject, Verdict
from sealcam.sight.verdict import IncidentFeatures, Mark

NUMBERS = st.one_of(st.floats(0, 1), st.sampled_from([float("nan"), float("inf"), -1.0, 1e300]))
BOXES = st.one_of(
    st.builds(Box, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    st.builds(Box, st.floats(0, 0.4), st.floats(0, 0.4), st.floats(0.5, 1), st.floats(0.5, 1)),
)
SUBJECTS = st.sampled_from(list(Subject))
LOOKS = st.builds(
    lambda values: np.array(values, np.float32),
    st.lists(st.one_of(st.floats(-1, 1, width=32), st.just(float("nan"))), min_size=4, max_size=4),
)
PARTS = st.builds(Part, SUBJECTS, BOXES, st.lists(LOOKS, max_size=2).map(tuple))
FEATURES = IncidentFeatures(Subject.PERSON, 0.7, 3.0, 3.0, 1, pir=False, light=False)
TRACES = st.builds(
    Trace,
    st.text("0123456789abcdef", min_size=1, max_size=16),
    SUBJECTS,
    st.sampled_from(list(Verdict)),
    st.floats(0, 1),
    st.sampled_from(list(ArmMode)),
    st.just(FEATURES),
    st.lists(PARTS, max_size=3).map(tuple),
    st.one_of(st.none(), st.sampled_from(list(Mark))),
)


@settings(max_examples=200, deadline=None)
@given(traces=st.lists(TRACES, max_size=4), subject=SUBJECTS, box=BOXES, looks=st.lists(LOOKS, max_size=2))
def test_a_person_is_told_of_as_harmless_only_in_a_marked_place(
    traces: list[Trace], subject: Subject, box: Box, looks: list[Look]
) -> None:
    told = Memory(traces).told(subject, box, looks)
    if told is not None and subject is Subject.PERSON and told.mark is not Mark.THREAT:
        marked = [part.box for trace in traces if trace.mark is not None for part in trace.parts]
        assert told.place
        assert any(one.iou(box) >= PLACE_IOU for one in marked)


@settings(max_examples=100, deadline=None)
@given(traces=st.lists(TRACES, max_size=4), things=st.lists(PARTS, max_size=4))
def test_what_is_kept_can_be_read_again(traces: list[Trace], things: list[Part]) -> None:
    statics = Statics()
    for thing in things:
        statics.remember(thing.subject, thing.box, next(iter(thing.looks), None))
    kept = memory_bodies.decode(memory_bodies.encode(Remembered(tuple(traces), statics.things), "model"), "model")
    assert [(one.incident, one.mark) for one in kept.traces] == [(one.incident, one.mark) for one in traces]
    assert len(kept.statics) == len(statics)
