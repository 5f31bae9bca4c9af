"""At the hub's own broker: who sees what there, and what stays of it once it is turned off."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from sealcam.wire.errors import SealcamError
from sealcam_hub import doorkeeper
from sealcam_hub.clock import SystemClock
from sealcam_hub.feed import Feed
from sealcam_hub.folder import Address, Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.homeassistant import accounts
from sealcam_hub.homeassistant import worker as worker_of
from sealcam_hub.homeassistant.bridge import names_of
from sealcam_hub.homeassistant.names import STATUS
from sealcam_hub.homeassistant.settings import FILE, Settings, load, save
from sealcam_hub.homeassistant.worker import HomeAssistant
from sealcam_hub.mosquitto import write_configuration
from tests.broker import free_port
from tests.hubs import Camera, make
from tests.mqtt_client import Client
from tests.waiting import eventually


@contextmanager
def own(tmp_path: Path) -> Iterator[tuple[Home, subprocess.Popen[bytes], Settings, Path]]:
    mosquitto = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if mosquitto is None:
        pytest.skip("Mosquitto is not installed")
    port = free_port()
    make(tmp_path / "hub", Address("localhost", port))
    with open_home(Folder(tmp_path / "hub")) as home:
        bridge, account, key, certificate = accounts.make(home)
        settings = Settings("localhost", port, own=True, bridge=bridge, account=account)
        save(home.folder, settings)
        write_configuration(home.folder, home.settings.broker)
        doorkeeper.refresh(home)
        files = tmp_path / "account"
        files.mkdir()
        (files / "key").write_bytes(key)
        (files / "pem").write_bytes(certificate)
        process = subprocess.Popen(
            [mosquitto, "-c", str(home.folder.path / "broker" / "mosquitto.conf")], stderr=subprocess.DEVNULL
        )
        try:
            yield home, process, settings, files
        finally:
            process.kill()
            process.wait()


def context(home: Home, pem: Path, key: Path) -> ssl.SSLContext:
    found = ssl.create_default_context(cafile=home.folder.path / "ca" / "ca.pem")
    found.load_cert_chain(pem, key)
    return found


def test_the_account_and_a_camera_see_nothing_of_each_other(tmp_path: Path) -> None:
    with own(tmp_path) as (home, _, settings, files):
        camera = Camera()
        camera.claim(home)
        (files / "camera.key").write_bytes(
            camera.tls.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (files / "camera.pem").write_bytes(camera.answer.certificate)
        names = names_of(home)
        link = home.folder.path / "link"
        every = ("#", "sealcam/#", "sealcam-home/#", "homeassistant/#")
        eventually(lambda: _answers(settings.port), what="the broker")
        hub = Client(settings.port, context(home, link / "link.pem", link / "link.key"), every)
        bridge = Client(settings.port, context(home, link / "bridge.pem", link / "bridge.key"), every)
        account = Client(settings.port, context(home, files / "pem", files / "key"), every)
        spy = Client(settings.port, context(home, files / "camera.pem", files / "camera.key"), every)
        with hub, bridge, account, spy:
            state, asked = names.topic(camera.alias, "motion"), names.command(camera.alias, "arm")
            everywhere = {f"sealcam/{camera.alias}/{what}": b"sealed" for what in ("ev", "cmd", "clip/1", "live/1")}
            everywhere |= {f"sealcam/{settings.account}/ev": b"x", state: b"ON", asked: b"?"}
            everywhere |= {names.event(camera.alias, "incident"): b"a person", names.config(camera.alias): b"{}"}
            everywhere |= {STATUS: b"online"}
            for who in (hub, bridge, account, spy):
                for topic, payload in everywhere.items():
                    who.says(topic, payload + str(id(who)).encode())
            bridge.says(names.available, b"last")
            account.says(STATUS, b"last")
            spy.says(f"sealcam/{camera.alias}/ev", b"last")
            hub.says(f"sealcam/{camera.alias}/cmd", b"last")
            for one in (account, bridge, hub, spy):
                eventually(lambda one=one: b"last" in [payload for _, payload in one.came])  # type: ignore[misc]
            assert {topic for topic, _ in account.came} <= {
                state, asked, names.event(camera.alias, "incident"), names.config(camera.alias), STATUS, names.available
            }  # fmt: skip
            assert {topic for topic, _ in spy.came} == {f"sealcam/{camera.alias}/cmd"}
            assert not [topic for topic, _ in hub.came if not topic.startswith("sealcam/")]
            assert not [topic for topic, _ in bridge.came if topic.startswith("sealcam/")]
            mine = str(id(account)).encode()
            written = {topic for topic, payload in bridge.came if payload.endswith(mine)}
            assert written == {asked, STATUS}  # all that Home Assistant's account may write
            assert not [topic for topic, payload in hub.came if payload.endswith(mine)]
            foreign = str(id(spy)).encode()
            assert not [topic for topic, payload in account.came + bridge.came if payload.endswith(foreign)]


def test_turned_off_it_takes_all_back_and_revokes_both_accounts(tmp_path: Path) -> None:
    with own(tmp_path) as (home, process, settings, files):
        camera = Camera()
        camera.claim(home)
        eventually(lambda: _answers(settings.port), what="the broker")
        names, link = names_of(home), home.folder.path / "link"
        certificate = context(home, files / "pem", files / "key")
        worker = HomeAssistant(home, Feed(), live=None, send=lambda _alias, _message: True)  # type: ignore[arg-type]
        worker.start()
        try:
            with Client(settings.port, certificate) as client:
                eventually(lambda: names.config(camera.alias) in client.stands, what="the camera")
                save(home.folder, replace(settings, leaving=True))
                eventually(lambda: not client.stands, what="nothing stands")
            eventually(lambda: load(home.folder) is None, what="it is forgotten")
            eventually(lambda: not (link / "bridge.key").exists(), what="no key")
        finally:
            worker.stop()
        with pytest.raises((OSError, AssertionError)):  # what ssl raises is one too
            Client(settings.port, certificate)
        assert process.poll() is None
        access = home.folder.read("broker/acl").decode()
        assert f"user {settings.account}\ntopic deny sealcam/#" in access
        assert "sealcam-home" not in access
        assert not (home.folder.path / FILE).exists()


def test_a_live_view_whose_port_is_taken_keeps_no_state_back_and_comes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker_of, "AGAIN_S", 0.0)
    monkeypatch.setattr(worker_of, "IDLE_S", 0.1)
    with own(tmp_path) as (home, _, settings, files), socket.create_server(("127.0.0.1", 0)) as taken:
        camera = Camera()
        camera.claim(home)
        port = taken.getsockname()[1]
        save(home.folder, replace(settings, live_host="127.0.0.1", live_port=port, token="ab" * 32))
        eventually(lambda: _answers(settings.port), what="the broker")
        worker = HomeAssistant(home, Feed(), live=None, send=lambda _alias, _message: True)  # type: ignore[arg-type]
        worker.start()
        try:
            with Client(settings.port, context(home, files / "pem", files / "key")) as client:
                motion = names_of(home).topic(camera.alias, "motion")
                eventually(lambda: client.stands.get(motion) == b"OFF", what="its state")
            assert worker.check()
            told = [one.getMessage() for one in caplog.records if "no live view" in one.getMessage()]
            assert len(told) == 1
            assert f"can't listen at 127.0.0.1:{port}: " in told[0]
            taken.close()
            eventually(lambda: _answers(port, "127.0.0.1"), what="the live view")
        finally:
            worker.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_file_that_cannot_be_read_is_tried_again_and_a_fault_of_its_own_is_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[Exception] = [OSError("the disk"), RuntimeError("a fault")]
    asked = threading.Event()

    def failing(_folder: Folder) -> None:
        if len(errors) == 1:
            asked.set()
        raise errors.pop(0)

    monkeypatch.setattr(worker_of, "load", failing)
    monkeypatch.setattr(worker_of, "AGAIN_S", 0.0)
    with open_home(make(tmp_path / "hub"), SystemClock()) as home:
        worker = HomeAssistant(home, Feed(), live=None, send=lambda _alias, _message: True)  # type: ignore[arg-type]
        worker.start()
        assert asked.wait(20), "it goes on after the first"
        worker._thread.join(20)
        with pytest.raises(SealcamError, match="told nothing any more"):
            worker.check()
        worker.stop()


def _answers(port: int, host: str = "localhost") -> bool:
    try:
        socket.create_connection((host, port), 1).close()
    except OSError:
        return False
    return True
