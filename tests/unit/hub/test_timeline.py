"""The timeline's filters: what is found is what an opened incident says, and little is opened for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from sealcam.wire import schema
from sealcam.wire.bodies import EventType, IncidentBody, Mode, Stage, Subject, Trigger, Verdict
from sealcam_hub import deletion, tables
from sealcam_hub.gists import Wanted, search_words
from sealcam_hub.gists_rows import GistRows
from sealcam_hub.gists_tables import gists
from sealcam_hub.home import Home
from sealcam_hub.inbox import Message
from sealcam_hub.receive import Receiver
from tests.hubs import NS, WALL_NS, Camera, opened

SUBJECTS = (Subject.PERSON, Subject.VEHICLE, Subject.ANIMAL)


class Street:
    """A hub with a camera at the street and one at the door, and incidents a second apart."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.receiver = Receiver(home.store, home.keys, home.clock)
        self.cameras = [Camera(), Camera()]
        for camera, name in zip(self.cameras, ("Street", "Door"), strict=True):
            camera.claim(home, name)
        self.timeline = home.timeline()
        self.came = 0

    def report(self, camera: Camera, number: int, *, stage: Stage = Stage.NEW, **said: object) -> None:
        values: dict[str, object] = {
            "incident": number.to_bytes(8, "big"),
            "stage": stage,
            "at": camera.stamp(),
            "trigger": Trigger.MOTION,
            "started_ns": 90 * NS,
            "ended_ns": 99 * NS,
            "subject": Subject.PERSON,
            "confidence_permille": 875,
            "verdict": Verdict.BENIGN,
            "threat_permille": 100,
            "reasons": ("a person was seen in “Drive”", "armed home"),
            "mode": Mode.HOME,
        }
        body = schema.encode(IncidentBody(**values | said))  # type: ignore[arg-type]
        self.came += 1
        message = Message(camera.alias, camera.event(EventType.INCIDENT, body), WALL_NS + self.came * NS)
        self.receiver.take_all([message])

    def fill(self, count: int) -> None:
        for number in range(1, count + 1):
            verdict = Verdict.THREAT if number % 10 == 0 else Verdict.BENIGN
            subject = SUBJECTS[number % 3]
            self.report(self.cameras[number % 2], number, subject=subject, verdict=verdict)

    def found(self, size: int = 24, **wanted: object) -> list[int]:
        page = self.timeline.page(Wanted(**wanted), size)  # type: ignore[arg-type]
        return [int(one.id[-16:], 16) for one in page.incidents]


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    with opened(tmp_path / "hub") as home:
        yield Street(home)


def test_each_filter_finds_its_own_newest_first(street: Street) -> None:
    street.fill(30)
    door = street.cameras[1].alias
    assert street.found() == list(range(30, 6, -1))
    assert street.found(camera=door) == list(range(29, 0, -2))
    assert street.found(verdict="threat") == [30, 20, 10]
    assert street.found(subject="animal") == list(range(29, 0, -3))
    assert street.found(subject="animal", verdict="threat") == [20]
    assert street.found(since_ns=WALL_NS + 4 * NS, until_ns=WALL_NS + 7 * NS) == [6, 5, 4]
    assert street.found(words=("nobody",)) == []


def test_words_are_looked_for_in_reasons_names_and_what_it_was_called(street: Street) -> None:
    street.fill(4)
    street.report(street.cameras[0], 5, reasons=("two people came into “Garden gate”",), verdict=Verdict.FALSE_ALARM)
    assert street.found(words=search_words("garden GATE")) == [5]
    assert street.found(words=search_words("false alarm street")) == [5]
    assert street.found(words=search_words("door drive")) == [3, 1]


def test_pages_follow_each_other_and_show_each_incident_once(street: Street) -> None:
    street.fill(30)
    before, seen = None, []
    while True:
        page = street.timeline.page(Wanted(subject="person"), 4, before)
        seen += [int(one.id[-16:], 16) for one in page.incidents]
        if page.older is None:
            break
        before = page.older
    assert seen == list(range(30, 0, -3))


def test_an_incident_that_changes_its_verdict_is_found_under_the_new_one(street: Street) -> None:
    street.fill(3)
    assert street.found(verdict="threat") == []
    street.report(street.cameras[0], 2, stage=Stage.UPDATE, verdict=Verdict.THREAT)
    assert street.found(verdict="threat") == [2]
    assert 2 not in street.found(verdict="benign")


def test_a_ledger_from_before_there_were_gists_is_searched_all_the_same_and_noted_newest_first(street: Street) -> None:
    street.fill(20)
    assert street.found(verdict="threat") == [20, 10]
    with street.home.store.reading() as connection:
        assert len(connection.execute(select(gists)).all()) == 20  # those that had to be opened are noted
    with street.home.store.writing() as connection:
        connection.execute(delete(gists))
    rows = GistRows(street.home.store, street.home.keys.table, street.home.ledger())
    assert rows.go_back() is True
    assert rows.go_back() is False
    with street.home.store.reading() as connection:
        assert len(connection.execute(select(gists)).all()) == 20


def test_a_filter_opens_what_it_finds_and_little_else(street: Street) -> None:
    street.fill(30)
    street.found(verdict="threat")
    with street.home.store.writing() as connection:  # what isn't opened needs no bytes
        threats = [30, 20, 10]
        kept = select(tables.events.c.hash).where(
            tables.events.c.incident.in_([number.to_bytes(8, "big") for number in threats])
        )
        connection.execute(delete(tables.envelopes).where(tables.envelopes.c.hash.not_in(kept)))
    fresh = street.home.timeline()
    page = fresh.page(Wanted(verdict="threat"), 24)
    assert [int(one.id[-16:], 16) for one in page.incidents] == threats


def test_no_word_of_an_incident_is_in_the_ledgers_files(street: Street) -> None:
    street.report(street.cameras[0], 1, reasons=("a person was seen in “Sauna”",))
    assert street.found(words=("sauna",)) == [1]
    files = [path.read_bytes() for path in street.home.folder.path.iterdir() if path.name.startswith("ledger.db")]
    assert files
    assert not any(b"sauna" in one.lower() for one in files)


def test_a_deleted_incident_leaves_no_gist(street: Street) -> None:
    street.fill(3)
    assert street.found(subject="vehicle") == [1]
    with street.home.store.reading() as connection:
        doomed = deletion.named(connection, ["0000000000000001"])
    street.home.deleter().delete(doomed)
    assert street.found(subject="vehicle") == []
    assert street.found() == [3, 2]  # the others' gists went under the new table key
    with street.home.store.reading() as connection:
        assert [row.incident[-1] for row in connection.execute(select(gists).order_by(gists.c.incident))] == [2, 3]
