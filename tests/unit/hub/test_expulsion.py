"""Turning a camera out: at the hub, and at a real Mosquitto that is running."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import func, select

from sealcam.wire.errors import ConfigError
from sealcam_hub import deletion, doorkeeper, expulsion, tables
from sealcam_hub.clock import SystemClock
from sealcam_hub.folder import Address
from sealcam_hub.home import Home, open_home
from sealcam_hub.notices import Refusal
from sealcam_hub.outcome import What
from sealcam_hub.receive import Receiver
from tests.broker import free_port
from tests.hubs import WALL_NS, Camera, make, opened
from tests.waiting import eventually


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with opened(tmp_path / "hub") as made:
        yield made


def expel(home: Home, alias: str) -> None:
    with home.store.writing() as connection:
        expulsion.expel(connection, alias)


def test_nothing_that_an_expelled_camera_says_counts_and_its_prekeys_are_destroyed(home: Home) -> None:
    camera = Camera()
    camera.claim(home)
    receiver = Receiver(home.store, home.keys, home.clock)
    kept = camera.incident(1)
    assert receiver.take(camera.alias, kept, WALL_NS).what is What.APPENDED
    expel(home, camera.alias)
    later = camera.incident(2)
    receiver.renew()
    for message in (later, camera.beat(), kept):
        outcome = receiver.take(camera.alias, message, WALL_NS + 1)
        assert (outcome.refusal, outcome.answer, outcome.also) == (Refusal.EXPELLED, None, ())
    with home.store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(tables.prekeys)).scalar_one() == 0
    assert [one.type for one in home.ledger().lines()] == ["incident"]  # what it said before stays


def test_an_expelled_camera_is_not_taken_in_again_before_it_was_reset(home: Home) -> None:
    camera = Camera()
    camera.claim(home)
    expel(home, camera.alias)
    with pytest.raises(ConfigError, match="expelled"):
        camera.claim(home)
    Camera().claim(home, "Another")


def test_what_was_deleted_of_an_expelled_camera_is_complete_at_once(home: Home) -> None:
    camera = Camera()
    camera.claim(home)
    receiver = Receiver(home.store, home.keys, home.clock)
    receiver.take(camera.alias, camera.incident(1), WALL_NS)
    with home.store.reading() as connection:
        doomed = deletion.before(connection, WALL_NS + 1)
    deletion.Deleter(home.folder, home.store, home.keys, home.clock).delete(doomed)
    expel(home, camera.alias)
    assert deletion.settle(home.store, WALL_NS)
    with home.store.reading() as connection:
        assert deletion.count(connection) == deletion.Count(pending=0, complete=1)


class Client:
    """An MQTT client with a certificate of this home; `got` is what was delivered to it."""

    def __init__(self, home: Home, chain: Path, secret: Path, topic: str) -> None:
        self.got: list[bytes] = []
        self.subscribed = False
        self.refused = 0
        context = ssl.create_default_context(cafile=home.folder.path / "ca" / "ca.pem")
        context.load_cert_chain(chain, secret)
        self.mqtt = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self.mqtt.tls_set_context(context)
        self.mqtt.reconnect_delay_set(1, 1)
        self.mqtt.on_connect = lambda client, *_: client.subscribe(topic, 1)
        self.mqtt.on_subscribe = lambda *_: setattr(self, "subscribed", True)
        self.mqtt.on_disconnect = lambda *_: setattr(self, "refused", self.refused + 1)
        self.mqtt.on_message = lambda _c, _u, message: self.got.append(message.payload)
        self.mqtt.connect(home.settings.broker.host, home.settings.broker.port)
        self.mqtt.loop_start()
        eventually(lambda: self.subscribed, what="subscribing")

    def end(self) -> None:
        self.mqtt.disconnect()
        self.mqtt.loop_stop()


@contextmanager
def broker(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """The home's own Mosquitto, as its files say."""
    program = shutil.which("mosquitto", path="/usr/bin:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("Mosquitto is not installed")
    part = home.folder.path / "broker"
    process = subprocess.Popen([program, "-c", part / "mosquitto.conf"], stderr=subprocess.DEVNULL)
    try:
        eventually((part / "mosquitto.pid").exists, what="the broker's start")
        yield process
    finally:
        process.terminate()
        process.wait(20)


def camera_files(camera: Camera, folder: Path) -> tuple[Path, Path]:
    chain, secret = folder / "camera.pem", folder / "camera.key"
    chain.write_bytes(camera.answer.certificate)
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(camera.tls.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return chain, secret


def comes_through(camera: Camera, out: Client, other: Camera, stays: Client, hub: Client, number: int) -> bool:
    """Whether a message of `camera`, which the broker has acknowledged before one of `other`, is delivered."""
    sent = out.mqtt.publish(f"sealcam/{camera.alias}/ev", b"out %d" % number, 1)
    eventually(sent.is_published)
    stays.mqtt.publish(f"sealcam/{other.alias}/ev", b"other %d" % number, 1)
    eventually(lambda: b"other %d" % number in hub.got)
    return b"out %d" % number in hub.got


def test_the_running_broker_delivers_nothing_more_of_an_expelled_camera_and_ends_its_session(tmp_path: Path) -> None:
    folder = make(tmp_path / "hub", Address("localhost", free_port()))
    with open_home(folder, SystemClock()) as home:
        camera, other = Camera(), Camera()
        camera.claim(home, "Door")
        other.claim(home, "Yard")
        with broker(home):
            link = folder.path / "link"
            hub = Client(home, link / "link.pem", link / "link.key", "sealcam/+/ev")
            out = Client(home, *camera_files(camera, tmp_path), f"sealcam/{camera.alias}/cmd")
            (tmp_path / "other").mkdir()
            stays = Client(home, *camera_files(other, tmp_path / "other"), f"sealcam/{other.alias}/cmd")
            out.mqtt.publish(f"sealcam/{camera.alias}/ev", b"before", 1)
            hub.mqtt.publish(f"sealcam/{camera.alias}/cmd", b"before", 1)
            eventually(lambda: hub.got == [b"before"] and out.got == [b"before"])
            expel(home, camera.alias)
            assert doorkeeper.refresh(home)
            # Its session still stands, and yet nothing goes through it; what the others say does. The broker takes up
            # its lists a moment after it was told.
            last = next(number for number in range(1000) if not comes_through(camera, out, other, stays, hub, number))
            hub.mqtt.publish(f"sealcam/{camera.alias}/cmd", b"after", 1)
            hub.mqtt.publish(f"sealcam/{other.alias}/cmd", b"other", 1)
            eventually(lambda: b"other" in stays.got)
            assert doorkeeper.cut(home, camera.alias)
            eventually(lambda: out.refused >= 2, what="a session's end, and a refusal of the next")
            assert not out.mqtt.is_connected()
            assert stays.mqtt.is_connected()
            assert hub.got[-1] == b"other %d" % last
            assert out.got == [b"before"]
            for one in (hub, out, stays):
                one.end()


def test_without_a_broker_the_lists_are_written_and_it_is_said_that_nobody_was_told(home: Home) -> None:
    camera = Camera()
    camera.claim(home)
    expel(home, camera.alias)
    assert not doorkeeper.refresh(home)
    assert not doorkeeper.cut(home, camera.alias)
    acl = home.folder.read("broker/acl").decode()
    assert f"user {camera.alias}\ntopic deny sealcam/#\n" in acl
    assert not list((home.folder.path / "link").glob("tmp*"))


def test_an_access_list_of_an_earlier_version_is_written_anew(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    wanted = home.folder.read("broker/acl")
    assert b"topic read sealcam/+/clip/+" in wanted
    home.folder.write("broker/acl", b"".join(one for one in wanted.splitlines(True) if b"/clip/" not in one))
    with caplog.at_level("INFO"):
        doorkeeper.keep_up(home)
        assert home.folder.read("broker/acl") == wanted
        doorkeeper.keep_up(home)
    assert caplog.text.count("access list") == 1


def test_a_process_that_is_no_broker_is_left_alone(home: Home) -> None:
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        home.folder.write("broker/mosquitto.pid", str(bystander.pid).encode())
        assert not doorkeeper.refresh(home)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
