"""The one-time link: who has the newest opens the console, once, and the folder gives nobody one."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sealcam.wire.errors import SealcamError
from sealcam_hub.doors import Door, address_for, make_link, new_link, redeem
from sealcam_hub.folder import Folder


def _token(link: str) -> str:
    return parse_qs(urlsplit(link).query)["token"][0]


def test_a_link_opens_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    link = make_link(folder, 8480)
    assert link.startswith("http://localhost:8480/?token=")
    assert not redeem(folder, "guess")
    assert redeem(folder, _token(link))
    assert not redeem(folder, _token(link))
    assert not redeem(folder, "")


def test_a_new_link_ends_the_one_before_and_keeps_the_port(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = make_link(folder, 9000)
    second = new_link(folder)
    assert second.startswith("http://localhost:9000/?token=")
    assert not redeem(folder, _token(first))
    assert redeem(folder, _token(second))


def test_the_folder_holds_no_token(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    link = make_link(folder, 8480)
    (file,) = tmp_path.iterdir()
    assert _token(link) not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_before_a_console_was_served_the_hint_says_how(tmp_path: Path) -> None:
    with pytest.raises(SealcamError, match="no console was served") as caught:
        new_link(Folder(tmp_path))
    assert "sealcam-hub serve" in (caught.value.hint or "")


def test_the_first_address_is_a_link_and_with_a_passphrase_the_plain_one(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "hub")
    folder.create()
    assert Door(folder).redeem(_token(address_for(folder, 8480)))
    Door(folder).choose("four words of mine")
    assert address_for(folder, 8480) == "http://localhost:8480/"
    assert Door(folder).redeem(_token(new_link(folder))), "a link is still to be had"
