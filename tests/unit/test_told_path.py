"""The path in a report: as much of it as finds room, and never a larger envelope for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.sight.types import Report, Spot, Stage, Trail
from sealcam.told_path import fitted
from sealcam.wire import schema
from sealcam.wire.bodies import IncidentBody, PieceBody
from sealcam.wire.envelope import padded_size
from sealcam.wire.filler import FRAME_BYTES
from tests.hubs import Camera as HubCamera
from tests.unit.test_pace import ENVELOPE_BYTES, Camera, picture, report
from tests.unit.test_sealer import Room

NS = 1_000_000_000
PLAIN = schema.decode(HubCamera().body(), IncidentBody)
part = st.floats(0, 1)
spots = st.builds(Spot, st.integers(4 * NS, 10**15), part, part, part, part)


def walk(count: int = 32) -> Trail:
    """One that no line can replace."""
    return Trail(tuple(Spot((4 + n) * NS, n / 40, n % 2, 0.1, 0.5) for n in range(count)), 16 / 9)


def bodies(given: Report, tmp_path: Path) -> list[IncidentBody]:
    room = Room(tmp_path)
    room.sealer.report(given)
    found = room.incidents()
    room.outbox.close()
    return found


def padded(body: IncidentBody) -> int:
    return padded_size(len(schema.encode(body)) + FRAME_BYTES)


@given(st.lists(spots, max_size=32), st.lists(st.text(max_size=300), max_size=4), st.booleans(), st.booleans())
def test_no_envelope_is_larger_for_it(walked: list[Spot], reasons: list[str], shows: bool, covered: bool) -> None:
    body = replace(PLAIN, reasons=tuple(reasons))
    trail = Trail(tuple(sorted(walked, key=lambda one: one.t_ns)), 16 / 9)
    said = replace(report(Stage.END), trail=trail)
    least = 2048 if covered else 0
    path = fitted(said, body, picture() if shows else None, least)
    full = replace(body, path=path)
    assert padded(full) <= max(padded(body), least)
    if path is not None:
        assert len(path.boxes) == 4 * len(path.after_ms) > 0
        assert list(path.after_ms) == sorted(path.after_ms)
        assert (path.framed is not None) is shows
        assert schema.decode(schema.encode(full), IncidentBody) == full


def test_a_usual_report_has_room_for_a_dozen_and_more(tmp_path: Path) -> None:
    with_path, without = (
        bodies(replace(report(Stage.END), trail=trail), tmp_path / str(trail is None))[0] for trail in (walk(), None)
    )
    assert without.path is None
    path = with_path.path
    assert path is not None
    assert len(path.after_ms) >= 12
    assert (path.after_ms[0], path.after_ms[-1]) == (0, 31_000)
    assert path.boxes[:4] == (0, 0, 100, 500)
    assert path.aspect == 1778
    assert path.framed is None
    assert padded(with_path) == padded(without)


def test_with_a_picture_it_says_what_part_the_picture_shows(tmp_path: Path) -> None:
    (said,) = bodies(replace(report(Stage.UPDATE, image=picture()), trail=walk()), tmp_path)
    assert said.thumbnail is not None
    assert said.path is not None
    left, top, right, bottom = said.path.framed or (0, 0, 0, 0)
    box = picture().box
    assert box is not None
    assert left <= 1000 * box.x0 / 1280 < 1000 * box.x1 / 1280 <= right
    assert top <= 1000 * box.y0 / 720 < 1000 * box.y1 / 720 <= bottom


def test_a_threats_first_word_frames_nothing_and_its_picture_does(tmp_path: Path) -> None:
    words, shown = bodies(replace(report(Stage.NEW, image=picture()), trail=walk(2)), tmp_path)
    assert words.path is not None
    assert shown.path is not None
    assert (words.path.framed, words.thumbnail) == (None, None)
    assert shown.path.framed is not None


def test_under_cover_it_fits_the_one_size_and_frames_the_pieces_that_follow(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    long = ("a person was seen, " * 60,)
    camera.sealer.report(replace(report(Stage.UPDATE, long, picture()), trail=walk()))
    camera.live(30)
    said, *pieces = (one for one in camera.opened() if one.kind < 0x80)
    body = schema.decode(said.body, IncidentBody)
    assert body.path is not None
    assert body.path.framed is not None
    assert pieces
    assert all(schema.decode(one.body, PieceBody).incident == body.incident for one in pieces)
    assert {len(envelope) for _, envelope in camera.left} == {ENVELOPE_BYTES}
    camera.outbox.close()


@pytest.mark.parametrize("trail", [None, Trail((), 1.0)])
def test_nobody_no_path(trail: Trail | None) -> None:
    assert fitted(replace(report(Stage.END), trail=trail), PLAIN, None) is None
