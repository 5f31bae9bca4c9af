"""`sealcam-hub homeassistant` as it is typed: off by default, one broker, and nothing secret where others see it."""

from __future__ import annotations

import contextlib
import io
import json
import stat
import sys
from pathlib import Path

import pytest

from sealcam_hub.audit_source import AuditSource
from sealcam_hub.cli import main
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.homeassistant.settings import FILE, load
from tests.hubs import Camera, make
from tests.typing_person import run

HUB = Path(sys.executable).with_name("sealcam-hub")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return make(tmp_path / "hub")


def command(folder: Folder, *words: str | Path) -> list[str | Path]:
    return [HUB, "--state", folder.path, "homeassistant", *words]


def said(folder: Folder, *words: str | Path) -> str:
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        assert main([str(word) for word in command(folder, *words)[1:]]) == 0
    return told.getvalue()


def refused(folder: Folder, *words: str | Path) -> str:
    told = io.StringIO()
    with contextlib.redirect_stderr(told):
        assert main([str(word) for word in command(folder, *words)[1:]]) == 2
    return told.getvalue()


def status(folder: Folder) -> dict[str, object]:
    found: dict[str, object] = json.loads(said(folder, "status", "--json"))
    return found


def test_nothing_is_on_by_default(folder: Folder) -> None:
    assert status(folder) == {"on": False}
    assert not (folder.path / FILE).exists()
    for words in (("allow", "image"), ("live", "on", "--listen", "127.0.0.1:8482"), ("off",)):
        assert "isn't on" in refused(folder, *words)


def test_a_broker_is_named_and_its_password_kept_where_the_owner_alone_reads(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("pass-word\n")
    told = said(
        folder, "on", "--broker", "assistant.home:8884", "--username", "hub", "--password-file", tmp_path / "password"
    )
    assert "assistant.home:8884" in told
    settings = load(folder)
    assert settings is not None
    assert (settings.password, settings.tls, settings.allowed) == ("pass-word", True, ())
    assert stat.S_IMODE((folder.path / FILE).stat().st_mode) == 0o600
    assert "pass-word" not in json.dumps(status(folder)) + repr(settings)
    with open_home(folder) as home:
        entries = AuditSource(home.store, home.keys, home.clock).newest(10).entries
    assert [(one.action, one.actor) for one in entries] == [("shared", "owner")]
    assert "it is on already" in refused(folder, "on", "--broker", "other.home:8884")
    assert "when it next gets there" in said(folder, "off")
    assert status(folder)["leaving"] is True


@pytest.mark.parametrize("broker", ["localhost:8883", "127.0.0.1:8883"])
def test_the_cameras_broker_is_refused_under_any_name(folder: Folder, broker: str) -> None:
    assert "that is the cameras' broker" in refused(folder, "on", "--broker", broker)
    assert status(folder) == {"on": False}


def test_which_broker_must_be_said_once(folder: Folder) -> None:
    for words in (("on",), ("on", "--own", "--broker", "a:1"), ("on", "--own")):
        refused(folder, *words)
    assert status(folder) == {"on": False}


def test_the_own_broker_gives_home_assistant_files_to_sign_in(folder: Folder, tmp_path: Path) -> None:
    said(folder, "on", "--own", "-o", tmp_path / "files")
    assert sorted(one.name for one in (tmp_path / "files").iterdir()) == ["ca.pem", "client.key", "client.pem"]
    assert stat.S_IMODE((tmp_path / "files" / "client.key").stat().st_mode) == 0o600
    settings = load(folder)
    assert settings is not None
    access = folder.read("broker/acl").decode()
    for name in (settings.bridge, settings.account):
        assert f"user {name}\ntopic deny sealcam/#" in access


def test_a_code_comes_before_disarming_and_is_kept_as_a_hash(folder: Folder) -> None:
    said(folder, "on", "--broker", "assistant.home:1883", "--plain")
    assert "disarming needs a code" in refused(folder, "allow", "disarm")
    typed = [("New code", "271828"), ("Once more", "271828")]
    assert run(command(folder, "code"), typed).code == 0
    assert run(command(folder, "code"), [("New code", "271828"), ("Once more", "271829")]).code == 2
    assert "disarm" in said(folder, "allow", "disarm", "privacy")
    assert status(folder)["allowed"] == ["disarm", "privacy"]
    said(folder, "forbid", "disarm")
    assert status(folder)["allowed"] == ["privacy"]
    assert b"271828" not in folder.read(FILE)


def test_the_live_views_token_is_shown_once_and_revoked(folder: Folder) -> None:
    with open_home(folder) as home:
        camera = Camera()
        camera.claim(home)
    said(folder, "on", "--broker", "assistant.home:1883", "--plain")
    told = said(folder, "live", "on", "--listen", "127.0.0.1:8482")
    token = told.partition("camera:")[2].partition("@")[0]
    assert f"@127.0.0.1:8482/live/{camera.alias}.mp4" in told
    assert len(token) >= 43
    assert token.encode() not in folder.read(FILE)
    assert token not in said(folder, "live", "on", "--listen", "127.0.0.1:8482")
    said(folder, "live", "off")
    assert status(folder)["live"] is None
