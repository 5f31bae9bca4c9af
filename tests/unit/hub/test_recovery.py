"""A hub is lost: backups that open with the words alone, a new hub, and what cameras still have queued."""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from sealcam.wire import statement
from sealcam.wire.bodies import Stage
from sealcam.wire.envelope import open_envelope
from sealcam.wire.errors import ConfigError, EnvelopeError, StorageError
from sealcam.wire.keys import BoxKey, OwnerKeys
from sealcam.wire.statement_kinds import ClaimRequest
from sealcam_hub import deletion, recovery, setup, tables
from sealcam_hub.backup import Report, write_backup
from sealcam_hub.backup_file import check_backup, open_backup
from sealcam_hub.cli import main
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.expulsion import expel
from sealcam_hub.folder import Folder
from sealcam_hub.fullcopy import restore, write_copy
from sealcam_hub.home import Home, open_home
from sealcam_hub.inbox import Message
from sealcam_hub.keys import table_keys
from sealcam_hub.outcome import What
from sealcam_hub.rebuild import Rebuilder
from sealcam_hub.receive import Receiver
from sealcam_hub.recovery_commands import Waiting, next_number, other_hubs, recovered
from tests.hubs import BROKER, JPEG, WALL_NS, Camera, csr


class Lost:
    """A home whose hub will be lost: its owner, and a camera."""

    def __init__(self, path: Path) -> None:
        words: list[str] = []
        self.path = path
        self.folder = Folder(path / "old")
        setup.make_hub(self.folder, BROKER, words.append)
        self.owner: OwnerKeys = setup.owner_keys(words[0])
        self.camera = Camera()
        self.backup_file = path / "backup"

    @contextmanager
    def home(self) -> Iterator[Home]:
        with open_home(self.folder, SimulatedClock(wall_ns=WALL_NS)) as home:
            yield home

    def backup(self) -> Report:
        with self.home() as home:
            return write_backup(home.store, home.keys, home.clock, self.backup_file)

    @contextmanager
    def anew(self, *, backup: bool = True, name: str = "new") -> Iterator[Home]:
        """A new hub, the words typed, what is in the backup taken in, and the recovery key still in memory."""
        folder, clock = Folder(self.path / name), SimulatedClock(wall_ns=WALL_NS + 10**12)
        opened = open_backup(self.backup_file, self.owner.root.public) if backup else None
        if not folder.exists:
            setup.found(folder, BROKER, self.owner, next_number(clock, opened), other_hubs(opened))
        with open_home(folder, clock) as home:
            recovered(home, self.owner, opened)
            yield home


@pytest.fixture
def lost(tmp_path: Path) -> Lost:
    made = Lost(tmp_path)
    with made.home() as home:
        made.camera.claim(home)
    return made


def take(home: Home, camera: Camera, *mail: bytes) -> list[What]:
    receiver = Receiver(home.store, home.keys, home.clock)
    now_ns = home.clock.wall_ns()
    return [one.what for one in receiver.take_all([Message(camera.alias, m, now_ns + n) for n, m in enumerate(mail)])]


def lines(home: Home) -> list[tuple[int, str]]:
    return [(one.seq, one.type) for one in home.ledger().lines(limit=1000)]


def waiting(home: Home) -> dict[str, str]:
    with home.store.reading() as connection:
        return recovery.waiting(connection)


def test_a_backup_brings_back_what_was_seen_through_the_words_alone(lost: Lost) -> None:
    camera = lost.camera
    with lost.home() as home:
        assert set(take(home, camera, camera.incident(1), camera.incident(1, Stage.END, JPEG))) == {What.APPENDED}
        before = [(one.seq, one.hash, one.arrived_ns, one.report) for one in home.ledger().lines()]
    report = lost.backup()
    assert (report.cameras, report.events) == (1, 2)
    assert stat.S_IMODE(lost.backup_file.stat().st_mode) == 0o600
    with lost.anew() as home:
        assert [(one.seq, one.hash, one.arrived_ns, one.report) for one in home.ledger().lines()] == before
        (incident,) = home.ledger().incidents()
        assert home.ledger().thumbnail(incident.id) == JPEG
        assert home.keys.set_number > 1
    with open_home(Folder(lost.path / "new")) as home:  # without the words: the key table is the new hub's own
        assert [(one.seq, one.type) for one in home.ledger().lines()] == [(1, "incident"), (2, "incident")]


def test_no_words_are_asked_for_a_backup_that_cannot_be_read(lost: Lost, capsys: pytest.CaptureFixture[str]) -> None:
    (lost.path / "no-tar").write_text("mine")
    for name in ("none", "no-tar"):
        assert main(["--state", str(lost.path / "new"), "recover", "--from", str(lost.path / name)]) == 1
        told = capsys.readouterr().err
        assert f"{lost.path / name} can't be read" in told
        assert "hint: " in told
    lost.backup()
    check_backup(lost.backup_file)


def test_no_key_of_the_lost_hub_and_no_word_is_in_a_backup(lost: Lost) -> None:
    camera = lost.camera
    with lost.home() as home:
        sent = camera.incident(1)
        take(home, camera, sent)
        with home.store.reading() as connection:
            wrapped = list(connection.execute(select(tables.content_keys.c.wrapped)).scalars())
            prekeys = list(connection.execute(select(tables.prekeys.c.wrapped)).scalars())
        secrets = [home.keys.table.unwrap(one) for one in wrapped + prekeys]
        secrets += [home.keys.operating.seed, *table_keys(home.folder).values(), *wrapped, *prekeys]
    lost.backup()
    data = lost.backup_file.read_bytes()
    assert sent in data
    for one in (*secrets, lost.owner.root.seed, lost.owner.recovery.secret):
        assert one not in data
        assert one.hex().encode() not in data


def test_a_backup_of_another_owner_or_with_any_byte_changed_is_refused(lost: Lost) -> None:
    camera = lost.camera
    with lost.home() as home:
        take(home, camera, *(camera.incident(n) for n in range(1, 4)))
    lost.backup()
    stranger = setup.owner_keys(setup.new_words())
    with pytest.raises(StorageError, match="refused"):
        open_backup(lost.backup_file, stranger.root.public)
    good = lost.backup_file.read_bytes()

    def read_all() -> int:
        backup = open_backup(lost.backup_file, lost.owner.root.public)
        return sum(1 for _ in backup.events()) + sum(1 for _ in backup.audit())

    whole = read_all()
    with tarfile.open(lost.backup_file) as tar:
        inside = {entry.name: (entry.offset_data, entry.size) for entry in tar}
    for start, size in inside.values():
        for at in range(start, start + size, max(1, size // 40)):
            changed = bytearray(good)
            changed[at] ^= 1
            lost.backup_file.write_bytes(changed)
            with pytest.raises(StorageError):
                read_all()
    for cut in (0, 511, 512, len(good) // 2, inside["signature"][0] + 10):
        lost.backup_file.write_bytes(good[:cut])
        with pytest.raises(StorageError):
            read_all()
    lost.backup_file.write_bytes(good)
    assert read_all() == whole


def test_what_the_camera_still_has_queued_opens_with_the_words_and_is_receipted(lost: Lost) -> None:
    camera = lost.camera
    with lost.home() as home:
        take(home, camera, camera.incident(1))
    lost.backup()
    queued = [camera.incident(2, picture=JPEG), camera.health()]  # sealed to the lost hub's prekey and to the words
    with lost.anew() as home:
        camera.claim(home)
        assert take(home, camera, *queued) == [What.APPENDED] * 2
        assert waiting(home) == {camera.alias: "Door"}
        assert take(home, camera, camera.incident(3), camera.beat(queued=1)) == [What.APPENDED, What.BEAT]
        assert waiting(home)
        camera.restart(b"d" * 16)
        assert take(home, camera, camera.beat()) == [What.BEAT]
        assert waiting(home) == {}
        assert lines(home) == [(1, "incident"), (2, "incident"), (3, "health"), (4, "incident")]


def test_without_the_words_in_memory_the_backlog_stays_closed_and_stays_queued(lost: Lost) -> None:
    camera = lost.camera
    lost.backup()
    queued = camera.incident(1)
    with lost.anew() as home:
        camera.claim(home)
        home.keys.recovery = None
        assert take(home, camera, queued) == [What.REFUSED]
        home.keys.recovery = lost.owner.recovery
        assert take(home, camera, queued) == [What.APPENDED]


def test_events_that_the_lost_hub_had_and_no_backup_has_are_bridged_and_told(lost: Lost) -> None:
    camera = lost.camera
    with lost.home() as home:
        take(home, camera, camera.incident(1))
    lost.backup()
    with lost.home() as home:
        take(home, camera, camera.incident(2), camera.incident(3))  # receipted, and then the hub is lost
    queued = camera.incident(4)
    with lost.anew() as home:
        camera.claim(home)
        assert take(home, camera, queued) == [What.PARKED]
        assert take(home, camera, camera.beat(), camera.incident(5)) == [What.BEAT, What.APPENDED]
        assert lines(home) == [(1, "incident"), (2, "notice"), (4, "incident"), (5, "incident")]
        told = next(one for one in home.ledger().lines() if one.type == "notice")
        assert "2 events have not arrived (2 to 3)" in told.text[0]


def test_without_any_backup_the_chain_begins_with_what_is_still_there(lost: Lost) -> None:
    camera = lost.camera
    with lost.home() as home:
        take(home, camera, *(camera.incident(n) for n in range(1, 6)))
    queued = camera.incident(6)
    with lost.anew(backup=False) as home:
        item = ClaimRequest(
            epoch=1, public=camera.signer.public, command=camera.command.public, csr=csr(camera.tls), prekey=1
        )
        camera.request = lambda: statement.claim_request(camera.signer, item)  # type: ignore[method-assign]
        camera.claim(home, "Front")
        assert camera.prekey.number == 2  # above every number that the camera ever took
        assert take(home, camera, queued, camera.beat(), camera.incident(7)) == [What.PARKED, What.BEAT, What.APPENDED]
        assert lines(home)[-2:] == [(6, "incident"), (7, "incident")]
        assert waiting(home) == {}


def test_progress_is_told_camera_by_camera_until_the_last_one_is_through(
    lost: Lost, capsys: pytest.CaptureFixture[str]
) -> None:
    camera, second = lost.camera, Camera()
    with lost.home() as home:
        second.claim(home, "Yard")
        take(home, camera, camera.incident(1))
    lost.backup()
    with lost.anew() as home:
        capsys.readouterr()
        waits = Waiting(home)
        assert waits.look()
        assert capsys.readouterr().out == "Door: not heard yet\nYard: not heard yet\n"
        camera.claim(home, "Door")
        take(home, camera, camera.beat(queued=3))
        assert waits.look()
        assert capsys.readouterr().out == "Door: 1 events, 3 queued there\n"
        second.claim(home, "Yard")
        take(home, second, second.beat())
        assert waits.look()
        camera.restart(b"d" * 16)
        take(home, camera, camera.beat())
        assert not waits.look()
        assert waits.done
        assert capsys.readouterr().out == "Yard: through\nDoor: through\n"


def test_a_deleted_event_comes_back_as_a_place_in_the_chain_and_nothing_else(lost: Lost) -> None:
    camera = lost.camera
    with lost.home() as home:
        take(home, camera, camera.incident(1), camera.incident(2), camera.incident(2, Stage.END), camera.incident(3))
        with home.store.reading() as connection:
            doomed = deletion.named(connection, ["00" * 7 + "02"])
        deletion.Deleter(home.folder, home.store, home.keys, home.clock).delete(doomed)
    lost.backup()
    with lost.anew() as home:
        assert lines(home) == [(1, "incident"), (2, "deleted"), (3, "deleted"), (4, "incident")]
        assert len(home.ledger().incidents()) == 2


def test_keys_that_a_camera_handed_over_come_back_with_its_chain(lost: Lost) -> None:
    camera = lost.camera
    with lost.home() as home:
        receiver = Receiver(home.store, home.keys, home.clock)
        rotation = receiver._rotation(receiver.standings()[0].camera)
        first = [camera.incident(1), camera.hand_over(rotation), camera.incident(2)]
        assert take(home, camera, *first) == [What.APPENDED] * 3
    lost.backup()
    queued = camera.incident(3)
    with lost.anew() as home:
        assert [one.seq for one in home.ledger().lines()] == [1, 2, 3]
        camera.claim(home)
        assert camera.answer.camera == camera.kid
        assert take(home, camera, queued) == [What.APPENDED]


def test_a_hand_over_that_no_backup_has_is_believed_when_the_owner_says_it_is_the_same_camera(lost: Lost) -> None:
    camera = lost.camera
    with lost.home() as home:
        take(home, camera, camera.incident(1))
    lost.backup()
    with lost.home() as home:
        receiver = Receiver(home.store, home.keys, home.clock)
        take(home, camera, camera.hand_over(receiver._rotation(receiver.standings()[0].camera)))
    queued = camera.incident(2)
    with lost.anew() as home:
        with pytest.raises(ConfigError, match="another camera"):
            home.enroller().answer(camera.request(), "Door")
        with pytest.raises(ConfigError, match="waits to be recovered"):
            home.enroller().answer(camera.request(), "Yard", same=True)
        alias = camera.alias
        camera.claim(home, "Door", same=True)
        assert (camera.alias, camera.answer.camera) == (alias, camera.kid)
        assert take(home, camera, queued, camera.beat(), camera.incident(3))[1:] == [What.BEAT, What.APPENDED]
        assert [one for one in lines(home) if one[1] == "incident"] == [
            (1, "incident"),
            (3, "incident"),
            (4, "incident"),
        ]
    stranger = Camera()
    with lost.anew(name="new") as home, pytest.raises(ConfigError, match="waits to be recovered"):
        home.enroller().answer(stranger.request(), "Door", same=True)


def test_an_expelled_camera_stays_expelled_and_what_it_said_before_stays(lost: Lost) -> None:
    camera = lost.camera
    with lost.home() as home:
        take(home, camera, camera.incident(1))
        with home.store.writing() as connection:
            expel(connection, camera.alias)
    lost.backup()
    with lost.anew() as home:
        assert lines(home) == [(1, "incident")]
        assert waiting(home) == {}
        assert take(home, camera, camera.incident(2)) == [What.REFUSED]
        with pytest.raises(ConfigError, match="expelled"):
            home.enroller().answer(camera.request(), "Door")


def test_an_interrupted_recovery_goes_on_where_it_was(lost: Lost) -> None:
    class Crash(Exception):
        pass

    camera = lost.camera
    with lost.home() as home:
        take(home, camera, *(camera.incident(n) for n in range(1, 300)))
    lost.backup()
    backup = open_backup(lost.backup_file, lost.owner.root.public)

    def crash(done: int, _all: int) -> None:
        if done:
            raise Crash

    with lost.anew(backup=False) as home, pytest.raises(Crash):
        Rebuilder(home.store, home.keys, home.clock).rebuild(backup, crash)
    with lost.anew() as home:
        assert [seq for seq, _ in lines(home)] == list(range(1, 300))
        with home.store.reading() as connection:
            recovered_in_log = connection.execute(select(tables.audit.c.number)).scalars().all()
        assert list(recovered_in_log) == list(range(1, len(recovered_in_log) + 1))


def test_other_words_do_not_take_over_a_hub(lost: Lost) -> None:
    stranger = setup.owner_keys(setup.new_words())
    with lost.home() as home, pytest.raises(ConfigError, match="another owner"):
        recovered(home, stranger, None)


def test_the_new_set_is_above_every_one_that_a_camera_may_hold() -> None:
    assert next_number(SimulatedClock(wall_ns=WALL_NS), None) == 1_800_000_000
    assert next_number(SimulatedClock(wall_ns=0), None, least=7) == 8


def test_the_words_open_a_recording_and_nothing_else_does(lost: Lost) -> None:
    camera = lost.camera
    with lost.home() as home:
        recording = camera.incident(1, picture=JPEG)
        take(home, camera, recording)
    opened = open_envelope(recording, camera.signer.public, [lost.owner.recovery])
    assert JPEG in opened.body
    with pytest.raises(EnvelopeError):
        open_envelope(recording, camera.signer.public, [BoxKey.generate()])


def test_a_full_copy_comes_back_with_its_keys_and_uses_no_prekey_number_twice(lost: Lost) -> None:
    camera, copy = lost.camera, lost.path / "copy"
    with lost.home() as home:
        take(home, camera, camera.incident(1))
        write_copy(home, copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    back = Folder(lost.path / "back")
    assert restore(back, copy) == 1
    with open_home(back, SimulatedClock(wall_ns=WALL_NS)) as home:
        assert lines(home) == [(1, "incident")]
        receiver = Receiver(home.store, home.keys, home.clock)
        ((alias, message),) = receiver.renew()
        assert alias == camera.alias
        camera.take_prekey(message)
        assert camera.prekey.number == 1 + (1 << 20)
        assert take(home, camera, camera.incident(2)) == [What.APPENDED]
        assert receiver.renew() == []
    with pytest.raises(ConfigError, match="already"):
        restore(back, copy)
    assert restore(back, None) == 1


def test_what_a_hub_receipted_after_its_full_copy_is_bridged_and_told_when_nothing_is_queued(lost: Lost) -> None:
    camera, copy = lost.camera, lost.path / "copy"
    with lost.home() as home:
        take(home, camera, camera.incident(1), camera.beat())
        write_copy(home, copy)
        assert take(home, camera, camera.incident(2), camera.incident(3)) == [What.APPENDED] * 2
    back = Folder(lost.path / "back")
    restore(back, copy)
    with open_home(back, SimulatedClock(wall_ns=WALL_NS)) as home:
        assert take(home, camera, camera.incident(4), camera.beat(queued=1)) == [What.PARKED, What.BEAT]
        assert take(home, camera, camera.beat(), camera.incident(5)) == [What.BEAT, What.APPENDED]
        assert lines(home) == [(1, "incident"), (2, "notice"), (4, "incident"), (5, "incident")]


def test_a_camera_that_handed_over_after_the_full_copy_is_believed_when_the_owner_says_so(lost: Lost) -> None:
    camera, copy = lost.camera, lost.path / "copy"
    with lost.home() as home:
        take(home, camera, camera.incident(1))
        write_copy(home, copy)
        receiver = Receiver(home.store, home.keys, home.clock)
        take(home, camera, camera.hand_over(receiver._rotation(receiver.standings()[0].camera)))
    back = Folder(lost.path / "back")
    restore(back, copy)
    with open_home(back, SimulatedClock(wall_ns=WALL_NS)) as home:
        camera.claim(home, "Door", same=True)
        assert take(home, camera, camera.incident(2), camera.beat()) == [What.PARKED, What.BEAT]
        assert [one for one in lines(home) if one[1] == "incident"] == [(1, "incident"), (3, "incident")]


def test_a_home_hub_that_lacks_what_it_receipted_goes_on_even_if_nobody_said_that_it_was_restored(
    lost: Lost,
) -> None:
    camera = lost.camera
    camera.incident(1)
    with lost.home() as home:
        assert take(home, camera, camera.incident(2), camera.beat(queued=1)) == [What.PARKED, What.BEAT]
        assert take(home, camera, camera.beat()) == [What.BEAT]
        assert lines(home) == [(1, "notice"), (2, "incident")]


def test_what_a_killed_copy_left_goes_with_the_next_command_and_never_while_a_copy_is_made(lost: Lost) -> None:
    left = lost.folder.path / "copy.killed"
    left.mkdir()
    (left / "ledger.db").write_bytes(b"a whole ledger")
    with lost.folder.only_one("delete"), lost.home():
        assert left.exists()
    with lost.home():
        assert not left.exists()


@pytest.mark.parametrize("size", [0, 100, 5000, -60000])
def test_a_full_copy_that_is_damaged_or_a_backup_without_keys_is_one_clear_error(lost: Lost, size: int) -> None:
    with lost.home() as home:
        write_copy(home, lost.path / "copy")
    whole = (lost.path / "copy").read_bytes()
    (lost.path / "copy").write_bytes(whole[:size])
    with pytest.raises((ConfigError, StorageError)):
        restore(Folder(lost.path / "back"), lost.path / "copy")
    lost.backup()
    with pytest.raises(ConfigError, match="no full copy"):
        restore(Folder(lost.path / "back"), lost.backup_file)
    assert not Folder(lost.path / "back").exists
