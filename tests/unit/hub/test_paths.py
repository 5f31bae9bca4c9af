"""The path of an incident: read out of sealed reports alone, drawn on the still, told in words, gone with the event."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.wire.bodies import IncidentPath, Stage
from sealcam_hub import paths
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.console import tracing
from sealcam_hub.feed import Feed
from sealcam_hub.lines import json_line
from sealcam_hub.paths import Frame, PathSpot, PathView
from sealcam_hub.pump import Pump, RecordingLink
from sealcam_hub.receive import Receiver
from sealcam_hub.rules import Effect
from tests.hubs import JPEG, NS, WALL_NS, Camera, opened
from tests.unit.hub.console_client import Visitor, console
from tests.unit.hub.console_fake import NOW_NS, PORCH, FakeSource, incident
from tests.unit.hub.test_deletion import delete
from tests.unit.hub.test_pump import Room

BEGAN_NS = WALL_NS - 10 * NS  # of the incidents of `tests.hubs`
WALK = IncidentPath(
    after_ms=(0, 2000, 9500),
    boxes=(20, 900, 40, 500, 480, 950, 90, 600, 985, 700, 60, 400),
    aspect=1778,
    framed=(250, 300, 750, 800),
)
STILL = Frame(0.25, 0.25, 0.75, 0.75)
part = st.floats(0, 1)


def view(*places: tuple[float, float, float], framed: Frame | None = STILL) -> PathView:
    """Somebody who was at `(seconds, x, y)`, a tenth of the picture wide."""
    return PathView(tuple(PathSpot(NOW_NS + round(s * NS), x, y, 0.1, 0.4) for s, x, y in places), 16 / 9, framed)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with opened(tmp_path / "hub") as home:
        assert isinstance(home.clock, SimulatedClock)
        camera, feed = Camera(), Feed()
        camera.claim(home)
        pump = Pump(Receiver(home.store, home.keys, home.clock), home.wishes(), feed, home.clock)
        yield Room(home, camera, pump, RecordingLink(), feed, home.clock)


def name(room: Room, number: int = 1) -> str:
    return f"{room.camera.alias}-{number:016x}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"after_ms": ()},
        {"after_ms": (0, 1)},
        {"after_ms": (5, 4, 6)},
        {"boxes": WALK.boxes[:-1]},
        {"aspect": 0},
        {"aspect": 65_535},
        {"after_ms": (0,) * 33, "boxes": (0,) * 132},
    ],
)
def test_what_makes_no_sense_is_no_path(wrong: dict[str, object]) -> None:
    given_ = {"after_ms": WALK.after_ms, "boxes": WALK.boxes, "aspect": WALK.aspect} | wrong
    assert paths.read(IncidentPath(**given_), 0) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("edges", [None, (), (0, 0, 1), (500, 0, 500, 9), (0, 9, 5, 8)])
def test_a_still_that_is_framed_by_nonsense_is_nowhere(edges: tuple[int, ...] | None) -> None:
    assert paths.frame(IncidentPath(after_ms=(), boxes=(), aspect=1778, framed=edges)) is None


@given(st.lists(st.tuples(st.floats(0, 600), part, part), min_size=1, max_size=32), part, part)
def test_all_of_it_is_inside_the_drawing(places: list[tuple[float, float, float]], left: float, top: float) -> None:
    framed = Frame(0.8 * left, 0.8 * top, 0.8 * left + 0.2, 0.8 * top + 0.2)
    path = view(*sorted(places), framed=framed)
    drawn = tracing.drawing(path, NOW_NS)
    assert drawn is not None
    points = [
        drawn.start,
        drawn.end,
        *((one.x1, one.y1) for one in drawn.lines),
        *((one.x, one.y) for one in drawn.labels),
    ]
    assert all(-0.01 <= x <= 100.01 and -0.01 <= y <= 100.01 for x, y in points)
    x, y, width, height = drawn.still
    assert -0.1 <= x < x + width <= 1000.1
    assert -0.1 <= y < y + height <= drawn.height + 0.1
    assert abs(width / height - 16 / 9) < 0.05
    assert len(drawn.labels) <= tracing.MOST_LABELS
    assert 1 <= len(tracing.steps(path)) <= tracing.MOST_STEPS


def test_it_points_where_somebody_went_and_says_when() -> None:
    drawn = tracing.drawing(view((0, 0.3, 0.5), (4, 0.5, 0.5), (150, 0.5, 0.75)), NOW_NS)
    assert drawn is not None
    assert [line.turn for line in drawn.lines] == [0.0, 90.0]
    assert [label.text for label in drawn.labels] == ["0 s", "4 s", "2 min"]
    assert drawn.start != drawn.end


def test_in_words_each_place_is_said_once_and_a_stay_as_one() -> None:
    walked = tracing.steps(view((0, 0.03, 0.8), (2, 0.5, 0.95), (14, 0.52, 0.95), (20, 0.8, 0.3)))
    assert [(one.place, (one.at_ns - NOW_NS) // NS, one.stayed_ns // NS) for one in walked] == [
        ("at the left edge", 0, 0),
        ("in the middle, close up", 2, 12),
        ("on the right, far back", 20, 0),
    ]


def test_the_newest_report_with_a_path_says_it_and_the_one_with_the_picture_what_it_shows(room: Room) -> None:
    early = IncidentPath(after_ms=(0,), boxes=(20, 900, 40, 500), aspect=1778, framed=(0, 0, 500, 500))
    late = IncidentPath(after_ms=WALK.after_ms, boxes=WALK.boxes, aspect=1778)
    ledger = room.home.ledger()
    room.hears(room.camera.incident(picture=JPEG, path=early))
    spot = PathSpot(BEGAN_NS, 0.02, 0.9, 0.04, 0.5)
    assert ledger.path(name(room)) == PathView((spot,), 1.778, Frame(0, 0, 0.5, 0.5))
    room.hears(room.camera.incident(stage=Stage.END, path=late))
    told = ledger.path(name(room))
    assert told is not None
    assert [one.at_ns - BEGAN_NS for one in told.spots] == [0, 2 * NS, 9_500_000_000]
    assert told.framed == Frame(0, 0, 0.5, 0.5)
    assert ledger.thumbnail(name(room)) == JPEG
    assert ledger.path(name(room, 2)) is None


def test_a_picture_in_pieces_is_framed_by_the_report_before_them(room: Room) -> None:
    room.hears(room.camera.incident(path=WALK), *room.camera.pieces(JPEG))
    room.hears(room.camera.incident(stage=Stage.END))
    told = room.home.ledger().path(name(room))
    assert told is not None
    assert told.framed == Frame(0.25, 0.3, 0.75, 0.8)


def test_it_stands_in_the_sealed_event_alone_and_goes_with_it(room: Room) -> None:
    room.hears(room.camera.incident(path=WALK))
    ledger = room.home.ledger()
    told = ledger.path(name(room))
    assert told is not None
    lines = "".join(json_line(one, False) for one in ledger.lines())
    assert "985" not in lines
    assert "path" not in json.loads(lines)
    assert delete(room.home, name(room))
    assert ledger.path(name(room)) is None


def test_the_page_draws_it_on_the_still_without_scripts_and_says_it_in_words() -> None:
    page = asked(view((0, 0.03, 0.8), (6, 0.6, 0.8)))
    assert re.search(r'<svg class="path__still"[^>]*role="img" aria-label="[^"]+"><image href="/thumbnail/', page)
    assert page.count("<line ") == 2
    assert "at the left edge at <time" in " ".join(page.split())
    assert 'datetime="2025-11-22T11:00:06.000Z"' in page
    assert " style=" not in page


@pytest.mark.parametrize("told", [None, view((0, 0.03, 0.8), (6, 0.6, 0.8), framed=None)])
def test_where_nobody_knows_what_the_still_shows_it_stands_alone(told: PathView | None) -> None:
    page = asked(told)
    assert "<img" in page
    assert "path__still" not in page
    assert ("at the left edge" in page) is (told is not None)


def test_of_what_is_veiled_neither_drawing_nor_words_are_shown_unasked() -> None:
    page = asked(view((0, 0.03, 0.8), (6, 0.6, 0.8)), effects=frozenset({Effect.VEILED}))
    assert 'class="path veiled"' in page
    assert 'class="path__words path__words--veiled"' in page


def asked(told: PathView | None, **changes: object) -> str:
    """The page of an incident with that path."""
    source = FakeSource([incident(0, **changes)])
    if told is not None:
        source.paths[incident(0).id] = told
    answer = Visitor(console(source)).sign_in().get(f"/incident/{PORCH}-{0:016x}")
    assert answer.status_code == 200
    return answer.text
