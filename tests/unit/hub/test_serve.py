"""`sealcam-hub serve` as a process, behind the real broker that `init` configured, with TLS 1.3 and its access list."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from sealcam.wire import schema
from sealcam.wire.bodies import Mode
from sealcam.wire.sealed import envelope_hash
from sealcam.wire.wishes import ArmBody
from sealcam_hub.clock import SystemClock
from sealcam_hub.folder import Address, Folder
from sealcam_hub.home import open_home
from tests.broker import free_port
from tests.hubs import JPEG, Camera, make
from tests.waiting import eventually

HUB = str(Path(sys.executable).with_name("sealcam-hub"))


class Place:
    """A hub's folder, its broker and its `serve`, each as a process that can be killed."""

    def __init__(self, folder: Folder, port: int, mosquitto: str) -> None:
        self.folder, self.port, self._mosquitto = folder, port, mosquitto
        self.log = folder.path.parent / "serve.log"
        self.broker: subprocess.Popen[bytes] | None = None
        self.hub: subprocess.Popen[str] | None = None

    def start_broker(self) -> None:
        conf = str(self.folder.path / "broker" / "mosquitto.conf")
        self.broker = subprocess.Popen([self._mosquitto, "-c", conf], stderr=subprocess.DEVNULL)
        eventually(self._listens, what="the broker")

    def _listens(self) -> bool:
        try:
            socket.create_connection(("localhost", self.port), 1).close()
        except OSError:
            return False
        return True

    def kill_broker(self) -> None:
        assert self.broker is not None
        self.broker.kill()
        self.broker.wait()

    def start_hub(self, *words: str) -> None:
        command = [HUB, "--state", str(self.folder.path), "serve", *(words or ("--no-console",))]
        with self.log.open("a") as log:
            says = subprocess.PIPE if words else subprocess.DEVNULL  # the console's address
            self.hub = subprocess.Popen(command, stdout=says, stderr=log, text=True)

    def until_receiving(self, times: int = 1) -> None:
        eventually(lambda: self.log.read_text().count("receiving from") == times, what="the hub at its broker")

    def kill_hub(self) -> None:
        assert self.hub is not None
        self.hub.kill()
        self.hub.wait()

    def end(self) -> None:
        for process in (self.hub, self.broker):
            if process is not None:
                process.kill()
                process.wait()
                if process.stdout is not None:
                    process.stdout.close()

    def asks(self, *words: str) -> str:
        done = subprocess.run([HUB, "--state", str(self.folder.path), *words], capture_output=True, check=True)
        return done.stdout.decode()

    def seqs(self) -> list[int]:
        with open_home(self.folder, SystemClock()) as home:
            return [line.seq for line in home.ledger().lines()]

    def claim(self, name: str) -> Camera:
        camera = Camera()
        with open_home(self.folder, SystemClock()) as home:
            camera.claim(home, name)
        return camera


class Post:
    """The camera's connection: publishes what it is given and keeps what comes."""

    def __init__(self, place: Place, camera: Camera, listens: str | None = None) -> None:
        self.came: list[bytes] = []
        self._topic = f"sealcam/{camera.alias}/ev"
        self._listens = listens or f"sealcam/{camera.alias}/cmd"
        self._ready = threading.Event()
        folder = place.folder.path.parent / f"post-{camera.alias}"
        folder.mkdir(exist_ok=True)
        key = camera.tls.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for name, data in (("key", key), ("pem", camera.answer.certificate), ("ca", camera.answer.authority)):
            (folder / name).write_bytes(data)
        context = ssl.create_default_context(cafile=folder / "ca")
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(folder / "pem", folder / "key")
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.tls_set_context(context)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda *_: self._client.subscribe(self._listens, qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_disconnect = lambda *_: self._ready.clear()
        self._client.on_message = lambda _c, _u, message: self.came.append(message.payload)
        self._client.connect_async("localhost", place.port)
        self._client.loop_start()
        assert self._ready.wait(20)

    def send(self, envelope: bytes) -> None:
        assert self._ready.wait(20)
        self._client.publish(self._topic, envelope, qos=1)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def post(place: Place, camera: Camera, listens: str | None = None) -> Iterator[Post]:
    made = Post(place, camera, listens)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    mosquitto = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if mosquitto is None:
        pytest.skip("Mosquitto is not installed")
    port = free_port()
    made = Place(make(tmp_path / "hub", Address("localhost", port)), port, mosquitto)
    try:
        yield made
    finally:
        made.end()


def test_events_are_receipted_read_by_others_and_commands_go_out(place: Place) -> None:
    place.start_broker()
    place.start_hub()
    place.until_receiving()  # the broker keeps nothing for a hub that has never been there
    camera = place.claim("Front door")
    with post(place, camera) as mail:
        sent = [camera.incident(1), camera.incident(1, picture=JPEG), camera.incident(2)]
        for envelope in (sent[0], sent[2], sent[1], sent[0]):
            mail.send(envelope)
        eventually(lambda: len(mail.came) == 4, what="four receipts")
        assert {camera.receipted(one) for one in mail.came} == {envelope_hash(one) for one in sent}
        lines = place.asks("events", "--json").splitlines()  # another process reads while `serve` runs
        assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3]
        place.asks("arm", "Front door", "night")
        mail.send(camera.beat(Mode.HOME))
        eventually(lambda: len(mail.came) == 5, what="a command")
        assert schema.decode(camera.opens(mail.came[4]).body, ArmBody).mode is Mode.NIGHT
    status = json.loads(place.asks("status", "--json"))
    assert (status["incidents"], status["opened"], status["refused"], status["repeats"]) == (2, 2, 0, 1)
    assert place.hub is not None
    place.hub.terminate()
    assert place.hub.wait(20) == 0


def test_a_hub_killed_at_any_time_gives_the_same_receipt_to_the_repeat(place: Place) -> None:
    place.start_broker()
    place.start_hub()
    place.until_receiving()
    place.kill_hub()
    camera = place.claim("Front door")
    with post(place, camera) as mail:
        for number in range(1, 4):
            place.start_hub()
            envelope = camera.incident(number)
            mail.send(envelope)
            if number % 2:
                eventually(lambda number=number: len(mail.came) >= number, what="a receipt")  # type: ignore[misc]
            place.kill_hub()  # where it did not answer yet, somewhere between start, commit and receipt
            place.start_hub()
            mail.send(envelope)
            name = envelope_hash(envelope)
            eventually(lambda name=name: name in map(camera.receipted, mail.came), what="the receipt")  # type: ignore[misc]
            eventually(lambda number=number: place.seqs() == list(range(1, number + 1)))  # type: ignore[misc]
            place.kill_hub()
            assert len({one for one in mail.came if camera.receipted(one) == name}) == 1


def test_a_broker_that_dies_and_comes_back_is_told_once_and_costs_nothing(place: Place) -> None:
    place.start_broker()
    place.start_hub()
    place.until_receiving()  # the broker keeps nothing for a hub that has never been there
    camera = place.claim("Front door")
    with post(place, camera) as mail:
        one, two = camera.incident(1), camera.incident(2)
        mail.send(one)
        eventually(lambda: mail.came, what="a receipt")
        place.kill_broker()
        eventually(lambda: "is gone" in place.log.read_text(), what="a line in the log")
        place.start_broker()
        place.until_receiving(times=2)
        mail.send(two)
        eventually(lambda: len(mail.came) == 2, what="the second receipt")
    assert place.seqs() == [1, 2]
    lines = place.log.read_text().splitlines()
    assert [line.split(" at ")[0] for line in lines] == [
        "receiving from the broker",
        lines[1].split(" at ")[0],
        "receiving from the broker",
    ]
    assert place.hub is not None
    assert place.hub.poll() is None


def test_a_camera_hears_nobody_elses_events_and_speaks_in_nobody_elses_name(place: Place) -> None:
    place.start_broker()
    place.start_hub()
    place.until_receiving()  # the broker keeps nothing for a hub that has never been there
    camera, spy = place.claim("Front door"), place.claim("Garden")
    with post(place, camera) as mail, post(place, spy, listens="sealcam/#") as ear:
        mail.send(camera.incident(1))
        eventually(lambda: mail.came, what="a receipt")
        ear._topic = f"sealcam/{camera.alias}/ev"
        ear.send(camera.incident(2))  # sealed by the true camera: even so the broker doesn't take it from another
        ear._topic = f"sealcam/{spy.alias}/ev"
        ear.send(spy.incident(1))
        eventually(lambda: ear.came, what="the spy's own receipt")
        assert [spy.receipted(one) for one in ear.came] == spy.sent
    assert len(place.seqs()) == 2


def test_nobody_without_a_certificate_of_this_home_gets_in(place: Place) -> None:
    place.start_broker()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=place.folder.path / "broker" / "ca.pem")
    with (
        socket.create_connection(("localhost", place.port), 5) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        _handshake(context, plain)


def _handshake(context: ssl.SSLContext, plain: socket.socket) -> None:
    with context.wrap_socket(plain, server_hostname="localhost") as secure:
        assert secure.version() == "TLSv1.3"
        secure.sendall(b"\x10\x00")
        if not secure.recv(1):
            raise ConnectionError("closed")


def test_the_console_prints_its_address_and_a_second_serve_is_told(place: Place) -> None:
    port = free_port()
    place.start_hub("--console", f"127.0.0.1:{port}")
    assert place.hub is not None
    assert place.hub.stdout is not None
    line = place.hub.stdout.readline()
    assert line == f"console: http://localhost:{port}/ (sealcam-hub link prints the way in)\n", "nobody sits here"
    second = [HUB, "--state", str(place.folder.path), "serve", "--no-console"]
    done = subprocess.run(second, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "another `sealcam-hub serve` runs in" in done.stderr
    other = make(place.folder.path.parent / "other", Address("localhost", place.port))
    third = [HUB, "--state", str(other.path), "serve", "--console", f"127.0.0.1:{port}"]
    done = subprocess.run(third, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"sealcam-hub: error: the console can't listen at 127.0.0.1:{port}: it is in use",
        "hint: free the port, or choose another one: --console HOST:PORT",
    ]
    place.hub.terminate()
    assert place.hub.wait(20) == 0


def test_the_supervisor_hears_of_readiness_and_of_life(place: Place, tmp_path: Path) -> None:
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.settimeout(20)
    heard.bind(str(tmp_path / "notify"))
    command = [HUB, "--state", str(place.folder.path), "serve", "--no-console"]
    place.hub = subprocess.Popen(
        command,
        env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with heard:
        assert [heard.recv(64) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        place.hub.terminate()
        while heard.recv(64) != b"STOPPING=1":
            pass
    assert place.hub.wait(20) == 0
