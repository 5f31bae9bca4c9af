"""Deleting incidents: what is gone, what stays, and that no crash on the way costs anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from sealcam.wire.bodies import Stage
from sealcam.wire.errors import ConfigError, EnvelopeError, StorageError
from sealcam.wire.sealed import envelope_hash
from sealcam_hub import deletion, rekey, tables
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.deletion import Deleter
from sealcam_hub.folder import Folder, Held
from sealcam_hub.home import Home, open_home
from sealcam_hub.inbox import Message
from sealcam_hub.keys import table_keys
from sealcam_hub.openfile import open_file
from sealcam_hub.outcome import What
from sealcam_hub.receive import Receiver
from tests.hubs import JPEG, WALL_NS, Camera, opened


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with opened(tmp_path / "hub") as made:
        yield made


class Crash(Exception):
    """The power goes."""


def crash(*_at: object) -> None:
    raise Crash


def filled(home: Home) -> tuple[Camera, Receiver, list[bytes]]:
    """A camera with two incidents of two events each, taken by a receiver that goes on living."""
    camera = Camera()
    camera.claim(home, "Door")
    receiver = Receiver(home.store, home.keys, home.clock)
    mail = [camera.incident(1), camera.incident(1, Stage.END, JPEG), camera.incident(2), camera.incident(2, Stage.END)]
    outcomes = receiver.take_all([Message(camera.alias, one, WALL_NS + n) for n, one in enumerate(mail)])
    assert {one.what for one in outcomes} == {What.APPENDED}
    return camera, receiver, mail


def delete(home: Home, *names: str, told: rekey.Told = lambda _done, _all: None) -> bool:
    with home.store.reading() as connection:
        doomed = deletion.named(connection, names)
    return Deleter(home.folder, home.store, home.keys, home.clock).delete(doomed, told)


def count(home: Home) -> tuple[int, int]:
    with home.store.reading() as connection:
        found = deletion.count(connection)
    return found.pending, found.complete


def first(home: Home) -> str:
    return next(one.id for one in home.ledger().incidents() if one.id.endswith("1"))


def test_what_is_deleted_is_gone_and_keeps_its_place_in_the_ledger(home: Home) -> None:
    camera, _, mail = filled(home)
    ledger = home.ledger()
    before = ledger.lines()
    assert [one.type for one in before] == ["incident"] * 4
    delete(home, first(home))
    lines = ledger.lines()  # the same ledger as a console holds, with what it remembers
    assert [one.type for one in lines] == ["deleted", "deleted", "incident", "incident"]
    assert [(one.seq, one.hash) for one in lines] == [(one.seq, one.hash) for one in before]
    assert [one.report for one in lines[:2]] == [None, None]
    assert [one.id for one in ledger.incidents()] == [f"{camera.alias}-0000000000000002"]
    assert ledger.thumbnail(f"{camera.alias}-0000000000000001") is None
    with home.store.reading() as connection:
        kept = set(connection.execute(select(tables.envelopes.c.hash)).scalars())
        keys = set(connection.execute(select(tables.content_keys.c.hash)).scalars())
    assert kept == keys == {envelope_hash(one) for one in mail[2:]}


def test_the_chain_goes_on_and_a_repeat_of_a_deleted_event_does_not_bring_it_back(home: Home) -> None:
    camera, receiver, mail = filled(home)
    delete(home, first(home))
    again = receiver.take(camera.alias, mail[0], WALL_NS)
    assert again.what is What.REPEAT
    assert camera.receipted(again.answer) == envelope_hash(mail[0])
    assert receiver.take(camera.alias, camera.incident(3), WALL_NS + 9).what is What.APPENDED
    assert [one.type for one in home.ledger().lines()] == ["deleted", "deleted", "incident", "incident", "incident"]


def test_the_camera_gets_a_new_prekey_and_the_deletion_is_complete_when_the_older_ones_are_gone(home: Home) -> None:
    camera, receiver, _ = filled(home)
    delete(home, first(home))
    assert count(home) == (1, 0)
    (prekey,) = receiver.take(camera.alias, camera.beat(), WALL_NS + 10).also
    camera.take_prekey(prekey)
    assert camera.prekey.number == 2
    receiver.take(camera.alias, camera.beat(), WALL_NS + 11)
    assert count(home) == (0, 1)


def test_a_deletion_is_not_complete_while_a_destroyed_prekey_is_in_the_log_for_a_reader(home: Home) -> None:
    camera, receiver, _ = filled(home)
    delete(home, first(home))
    with home.store.reading() as connection:
        wrapped = connection.execute(select(tables.prekeys.c.wrapped).where(tables.prekeys.c.number == 1)).scalar_one()
    (prekey,) = receiver.take(camera.alias, camera.beat(), WALL_NS + 10).also
    camera.take_prekey(prekey)
    with home.store.reading() as connection:  # holds on to the view before
        connection.execute(select(tables.prekeys)).all()
        receiver.take(camera.alias, camera.beat(), WALL_NS + 11)
        assert count(home) == (1, 0)
    Receiver(home.store, home.keys, home.clock).renew()  # whoever looks next, even after a restart
    assert count(home) == (0, 1)
    files = [path for path in home.folder.path.iterdir() if path.name.startswith("ledger.db")]
    assert wrapped not in b"".join(path.read_bytes() for path in files)


def test_only_incidents_before_a_time_or_of_one_camera_can_be_chosen(home: Home) -> None:
    camera, _, _ = filled(home)
    with home.store.reading() as connection:
        assert [one.incident[-1] for one in deletion.before(connection, WALL_NS + 2)] == [1]
        assert [one.incident[-1] for one in deletion.before(connection, WALL_NS + 3, "Door")] == [1, 2]
        assert deletion.before(connection, WALL_NS + 3, camera.alias) == deletion.before(connection, WALL_NS + 3)
        with pytest.raises(ConfigError, match="no camera"):
            deletion.before(connection, WALL_NS, "Attic")
        with pytest.raises(ConfigError, match="no incident"):
            deletion.named(connection, ["00" * 8])


def test_no_secret_is_still_under_the_old_table_key(home: Home) -> None:
    filled(home)
    home.wishes().ask("Door", "away")
    (old,) = table_keys(home.folder).values()
    delete(home, first(home))
    (new,) = table_keys(home.folder).values()
    assert new != old
    stored = b"".join(path.read_bytes() for path in home.folder.path.rglob("*") if path.is_file())
    assert old not in stored
    with home.store.reading() as connection:
        rows = [
            *connection.execute(select(tables.content_keys.c.wrapped)).scalars(),
            *connection.execute(select(tables.prekeys.c.wrapped)).scalars(),
            *connection.execute(select(tables.wishes.c.body)).scalars(),
        ]
    assert len(rows) == 2 + 2 + 1
    before = rekey.TableKey(old)
    for row in rows:
        home.keys.table.unwrap(row)
        with pytest.raises(EnvelopeError):
            before.unwrap(row)


def test_a_key_table_of_many_pages_is_written_anew_to_its_last_row(home: Home) -> None:
    many = rekey.AT_ONCE * 2 + 1
    names = [number.to_bytes(32, "big") for number in range(many)]
    told: list[tuple[int, int]] = []
    with home.store.writing() as connection:
        rows = [{"hash": name, "wrapped": home.keys.table.wrap(name)} for name in names]
        connection.execute(insert(tables.content_keys), rows)
    with rekey.rekeyed(home.folder, home.store, home.keys, lambda done, total: told.append((done, total))):
        pass
    with home.store.reading() as connection:
        found = connection.execute(select(tables.content_keys)).all()
        assert sorted(row.hash for row in found) == names
        assert all(home.keys.table.unwrap(row.wrapped) == row.hash for row in found)
    assert told[-1] == (many, many)


def test_another_process_takes_up_the_new_key_with_its_next_transaction(home: Home) -> None:
    camera, receiver, mail = filled(home)
    with open_home(home.folder, home.clock) as other:  # the process that deletes
        delete(other, first(home))
    assert receiver.take(camera.alias, camera.incident(3), WALL_NS + 9).what is What.APPENDED
    assert [one.type for one in home.ledger().lines()][-1] == "incident"
    assert open_file(home.store, home.keys, mail[2])["seq"] == 3
    with open_home(home.folder, home.clock) as third:
        assert len(third.ledger().incidents()) == 2


def test_a_crash_before_the_commit_deletes_nothing_and_leaves_no_second_key(home: Home) -> None:
    filled(home)
    with pytest.raises(Crash):
        delete(home, first(home), told=crash)
    assert len(table_keys(home.folder)) == 2
    with open_home(home.folder, SimulatedClock()) as again:
        assert [one.type for one in again.ledger().lines()] == ["incident"] * 4
        assert count(again) == (0, 0)
        assert len(table_keys(home.folder)) == 1


def test_a_crash_after_the_commit_leaves_a_hub_that_opens_under_the_new_key(home: Home) -> None:
    class Dying(Folder):
        def rename(self, old: str, new: str) -> None:
            raise Crash

    camera, receiver, _ = filled(home)
    with home.store.reading() as connection:
        doomed = deletion.named(connection, [first(home)])
    with pytest.raises(Crash):
        Deleter(Dying(home.folder.path), home.store, home.keys, home.clock).delete(doomed)
    assert receiver.take(camera.alias, camera.incident(3), WALL_NS + 9).what is What.APPENDED  # while both files lie
    assert len(table_keys(home.folder)) == 2
    with open_home(home.folder, SimulatedClock()) as again:
        assert [one.type for one in again.ledger().lines()] == ["deleted"] * 2 + ["incident"] * 3
        assert len(table_keys(home.folder)) == 1
    assert home.ledger().lines()[-1].type == "incident"


def test_a_key_that_another_process_is_about_to_use_is_left_alone(home: Home) -> None:
    filled(home)

    def opened_meanwhile(_done: int, _all: int) -> None:
        with open_home(home.folder, SimulatedClock()) as other:
            assert [one.type for one in other.ledger().lines()] == ["incident"] * 4
            with pytest.raises(Held):
                delete(other, first(other))

    delete(home, first(home), told=opened_meanwhile)
    assert [one.type for one in home.ledger().lines()] == ["deleted"] * 2 + ["incident"] * 2


def test_a_table_key_that_is_lost_is_one_clear_error(home: Home) -> None:
    filled(home)
    home.folder.write("keys/table", b"x" * 32)
    with pytest.raises(StorageError, match="key that the ledger is wrapped under"), open_home(home.folder) as again:
        again.ledger().lines()


def test_the_files_hold_nothing_of_what_was_deleted(home: Home) -> None:
    _, _, mail = filled(home)
    with home.store.reading() as connection:
        wrapped = list(connection.execute(select(tables.content_keys.c.wrapped)).scalars())
    assert delete(home, first(home))
    files = [path for path in home.folder.path.iterdir() if path.name.startswith("ledger.db")]
    stored = b"".join(path.read_bytes() for path in files)
    for gone in (*wrapped, mail[0][-64:], mail[1][-64:], mail[1][60:200]):
        assert gone not in stored
    assert mail[2][-64:] in stored


def test_a_reader_that_began_before_goes_on_reading_what_it_sees(home: Home) -> None:
    filled(home)
    table = home.keys.table
    with home.store.reading() as connection:
        wrapped = connection.execute(select(tables.prekeys.c.wrapped)).scalars().all()

        def another() -> None:
            with open_home(home.folder, SimulatedClock()) as other:
                delete(other, first(other))
            home.ledger().lines()  # this process has the new key now

        thread = threading.Thread(target=another)
        thread.start()
        thread.join()
        assert connection.execute(select(tables.prekeys.c.wrapped)).scalars().all() == wrapped
        assert len(table.unwrap(wrapped[0])) == 32
    with home.store.reading(), pytest.raises(EnvelopeError):
        table.unwrap(wrapped[0])
