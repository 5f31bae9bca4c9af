"""One sealed file that is a whole hub: it comes back with its keys and every part's files, by the words alone."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from sealcam.wire.errors import ConfigError, SealcamError
from sealcam.wire.keys import OwnerKeys
from sealcam_hub import setup
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.folder import Folder
from sealcam_hub.fullcopy import restore, write_copy
from sealcam_hub.home import open_home
from sealcam_hub.keys import table_keys
from sealcam_hub.wholefile import is_sealed, restore_whole, write_whole
from tests import typing_person
from tests.hubs import BROKER, WALL_NS, Camera

HUB = Path(sys.executable).with_name("sealcam-hub")
FILES = {"offsite.toml": b"a secret key", "parts/deeper/set": b"of another part", "keys/passphrase": b"hashed"}


class Whole:
    """A hub with a camera and files of other parts, and its copy."""

    def __init__(self, path: Path) -> None:
        words: list[str] = []
        self.folder, self.file, self.back = Folder(path / "hub"), path / "whole", Folder(path / "back")
        setup.make_hub(self.folder, BROKER, words.append)
        self.words = words[0]
        self.owner: OwnerKeys = setup.owner_keys(self.words)
        for name, data in FILES.items():
            (self.folder.path / name).parent.mkdir(exist_ok=True, parents=True)
            self.folder.write(name, data)
        (self.folder.path / "clips").mkdir()
        self.folder.write("clips/" + "0" * 32 + ".scl1", b"a clip is not in a copy")
        with open_home(self.folder, SimulatedClock(wall_ns=WALL_NS)) as home:
            Camera().claim(home)

    def write(self) -> None:
        with open_home(self.folder, SimulatedClock(wall_ns=WALL_NS)) as home:
            write_whole(home, self.file)


@pytest.fixture
def made(tmp_path: Path) -> Whole:
    return Whole(tmp_path)


def test_it_comes_back_whole_with_the_words(made: Whole) -> None:
    made.write()
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert is_sealed(made.file)
    assert restore_whole(made.back, made.file, made.owner) == 1
    assert table_keys(made.back) == table_keys(made.folder)
    for name, data in FILES.items():
        assert made.back.read(name) == data
    assert not made.back.clips.exists()
    for path in made.back.path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    with open_home(made.back) as home:
        assert [one.name for one in home.ledger().cameras()] == ["Door"]
    with pytest.raises(ConfigError, match="already"):
        restore_whole(made.back, made.file, made.owner)


def test_an_open_copy_has_every_parts_files_as_well(made: Whole) -> None:
    with open_home(made.folder, SimulatedClock(wall_ns=WALL_NS)) as home:
        write_copy(home, made.file)
    assert not is_sealed(made.file)
    assert restore(made.back, made.file) == 1
    assert {name: made.back.read(name) for name in FILES} == FILES


def test_nothing_of_it_can_be_read_in_the_file(made: Whole) -> None:
    made.write()
    data = made.file.read_bytes()
    for secret in (*FILES.values(), *table_keys(made.folder).values(), b"Door", b"hub.toml", b"SQLite"):
        assert secret not in data


def test_other_words_a_changed_byte_and_a_cut_are_refused_and_make_no_hub(made: Whole) -> None:
    made.write()
    with pytest.raises(ConfigError, match="refused"):
        restore_whole(made.back, made.file, setup.owner_keys(setup.new_words()))
    whole = made.file.read_bytes()
    for at in range(0, len(whole), len(whole) // 30):
        made.file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(ConfigError, match="refused"):
            restore_whole(made.back, made.file, made.owner)
        made.file.write_bytes(whole[:at])
        with pytest.raises(SealcamError):
            restore_whole(made.back, made.file, made.owner)
    assert not made.back.exists


def test_at_the_command_line(made: Whole) -> None:
    done = typing_person.run([HUB, "--state", made.folder.path, "backup", "--whole", "-o", made.file])
    assert (done.code, done.error) == (0, "")
    typed = [("word  1 of 24: ", made.words)]
    done = typing_person.run([HUB, "--state", made.back.path, "restore", made.file], typed)
    assert (done.code, done.error) == (0, "")
    assert "its 1 cameras get new keys" in done.out
    done = typing_person.run([HUB, "--state", made.back.path, "restore", made.file])  # no words are typed for nothing
    assert (done.code, done.shown) == (2, "")
    assert "there is a hub" in done.error
    done = typing_person.run([HUB, "--state", made.folder.path, "backup", "--whole", "--with-keys", "-o", "x"])
    assert done.code == 2
