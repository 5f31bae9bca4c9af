"""A ledger in PostgreSQL: moved there and back, its errors in our words, and its address in one file alone."""

from __future__ import annotations

import gc
import re
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, create_engine, func, insert, select

from sealcam.wire.errors import ConfigError, StorageError
from sealcam_hub import database, tables
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.folder import Folder, Held
from sealcam_hub.fullcopy import restore, write_copy
from sealcam_hub.home import Home, open_home
from sealcam_hub.inbox import Message
from sealcam_hub.keys import load_keys
from sealcam_hub.outcome import What
from sealcam_hub.postgres import Postgres as Database
from sealcam_hub.postgres import Where
from sealcam_hub.receive import Receiver
from sealcam_hub.store import connect, open_store
from tests.hubs import WALL_NS, Camera, make
from tests.postgres import Postgres
from tests.unit.hub.test_upgrade import OLD, old_hub, shape

PROGRAM = Path(sys.executable).with_name("sealcam-hub")
# pg8000 leaves a socket to the collector where the other end was gone before it could say goodbye.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as running:
        yield running


def filled(path: Path, camera: Camera) -> Folder:
    """A hub with a camera and three events, in a file."""
    folder = make(path)
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        camera.claim(home)
        take(home, camera, *(camera.incident(number) for number in range(1, 4)))
    return folder


def take(home: Home, camera: Camera, *sent: bytes) -> list[What]:
    receiver = Receiver(home.store, home.keys, home.clock)
    return [one.what for one in receiver.take_all([Message(camera.alias, one, n) for n, one in enumerate(sent)])]


def move(folder: Folder, address: str) -> None:
    database.move(folder, load_keys(folder).table.wrap, Where.parse(address))


def test_a_ledger_moves_there_and_back_and_goes_on(tmp_path: Path, postgres: Postgres) -> None:
    camera, address = Camera(), postgres.create()
    folder = filled(tmp_path / "hub", camera)
    move(folder, address)
    assert not folder.ledger.exists()
    assert stat.S_IMODE((folder.path / database.NAME).stat().st_mode) == 0o600
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        assert take(home, camera, camera.incident(4), camera.beat()) == [What.APPENDED, What.BEAT]
        assert [one.seq for one in home.ledger().lines()] == [1, 2, 3, 4]
        other = Camera()
        other.claim(home, "Yard")  # the database counts on from what was copied
    database.move_back(folder, load_keys(folder).table.wrap)
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        assert take(home, camera, camera.incident(5)) == [What.APPENDED]
        assert len(home.ledger().lines()) == 5
    assert open_store(folder.ledger) is not None


@pytest.mark.parametrize("running", ["serve", "worker-1", "worker-15"])
def test_a_ledger_does_not_move_from_under_a_process(tmp_path: Path, postgres: Postgres, running: str) -> None:
    """What a worker takes into the old one has a receipt, and its camera keeps it no more."""
    folder, address = filled(tmp_path / "hub", Camera()), postgres.create()
    with folder.only_one(running), pytest.raises(Held, match=running.replace("-", " ")) as error:
        move(folder, address)
    assert "stop" in error.value.hint
    assert folder.ledger.exists()
    move(folder, address)
    with folder.only_one(running), pytest.raises(Held):
        database.move_back(folder, load_keys(folder).table.wrap)
    assert not folder.ledger.exists()
    with open_home(folder) as home:  # as a worker that begins while it moves, and holds its lock once it has
        database.move_back(folder, load_keys(folder).table.wrap)
        with pytest.raises(StorageError, match="moved"):
            database.check_unmoved(folder, home.store)


def test_the_command_takes_the_address_on_standard_input_and_says_it_nowhere(
    tmp_path: Path, postgres: Postgres
) -> None:
    folder, address = filled(tmp_path / "hub", Camera()), postgres.create()
    command = [str(PROGRAM), "--state", str(folder.path), "database"]
    done = subprocess.run(command, input=address + "\n", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert postgres.password not in done.stdout + done.stderr
    again = subprocess.run([*command[:3], "events", "--json"], capture_output=True, text=True, check=True)
    assert len(again.stdout.splitlines()) == 3


def test_a_wrong_password_is_one_clear_error_without_it(tmp_path: Path, postgres: Postgres) -> None:
    folder, address = filled(tmp_path / "hub", Camera()), postgres.create()
    wrong = address.replace(postgres.password, "s3cr3t-and-wrong")
    command = [str(PROGRAM), "--state", str(folder.path), "database"]
    done = subprocess.run(command, input=wrong + "\n", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "refuses this hub" in done.stderr
    assert "s3cr3t" not in done.stdout + done.stderr
    assert folder.ledger.exists()


def test_a_database_that_is_gone_is_one_clear_error_and_it_goes_on_afterwards(tmp_path: Path) -> None:
    with Postgres() as mine:
        camera = Camera()
        folder = filled(tmp_path / "hub", camera)
        move(folder, mine.create())
        with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
            receiver = Receiver(home.store, home.keys, home.clock)
            mine.kill()
            sent = camera.incident(4)
            with pytest.raises(StorageError, match="database") as error:
                receiver.take(camera.alias, sent, 4)
            assert error.value.hint
            mine.start()
            assert receiver.take(camera.alias, sent, 4).what is What.APPENDED


def test_a_database_that_hangs_up_as_one_begins_is_one_clear_error(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / ".s.PGSQL.5432"))
        listening.listen()

        def hangs_up() -> None:
            while True:
                try:
                    listening.accept()[0].close()
                except OSError:
                    return  # closed below

        thread = threading.Thread(target=hangs_up)
        thread.start()
        try:
            for _ in range(20):
                with pytest.raises(StorageError, match="can't be reached"):
                    connect(Where.parse(f"postgresql://u:p@/n?host={tmp_path}"))
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
    gc.collect()  # the driver leaves its sockets


def test_a_database_that_goes_at_a_commit_is_one_clear_error(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = connect(Where.parse(postgres.create()), fresh=True)

    def resets(_connection: object) -> None:
        raise ConnectionResetError(104, "Connection reset by peer")

    with monkeypatch.context() as going:
        going.setattr(store._database.engine.dialect, "do_commit", resets)
        with pytest.raises(StorageError, match="can't be reached"), store.reading():
            pass
    with store.reading():
        pass
    store.close()


def test_a_database_that_something_else_is_in_is_left_alone(tmp_path: Path, postgres: Postgres) -> None:
    address = postgres.create()
    connect(Where.parse(address), fresh=True).close()
    folder = filled(tmp_path / "hub", Camera())
    with pytest.raises(StorageError, match="isn't empty"):
        move(folder, address)
    assert folder.ledger.exists()


@pytest.mark.parametrize(
    "text", ["", "sqlite:///x", "postgresql://host", "postgresql://u@h/n?options=x", "mysql://u:p@h/n", "not one"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no address"):
        Where.parse(text)


def test_over_a_network_there_is_tls_and_who_is_there_is_verified() -> None:
    context = Where.parse("postgresql://u:p@db.example/ledger").arguments["ssl_context"]
    assert context.check_hostname  # type: ignore[attr-defined]
    assert "ssl_context" not in Where.parse("postgresql://u:p@localhost/ledger").arguments


def test_who_waits_for_the_whole_ledger_is_told_each_second(tmp_path: Path, postgres: Postgres) -> None:
    folder = filled(tmp_path / "hub", Camera())
    move(folder, postgres.create())
    with open_home(folder) as one, open_home(folder) as other:
        held, may_end = threading.Event(), threading.Event()

        def hold() -> None:
            with other.store.writing():
                held.set()
                may_end.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        one.store.patiently(may_end.set)  # without it the holder never ends
        with one.store.chaining():
            pass
        holder.join()


def test_two_may_chain_at_once_and_nobody_else_writes_meanwhile(tmp_path: Path, postgres: Postgres) -> None:
    folder = filled(tmp_path / "hub", Camera())
    move(folder, postgres.create())

    class Waits(Exception):
        pass

    def waits() -> None:
        raise Waits

    with open_home(folder) as one, open_home(folder) as other:
        other.store.patiently(waits)
        with one.store.chaining():
            with other.store.chaining():
                pass
            with pytest.raises(Waits), other.store.writing():
                pass


def test_a_full_copy_of_it_is_a_hub_with_a_file(tmp_path: Path, postgres: Postgres) -> None:
    camera = Camera()
    folder = filled(tmp_path / "hub", camera)
    move(folder, postgres.create())
    with open_home(folder) as home:
        write_copy(home, tmp_path / "copy")
    back = Folder(tmp_path / "back")
    assert restore(back, tmp_path / "copy") == 1
    assert not (back.path / database.NAME).exists()
    with open_home(back) as home:
        assert len(home.ledger().lines()) == 3


def as_format_1(source: Folder, target: Connection) -> None:
    """The ledger of Sealcam 0.1 in `source`, as it would stand in PostgreSQL."""
    text = OLD.replace("BLOB", "BYTEA").replace("WITHOUT ROWID", "")
    text = re.sub(r"\b(id|place) INTEGER NOT NULL", r"\1 BIGSERIAL NOT NULL", text)
    for statement in text.split(";")[:-1]:
        target.exec_driver_sql(statement)
    old, new = MetaData(), MetaData()
    file = create_engine(f"sqlite:///{source.ledger}")
    with file.connect() as connection:
        old.reflect(connection)
        new.reflect(target)
        for table in old.sorted_tables:
            rows = [dict(row) for row in connection.execute(select(table)).mappings()]
            if rows:
                target.execute(insert(new.tables[table.name]), rows)
    file.dispose()


def test_the_first_ledger_is_brought_up_there_as_well(tmp_path: Path, postgres: Postgres) -> None:
    """From format 2 on: `test_migrations`."""
    folder, _, _ = old_hub(tmp_path / "hub")
    fresh, where = connect(Where.parse(postgres.create()), fresh=True), Where.parse(postgres.create())
    with fresh.reading() as connection:
        wanted = shape(connection)
    fresh.close()
    old = Database(where)
    with old.engine.begin() as connection:
        as_format_1(folder, connection)
        connection.exec_driver_sql("INSERT INTO schema VALUES (1) ON CONFLICT DO NOTHING")
    old.engine.dispose()
    for _ in range(2):  # the second time there is nothing to do
        store = connect(where, load_keys(folder).table.wrap)
        with store.reading() as connection:
            assert shape(connection) == wanted
            assert connection.execute(select(tables.schema.c.version)).scalar_one() == tables.SCHEMA
            assert connection.execute(select(func.count()).select_from(tables.epochs)).scalar_one() == 1
        store.close()
