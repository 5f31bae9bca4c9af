"""What is kept of the console's passphrase, and the command that sets it."""

from __future__ import annotations

from pathlib import Path

import nacl.pwhash.argon2id as argon2id
import pytest

from sealcam.wire.errors import ConfigError, StorageError
from sealcam_hub.backup import write_backup
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.folder import Folder
from sealcam_hub.fullcopy import write_copy
from sealcam_hub.home import open_home
from sealcam_hub.passphrase import FEWEST, MEMORY_BYTES, MOST, PASSES, Passphrase, TooShort, check
from sealcam_hub.passphrase_commands import typed_twice
from sealcam_hub.tty import ScriptedTerminal
from tests.hubs import WALL_NS, make

WORDS = "Vier Wörter für die Tür"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "hub")
    made.create()
    return made


def test_it_is_told_from_any_other_and_kept_as_argon2id_for_the_owner_alone(folder: Folder) -> None:
    kept = Passphrase(folder)
    assert kept.mark() is None
    kept.choose(WORDS)
    assert kept.matches(WORDS)
    assert not kept.matches(WORDS.lower())
    assert not kept.matches("")
    file = folder.path / "keys" / "passphrase"
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    assert text.startswith(f"$argon2id$v=19$m={MEMORY_BYTES >> 10},t={PASSES},p=1$")
    assert WORDS not in text


def test_it_is_the_same_however_a_keyboard_writes_it(folder: Folder) -> None:
    kept = Passphrase(folder)
    kept.choose("  Vier Wo\u0308rter fu\u0308r die Tu\u0308r ")
    assert kept.matches(WORDS)
    assert kept.matches(f"{WORDS}\u00a0")


def test_another_one_has_another_mark_even_if_it_is_the_same(folder: Folder) -> None:
    kept = Passphrase(folder)
    marks = []
    for _ in range(2):
        kept.choose(WORDS)
        marks.append(Passphrase(folder).mark())
    assert marks[0] != marks[1]


@pytest.mark.parametrize("typed", ["", " " * 40, "x" * (FEWEST - 1), f" {'x' * (FEWEST - 1)} ", "x" * (MOST + 1)])
def test_its_length_alone_is_judged(folder: Folder, typed: str) -> None:
    with pytest.raises(TooShort):
        Passphrase(folder).choose(typed)
    assert Passphrase(folder).mark() is None
    check("x" * FEWEST)
    check("é" * MOST)


@pytest.mark.parametrize("content", [b"", b"something", b"$2b$12$abc"])
def test_what_is_damaged_opens_nothing_and_says_what_to_do(folder: Folder, content: bytes) -> None:
    (folder.path / "keys" / "passphrase").write_bytes(content)
    assert Passphrase(folder).mark() is not None, "damaged is not as good as none"
    with pytest.raises(StorageError) as caught:
        Passphrase(folder).matches(WORDS)
    assert "sealcam-hub passphrase" in (caught.value.hint or "")


def test_a_string_that_was_cut_matches_nothing(folder: Folder) -> None:
    kept = argon2id.str(WORDS.encode(), PASSES, MEMORY_BYTES)
    (folder.path / "keys" / "passphrase").write_bytes(kept[:-8])
    assert not Passphrase(folder).matches(WORDS)


def test_at_the_terminal_it_is_typed_twice_and_not_shown() -> None:
    terminal = ScriptedTerminal([WORDS, WORDS])
    assert typed_twice(terminal) == WORDS
    assert WORDS not in terminal.shown
    with pytest.raises(ConfigError, match="two different ways"):
        typed_twice(ScriptedTerminal([WORDS, WORDS + "x"]))
    with pytest.raises(TooShort):
        typed_twice(ScriptedTerminal(["short"]))


def test_a_full_copy_takes_it_along_and_a_backup_does_not(tmp_path: Path) -> None:
    folder = make(tmp_path / "hub")
    Passphrase(folder).choose(WORDS)
    kept = (folder.path / "keys" / "passphrase").read_bytes()
    with open_home(folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        write_copy(home, tmp_path / "copy")
        write_backup(home.store, home.keys, home.clock, tmp_path / "backup")
    assert kept in (tmp_path / "copy").read_bytes()
    assert kept not in (tmp_path / "backup").read_bytes()
