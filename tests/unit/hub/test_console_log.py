"""The audit log in the console: what is looked at becomes an entry once, and the page shows what holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from sealcam.wire.audit import entry_hash, verify_log
from sealcam.wire.errors import StorageError
from sealcam.wire.statement_kinds import Action
from sealcam_hub import audit, tables
from sealcam_hub.audit_source import AuditSource
from sealcam_hub.home import Home
from tests.hubs import JPEG, WALL_NS, opened
from tests.unit.hub.console_client import Visitor, console
from tests.unit.hub.console_fake import FakeLog, FakeSource, incident

ONE, TWO = incident(1), incident(2)


def visitor(log: FakeLog) -> Visitor:
    source = FakeSource([ONE, TWO], pictures={ONE.id: JPEG, TWO.id: JPEG})
    return Visitor(console(source, log=log)).sign_in()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with opened(tmp_path / "hub") as home:
        with home.store.writing() as connection:
            for number in range(1, 8):
                audit.append(connection, home.keys, WALL_NS + number, Action.OPENED, "owner", f"picture {number}")
        yield home


def test_each_incident_that_is_looked_at_is_one_entry_for_each_session() -> None:
    log = FakeLog()
    one = visitor(log)
    for _ in range(3):
        assert one.get(f"/incident/{ONE.id}").status_code == 200
        assert one.get(f"/thumbnail/{ONE.id}?v=1").status_code == 200
    assert log.seen == [ONE.id]
    one.get(f"/thumbnail/{TWO.id}")
    assert log.seen == [ONE.id, TWO.id]


def test_what_is_not_there_and_what_a_stranger_asks_for_is_no_entry() -> None:
    log = FakeLog()
    assert visitor(log).get("/incident/nothing").status_code == 404
    stranger = Visitor(console(FakeSource([ONE]), log=log))
    for path in (f"/incident/{ONE.id}", f"/thumbnail/{ONE.id}", "/log", "/log/1"):
        assert stranger.get(path).status_code == 403
    assert log.seen == []


def test_without_an_entry_there_is_no_picture() -> None:
    log = FakeLog()
    log.error = StorageError("the disk is full", "free some space")
    one = visitor(log)
    for path in (f"/incident/{ONE.id}", f"/thumbnail/{ONE.id}"):
        answer = one.get(path)
        assert answer.status_code == 503
        assert b"\xff\xd8" not in answer.content
        assert "a person was seen" not in answer.text
    log.error = None
    assert one.get(f"/thumbnail/{ONE.id}").status_code == 200
    assert log.seen == [ONE.id]


def test_the_log_is_a_page_in_pages() -> None:
    one = visitor(FakeLog(150))
    page = one.get("/log").text
    assert 'data-head="150:' in page
    assert "&lt;b&gt;picture 150&lt;/b&gt;" in page
    assert "<b>picture" not in page
    assert 'href="/log?before=51"' in page
    older = one.get("/log?before=51").text
    assert "picture 50&lt;" in older
    assert "Load older" not in older
    for path in ("/log?before=x", "/log?before=" + "9" * 30, "/log/x", "/log/0", "/log/151"):
        assert one.get(path).status_code == 404
    assert one.get("/log/7").text == (7).to_bytes(32, "big").hex()


def test_a_log_that_does_not_hold_says_so() -> None:
    log = FakeLog(3)
    assert "is broken below" not in visitor(log).get("/log").text
    log.holds = False
    assert "is broken below" in visitor(log).get("/log").text


def test_an_empty_log_says_so() -> None:
    assert "Nothing has been opened yet" in visitor(FakeLog()).get("/log").text


# The real one.


def source(home: Home) -> AuditSource:
    return AuditSource(home.store, home.keys, home.clock)


def test_the_newest_entries_come_first_and_page_by_page(home: Home) -> None:
    log = source(home)
    first = log.newest(3)
    assert ([one.number for one in first.entries], first.older, first.holds) == ([7, 6, 5], 5, True)
    second = log.newest(3, first.older)
    assert ([one.number for one in second.entries], second.older) == ([4, 3, 2], 2)
    third = log.newest(3, second.older)
    assert ([one.number for one in third.entries], third.older, third.holds) == ([1], None, True)
    assert log.hash_of(7) == first.head.hash == first.entries[0].hash
    assert (log.hash_of(0), log.hash_of(8)) == (None, None)


@pytest.mark.parametrize("what", ["changed", "missing", "moved"])
def test_a_page_with_a_broken_entry_says_so_and_shows_what_is_above(home: Home, what: str) -> None:
    third = tables.audit.c.number == 3
    with home.store.writing() as connection:
        entry = connection.execute(select(tables.audit.c.entry).where(third)).scalar_one()
        if what == "missing":
            connection.execute(delete(tables.audit).where(third))
        elif what == "moved":
            connection.execute(update(tables.audit).where(tables.audit.c.number == 4).values(entry=entry))
        else:
            changed = entry.replace(b"picture 3", b"picture 9")
            connection.execute(update(tables.audit).where(third).values(entry=changed))
    page = source(home).newest(100)
    assert not page.holds
    assert [one.number for one in page.entries] == ([7, 6, 5] if what == "moved" else [7, 6, 5, 4])
    assert source(home).newest(2).holds


def test_an_entry_that_was_cut_off_in_front_is_missed(home: Home) -> None:
    with home.store.writing() as connection:
        connection.execute(delete(tables.audit).where(tables.audit.c.number == 1))
    assert not source(home).newest(100).holds


def test_looking_is_entered_as_the_consoles(home: Home) -> None:
    source(home).looked(ONE.id)
    with home.store.reading() as connection:
        signed = list(audit.entries(connection))
    entry = verify_log(signed, [home.keys.operating.public]).entries[-1]
    assert (entry.actor, entry.action, entry.subject) == ("console", Action.OPENED, (1).to_bytes(8, "big"))
    assert source(home).newest(1).head.hash == entry_hash(signed[-1])


def test_two_sessions_are_two_entries() -> None:
    log = FakeLog()
    app = console(FakeSource([ONE]), log=log)
    for _ in range(2):
        Visitor(app).sign_in().get(f"/incident/{ONE.id}")
    assert log.seen == [ONE.id, ONE.id]
