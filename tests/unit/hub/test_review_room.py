"""The review room without a screen: words by forms, undo, two people, what is entered before it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam_hub import deletion
from sealcam_hub.console.guard import CONTENT_POLICY
from sealcam_hub.deletion import Deleter
from sealcam_hub.review_words import Word
from tests.hubs import JPEG
from tests.reviewing import Room, console, reviewing
from tests.unit.hub.console_client import Visitor
from tests.unit.hub.console_clips import FakeClips, clip, info
from tests.unit.hub.console_fake import FakeLog


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with reviewing(tmp_path / "hub") as made:
        yield made


def shown(page: str) -> str:
    found = re.search(r'data-item="([^"]*)"', page)
    return "" if found is None else found[1]


def csrf(visitor: Visitor) -> str:
    """What the forms of this session carry."""
    found = re.search(r'data-csrf="([^"]*)"', visitor.get("/review").text)
    return "" if found is None else found[1]


def form(page: str, word: str) -> dict[str, str]:
    """What the button of a word sends."""
    names = ("csrf", "incident", "seen")
    part = page[page.index('action="/review/mark"') :]
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', part) for name in names}
    return {name: one[1] for name, one in found.items() if one is not None} | {"word": word}


def test_a_sitting_by_forms_alone(room: Room) -> None:
    names = [room.sees(number, threat, JPEG) for number, threat in ((1, 990), (2, 500), (3, 700))]
    visitor = Visitor(console(room)).sign_in()
    for expected, word in ((1, "threat"), (2, "benign"), (0, "unsure")):
        page = visitor.get("/review").text
        assert shown(page) == names[expected]
        assert visitor.post("/review/mark", form(page, word)).headers["location"] == "/review"
    page = visitor.get("/review").text
    assert shown(page) == ""
    assert "Nothing waits for your word" in page
    assert "<strong data-done>3</strong>" in page
    assert [one.word for one in room.marks.all()] == ["threat", "benign", "unsure"]
    answer = visitor.post("/review/undo", {"csrf": csrf(visitor)})
    assert answer.headers["location"] == f"/review?show={names[0]}"
    page = visitor.get(answer.headers["location"]).text
    assert shown(page) == names[0]
    assert "Taken back." in page
    assert [one.word for one in room.marks.all()] == ["threat", "benign"]


def test_what_others_have_said_meanwhile_is_told_and_kept(room: Room) -> None:
    name = room.sees(1)
    visitor = Visitor(console(room)).sign_in()
    page = visitor.get("/review").text
    room.marks.say(name, Word.BENIGN, 0, "Ben")
    visitor.post("/review/mark", form(page, "threat"))
    page = visitor.get("/review").text
    assert "Ben had marked it as benign" in page
    assert "Both are kept" in page
    assert "had marked" not in visitor.get("/review").text, "it is told once"
    visitor.post("/review/undo", {"csrf": csrf(visitor)})
    page = visitor.get(f"/review?show={name}").text
    assert "Ben has marked this as benign" in page
    view = room.marks.of(name)
    assert view is not None
    assert (view.who, view.word) == ("Ben", "benign")


def test_scripts_are_answered_with_facts(room: Room) -> None:
    names = [room.sees(number, 500 + number) for number in (1, 2)]
    visitor = Visitor(console(room)).sign_in()
    page = visitor.get("/review").text
    answer = visitor.post("/review/mark", form(page, "ours"), accept="application/json")
    assert answer.json() == {"id": 1, "told": "", "done": 1, "waiting": 1, "turn": 1}
    answer = visitor.post("/review/undo", {"csrf": csrf(visitor)}, accept="application/json")
    assert answer.json() == {"incident": names[0], "told": "Taken back.", "done": 0, "waiting": 2, "turn": 2}
    answer = visitor.post("/review/undo", {"csrf": csrf(visitor)}, accept="application/json")
    assert answer.json()["told"] == "There is nothing to undo in this sitting."


def test_the_next_ones_are_pieces_of_a_page_and_end(room: Room) -> None:
    names = [room.sees(number, 500 + number) for number in (1, 2)]
    visitor = Visitor(console(room)).sign_in()
    assert shown(visitor.get("/review/next").text) == names[0]
    assert shown(visitor.get(f"/review/next?without={names[0]}").text) == names[1]
    assert visitor.get(f"/review/next?without={','.join(names)}").status_code == 204
    assert shown(visitor.get(f"/review/item/{names[1]}").text) == names[1]
    assert visitor.get(f"/review/item/{names[1][:-1]}f").status_code == 204


def test_whatever_is_shown_is_entered_before_and_without_an_entry_there_is_nothing(room: Room) -> None:
    name = room.sees(1)
    log = FakeLog()
    visitor = Visitor(console(room, log=log)).sign_in()
    assert log.seen == []
    visitor.get("/review")
    assert log.seen == [name]
    log.error = OSError("no room")
    other = room.sees(2, 500)
    with pytest.raises(OSError, match="no room"):
        visitor.get("/review/next")
    assert other not in log.seen


def test_an_incident_that_was_deleted_meanwhile_is_said_to_be(room: Room) -> None:
    name = room.sees(1)
    visitor = Visitor(console(room)).sign_in()
    page = visitor.get("/review").text
    with room.home.store.reading() as connection:
        doomed = deletion.named(connection, [name])
    Deleter(room.home.folder, room.home.store, room.home.keys, room.clock).delete(doomed)
    assert visitor.post("/review/mark", form(page, "threat")).status_code == 303
    assert "this incident isn&#39;t there any more" in visitor.get("/review").text


def test_a_clip_that_is_here_plays_beside_the_words(room: Room) -> None:
    name = room.sees(1, picture=JPEG)
    clips = FakeClips((clip(1, incident=name), b"", info()))
    page = Visitor(console(room, clips)).sign_in().get("/review")
    assert '<video data-media src="/clip/00000000000000000000000000000001/video" poster="/thumbnail/' in page.text
    assert page.headers["content-security-policy"] == CONTENT_POLICY


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"word": "nonsense"}, 400),
        ({"seen": "-1"}, 400),
        ({"seen": "9" * 30}, 400),
        ({"incident": "../../etc"}, 404),
        ({"csrf": "guessed"}, 403),
    ],
)
def test_what_is_no_word_changes_nothing(room: Room, fields: dict[str, str], code: int) -> None:
    room.sees(1)
    visitor = Visitor(console(room)).sign_in()
    page = visitor.get("/review").text
    assert visitor.post("/review/mark", form(page, "threat") | fields).status_code == code
    assert room.marks.all() == ()


@pytest.mark.parametrize("path", ["/review", "/review/next", "/review/item/x", "/review/data"])
def test_nobody_without_a_session_sees_anything(room: Room, path: str) -> None:
    room.sees(1)
    answer = Visitor(console(room)).get(path)
    assert answer.status_code in (401, 403)
    assert "data-item" not in answer.text


@pytest.mark.parametrize("path", ["mark", "undo", "data/export", "data/erase", "data/train", "data/send", "data/back"])
def test_nobody_without_a_session_changes_anything(room: Room, path: str) -> None:
    assert Visitor(console(room)).post(f"/review/{path}", {}).status_code in (401, 403)
    visitor = Visitor(console(room)).sign_in()
    assert visitor.post(f"/review/{path}", {"csrf": "guessed"}).status_code == 403


def test_the_data_set_is_exported_and_erased_only_when_that_is_meant(room: Room) -> None:
    room.marks.say(room.sees(1), Word.THREAT, 0, "Ben")
    visitor = Visitor(console(room)).sign_in()
    token = {"csrf": csrf(visitor)}
    answer = visitor.post("/review/data/export", token)
    assert answer.headers["content-disposition"] == 'attachment; filename="sealcam-marks.jsonl"'
    assert answer.json()["mark"] == "threat"
    assert visitor.post("/review/data/erase", token).status_code == 409
    assert len(room.marks.all()) == 1
    assert visitor.post("/review/data/erase", token | {"sure": "yes"}).status_code == 303
    assert room.marks.all() == ()
