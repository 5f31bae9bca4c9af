"""The hub's audit log: written with what it tells of, checked before it is shown, exported and pinned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from sealcam.wire import statement
from sealcam.wire.audit import NO_ENTRY, Head, entry_hash, pin_text, verify_log
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import SigningKey
from sealcam.wire.sealed import envelope_hash
from sealcam.wire.statement_kinds import Action, HubCertificate, LogEntry
from sealcam_hub import audit, setup, tables
from sealcam_hub.audit_source import AuditSource
from sealcam_hub.cli import main
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.folder import Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.inbox import Message
from sealcam_hub.receive import Receiver
from tests.hubs import BROKER, JPEG, WALL_NS, Camera, make


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return make(tmp_path / "hub")


@pytest.fixture
def home(folder: Folder) -> Iterator[Home]:
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        yield home


def note(home: Home, count: int = 1) -> None:
    for number in range(count):
        with home.store.writing() as connection:
            audit.append(connection, home.keys, WALL_NS + number, Action.OPENED, "owner", f"picture {number}")


def hub(folder: Folder, *words: str) -> int:
    return main(["--state", str(folder.path), *words])


def stored(home: Home) -> list[bytes]:
    with home.store.reading() as connection:
        return list(audit.entries(connection))


def test_entries_are_chained_from_number_one(home: Home) -> None:
    with home.store.reading() as connection:
        assert audit.head(connection) == NO_ENTRY
    note(home, 3)
    log = verify_log(stored(home), [home.keys.operating.public])
    assert [(one.number, one.detail) for one in log.entries] == [(1, "picture 0"), (2, "picture 1"), (3, "picture 2")]
    with home.store.reading() as connection:
        assert audit.head(connection) == log.head


def test_an_entry_goes_with_the_transaction_it_tells_of(home: Home) -> None:
    def fails() -> None:
        with home.store.writing() as connection:
            audit.append(connection, home.keys, WALL_NS, Action.DELETED, "owner", "an incident")
            raise RuntimeError("no")

    note(home)
    with pytest.raises(RuntimeError, match="no"):
        fails()
    note(home)
    assert len(verify_log(stored(home), [home.keys.operating.public]).entries) == 2


def test_long_words_are_cut_and_not_lost(home: Home) -> None:
    with home.store.writing() as connection:
        audit.append(connection, home.keys, WALL_NS, Action.SHARED, "€" * 500, "€" * 5000, b"c" * 16, b"r" * 32)
    entry = verify_log(stored(home), [home.keys.operating.public]).entries[0]
    assert (entry.actor, entry.detail) == ("€" * 64, "€" * 1000)
    assert (entry.subject, entry.recipient) == (b"c" * 16, b"r" * 32)


def test_a_thousand_entries_are_read_in_pages(home: Home) -> None:
    with home.store.writing() as connection:
        for number in range(audit.PAGE + 5):
            audit.append(connection, home.keys, WALL_NS + number, Action.OPENED, "owner", "")
    with home.store.reading() as connection:
        assert len(list(audit.entries(connection))) == audit.PAGE + 5
        assert len(list(audit.entries(connection, after=audit.PAGE))) == 5


def test_the_signers_certificates_are_kept_beside_their_entries(home: Home) -> None:
    note(home, 2)
    with home.store.reading() as connection:
        signed = audit.certificates(connection, home.keys)
    assert signed == (home.keys.certificate,)
    assert audit.hubs(home.keys.root_public, signed) == (home.keys.operating.public,)
    with pytest.raises(EnvelopeError):
        audit.hubs(home.keys.operating.public, signed)


def test_the_log_is_listed_for_people_and_for_programs(
    home: Home, folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    with home.store.writing() as connection:
        audit.append(connection, home.keys, WALL_NS, Action.SHARED, "owner", "for \x1b[31mme", b"c" * 16, b"r" * 32)
    note(home)
    assert hub(folder, "audit") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "owner    shared     for �[31mme  [" + "63" * 16 + "]" in lines[0]
    assert hub(folder, "audit", "--json") == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["number"], first["action"], first["recipient"]) == (1, "shared", "72" * 32)
    assert second["subject"] is None
    assert [first["hash"], second["hash"]] == [entry_hash(one).hex() for one in stored(home)]


def test_an_empty_log_holds(home: Home, folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub(folder, "audit") == 0
    assert capsys.readouterr().out == "the log has no entries yet\n"
    assert hub(folder, "audit", "--verify") == 0
    assert capsys.readouterr().out.startswith("the log holds: 0 entries")


@pytest.mark.parametrize("what", ["changed", "missing"])
def test_one_line_that_was_changed_or_taken_out_is_refused(
    home: Home, folder: Folder, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    note(home, 5)
    third = tables.audit.c.number == 3
    with home.store.writing() as connection:
        if what == "missing":
            connection.execute(delete(tables.audit).where(third))
        else:
            entry = connection.execute(select(tables.audit.c.entry).where(third)).scalar_one()
            changed = entry.replace(b"picture 2", b"picture 9")
            connection.execute(update(tables.audit).where(third).values(entry=changed))
    for words in (["audit"], ["audit", "--verify"], ["audit", "--json"]):
        assert hub(folder, *words) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert "error: the audit log doesn't hold: an entry was changed, is missing" in said.err
        assert "hint: " in said.err


def test_a_pin_is_made_moves_on_and_never_back(home: Home, folder: Folder, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    note(home, 2)
    assert hub(folder, "audit", "--verify", "--pin", str(pin)) == 0
    two = pin.read_text()
    assert two == f"2:{entry_hash(stored(home)[1]).hex()}\n"
    note(home, 2)
    assert hub(folder, "audit", "--verify", "--pin", str(pin)) == 0
    four = pin.read_text()
    assert four.startswith("4:")
    with home.store.writing() as connection:  # the hub forgets what it did
        connection.execute(delete(tables.audit).where(tables.audit.c.number > 3))
    assert hub(folder, "audit", "--verify") == 0  # nobody could know
    assert hub(folder, "audit", "--verify", "--pin", str(pin)) == 1
    assert pin.read_text() == four
    note(home, 2)  # and does other things instead
    assert hub(folder, "audit", "--verify", "--pin", str(pin)) == 1
    assert pin.read_text() == four


def test_what_is_no_pin_is_misuse(folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pin = tmp_path / "pin"
    for text in ("", "four", "4:00", "²:" + "0" * 64):
        pin.write_text(text, encoding="utf-8")
        assert hub(folder, "audit", "--pin", str(pin)) == 2
        assert f"{pin} is no pin" in capsys.readouterr().err
        assert pin.read_text(encoding="utf-8") == text
    assert hub(folder, "audit", "--pin", str(tmp_path)) == 1


def test_an_exported_log_is_checked_without_a_hub(home: Home, folder: Folder, tmp_path: Path) -> None:
    note(home, 3)
    log, pin = tmp_path / "log.json", tmp_path / "pin"
    assert hub(folder, "audit", "--export", str(log)) == 0
    nowhere = Folder(tmp_path / "nowhere")
    fingerprint, public = home.keys.root_fingerprint, home.keys.root_public.hex()
    for root in (fingerprint, public, fingerprint.upper()):
        assert hub(nowhere, "audit", "--log", str(log), "--root", root, "--verify", "--pin", str(pin)) == 0
    assert pin.read_text().startswith("3:")
    assert hub(nowhere, "audit", "--log", str(log), "--root", "00" * 32) == 1
    assert hub(nowhere, "audit", "--log", str(log), "--root", "00") == 2
    assert hub(nowhere, "audit", "--log", str(log)) == 2
    assert hub(nowhere, "audit", "--log", str(tmp_path / "none"), "--root", fingerprint) == 2
    assert not nowhere.path.exists()


def test_a_changed_export_is_refused_whatever_was_changed(home: Home, folder: Folder, tmp_path: Path) -> None:
    note(home, 3)
    log = tmp_path / "log.json"
    assert hub(folder, "audit", "--export", str(log)) == 0
    whole = json.loads(log.read_text())

    def refused(**changed: object) -> None:
        log.write_text(json.dumps(whole | changed))
        assert hub(folder, "audit", "--log", str(log), "--root", home.keys.root_fingerprint, "--verify") == 1

    entries = whole["entries"]
    refused(entries=[entries[0], entries[2]])
    refused(entries=entries[1:])
    refused(entries=[entries[1], entries[0], entries[2]])
    refused(entries=[*entries, entries[2]])
    refused(entries=[*entries[:2], entries[2][:-2] + "ff"])
    refused(entries="x", hub_certificates=[])
    refused(hub_certificates=[])
    refused(hub_certificates=[entries[0]])
    refused(root=home.keys.operating.public.hex())
    refused(format="sealcam audit log 2")
    for text in ("", "[]", "{}", "[" * 100_000, "\xff"):
        log.write_text(text)
        assert hub(folder, "audit", "--log", str(log), "--root", home.keys.root_fingerprint) == 1


def test_enough_of_a_log_to_pin_is_one_line(home: Home) -> None:
    note(home)
    with home.store.reading() as connection:
        assert pin_text(audit.head(connection)).count(":") == 1


def test_two_processes_write_one_chain(home: Home, folder: Folder) -> None:
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as other:
        for _ in range(3):
            note(home)
            note(other, 2)
    log = verify_log(stored(home), [home.keys.operating.public])
    assert [one.number for one in log.entries] == list(range(1, 10))


def test_opening_a_picture_or_an_envelope_on_the_command_line_is_an_entry(
    home: Home, folder: Folder, tmp_path: Path
) -> None:
    camera = Camera()
    camera.claim(home, "Front door")
    envelope = camera.incident(7, picture=JPEG)
    Receiver(home.store, home.keys, home.clock).take_all([Message(camera.alias, envelope, WALL_NS)])
    file, picture = tmp_path / "envelope", tmp_path / "picture.jpg"
    file.write_bytes(envelope)
    assert hub(folder, "thumbnail", f"{7:016x}", "-o", str(picture)) == 0
    assert hub(folder, "thumbnail", f"{8:016x}", "-o", str(picture)) == 1
    assert hub(folder, "open", str(file)) == 0
    file.write_bytes(envelope[:-1])
    assert hub(folder, "open", str(file)) == 1
    told = [
        one for one in verify_log(stored(home), [home.keys.operating.public]).entries if one.action is Action.OPENED
    ]
    assert [one.subject for one in told] == [(7).to_bytes(8, "big"), envelope_hash(envelope)]
    assert told[1].detail == "an envelope in a file, of Front door"


def test_a_camera_that_is_taken_in_is_an_entry(home: Home) -> None:
    camera = Camera()
    camera.claim(home, "Front door")
    (entry,) = verify_log(stored(home), [home.keys.operating.public]).entries
    assert (entry.action, entry.subject) == (Action.ENROLLED, camera.signer.kid)


def test_after_a_recovery_the_log_goes_on_under_the_new_hub(tmp_path: Path) -> None:
    words: list[str] = []
    folder, former, pin = Folder(tmp_path / "hub"), SigningKey.generate(), tmp_path / "pin"
    setup.make_hub(folder, BROKER, words.append)
    certificate = statement.sign(setup.owner_keys(words[0]).root, HubCertificate(hub=former.public, number=1))
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        head = NO_ENTRY
        with home.store.writing() as connection:  # as a recovery puts them back
            for number in (1, 2):
                item = LogEntry(number=number, prev=head.hash, at_ns=1, actor="owner", action=Action.OPENED, detail="")
                signed = statement.sign(former, item)
                head = Head(number, entry_hash(signed))
                connection.execute(insert(tables.audit).values(number=number, hash=head.hash, entry=signed))
            name = f"hub-certificate/{former.kid.hex()}"
            connection.execute(insert(tables.values).values(name=name, value=certificate))
        pin.write_text(pin_text(head))
        note(home, 2)
        assert hub(folder, "audit", "--verify", "--pin", str(pin), "--export", str(tmp_path / "log")) == 0
        assert pin.read_text().startswith("4:")
        words = ["--log", str(tmp_path / "log"), "--root", home.keys.root_fingerprint]
        assert hub(Folder(tmp_path / "nowhere"), "audit", "--verify", *words) == 0
        page = AuditSource(home.store, home.keys, home.clock).newest(10)
        assert (page.holds, [one.number for one in page.entries]) == (True, [4, 3, 2, 1])
        with home.store.writing() as connection:
            connection.execute(delete(tables.values).where(tables.values.c.name == name))
        assert hub(folder, "audit", "--verify") == 1
