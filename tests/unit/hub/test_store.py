"""The database under the ledger: what it promises, and how it fails."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select, update

from sealcam.wire.errors import StorageError
from sealcam_hub import tables
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.home import Home, open_home
from sealcam_hub.inbox import Message
from sealcam_hub.outcome import What
from sealcam_hub.receive import Receiver
from sealcam_hub.store import create_store, open_store
from tests.hubs import JPEG, Camera, make, opened


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with opened(tmp_path / "hub") as made:
        yield made


@contextmanager
def small_disk(pages: int) -> Iterator[None]:
    """Databases opened inside can't grow beyond `pages`: SQLite then says what it says on a full disk."""

    def limit(connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    event.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(Engine, "connect", limit)


def test_a_full_disk_is_one_clear_error_and_loses_nothing_that_was_receipted(home: Home) -> None:
    camera = Camera()
    camera.claim(home)
    home.store.close()
    sent = [camera.incident(number, picture=JPEG * 8) for number in range(1, 60)]
    receipted: set[bytes] = set()
    with small_disk(140), open_home(home.folder, SimulatedClock()) as cramped:
        receiver = Receiver(cramped.store, cramped.keys, cramped.clock)

        def send_all() -> None:
            for at in range(0, len(sent), 4):
                batch = [Message(camera.alias, one, at + n) for n, one in enumerate(sent[at : at + 4])]
                receipted.update(camera.receipted(one.answer) for one in receiver.take_all(batch))

        with pytest.raises(StorageError, match="disk is full") as full:
            send_all()
        assert full.value.hint
    assert 0 < len(receipted) < len(sent)
    with open_home(home.folder, SimulatedClock()) as roomy:
        assert {bytes.fromhex(line.hash) for line in roomy.ledger().lines()} == receipted
        receiver = Receiver(roomy.store, roomy.keys, roomy.clock)
        outcomes = receiver.take_all([Message(camera.alias, one, n) for n, one in enumerate(sent)])
        assert [one.what for one in outcomes] == [What.REPEAT] * len(receipted) + [What.APPENDED] * (
            len(sent) - len(receipted)
        )
        assert [line.seq for line in roomy.ledger().lines()] == list(range(1, 60))


def test_a_worker_goes_on_after_a_full_disk_as_if_the_batch_had_never_come(home: Home) -> None:
    camera = Camera()
    camera.claim(home)
    receiver = Receiver(home.store, home.keys, home.clock)
    big = camera.incident(1, picture=JPEG * 400)
    with home.store.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StorageError, match="disk is full"):
        receiver.take(camera.alias, big, 1)
    with home.store.reading() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=100000")
    assert receiver.take(camera.alias, big, 2).what is What.APPENDED


def test_a_ledger_of_a_newer_sealcam_is_left_alone(tmp_path: Path) -> None:
    folder = make(tmp_path / "hub")
    store = open_store(folder.ledger)
    with store.writing() as connection:
        connection.execute(update(tables.schema).values(version=tables.SCHEMA + 1))
    store.close()
    with pytest.raises(StorageError, match=f"format {tables.SCHEMA + 1}") as newer:
        open_store(folder.ledger)
    assert newer.value.hint is not None
    assert "upgrade" in newer.value.hint


def test_what_is_no_ledger_is_one_clear_error(tmp_path: Path) -> None:
    nothing, text, foreign = tmp_path / "none.db", tmp_path / "text.db", tmp_path / "foreign.db"
    text.write_bytes(b"these are not the pages you are looking for" * 100)
    with sqlite3.connect(foreign) as other:
        other.execute("CREATE TABLE songs (name)")
    other.close()
    for path, words in ((nothing, "no ledger at"), (text, "no database"), (foreign, "no ledger of Sealcam")):
        with pytest.raises(StorageError, match=words) as error:
            open_store(path)
        assert error.value.hint


def test_a_ledger_is_never_made_over_another(tmp_path: Path) -> None:
    create_store(tmp_path / "ledger.db").close()
    with pytest.raises(StorageError):
        create_store(tmp_path / "ledger.db")


def test_a_commit_is_on_the_disk_before_it_returns(home: Home) -> None:
    with home.store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1


def test_a_transaction_that_fails_leaves_no_trace(home: Home) -> None:
    def fail() -> None:
        with home.store.writing() as connection:
            connection.execute(insert(tables.counters).values(alias="", kind="forged", count=1))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with home.store.reading() as connection:
        assert connection.execute(select(tables.counters)).all() == []


def test_others_read_while_one_writes(home: Home) -> None:
    camera = Camera()
    camera.claim(home)
    Receiver(home.store, home.keys, home.clock).take(camera.alias, camera.incident(), 1)
    with open_home(home.folder, SimulatedClock()) as other, home.store.writing() as connection:
        connection.execute(insert(tables.counters).values(alias="", kind="forged", count=1))
        assert len(other.ledger().lines()) == 1
        assert other.ledger().counts().refused == 0
    assert home.ledger().counts().refused == 1


def test_who_waits_for_the_write_lock_is_told_each_second_and_then_gets_it(home: Home) -> None:
    other = open_store(home.folder.ledger)
    held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with other.writing():
            held.set()
            may_end.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    home.store.patiently(may_end.set)  # without it the holder never ends
    with home.store.writing() as connection:
        connection.execute(update(tables.cameras).values(silent=True))
    holder.join()
    other.close()
    assert may_end.is_set()
