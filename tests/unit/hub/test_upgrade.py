"""A ledger that Sealcam 0.1 made is brought up to this format when its hub is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect
from sqlalchemy.engine.interfaces import ReflectedIndex

from sealcam.wire.bodies import Mode, Stage, Storage
from sealcam.wire.envelope import open_envelope
from sealcam.wire.keys import BoxKey
from sealcam.wire.sealed import GENESIS, envelope_hash
from sealcam.wire.wishes import ArmBody, CommandType
from sealcam_hub import store as stores
from sealcam_hub import tables
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.inbox import Message
from sealcam_hub.keys import TableKey, table_keys
from sealcam_hub.outcome import What
from sealcam_hub.receive import Receiver
from sealcam_hub.views import CameraStorage
from tests.hubs import JPEG, NS, WALL_NS, Camera, make

OLD = Path(__file__).with_name("format1.sql").read_text()
OLDER_INDEX = "DROP INDEX events_of_incident; CREATE INDEX events_by_incident ON events (camera, incident);"
FIFTH = ("disk_mib", "free_mib", "clips_mib", "clips_most_mib")  # of a camera
FOURTH_CAMERAS = [f"ALTER TABLE cameras DROP COLUMN {name}" for name in FIFTH]
THIRD = [
    "schema",
    "cameras",
    "epochs",
    "handovers",
    "clips",
    "vault",
    "boots",
    "envelopes",
    "content_keys",
    "events",
    "bridges",
    "incidents",
    "notices",
    "journal",
    "counters",
    "prekeys",
    "wishes",
    "audit",
    "grants",
    "deletions",
    "values",
]


def old_hub(path: Path) -> tuple[Folder, Camera, list[bytes]]:
    """A hub of Sealcam 0.1 with one camera, two events and a wish; and what the camera sent."""
    folder, camera = make(path), Camera()
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        camera.claim(home, "Door")  # what it needs to seal; the ledger is made anew below
        secret = home.store.reading()
        with secret as connection:
            wrapped = connection.execute(tables.prekeys.select()).one().wrapped
    folder.ledger.unlink()
    for left in folder.path.glob("ledger.db-*"):
        left.unlink()
    (key,) = table_keys(folder).values()
    box = TableKey(key)
    sent = [camera.incident(1), camera.incident(2)]
    old = sqlite3.connect(folder.ledger)
    old.executescript(OLD)
    old.execute("INSERT INTO schema VALUES (1)")
    row = (1, camera.alias, "Door", camera.kid, camera.signer.public, camera.command.public, 1, WALL_NS, 2)
    row += (envelope_hash(sent[1]), 5, False, b"b" * 16, 0, WALL_NS, b"n" * 32, 2, 0, 1, int(Mode.HOME), "0.1.0", 3)
    old.execute(f"INSERT INTO cameras VALUES ({','.join('?' * len(row))})", row)
    old.execute("INSERT INTO boots VALUES (1, ?)", (b"a" * 16,))
    old.execute("INSERT INTO prekeys VALUES (1, 1, ?, ?, ?)", (camera.prekey.public, wrapped, WALL_NS))
    old.execute("INSERT INTO wishes VALUES (1, ?, ?, NULL)", (int(Mode.AWAY), WALL_NS))
    before = GENESIS
    for number, one in enumerate(sent, 1):
        name = envelope_hash(one)
        opened = open_envelope(one, camera.signer.public, [BoxKey(box.unwrap(wrapped))])
        incident = number.to_bytes(8, "big")
        old.execute("INSERT INTO envelopes VALUES (?, ?)", (name, one))
        old.execute("INSERT INTO content_keys VALUES (?, ?)", (name, box.wrap(opened.content_key)))
        old.execute(
            "INSERT INTO events (hash, camera, seq, prev, kind, status, incident, arrived_ns) VALUES (?,1,?,?,1,1,?,?)",
            (name, number, before, incident, WALL_NS + number),
        )
        old.execute("INSERT INTO incidents VALUES (1, ?, ?)", (incident, WALL_NS + number))
        old.execute("INSERT INTO journal VALUES (?, ?, NULL)", (number, name))
        before = name
    old.commit()
    old.close()
    return folder, camera, sent


def test_everything_is_still_there_and_the_hub_goes_on(tmp_path: Path) -> None:
    folder, camera, sent = old_hub(tmp_path / "hub")
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS + NS)) as home:
        assert [(one.seq, one.type) for one in home.ledger().lines()] == [(1, "incident"), (2, "incident")]
        (shown,) = home.ledger().cameras()
        assert (shown.name, shown.incidents, shown.wished) == ("Door", 2, "away")
        receiver = Receiver(home.store, home.keys, home.clock)
        mail = [sent[0], camera.incident(3), camera.beat()]
        taken = receiver.take_all([Message(camera.alias, one, WALL_NS + NS + n) for n, one in enumerate(mail)])
        assert [one.what for one in taken] == [What.REPEAT, What.APPENDED, What.BEAT]
        ((alias, command),) = home.wishes().due()
        assert alias == camera.alias
        assert camera.opens(command).kind == CommandType.ARM
        old = Camera(b"a" * 16)
        old.signer, old.command, old.prekey, old.others = camera.signer, camera.command, camera.prekey, camera.others
        old.head, old.seq = camera.head, camera.seq
        assert receiver.take(camera.alias, old.beat(), WALL_NS + 2 * NS).what is What.STALE  # no false alarm


Shape = dict[str, list[set[tuple[object, ...]]]]


def shape(connection: Connection) -> Shape:
    """Of each table its columns, its primary key, its indexes, what must be unique in it, and what it refers to."""
    found = inspect(connection)
    return {
        name: [
            {(one["name"], bool(one["nullable"])) for one in found.get_columns(name)},
            {tuple(found.get_pk_constraint(name)["constrained_columns"])},
            {(*one["column_names"], bool(one["unique"]), partial(one)) for one in found.get_indexes(name)},
            {tuple(one["column_names"]) for one in found.get_unique_constraints(name)},
            {
                (*one["constrained_columns"], one["referred_table"], *one["referred_columns"])
                for one in found.get_foreign_keys(name)
            },
        ]
        for name in found.get_table_names()
    }


def partial(index: ReflectedIndex) -> bool:
    """Whether the index is over some rows alone."""
    return any(name.endswith("_where") for name in index.get("dialect_options", {}))


def test_it_is_the_same_format_as_that_of_a_new_ledger(tmp_path: Path) -> None:
    folder, _, _ = old_hub(tmp_path / "old")
    new = make(tmp_path / "new")

    def shown(path: Folder) -> Shape:
        with open_home(path) as home, home.store.reading() as connection:
            return shape(connection)

    assert shown(folder) == shown(new)


def test_a_ledger_without_a_vault_gets_one(tmp_path: Path) -> None:
    folder = make(tmp_path / "hub")
    old = sqlite3.connect(folder.ledger)
    old.executescript(OLDER_INDEX + "DROP TABLE alembic_version; DROP TABLE vault; UPDATE schema SET version = 2;")
    old.executescript(";".join(FOURTH_CAMERAS))
    old.commit()
    old.close()
    for _ in range(2):
        with open_home(folder) as home:
            assert home.vault().clips() == ()


@pytest.mark.parametrize("version", [2, 3, 4])
def test_what_stood_in_an_older_ledger_still_stands_and_the_chain_goes_on(tmp_path: Path, version: int) -> None:
    folder, camera, clock = make(tmp_path / "hub"), Camera(), SimulatedClock(wall_ns=WALL_NS)
    mail = []
    with open_home(folder, clock) as home:
        camera.claim(home, "Door")
        mail = [camera.incident(1, picture=JPEG, clip=camera.clip_key(1)), camera.clip(1), camera.incident(2)]
        receiver = Receiver(home.store, home.keys, home.clock)
        receiver.take_all([Message(camera.alias, one, WALL_NS + n) for n, one in enumerate([*mail, camera.beat()])])
        home.wishes().wish("Door", ArmBody(mode=Mode.AWAY))
        before = home.ledger().lines(), home.ledger().incidents(), home.vault().clips()
    old = sqlite3.connect(folder.ledger)
    later = set() if version == 4 else tables.metadata.tables.keys() - set(THIRD) | {"alembic_version"}
    for name in sorted(later | ({"vault"} if version == 2 else set())):
        old.execute(f"DROP TABLE {name}")
    words = [] if version == 4 else [OLDER_INDEX.rstrip(";")]
    words += [*FOURTH_CAMERAS, f"UPDATE schema SET version = {version}"]
    words += ["UPDATE alembic_version SET version_num = '4'"] if version == 4 else []
    old.executescript(";".join(words))
    old.commit()
    old.close()
    with open_home(folder, clock) as home:
        assert (home.ledger().lines(), home.ledger().incidents(), home.vault().clips()) == before
        assert home.ledger().thumbnail(before[1][-1].id) == JPEG
        (shown,) = home.ledger().cameras()
        assert (shown.name, shown.wished, shown.storage) == ("Door", "away", None)
        again = [mail[0], camera.incident(2, Stage.END)]
        taken = Receiver(home.store, home.keys, home.clock).take_all([Message(camera.alias, one, 1) for one in again])
        assert [one.what for one in taken] == [What.REPEAT, What.APPENDED]


def test_a_crash_on_the_way_leaves_the_old_ledger_as_it_was(tmp_path: Path) -> None:
    class Crash(Exception):
        pass

    def crash(_secret: bytes) -> bytes:
        raise Crash

    folder, _, _ = old_hub(tmp_path / "hub")
    with pytest.raises(Crash):
        stores.open_store(folder.ledger, crash)
    old = sqlite3.connect(folder.ledger)
    assert old.execute("SELECT version FROM schema").fetchall() == [(1,)]
    assert old.execute("SELECT count(*) FROM wishes").fetchall() == [(1,)]
    old.close()
    with open_home(folder) as home:
        assert len(home.ledger().lines()) == 2


def test_a_ledger_of_format_3_gets_every_table_that_it_lacks(tmp_path: Path) -> None:
    folder = make(tmp_path / "hub")
    old = sqlite3.connect(folder.ledger)
    for name in tables.metadata.tables.keys() - set(THIRD):
        old.execute(f"DROP TABLE {name}")
    old.executescript(OLDER_INDEX + "UPDATE schema SET version = 3;" + ";".join(FOURTH_CAMERAS))
    old.commit()
    old.close()
    with open_home(folder) as home, home.store.reading() as connection:
        assert set(inspect(connection).get_table_names()) == set(tables.metadata.tables)
        assert connection.execute(tables.schema.select()).scalar_one() == tables.SCHEMA


def test_a_ledger_of_format_4_goes_on_and_learns_of_its_cameras_disks(tmp_path: Path) -> None:
    folder, camera = make(tmp_path / "hub"), Camera()
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        camera.claim(home, "Door")
        Receiver(home.store, home.keys, home.clock).take(camera.alias, camera.beat(), WALL_NS)
    old = sqlite3.connect(folder.ledger)
    old.executescript(
        ";".join([*FOURTH_CAMERAS, "UPDATE schema SET version = 4", "UPDATE alembic_version SET version_num = '4'"])
    )
    old.commit()
    old.close()
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS + NS)) as home:
        (shown,) = home.ledger().cameras()
        assert (shown.name, shown.firmware, shown.storage) == ("Door", "0.1.0", None)
        beat = camera.beat(storage=Storage(disk_mib=29_820, free_mib=24_113, clips_mib=3_977, clips_most_mib=4_096))
        Receiver(home.store, home.keys, home.clock).take(camera.alias, beat, WALL_NS + NS)
        (shown,) = home.ledger().cameras()
        assert shown.storage == CameraStorage(29_820 << 20, 24_113 << 20, 3_977 << 20, 4_096 << 20, low=False)
