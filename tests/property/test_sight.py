"""Whatever a source gives, sight neither fails nor invents a threat, and every incident begins and ends once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sealcam.board.protocols import Frame
from sealcam.board.replay import Timeline, fitted
from sealcam.board.scripted import grey_frame
from sealcam.sight.focus import UNKNOWN, Focus, Look
from sealcam.sight.picture import thumbnail
from sealcam.sight.settings import SightSettings
from sealcam.sight.ticking import Tick, Ticking
from sealcam.sight.types import ArmMode, Box, Detection, Picture, Report, Stage, Subject, Verdict
from sealcam.sight.watch import Watch

SIZES = st.sampled_from([(1, 1), (1, 64), (64, 1), (2, 2), (36, 64), (64, 36), (48, 64), (37, 61)])
KINDS = st.sampled_from(["black", "white", "noise", "grey", "half", "flash"])
GAPS_NS = st.one_of(
    st.sampled_from([0, 1, 33_000_000, 100_000_000, 200_000_000]),
    st.integers(-10_000_000_000, 4_000_000_000_000),
)


def _luma(kind: str, size: tuple[int, int], seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    random = np.random.default_rng(seed)
    if kind == "noise":
        return random.integers(0, 256, size, dtype=np.uint8)
    if kind == "half":
        y = np.full(size, 20, np.uint8)
        y[:, : (seed % size[1]) + 1] = 230
        return y
    level = {"black": 0, "white": 255, "grey": 128, "flash": 255 * (seed % 2)}[kind]
    return np.full(size, level, np.uint8)


@st.composite
def sources(draw: st.DrawFn) -> list[Frame]:
    """Stretches of frames of one kind and size each, with times that may repeat, jump and go back."""
    frames: list[Frame] = []
    t_ns = draw(st.integers(0, 10**15))
    for _ in range(draw(st.integers(1, 4))):
        size, kind, gap_ns = draw(SIZES), draw(KINDS), draw(GAPS_NS)
        for _ in range(draw(st.integers(1, 12))):
            frames.append(grey_frame(_luma(kind, size, len(frames)), t_ns, len(frames)))
            t_ns = max(0, t_ns + gap_ns)
    return frames


class _Blind:
    def detect(self, frame: Frame, focus: Focus = UNKNOWN) -> Sequence[Detection]:
        return ()

    def look(self, box: Box) -> Look | None:
        return None


class _Drawn:
    """Sees what Hypothesis draws, broken numbers and boxes outside the frame included."""

    def __init__(self, looks: list[list[Detection]]) -> None:
        self._looks = looks
        self._at = 0

    def detect(self, frame: Frame, focus: Focus = UNKNOWN) -> Sequence[Detection]:
        self._at += 1
        return self._looks[self._at % len(self._looks)]

    def look(self, box: Box) -> Look | None:
        return None


NUMBERS = st.one_of(st.floats(-50, 120), st.sampled_from([float("nan"), float("inf"), float("-inf"), 1e300]))
DETECTIONS = st.builds(
    Detection,
    st.sampled_from([Subject.PERSON, Subject.VEHICLE, Subject.ANIMAL]),
    st.just("thing"),
    st.one_of(st.floats(0, 1), st.just(float("nan"))),
    st.builds(Box, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
)


def _watch(frames: list[Frame], detector: _Blind | _Drawn, mode: ArmMode, *, pir: bool = True) -> list[Report]:
    watch = Watch(detector, SightSettings(), str, mode)
    reports: list[Report] = []
    for frame in frames:
        reports += watch.step(frame, frame.t_ns if pir and frame.index % 17 == 5 else None)
    return [*reports, *watch.close()]


def _whole(reports: list[Report]) -> None:
    """Each incident: `new` first, `end` last, each once; times in order; probabilities within bounds."""
    stages: dict[str, list[Stage]] = {}
    for report in reports:
        stages.setdefault(report.incident, []).append(report.stage)
        assert report.started_ns <= report.ended_ns <= report.t_ns
        assert 0 <= report.confidence <= 1
        assert 0 <= report.threat <= 1
        assert report.reasons
        assert (report.subject is Subject.NONE) == (report.verdict is Verdict.FALSE_ALARM)
    for life in stages.values():
        assert life[0] is Stage.NEW
        assert life[-1] is Stage.END
        assert Counter(life)[Stage.NEW] == Counter(life)[Stage.END] == 1


@settings(max_examples=60, deadline=None)
@given(frames=sources(), mode=st.sampled_from(list(ArmMode)))
def test_without_a_detection_there_is_no_threat_and_nothing_fails(frames: list[Frame], mode: ArmMode) -> None:
    reports = _watch(frames, _Blind(), mode)
    _whole(reports)
    assert all(report.verdict is Verdict.FALSE_ALARM for report in reports)


@settings(max_examples=60, deadline=None)
@given(frames=sources(), looks=st.lists(st.lists(DETECTIONS, max_size=4), min_size=1, max_size=8))
def test_whatever_a_detector_says_every_incident_begins_and_ends_once(
    frames: list[Frame], looks: list[list[Detection]]
) -> None:
    _whole(_watch(frames, _Drawn(looks), ArmMode.AWAY))


@given(
    first_ns=st.integers(0, 10**15),
    gaps_ns=st.lists(GAPS_NS, min_size=1, max_size=4),
    count=st.integers(40, 200),
)
def test_whatever_the_clock_time_neither_goes_back_for_long_nor_stands_still(
    first_ns: int, gaps_ns: list[int], count: int
) -> None:
    ticking, source_ns, ticks = Ticking(), first_ns, list[Tick]()
    for index in range(count):
        ticks.append(ticking.take(source_ns))
        source_ns += gaps_ns[index % len(gaps_ns)]
    assert all(after.anew or after.t_ns >= before.t_ns for before, after in pairwise(ticks))
    assert sum(tick.doubt is not None for tick in ticks) <= 1
    for anew_or_later in range(0, count - 10, 10):  # of ten frames some bring time on, or begin anew
        ten = ticks[anew_or_later : anew_or_later + 11]
        assert any(tick.anew for tick in ten) or ten[-1].t_ns - ten[0].t_ns >= 1_000_000


@settings(max_examples=30, deadline=None)
@given(gap_ns=st.sampled_from([0, 1, 1000, -1, -1000, -200_000_000, -1_500_000_000]), step=st.integers(1, 2))
def test_what_moves_goes_on_being_looked_at_whatever_the_clock_says(gap_ns: int, step: int) -> None:
    """`step` 2: every second frame is back by the gap from a clock that runs."""
    watch = Watch(_Blind(), SightSettings(), str, ArmMode.AWAY)
    for index in range(100):
        t_ns = 10**12 + (index * gap_ns if step == 1 else index * 100_000_000 + index % 2 * gap_ns)
        picture = np.full((36, 64), 60, np.uint8)
        picture[8:28, index % 5 * 10 : index % 5 * 10 + 16] = 220
        watch.step(grey_frame(picture, t_ns, index))
    assert watch.stats.detector_runs >= 20


@settings(max_examples=30, deadline=None)
@given(size=SIZES, kind=st.sampled_from(["black", "white", "grey", "half"]), count=st.integers(3, 40))
def test_a_still_picture_with_a_person_in_it_is_no_threat(size: tuple[int, int], kind: str, count: int) -> None:
    frames = [grey_frame(_luma(kind, size, 0), index * 100_000_000, index) for index in range(count)]
    person = Detection(Subject.PERSON, "person", 0.9, Box(0, 0, size[1], size[0]))
    assert _watch(frames, _Drawn([[person]]), ArmMode.AWAY, pir=False) == []


@given(st.lists(st.one_of(st.none(), st.integers(-(10**12), 10**12)), min_size=1, max_size=50), st.integers(1, 10**9))
def test_a_files_time_begins_at_zero_and_never_goes_back(times: list[int | None], interval_ns: int) -> None:
    timeline = Timeline(interval_ns)
    told = [timeline.at(time) for time in times]
    assert told[0] == 0
    assert told == sorted(told)


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.floats(0.1, 10))
def test_every_picture_is_fitted_even_and_within_bounds(width: int, height: int, aspect: float) -> None:
    fit_width, fit_height = fitted(width, height, aspect)
    assert 2 <= fit_width <= 640
    assert 2 <= fit_height <= 360
    assert fit_width % 2 == fit_height % 2 == 0


@settings(max_examples=40, deadline=None)
@given(
    size=SIZES,
    corner=st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
    side=st.tuples(st.floats(0, 200), st.floats(0, 200)),
)
def test_every_box_has_a_thumbnail(
    size: tuple[int, int], corner: tuple[float, float], side: tuple[float, float]
) -> None:
    frame = grey_frame(_luma("noise", size, 1), 0)
    box = Box(corner[0], corner[1], corner[0] + side[0], corner[1] + side[1])
    assert thumbnail(Picture(frame.y, frame.u, frame.v, box, 0))[:2] == b"\xff\xd8"
