"""Locked files: whole or not there, unreadable on a copied card, and none taken for another."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from sealcam.lockedfile import LockedFile
from sealcam.wrapping import KEY_BYTES, Wrapping

OURS, OTHER = Wrapping(b"1" * KEY_BYTES), Wrapping(b"2" * KEY_BYTES)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "scene"
    LockedFile(path, b"SCENE..1", OURS).write(b"the door")
    assert LockedFile(path, b"SCENE..1", OURS).read() == b"the door"
    assert b"door" not in path.read_bytes()


def test_nothing_was_written_yet(tmp_path: Path) -> None:
    assert LockedFile(tmp_path / "scene", b"SCENE..1", OURS).read() is None


@pytest.mark.parametrize("at", [0, 7, 8, 40, -1])
def test_a_changed_file_is_forgotten_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture, at: int) -> None:
    path = tmp_path / "scene"
    file = LockedFile(path, b"SCENE..1", OURS)
    file.write(b"the door")
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        assert file.read() is None
    assert "is forgotten" in caplog.text


def test_another_units_lock_and_another_kind_of_file_open_nothing(tmp_path: Path) -> None:
    path = tmp_path / "scene"
    LockedFile(path, b"SCENE..1", OURS).write(b"the door")
    assert LockedFile(path, b"SCENE..1", OTHER).read() is None
    assert LockedFile(path, b"MEMORY.1", OURS).read() is None
    path.write_bytes(b"MEMORY.1" + path.read_bytes()[8:])  # one file put in the other's place, by a thief
    assert LockedFile(path, b"MEMORY.1", OURS).read() is None


def test_an_erased_file_is_gone(tmp_path: Path) -> None:
    file = LockedFile(tmp_path / "scene", b"SCENE..1", OURS)
    file.write(b"the door")
    file.erase()
    file.erase()
    assert file.read() is None
    assert list(tmp_path.iterdir()) == []
