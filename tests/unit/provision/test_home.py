"""A home on one machine: folders, ports and what is told when a part doesn't start."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from sealcam import config
from sealcam.wire.errors import SealcamError
from sealcam_provision import home as homes
from sealcam_provision.home import Wish


def test_two_runs_at_once_get_folders_of_their_own_and_a_slot_is_used_again(tmp_path: Path) -> None:
    first, second = homes.open_folder(tmp_path), homes.open_folder(tmp_path)
    assert first.folder != second.folder
    (first.folder / "left-over").touch()
    first.end_all()
    again = homes.open_folder(tmp_path)
    assert again.folder == first.folder
    assert not list(again.folder.iterdir())
    again.end_all()
    second.end_all()


def test_a_busy_port_gives_another_one() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        busy = holder.getsockname()[1]
        assert homes.free_port(busy) != busy


def test_the_camera_reads_the_configuration_that_the_home_writes(tmp_path: Path) -> None:
    wish = Wish(source='/clips/a "quoted" name.mp4', name="Yard", arm="night", once=True, console_port=0)
    path = tmp_path / "sealcam.toml"
    path.write_text(homes.camera_config(tmp_path, wish))
    found = config.load(path)
    assert found.camera.source == wish.source
    assert not found.camera.repeat
    assert found.arm == "night"
    assert found.paths.state == tmp_path / "camera"


def test_a_part_that_ends_is_told_in_its_own_words(tmp_path: Path) -> None:
    home = homes.open_folder(tmp_path)
    code = "import sys; sys.exit('sealcam: error: the disk is full\\nhint: make room')"
    part = home.start("eye", sys.executable, "-c", code)
    part.wait(20)
    error = home.last_words("eye")
    assert (error.message, error.hint) == ("eye: the disk is full", "make room")
    home.end_all()


def test_a_broker_that_never_listens_is_an_error_with_the_log(tmp_path: Path) -> None:
    home = homes.open_folder(tmp_path)
    part = home.start("broker", sys.executable, "-c", "print('Error: bad config')")
    part.wait(20)
    with pytest.raises(SealcamError, match="bad config"):
        homes.until_listening(home, "broker", homes.free_port())
    home.end_all()
