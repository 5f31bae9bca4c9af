"""The JavaScript opener's files: trouble is one clear error by the name that was given, and nothing is written over."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tests.opener import clear, find_node, open_clip, run
from tests.shared import share

UNREADABLE = {
    "nowhere": "can't be read: no such file or directory",
    "folder": "is a folder",
    "my.key/below": "can't be read: not a directory",
    "loop": "can't be read: too many symbolic links",
    "x" * 300: "can't be read: name too long",
}


@pytest.fixture
def node() -> str:
    return find_node()


@pytest.mark.parametrize("role", ["clip", "bundle", "key"])
@pytest.mark.parametrize("name", UNREADABLE, ids=lambda name: name[:12])
def test_what_cannot_be_read_is_one_clear_error(node: str, tmp_path: Path, role: str, name: str) -> None:
    shared = share(tmp_path, b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    path = tmp_path / name
    given = {
        "clip": replace(shared, clip=path),
        "bundle": replace(shared, bundle=path),
        "key": replace(shared, key=path),
    }
    assert clear(open_clip(node, given[role], tmp_path / "out"), 2, f"{path} {UNREADABLE[name]}")
    assert not (tmp_path / "out").exists()


def test_a_clip_is_read_from_a_file_alone(node: str, tmp_path: Path) -> None:
    shared = replace(share(tmp_path, b"x"), clip=tmp_path / "pipe")
    os.mkfifo(shared.clip)
    assert clear(open_clip(node, shared, tmp_path / "out"), 2, f"{shared.clip} isn't a file")


@pytest.mark.parametrize(
    ("key", "said"), [("/dev/zero", "is too large for a key"), ("/proc/self/mem", "can't be read: i/o error")]
)
def test_a_key_that_never_ends_or_fails_as_it_is_read(node: str, tmp_path: Path, key: str, said: str) -> None:
    shared = replace(share(tmp_path, b"x"), key=Path(key))
    assert clear(open_clip(node, shared, tmp_path / "out"), 2, f"{key} {said}")


def test_a_folder_is_no_event_and_no_key_of_one(node: str, tmp_path: Path) -> None:
    key = share(tmp_path, b"x").key
    for file, held in ((tmp_path, key), (key, tmp_path)):
        ran = run(node, "event", file, "--key", held, "--signer", "00" * 32)
        assert clear(ran, 2, f"{tmp_path} is a folder")


def test_an_empty_name_is_misuse(node: str, tmp_path: Path) -> None:
    shared = share(tmp_path, b"x")
    given = {"--grant": shared.bundle, "--key": shared.key, "--root": shared.root, "--output": tmp_path / "out"}
    for option in given:
        words = [word for pair in {**given, option: ""}.items() for word in pair]
        assert clear(run(node, "clip", shared.clip, *words), 2, f"{option} is empty")
    words = [word for pair in given.items() for word in pair]
    assert clear(run(node, "clip", "", *words), 2, "the file has no name")


def test_nothing_is_overwritten(node: str, tmp_path: Path) -> None:
    shared = share(tmp_path, b"content")
    made = {"file": "is there already\n", "folder": "is a folder\n"}
    made |= dict.fromkeys(("link", "dangling", "pipe"), "is there already, and isn't a file\n")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    before = {path.name: path.lstat().st_ino for path in tmp_path.iterdir()}
    for name, said in made.items():
        assert clear(open_clip(node, shared, tmp_path / name), 1, f"{tmp_path / name} {said}")
        assert clear(run(node, "key", "-o", tmp_path / name), 1, f"{tmp_path / name} {said}")
    assert {path.name: path.lstat().st_ino for path in tmp_path.iterdir()} == before
    assert (tmp_path / "file").read_text() == "mine"


def test_nothing_beside_the_output_is_overwritten(node: str, tmp_path: Path) -> None:
    shared = share(tmp_path, b"content")
    for name in ("out.grant", "out.part", "out.grant.part"):
        kept = shared.bundle.rename(tmp_path / name)
        ran = open_clip(node, replace(shared, bundle=kept), tmp_path / "out")
        assert clear(ran, 1, f"{kept} is there already\n")
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "clip.scl1", "my.key"])
        kept.rename(shared.bundle)


def test_what_an_older_opening_left_is_no_hindrance(node: str, tmp_path: Path) -> None:
    shared, output = share(tmp_path, b"content"), tmp_path / "out"
    for _ in range(2):
        assert open_clip(node, shared, output).returncode == 0
        output.unlink()


def test_an_output_that_cannot_be_written_is_named_as_it_was_given(node: str, tmp_path: Path) -> None:
    shared, output = share(tmp_path, b"content"), tmp_path / "nowhere" / "out"
    said = f"{output} can't be written: no such file or directory\n"
    assert clear(open_clip(node, shared, output), 1, said)
    assert clear(run(node, "key", "-o", output), 1, said)
    long = tmp_path / ("x" * 252)  # a name that may be, with a draft's that may not
    assert clear(open_clip(node, shared, long), 1, f"{long} can't be written: name too long\n")


def test_a_port_that_cannot_be_used_is_one_clear_error(node: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = run(node, "serve", "--port", str(taken.getsockname()[1]))
    assert clear(ran, 1, "this port can't be used: address already in use\n")
