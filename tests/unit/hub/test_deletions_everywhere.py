"""What is deleted at the home hub is deleted at another hub of the home by itself, in any order, and confirmed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from sealcam.wire import statement
from sealcam.wire.bodies import Run, Stage
from sealcam.wire.deleted import DeletedList, DeletedPart, open_list, seal_list
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey, SigningKey
from sealcam.wire.statement_kinds import Ask, DeletedSince, Deletions, LogEntry
from sealcam_hub import audit, deletion, recovery_state, tables
from sealcam_hub.deletions_heard import ACTOR, ASK_NS, DeletionsHeard
from sealcam_hub.deletions_told import AT_ONCE, HEARD_NS, MOST_RUNS, Behind, DeletionsTold, _runs, followers
from sealcam_hub.exchange import Exchange
from sealcam_hub.home import Home
from sealcam_hub.keys import SET_ROW
from sealcam_hub.newest import READ_NS
from sealcam_hub.rekey import LOCK, put
from sealcam_hub.status import status_json, status_text
from tests.hubs import Camera
from tests.pair import LINK, Pair
from tests.pair import pair as made_pair


@dataclass
class Town:
    """Two hubs, and what they say to each other about deletions; nothing of it arrives but by `carry`."""

    pair: Pair
    exchange: Exchange
    heard: DeletionsHeard
    asked: list[bytes]
    up: bool = True

    @property
    def camera(self) -> Camera:
        return self.pair.camera

    @property
    def first(self) -> Home:
        return self.pair.first.home

    @property
    def second(self) -> Home:
        return self.pair.second.home

    def send(self, message: bytes) -> bool:
        if self.up:
            self.asked.append(message)
        return self.up

    def both(self, *envelopes: bytes) -> None:
        for side in (self.pair.first, self.pair.second):
            side.hears(self.camera.alias, *envelopes)

    def answers(self, *messages: bytes) -> list[bytes]:
        """What the home hub says to these, each in a second of its own."""
        found = []
        for one in messages:
            self.pair.clock.advance(READ_NS / 1e9)
            self.exchange.hear(LINK, one)
            found += [said for link, said in self.exchange.answers(self.pair.clock.boot_ns()) if link == LINK]
        return found

    def asks(self) -> bytes:
        """The second hub's next question, once it is due."""
        self.pair.clock.advance(ASK_NS / 1e9)
        self.heard.run_once()
        return self.asked.pop()

    def hears(self, message: bytes) -> None:
        self.heard.hear(message)
        self.heard.run_once()

    def carry(self) -> int:
        """Let question and answer arrive until both are still; how many answers there were."""
        self.asked.append(self.asks())
        count = 0
        while self.asked:
            for one in self.answers(self.asked.pop(0)):
                count += 1
                self.hears(one)
        return count

    def delete(self, *numbers: int) -> None:
        """The owner deletes these incidents at the home hub."""
        names = [f"{self.camera.alias}-{number:016x}" for number in numbers]
        with self.first.store.reading() as connection:
            doomed = deletion.named(connection, names)
        self.first.deleter().delete(doomed)

    def behind(self) -> Behind:
        with self.first.store.reading() as connection:
            (found,) = followers(connection, self.first.keys).values()
        return found


def incidents(home: Home) -> dict[int, int]:
    """How many reports of each incident a hub shows."""
    return {int(one.id[-16:], 16): len(one.reports) for one in home.ledger().incidents()}


def held(home: Home) -> tuple[int, int, int]:
    """How many envelopes, keys of envelopes and keys of clips a hub has."""
    keyed = select(tables.clips.c.clip).where(tables.clips.c.wrapped.is_not(None))
    with home.store.reading() as connection:
        rows = [connection.execute(one).all() for one in (select(tables.envelopes), select(tables.content_keys), keyed)]
    return len(rows[0]), len(rows[1]), len(rows[2])


def question(of: Home, done: int = 0, mark: bytes = bytes(8), by: SigningKey | None = None, **changed: bytes) -> bytes:
    values = {"home": of.keys.kid, "mark": mark, "public": BoxKey(b"q" * 32).public} | changed
    return statement.sign(by or of.keys.operating, DeletedSince(done=done, **values))  # type: ignore[arg-type]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with made_pair(tmp_path) as pair:
        told = DeletionsTold(pair.first.home.store, pair.first.home.keys, pair.clock)
        exchange = Exchange(pair.first.home.store, pair.first.home.keys, told=told)
        asked: list[bytes] = []
        made: list[Town] = []
        heard = DeletionsHeard(pair.second.home, pair.second.pump.feed, lambda message: made[0].send(message))
        made.append(Town(pair, exchange, heard, asked))
        yield made[0]


def test_what_is_deleted_here_is_deleted_there_with_its_keys_and_confirmed(town: Town) -> None:
    camera = town.camera
    town.both(camera.incident(1, clip=camera.clip_key(1)), *camera.pieces(b"p" * 700, 1), camera.incident(1, Stage.END))
    town.both(camera.incident(2), camera.incident(3, clip=camera.clip_key(3)), camera.incident(3, Stage.END))
    town.delete(1)
    town.first.deleter().delete_clips([camera.clip_key(3).clip])
    assert town.behind() == Behind(2, None)
    assert town.carry() == 1
    assert incidents(town.second) == incidents(town.first) == {2: 1, 3: 1}
    assert held(town.second) == held(town.first) == (2, 2, 0)
    assert town.pair.second.seqs() == town.pair.first.seqs(), "places in the chain stay"
    assert town.behind() == Behind(0, town.pair.clock.wall_ns())
    with town.second.store.reading() as connection:
        signed = [statement.read(one, town.second.keys.operating.public, LogEntry) for one in audit.entries(connection)]
        assert deletion.count(connection).pending == 2, "complete once the camera has taken up its new key"
    assert [(one.detail, one.subject) for one in signed if one.actor == ACTOR] == [
        ("an incident", (1).to_bytes(8, "big")),
        ("a clip", camera.clip_key(3).clip),
    ]
    assert town.carry() == 0, "nothing is left to do"


def test_what_comes_after_its_deletion_vanishes_as_it_comes_and_what_came_anew_stays(town: Town) -> None:
    camera = town.camera
    late = [camera.incident(1, clip=camera.clip_key(1)), *camera.pieces(b"p" * 700, 1)]
    clip = [camera.incident(2), camera.incident(2, clip=camera.clip_key(2))]
    town.pair.first.hears(camera.alias, *late, *clip)
    town.delete(1)
    town.first.deleter().delete_clips([camera.clip_key(2).clip])
    anew = camera.incident(1, Stage.END)
    town.pair.first.hears(camera.alias, anew)
    town.carry()
    assert incidents(town.second) == {}
    town.pair.second.hears(camera.alias, anew, *clip, *late)
    assert incidents(town.second) == incidents(town.first) == {1: 1, 2: 1}
    assert held(town.second) == held(town.first) == (2, 2, 0)
    assert town.pair.second.seqs() == town.pair.first.seqs()
    assert "clone" not in town.pair.second.notices()


def test_a_deleted_clip_that_a_later_report_names_again_stays_deleted(town: Town) -> None:
    camera = town.camera
    begins = camera.incident(1, clip=camera.clip_key(1))
    town.pair.first.hears(camera.alias, begins)
    town.delete(1)
    again = camera.incident(1, Stage.END, clip=camera.clip_key(1))
    town.pair.first.hears(camera.alias, again)
    town.carry()
    town.pair.second.hears(camera.alias, again, begins)
    assert held(town.second) == held(town.first) == (1, 1, 0)


@pytest.mark.parametrize(
    ("stands", "known", "runs"),
    [
        ({5: False, 6: False, 9: False}, {5, 6, 7, 8, 9}, [5, 9]),  # others' events lie between
        ({5: False, 6: False, 9: False}, {5, 6, 8, 9}, [5, 6, 9, 9]),  # 7 is missing, and stays once it comes
        ({5: False, 6: True, 7: False}, {5, 6, 7}, [5, 5, 7, 7]),
        ({5: True}, set(), []),
    ],
)
def test_no_run_goes_over_what_stands_or_is_missing(stands: dict[int, bool], known: set[int], runs: list[int]) -> None:
    assert _runs(stands, known) == runs


def test_more_runs_than_one_answer_holds_name_nothing_that_stands() -> None:
    stands = {seq: bool(seq % 2) for seq in range(4 * MOST_RUNS)}
    found = _runs(stands, set(stands))
    assert found[:4] == [0, 0, 2, 2]
    assert len(found) == 2 * MOST_RUNS
    assert found[::2] == found[1::2]


def test_a_lost_answer_is_asked_for_again_and_a_repeated_one_does_nothing(town: Town) -> None:
    town.both(town.camera.incident(1), town.camera.incident(2))
    town.delete(1)
    (lost,) = town.answers(town.asks())
    assert town.behind().count == 1
    (came,) = town.answers(town.asks())
    town.hears(lost)
    assert incidents(town.second) == {1: 1, 2: 1}, "it answers an earlier question"
    town.hears(came)
    assert incidents(town.second) == {2: 1}
    confirmed = town.asked.pop()
    town.hears(came)
    assert town.asked == [], "nothing new, and the next question isn't due"
    assert town.answers(confirmed, lost, came, b"SGN1", b"") == []
    assert town.behind().count == 0


def test_it_is_asked_at_once_where_the_broker_is_there_again_and_then_from_time_to_time(town: Town) -> None:
    town.up = False
    town.heard.run_once()
    town.up = True
    town.heard.run_once()
    town.heard.run_once()
    town.pair.clock.advance(ASK_NS / 1e9 - 1)
    town.heard.run_once()
    assert len(town.asked) == 1
    town.pair.clock.advance(1)
    town.heard.run_once()
    assert len(town.asked) == 2


def test_many_deletions_come_in_several_answers(town: Town) -> None:
    count = AT_ONCE + 3
    for number in range(1, count + 1):
        town.both(town.camera.incident(number))
    town.delete(*range(1, count))
    assert town.carry() == 2
    assert incidents(town.second) == {count: 1}
    assert town.behind().count == 0


def test_only_a_hub_of_the_set_is_answered_and_only_about_this_home_hub(town: Town) -> None:
    camera, keys = town.camera, town.second.keys
    town.both(camera.incident(1))
    town.delete(1)
    good = question(town.first, by=keys.operating)
    strangers = [
        question(town.first, by=SigningKey.generate()),
        question(town.first, by=camera.signer),
        question(town.first),
        question(town.first, by=keys.operating, home=keys.kid),
        good[:-1] + bytes([good[-1] ^ 1]),
        statement.sign(keys.operating, Ask(camera=camera.kid, runs=(Run(first=1, last=1),))),
        b"SGN1\x0d",
    ]
    assert town.answers(*strangers) == []
    assert town.behind() == Behind(1, None)
    assert len(town.answers(good)) == 1
    other = Exchange(town.second.store, keys, told=DeletionsTold(town.second.store, keys, town.pair.clock))
    other.hear(LINK, question(town.second, by=town.first.keys.operating))
    assert other.answers(0) == [], "only the home hub answers"


def test_a_question_about_events_and_one_about_deletions_dont_push_each_other_out(town: Town) -> None:
    camera = town.camera
    town.both(camera.incident(1), camera.incident(2))
    town.delete(1)
    ask = statement.sign(town.second.keys.operating, Ask(camera=camera.kid, runs=(Run(first=2, last=2),)))
    for one in (ask, town.asks()):
        town.exchange.hear(LINK, one)
    sent = [one for _, one in town.exchange.answers(town.pair.clock.boot_ns())]
    assert [one[:4] == b"SGN1" for one in sent] == [True, False]


@pytest.mark.parametrize("wrong", ["signer", "to", "key", "gap", "number", "signature"])
def test_what_isnt_the_home_hubs_answer_to_this_question_deletes_nothing(town: Town, wrong: str) -> None:
    camera = town.camera
    town.both(camera.incident(1))
    asked = statement.read(town.asks(), town.second.keys.operating.public, DeletedSince)
    part = DeletedPart(camera=camera.kid, incident=(1).to_bytes(8, "big"), runs=(1, 1), clips=())
    said = DeletedList(after=0, until=1, mark=b"m" * 8, parts=(part,))
    if wrong == "gap":
        said = replace(said, after=3, until=4)
    if wrong == "number":
        said = replace(said, until=1 << 63)
    sealed = seal_list(BoxKey.generate().public if wrong == "key" else asked.public, said)
    by = town.second.keys if wrong == "signer" else town.first.keys
    to = town.first.keys.kid if wrong == "to" else town.second.keys.kid
    message = statement.sign(by.operating, Deletions(to=to, sealed=sealed))
    if wrong == "signature":
        message = message[:-1] + bytes([message[-1] ^ 1])
    town.hears(message)
    assert incidents(town.second) == {1: 1}
    good = Deletions(to=town.second.keys.kid, sealed=seal_list(asked.public, replace(said, after=0, until=1)))
    town.hears(statement.sign(town.first.keys.operating, good))
    assert incidents(town.second) == {}, "the question still stands for the right answer"


def test_a_home_hub_that_was_restored_tells_everything_once_more(town: Town) -> None:
    camera = town.camera
    town.both(*(camera.incident(number) for number in range(1, 6)))
    town.delete(1)
    town.delete(2)
    town.carry()
    with town.first.store.writing() as connection:  # the backup knew nothing of the second one
        connection.execute(delete(tables.deletions).where(tables.deletions.c.id == 2))
    assert town.behind().count == 1, "whose confirmation names what isn't known any more"
    town.pair.clock.advance(1)
    town.delete(3)
    town.delete(4)
    with town.first.store.reading() as connection:
        assert list(connection.execute(select(tables.deletions.c.id)).scalars()) == [1, 2, 3]
    assert town.carry() == 1
    assert incidents(town.second) == {5: 1}
    assert town.behind().count == 0


def test_a_new_home_hub_is_asked_from_the_beginning(town: Town) -> None:
    town.both(town.camera.incident(1), town.camera.incident(2))
    town.delete(1)
    town.carry()
    owner, keys = town.pair.owner, town.second.keys
    other = SigningKey.generate()
    mine = keys.chosen.recipients
    chosen = replace(
        keys.chosen, number=3, home_hub=other.public, recipients=(replace(mine[0], public=other.public), *mine[1:])
    )
    town.second.folder.write("keys/recipient-set", statement.sign(owner.root, chosen))
    with town.second.store.writing() as connection:
        put(connection, SET_ROW, (3).to_bytes(4, "big"))
    with town.second.store.reading():
        pass  # takes it up
    asked = statement.read(town.asks(), keys.operating.public, DeletedSince)
    assert (asked.home, asked.done, asked.mark) == (other.kid, 0, bytes(8))
    part = DeletedPart(camera=town.camera.kid, incident=(2).to_bytes(8, "big"), runs=(2, 2), clips=())
    said = seal_list(asked.public, DeletedList(after=0, until=1, mark=b"n" * 8, parts=(part,)))
    old, new = (statement.sign(one, Deletions(to=keys.kid, sealed=said)) for one in (town.first.keys.operating, other))
    town.hears(old)
    assert incidents(town.second) == {2: 1}, "who was the home hub before is nobody"
    town.hears(new)
    assert incidents(town.second) == {}
    again = statement.read(town.asked.pop(), keys.operating.public, DeletedSince)
    assert (again.home, again.done, again.mark) == (other.kid, 1, b"n" * 8)


def test_what_cant_be_deleted_is_told_once_tried_again_and_not_confirmed(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    town.both(town.camera.incident(1), town.camera.incident(2))
    town.delete(1)
    with caplog.at_level(logging.WARNING), town.second.folder.only_one(LOCK):
        for _ in range(3):
            town.carry()
            assert town.behind().count == 1
    assert len([one for one in caplog.records if "can't be deleted here yet" in one.message]) == 1
    assert incidents(town.second) == {1: 1, 2: 1}
    town.carry()
    assert incidents(town.second) == {2: 1}
    assert town.behind().count == 0


def test_cameras_and_incidents_that_arent_known_there_are_passed_over(town: Town) -> None:
    town.pair.first.hears(town.camera.alias, town.camera.incident(1))
    town.delete(1)
    with town.second.store.writing() as connection:
        connection.execute(tables.cameras.update().values(kid=b"?" * 8))
    before = town.second.keys.table.identity
    town.carry()
    assert town.behind().count == 0
    with town.second.store.reading():
        assert town.second.keys.table.identity == before, "nothing here: the key table isn't written anew"


def test_page_and_status_say_of_each_hub_whether_it_has_followed(town: Town) -> None:
    kid = town.second.keys.kid.hex()

    def said() -> tuple[object, str, Behind | None]:
        (hub,) = status_json(town.first)["hubs"]  # type: ignore[misc]
        (one,) = (one for one in recovery_state.state(town.first).recipients if one.kid == kid)
        return hub["deletions_unconfirmed"], status_text(town.first).plain, one.behind

    town.both(town.camera.incident(1))
    town.delete(1)
    count, text, behind = said()
    assert (count, behind) == (1, Behind(1, None))
    assert "another hub: deletions not confirmed: 1, never heard of\n" in text
    town.answers(town.asks())
    assert "deletions not confirmed: 1, last heard 20" in said()[1]
    town.carry()
    count, text, behind = said()
    assert (count, behind) == (0, Behind(0, town.pair.clock.wall_ns()))
    assert "another hub: has deleted everything that was deleted here\n" in text
    assert status_json(town.second)["hubs"] == [], "only the home hub knows"
    assert "deleted everything" not in status_text(town.second).plain


def test_when_a_hub_was_heard_is_written_rarely(town: Town) -> None:
    town.answers(town.asks())
    first = town.behind().heard_ns
    assert first is not None
    town.answers(town.asks())
    assert town.behind().heard_ns == first
    town.pair.clock.advance(HEARD_NS / 1e9)
    town.answers(town.asks())
    assert town.behind().heard_ns == town.pair.clock.wall_ns()


def test_neither_the_broker_nor_who_has_a_later_key_reads_what_was_deleted(town: Town) -> None:
    camera = town.camera
    town.both(*(camera.incident(number) for number in range(1, 5)))
    town.delete(1)
    key = BoxKey(b"q" * 32)
    sizes = set()
    for _ in range(2):
        (message,) = town.answers(question(town.first, by=town.second.keys.operating))
        said = statement.read(message, town.first.keys.operating.public, Deletions)
        sizes.add(len(said.sealed))
        town.delete(2) if len(sizes) == 1 and 2 in incidents(town.first) else None
        assert camera.kid not in message
        assert b"\0\0\0\0\0\0\0\1" not in message
        with pytest.raises(EnvelopeError):
            open_list(said.sealed, BoxKey(b"r" * 32))
    assert sizes == {512 + 48}, "one or two: nobody can tell"
    assert [one.incident[-1] for one in open_list(said.sealed, key).parts] == [1, 2]


WRONG: dict[str, Callable[[DeletedList], DeletedList]] = {
    "no number moves": lambda one: replace(one, until=one.after),
    "an odd list of runs": lambda one: replace(one, parts=(replace(one.parts[0], runs=(1, 2, 3)),)),
    "runs that fall": lambda one: replace(one, parts=(replace(one.parts[0], runs=(5, 6, 1, 2)),)),
    "a run that ends before it begins": lambda one: replace(one, parts=(replace(one.parts[0], runs=(2, 1)),)),
    "runs that overlap": lambda one: replace(one, parts=(replace(one.parts[0], runs=(1, 3, 3, 4)),)),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_list_that_makes_no_sense_is_refused(wrong: str) -> None:
    key = BoxKey.generate()
    part = DeletedPart(camera=b"c" * 8, incident=b"i" * 8, runs=(1, 2, 4, 9), clips=(b"k" * 16,))
    good = DeletedList(after=0, until=7, mark=b"m" * 8, parts=(part,))
    assert open_list(seal_list(key.public, good), key) == good
    with pytest.raises(EnvelopeError):
        open_list(seal_list(key.public, WRONG[wrong](good)), key)
    with pytest.raises(EnvelopeError):
        open_list(seal_list(key.public, good)[:-1], key)
