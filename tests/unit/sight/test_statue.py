"""The statue, on real footage: one mark makes it quiet, and nobody else who comes to its place.

Made: walkers cut out of one real clip and put into the empty lot of another, still but for a sway of some pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from sealcam.board.protocols import Frame, Plane
from sealcam.board.replay import ReplayCamera
from sealcam.config import ModelSettings
from sealcam.eyesight import open_detector
from sealcam.sight.memory import Memory, Trace
from sealcam.sight.place import Place
from sealcam.sight.settings import SightSettings
from sealcam.sight.surroundings import Surroundings
from sealcam.sight.types import ArmMode, Subject, Verdict
from sealcam.sight.verdict import Mark
from sealcam.sight.watch import Watch
from sealcam.sight.zones import Polygon, Zone, ZoneKind
from tests import footage

FRAMES, FEET = 80, (400, 330)
# Walkers of vtest, alone in view: frame, and box in pixels of 480 by 360 (from the drawn labels).
STATUE, BURGLAR = (21, (426, 170, 448, 234)), (233, (440, 176, 463, 246))


@cache
def _frames(path: Path, first: int, count: int) -> list[Frame]:
    return list(islice(ReplayCamera(path).frames(), first, first + count))


def _pasted(onto: Plane, cut: Plane, x0: int, y0: int) -> Plane:
    """The cut on a copy of the plane, its corners rounded off softly."""
    rows, columns = cut.shape
    y, x = np.mgrid[:rows, :columns]
    edge = ((2 * x + 1) / columns - 1) ** 4 + ((2 * y + 1) / rows - 1) ** 4
    share = np.clip((1 - edge) / 0.35, 0, 1)
    out = onto.copy()
    behind = out[y0 : y0 + rows, x0 : x0 + columns]
    out[y0 : y0 + rows, x0 : x0 + columns] = (share * cut + (1 - share) * behind).astype(np.uint8)
    return out


def _with(frame: Frame, person: tuple[int, tuple[int, int, int, int]], feet: tuple[float, float]) -> Frame:
    """The frame with a walker of vtest standing there, 100 px high."""
    number, (x0, y0, x1, y1) = person
    source = _frames(footage.vtest(), number, 1)[0]
    planes = []
    for whole, plane, part in ((frame.y, source.y, 1), (frame.u, source.u, 2), (frame.v, source.v, 2)):
        cut = plane[(y0 - 4) // part : (y1 + 4) // part, (x0 - 4) // part : (x1 + 4) // part]
        scale = 100 / (y1 - y0)
        size = (round(cut.shape[1] * scale), round(cut.shape[0] * scale))
        larger = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        planes.append(_pasted(whole, larger, round(feet[0] / part - size[0] / 2), round(feet[1] / part - size[1])))
    return replace(frame, y=planes[0], u=planes[1], v=planes[2])


def _watched(put: Callable[[Frame, int], Frame], memory: Memory, *zones: Zone) -> list[Trace]:
    """What memory would keep of the incidents in the lot with these people in it, the newest word of each."""
    lot = _frames(footage.cars(), 150, 40)
    names, around = (lambda n: f"{n:016x}"), Surroundings(Place(zones))
    detector = open_detector(ModelSettings())
    watch = Watch(detector, SightSettings(), names, ArmMode.AWAY, memory=memory, surroundings=around)
    found: dict[str, Trace] = {}
    for index in range(FRAMES):
        base = lot[index % 40 if index // 40 % 2 == 0 else 39 - index % 40]
        watch.step(put(replace(base, t_ns=index * 100_000_000, index=index), index))
        found |= {trace.incident: trace for trace in watch.traces()}
    watch.close()
    return list((found | {trace.incident: trace for trace in watch.traces()}).values())


def _statue(frame: Frame, index: int) -> Frame:
    sway = 6 * math.sin(1.3 * index) if index > 25 else 0.0
    return _with(frame, STATUE, (FEET[0] + sway, FEET[1]))


def _walker(frame: Frame, index: int) -> Frame:
    return frame if index < 15 else _with(frame, BURGLAR, (min(FEET[0], 80 + 7 * (index - 15)), FEET[1]))


@pytest.fixture(scope="module")
def marked() -> Memory:
    """What the camera remembers once the owner has called the statue a false alarm."""
    traces = [trace for trace in _watched(_statue, Memory()) if trace.subject is Subject.PERSON]
    assert [trace.verdict for trace in traces] == [Verdict.THREAT], "without a mark it alarms"
    memory = Memory(traces)
    memory.mark(traces[0].incident, Mark.FALSE_ALARM)
    return memory


def test_a_statue_that_was_marked_once_is_quiet(marked: Memory) -> None:
    traces = _watched(_statue, Memory(marked.traces))
    assert Subject.PERSON in {trace.subject for trace in traces}, "it was seen"
    assert all(trace.verdict is not Verdict.THREAT for trace in traces)


def test_another_person_who_walks_to_its_place_is_a_threat(marked: Memory) -> None:
    assert any(trace.verdict is Verdict.THREAT for trace in _watched(_walker, Memory(marked.traces)))


def test_another_person_beside_the_statue_is_a_threat(marked: Memory) -> None:
    both = _watched(lambda frame, index: _walker(_statue(frame, index), index), Memory(marked.traces))
    assert any(trace.verdict is Verdict.THREAT for trace in both)


def test_who_passes_on_an_ignored_street_beside_the_statue_leaves_it_quiet(marked: Memory) -> None:
    def both(frame: Frame, index: int) -> Frame:
        shown = _statue(frame, index)
        return shown if index < 15 else _with(shown, BURGLAR, (min(290, 80 + 5 * (index - 15)), FEET[1]))

    street = Zone("street", ZoneKind.IGNORE, Polygon(((0.0, 0.0), (0.55, 0.0), (0.55, 1.0), (0.0, 1.0))))
    assert any(trace.verdict is Verdict.THREAT for trace in _watched(both, Memory(marked.traces)))
    assert all(trace.verdict is not Verdict.THREAT for trace in _watched(both, Memory(marked.traces), street))
