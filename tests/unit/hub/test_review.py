"""What was said of incidents, in which order they are asked about, what cameras are told, and the data set of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from sealcam.wire.bodies import Stage
from sealcam.wire.errors import ConfigError
from sealcam.wire.wishes import Mark, MarksWish
from sealcam_hub import deletion, review_queue, review_tables, tables
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.deletion import Deleter
from sealcam_hub.home import open_home
from sealcam_hub.review_marks import Marks
from sealcam_hub.review_words import Word, doubt
from tests.hubs import NS
from tests.reviewing import NUMBERS, Room, reviewing
from tests.unit.hub.test_upgrade import old_hub


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with reviewing(tmp_path / "hub") as made:
        yield made


def told(wish: MarksWish) -> dict[int, Mark | None]:
    found: dict[int, Mark | None] = {int.from_bytes(one.incident, "big"): one.mark for one in wish.marks}
    return found | dict.fromkeys((int.from_bytes(one, "big") for one in wish.taken_back or ()), None)


def test_doubt_is_most_at_one_half_and_none_where_the_camera_is_sure() -> None:
    assert doubt(0.5) == 1.0
    assert doubt(0.0) == doubt(1.0) == doubt(math.nan) == 0.0
    assert doubt(0.1) == pytest.approx(doubt(0.9))
    assert [doubt(p / 100) for p in range(1, 50)] == sorted(doubt(p / 100) for p in range(1, 50))


def test_the_most_doubtful_comes_first_and_of_equals_the_newest(room: Room) -> None:
    for number, threat in ((1, 990), (2, 480), (3, 30), (4, 480), (5, 800)):
        room.sees(number, threat)
    queue = room.queue()
    assert [one.incident for one in queue.first(9)] == [room.name(number) for number in (4, 2, 5, 3, 1)]
    assert [one.incident for one in queue.first(2, without=[room.name(4)])] == [room.name(2), room.name(5)]
    assert queue.count() == 5


def test_what_is_going_on_waits_until_it_has_ended_and_what_is_marked_waits_no_more(room: Room) -> None:
    room.hears(room.camera.beat(), room.report(1, stage=Stage.NEW))
    queue = room.queue()
    assert queue.count() == 0
    room.hears(room.report(1))
    assert queue.count() == 1
    made = room.marks.say(room.name(1), Word.UNSURE, 0, "Anna")
    assert queue.count() == 0
    room.marks.undo(made.id)
    assert queue.count() == 1


def test_of_many_a_part_is_opened_at_each_question_and_all_are_counted(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_queue, "AT_ONCE", 2)
    for number in range(1, 6):
        room.sees(number, 100 * number)
    queue = room.queue()
    assert queue.count() == 5
    assert len(queue.first(9)) == 4, "of the newest"
    assert [one.incident for one in queue.first(9)] == [room.name(number) for number in (5, 4, 3, 2, 1)]
    assert queue.count() == 5


def test_a_mark_is_kept_and_the_camera_is_told_with_what_it_has_not_answered(room: Room) -> None:
    for number in (1, 2, 3):
        room.sees(number)
    room.marks.say(room.name(1), Word.FALSE_ALARM, 0, "Anna")
    assert [told(wish) for wish in room.asks()] == [{1: Mark.FALSE_ALARM}]
    room.marks.say(room.name(2), Word.OURS, 0, "Anna")
    assert [told(wish) for wish in room.asks()] == [{1: Mark.FALSE_ALARM, 2: Mark.OURS}]
    room.answers()
    assert room.asks() == []
    room.marks.say(room.name(3), Word.THREAT, 0, "Anna")
    assert [told(wish) for wish in room.asks()] == [{3: Mark.THREAT}]
    view = room.marks.of(room.name(2))
    assert view is not None
    assert (view.word, view.who) == ("ours", "Anna")
    assert [one.word for one in room.marks.all()] == ["false_alarm", "ours", "threat"]


def test_what_nobody_is_sure_of_and_what_was_undone_is_no_mark_at_the_camera(room: Room) -> None:
    for number in (1, 2):
        room.sees(number)
    first = room.marks.say(room.name(1), Word.BENIGN, 0, "Anna")
    room.marks.say(room.name(2), Word.UNSURE, 0, "Anna")
    assert room.marks.undo(first.id) == room.name(1)
    assert [told(wish) for wish in room.asks()] == [{1: None, 2: None}]
    assert room.marks.of(room.name(1)) is None
    with pytest.raises(ConfigError, match="isn't there any more"):
        room.marks.undo(first.id)


def test_of_two_people_the_later_is_told_both_stay_and_an_undo_brings_the_earlier_back(room: Room) -> None:
    name = room.sees(1)
    first = room.marks.say(name, Word.BENIGN, 0, "Anna")
    assert first.before is None
    second = room.marks.say(name, Word.THREAT, 0, "Ben")
    assert second.before is not None
    assert (second.before.word, second.before.who, second.before.id) == ("benign", "Anna", first.id)
    view = room.marks.of(name)
    assert view is not None
    assert (view.word, view.who) == ("threat", "Ben")
    assert room.marks.say(name, Word.OURS, second.id, "Anna").before is None, "she had seen his word"
    for number in (3, 2):
        room.marks.undo(number)
    assert [told(wish) for wish in room.asks()] == [{1: Mark.BENIGN}]
    with room.home.store.reading() as connection:
        assert len(connection.execute(select(review_tables.marks)).all()) == 3


def test_the_data_set_has_the_numbers_of_every_report_and_no_picture(room: Room) -> None:
    name = room.sees(1, threat=480)
    room.hears(room.camera.incident(2, Stage.END))  # from before cameras told what was judged
    room.marks.say(name, Word.THREAT, 0, "Anna")
    room.marks.say(room.name(2), Word.BENIGN, 0, "Anna")
    first, second = room.data.examples()
    assert (first.mark.word, first.verdict, first.threat, first.version) == ("threat", "threat", 0.48, 1)
    assert first.moments == (NUMBERS, (1000, *NUMBERS[1:]))
    assert (second.mark.word, second.moments) == ("benign", ())
    lines = [json.loads(line) for line in room.data.export().splitlines()]
    assert [line["mark"] for line in lines] == ["threat", "benign"]
    assert lines[0]["moments"] == [list(NUMBERS), [1000, *NUMBERS[1:]]]
    with room.home.store.reading() as connection:
        entry = connection.execute(select(tables.audit).order_by(tables.audit.c.number.desc())).first()
        assert entry is not None
        assert b"the data set of 2 marked incidents" in entry.entry


def test_an_incident_that_is_deleted_takes_its_marks_along(room: Room, tmp_path: Path) -> None:
    for number in (1, 2):
        room.marks.say(room.sees(number), Word.THREAT, 0, "Anna")
    with room.home.store.reading() as connection:
        doomed = deletion.named(connection, [room.name(1)])
    Deleter(room.home.folder, room.home.store, room.home.keys, room.clock).delete(doomed)
    assert [one.incident for one in room.marks.all()] == [room.name(2)], "and the rest is under the new table key"
    assert [one.mark.incident for one in room.data.examples()] == [room.name(2)]
    with pytest.raises(ConfigError, match="isn't there any more"):
        room.marks.say(room.name(1), Word.THREAT, 0, "Anna")


def test_erasing_leaves_nothing_and_takes_the_marks_back(room: Room) -> None:
    for number in (1, 2):
        room.marks.say(room.sees(number), Word.THREAT, 0, "Anna")
    assert room.marks.erase() == 2
    assert room.marks.all() == room.data.examples() == ()
    assert [told(wish) for wish in room.asks()] == [{1: None, 2: None}]
    assert room.queue().count() == 2


def test_a_camera_that_was_turned_out_is_told_nothing(room: Room) -> None:
    name = room.sees(1)
    with room.home.store.writing() as connection:
        connection.execute(update(tables.cameras).values(expelled=True))
    room.marks.say(name, Word.THREAT, 0, "Anna")
    assert room.home.wishes().list() == ()


def test_words_and_who_said_them_are_not_clear_in_the_ledger(room: Room) -> None:
    for word in (Word.THREAT, Word.BENIGN):
        room.marks.say(room.sees(int(word)), word, 0, "Anna Nowhere")
    with room.home.store.reading() as connection:
        said = list(connection.execute(select(review_tables.marks.c.said)).scalars())
    assert len(said) == 2
    assert len({len(one) for one in said}) == 1
    assert all(b"Anna" not in one for one in said)


def test_an_older_ledger_gets_the_tables(tmp_path: Path) -> None:
    folder, _, _ = old_hub(tmp_path / "hub")
    with open_home(folder, SimulatedClock(wall_ns=NS)) as home:
        assert Marks(home.store, home.keys, home.clock, home.wishes()).all() == ()
