"""Two files: what one loses the other has, and what both lose is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealcam.twofiles import TwoFiles
from sealcam.wire.errors import StorageError
from sealcam.wrapping import KEY_BYTES, Wrapping

OURS, OTHER = Wrapping(b"1" * KEY_BYTES), Wrapping(b"2" * KEY_BYTES)


def _files(folder: Path, wrapping: Wrapping = OURS) -> TwoFiles:
    return TwoFiles(folder / "scene", b"SCENE..1", wrapping)


def _read(folder: Path) -> tuple[bytes | None, bool]:
    files = _files(folder)
    return files.read(lambda data: data), files.restored


def test_nothing_was_written_yet(tmp_path: Path) -> None:
    assert not _files(tmp_path).there
    assert _read(tmp_path) == (None, False)


def test_a_damaged_or_missing_file_is_written_again_from_its_copy(tmp_path: Path) -> None:
    _files(tmp_path).write(b"the door")
    (tmp_path / "scene").write_bytes(b"rubbish")
    assert _read(tmp_path) == (b"the door", True)
    assert _read(tmp_path) == (b"the door", False)
    (tmp_path / "scene").unlink()
    assert _read(tmp_path) == (b"the door", True)


def test_a_file_of_another_lock_is_read_from_its_copy(tmp_path: Path) -> None:
    _files(tmp_path).write(b"the door")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    _files(foreign, OTHER).write(b"no door")
    (tmp_path / "scene").write_bytes((foreign / "scene").read_bytes())
    assert _read(tmp_path) == (b"the door", True)


def test_a_copy_that_is_missing_damaged_or_old_is_written_again(tmp_path: Path) -> None:
    _files(tmp_path).write(b"the window")
    old = (tmp_path / "scene.before").read_bytes()
    _files(tmp_path).write(b"the door")
    for content in (None, b"rubbish", old):
        (tmp_path / "scene.before").unlink()
        if content is not None:
            (tmp_path / "scene.before").write_bytes(content)
        assert _read(tmp_path) == (b"the door", False)
        (tmp_path / "scene").unlink()
        assert _read(tmp_path) == (b"the door", True)


def test_what_can_not_be_understood_is_as_good_as_damaged(tmp_path: Path) -> None:
    _files(tmp_path).write(b"the door")
    files = _files(tmp_path)
    assert files.read(lambda _: None) is None
    assert files.there


def test_a_write_stands_without_a_place_for_the_copy_and_not_without_one_for_the_file(tmp_path: Path) -> None:
    (tmp_path / "scene.before").mkdir()
    _files(tmp_path).write(b"the door")
    (tmp_path / "scene.before").rmdir()
    assert _read(tmp_path) == (b"the door", False)
    (tmp_path / "scene").unlink()
    (tmp_path / "scene").mkdir()
    with pytest.raises(StorageError):
        _files(tmp_path).write(b"the door")
