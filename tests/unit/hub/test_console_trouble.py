"""A ledger that is held, can't be written, or is gone while the console is used: shown, logged once, nothing lost."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from sealcam.wire.bodies import Stage
from sealcam.wire.errors import StorageError
from sealcam_hub.console.trouble import CALM_NS, Trouble
from sealcam_hub.home import Home
from sealcam_hub.inbox import Message
from sealcam_hub.outcome import What
from sealcam_hub.receive import Receiver
from sealcam_hub.store import open_store
from tests.hubs import JPEG, Camera
from tests.unit.hub.console_client import Visitor
from tests.unit.hub.routed import real

HELD = "The ledger is held by another program."
READ_ONLY = "The ledger can&#39;t be written."
GONE = "The ledger isn&#39;t where it was."


@dataclass
class Place:
    """A hub, a camera of it, and its owner in front of the console."""

    home: Home
    camera: Camera
    visitor: Visitor

    def takes(self, envelope: bytes) -> None:
        """The hub takes a message in."""
        receiver = Receiver(self.home.store, self.home.keys, self.home.clock)
        receiver.take(self.camera.alias, envelope, self.home.clock.wall_ns() + 1)

    @property
    def incident(self) -> str:
        return f"/incident/{self.camera.alias}-{1:016x}"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with real(tmp_path / "hub") as hub:
        camera = Camera()
        camera.claim(hub.home, "Garden")
        receiver = Receiver(hub.home.store, hub.home.keys, hub.home.clock)
        receiver.take_all([Message(camera.alias, camera.incident(1, picture=JPEG), hub.home.clock.wall_ns())])
        yield Place(hub.home, camera, hub.owner())


@contextmanager
def pragma(home: Home, words: str) -> Iterator[None]:
    """Every connection of the hub begins so inside, whichever thread opens it."""

    def say(connection: Connection) -> None:
        if not connection.get_execution_options().get("sealcam_bare", False):
            connection.exec_driver_sql(f"PRAGMA {words}")

    event.listen(Engine, "begin", say)
    try:
        yield
    finally:
        event.remove(Engine, "begin", say)
        home.store.close()


@contextmanager
def held(home: Home) -> Iterator[None]:
    """Another program writes, and doesn't end; who waits for it loses patience at once."""
    other = open_store(home.folder.ledger)
    with other.writing(), pragma(home, "busy_timeout=1"):
        yield
    other.close()


@contextmanager
def read_only(home: Home) -> Iterator[None]:
    """Nothing can be written."""
    with pragma(home, "query_only=1"):
        yield


@contextmanager
def gone(home: Home) -> Iterator[None]:
    """The file was moved away."""
    elsewhere = home.folder.path / "moved.db"
    home.folder.ledger.rename(elsewhere)
    yield
    elsewhere.rename(home.folder.ledger)


TROUBLES = [(held, HELD), (read_only, READ_ONLY), (gone, GONE)]


@pytest.mark.parametrize(("trouble", "words"), TROUBLES)
def test_it_is_shown_with_what_helps_logged_once_and_over_when_it_is_over(
    place: Place, caplog: pytest.LogCaptureFixture, trouble: type[AbstractContextManager[None]], words: str
) -> None:
    caplog.set_level(logging.WARNING)
    with trouble(place.home):
        for _ in range(3):
            answer = place.visitor.get(place.incident)  # needs its entry in the log first
            assert answer.status_code == 503
            assert words in answer.text
            assert "data-problem" in answer.text
            assert "thumbnail" not in answer.text, "no entry, no picture"
        assert place.visitor.get("/static/base.css").status_code == 200
    (line,) = [one for one in caplog.records if one.name.startswith("sealcam")]
    assert line.name.endswith("trouble")
    assert place.camera.alias not in line.getMessage()
    assert place.visitor.get(place.incident).status_code == 200


@pytest.mark.parametrize(("trouble", "words"), TROUBLES)
def test_nothing_is_receipted_meanwhile_and_all_of_it_comes_afterwards(
    place: Place, trouble: type[AbstractContextManager[None]], words: str
) -> None:
    receiver = Receiver(place.home.store, place.home.keys, place.home.clock)
    sent = place.camera.incident(2)
    with trouble(place.home), pytest.raises(StorageError) as failed:
        receiver.take(place.camera.alias, sent, place.home.clock.wall_ns() + 1)
    assert failed.value.hint
    assert words.replace("&#39;", "'").rstrip(".").lower() == failed.value.message
    assert receiver.take(place.camera.alias, sent, place.home.clock.wall_ns() + 1).what is What.APPENDED
    assert [one.seq for one in place.home.ledger().lines()] == [1, 2]


def test_what_only_reads_is_shown_while_another_program_writes(place: Place) -> None:
    with held(place.home):
        assert "Garden" in place.visitor.get("/cameras").text
        assert place.visitor.get("/").status_code == 200


def test_a_word_that_could_not_be_kept_says_so_and_can_be_said_again(place: Place) -> None:
    place.takes(place.camera.incident(1, stage=Stage.END))
    page = place.visitor.get("/review").text
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in ("csrf", "incident", "seen")}
    form = {name: one[1] for name, one in found.items() if one is not None} | {"word": "threat"}
    with read_only(place.home):
        answer = place.visitor.post("/review/mark", form)
        assert (answer.status_code, READ_ONLY in answer.text) == (503, True)
    assert place.visitor.post("/review/mark", form).status_code == 303


def test_no_empty_ledger_is_made_where_one_is_gone(place: Place) -> None:
    place.home.store.close()
    with gone(place.home):
        assert place.visitor.get("/").status_code == 503
        assert not place.home.folder.ledger.exists()
    assert place.visitor.get("/").status_code == 200


def test_what_comes_back_after_a_while_is_said_again(caplog: pytest.LogCaptureFixture) -> None:
    now_ns = 0
    trouble = Trouble(lambda: now_ns)
    for minute in (0, 1, 9, 18, 28):
        now_ns = minute * CALM_NS // 10
        trouble.met(StorageError("the disk is full", "make room"))
    assert len(caplog.records) == 2
    assert "the disk is full; make room" in caplog.text
