"""The post as a real process, between the eye's end of the socket and a real broker."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sealcam.clocks import SystemClock
from sealcam.post import read_address
from sealcam.wire.errors import ConfigError
from tests.broker import Broker
from tests.rig import ALIAS, WILL, EyeEnd, HubClient, PostProcess, write_claim
from tests.waiting import eventually

LONG_S = 90.0  # for a machine that is busy with other things


class FastClock(SystemClock):
    """Time for the eye ten times as fast, so that repeats and deadlines come within a test."""

    def boot_ns(self) -> int:
        return super().boot_ns() * 10


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as made:
        write_claim(tmp_path / "post", made)
        yield made


@contextmanager
def camera(folder: Path, hub: HubClient) -> Iterator[tuple[EyeEnd, PostProcess]]:
    """An eye's end with fast time, and a post."""
    with (
        EyeEnd(folder / "eye", hub.key.public, clock=FastClock()) as eye,
        PostProcess(eye.socket, folder / "post") as post,
    ):
        yield eye, post


class Stream:
    """Queues events from a thread of its own, one every few milliseconds, until it is left."""

    def __init__(self, eye: EyeEnd) -> None:
        self.count = 0
        self._eye = eye
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stop.wait(0.005):
            self.count = self._eye.append(urgency=self.count % 4, size=600 + self.count % 7 * 1000)

    def __enter__(self) -> Stream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)


def sequences(hub: HubClient) -> set[int]:
    return {int.from_bytes(event[4:12], "big") for event in hub.events}


def all_arrived(eye: EyeEnd, hub: HubClient) -> None:
    """Every event is with the hub, and the outbox is empty."""
    eventually(lambda: eye.outbox.stats().queued == 0, LONG_S, "delivery")
    missing = sorted(set(range(1, eye.outbox.head()[0] + 1)) - sequences(hub))
    assert not missing, (len(missing), missing[:20], eye.outbox.stats(), len(hub.received), eye.delivered)


def test_mail_reaches_the_hub_once_and_leaves_the_outbox_with_its_receipt(tmp_path: Path, broker: Broker) -> None:
    with HubClient(broker) as hub, EyeEnd(tmp_path / "eye", hub.key.public) as eye:
        for _ in range(200):
            eye.append()
        with PostProcess(eye.socket, tmp_path / "post") as post:
            all_arrived(eye, hub)
            assert len(hub.received) == 200
            eventually(lambda: hub.beats == 1, what="a beat")
            assert eye.link.up
            assert post.stop() == 0
            eventually(lambda: not eye.link.up, what="the link's going down")


def test_what_comes_for_the_camera_reaches_the_eye(tmp_path: Path, broker: Broker) -> None:
    with HubClient(broker) as hub, camera(tmp_path, hub) as (eye, _):
        eventually(lambda: eye.link.up, what="the link")
        for _ in range(50):
            hub.send(b"no receipt")
        eventually(lambda: eye.delivered == 50, what="delivery")


def test_a_post_that_is_killed_leaves_the_cameras_will_and_one_that_ends_in_order_does_not(
    tmp_path: Path, broker: Broker
) -> None:
    with HubClient(broker) as hub, EyeEnd(tmp_path / "eye", hub.key.public) as eye:
        with PostProcess(eye.socket, tmp_path / "post") as post:
            eventually(lambda: hub.beats == 1, what="a beat")
            assert post.stop() == 0
            post.start()
            eventually(lambda: hub.beats == 2, what="another beat")
            assert hub.wills == []
            post.kill()
            eventually(lambda: hub.wills, what="the will")
        assert hub.wills == [WILL + eye.wills.to_bytes(8, "big")]


def test_each_connection_to_the_broker_takes_a_new_will_along(tmp_path: Path, broker: Broker) -> None:
    with HubClient(broker) as hub, camera(tmp_path, hub) as (eye, post):
        eventually(lambda: hub.beats, what="a beat")
        first = eye.wills
        broker.kill()
        eventually(lambda: not eye.link.up, what="noticing")
        broker.start()
        eventually(lambda: eye.link.up, LONG_S, "the link")
        beats = hub.beats
        eventually(lambda: hub.beats > beats, LONG_S, "the hub's client")
        post.kill()
        eventually(lambda: hub.wills, what="the will")
        assert int.from_bytes(hub.wills[-1][len(WILL) :], "big") > first


def test_a_broker_killed_in_mid_stream_costs_no_event(tmp_path: Path, broker: Broker) -> None:
    with HubClient(broker) as hub, camera(tmp_path, hub) as (eye, post):
        with Stream(eye) as stream:
            for turn in range(1, 4):
                eventually(lambda: len(hub.events) > 20 * turn, LONG_S, "mail")  # noqa: B023
                broker.kill()
                eventually(lambda: not eye.link.up, what="noticing")
                queued = stream.count
                eventually(lambda: stream.count > queued + 20)  # noqa: B023
                broker.start()
        all_arrived(eye, hub)
        assert post.log.count("there again") >= 3


def test_a_frozen_broker_costs_no_event(tmp_path: Path, broker: Broker) -> None:
    with HubClient(broker) as hub, camera(tmp_path, hub) as (eye, _):
        with Stream(eye) as stream:
            eventually(lambda: len(hub.events) > 20, what="mail")
            broker.freeze()
            queued = stream.count
            eventually(lambda: stream.count > queued + 300)  # 15 s and more of the eye's time
            broker.thaw()
        all_arrived(eye, hub)


@pytest.mark.slow
def test_a_broker_frozen_for_a_minute_is_noticed_by_its_silence(tmp_path: Path, broker: Broker) -> None:
    with HubClient(broker) as hub, camera(tmp_path, hub) as (eye, post):
        for _ in range(50):
            eye.append()
        eventually(lambda: len(hub.events) == 50, what="mail")
        broker.freeze()
        eye.append()
        eventually(lambda: not eye.link.up, 60, "noticing")
        assert "the connection to the broker ended" in post.log
        broker.thaw()
        all_arrived(eye, hub)


def kill_the_post(tmp_path: Path, broker: Broker, kills: int) -> None:
    chance = random.Random(kills)
    with HubClient(broker) as hub, camera(tmp_path, hub) as (eye, post):
        with Stream(eye):
            for _ in range(kills):
                target = len(hub.events) + chance.randrange(1, 40)
                eventually(lambda: len(hub.events) >= target, LONG_S, "mail")  # noqa: B023
                post.kill()
                post.start()
        all_arrived(eye, hub)
    assert post.log.count("error") == 0


def test_a_post_killed_in_mid_stream_costs_no_event(tmp_path: Path, broker: Broker) -> None:
    kill_the_post(tmp_path, broker, 5)


@pytest.mark.slow
def test_a_post_killed_a_hundred_times_costs_no_event(tmp_path: Path, broker: Broker) -> None:
    kill_the_post(tmp_path, broker, 100)


def test_an_eye_that_restarts_is_found_again(tmp_path: Path, broker: Broker) -> None:
    with HubClient(broker) as hub, PostProcess(tmp_path / "eye" / "eye.sock", tmp_path / "post") as post:
        for turn in range(1, 4):
            with EyeEnd(tmp_path / "eye", hub.key.public) as eye:
                for _ in range(20):
                    eye.append()
                all_arrived(eye, hub)
            assert len(hub.events) == 20 * turn
        eventually(lambda: "the eye has gone" in post.log, what="saying so")
        assert post.stop() == 0


def test_without_receipts_nothing_is_deleted_and_repeats_are_few(tmp_path: Path, broker: Broker) -> None:
    with HubClient(broker, answers=False) as hub, camera(tmp_path, hub) as (eye, _):
        started_ns = eye.clock.boot_ns()
        for _ in range(20):
            eye.append()
        eventually(lambda: len(hub.received) >= 40, LONG_S, "repeats")
        passed_s = (eye.clock.boot_ns() - started_ns) / 1e9
        assert eye.outbox.stats().queued == 20
        assert len(hub.received) <= 20 * (2 + passed_s / 15)
        hub.answers = True
        all_arrived(eye, hub)


def test_a_broker_that_is_away_is_told_once_and_again_when_it_is_back(tmp_path: Path, broker: Broker) -> None:
    broker.stop()
    tries = 0
    with EyeEnd(tmp_path / "eye", b"") as eye, PostProcess(eye.socket, tmp_path / "post") as post:
        with socket.create_server(("127.0.0.1", broker.port)) as nobody:
            while tries < 3:
                peer, _ = nobody.accept()
                peer.close()
                tries += 1
        broker.start()
        eventually(lambda: eye.link.up, LONG_S, "the link")
        lines = post.log.splitlines()
        assert sum("trying again" in line for line in lines) == len({line for line in lines if "trying again" in line})
        assert sum("there again" in line for line in lines) == 1


def test_a_post_whose_camera_was_reset_destroys_what_it_has_and_ends(tmp_path: Path, broker: Broker) -> None:
    with HubClient(broker) as hub, camera(tmp_path, hub) as (eye, post):
        eye.append()
        all_arrived(eye, hub)
        eye.link.forget()
        eye.stop()
        assert not eye.link.forgets
        assert post.wait() == 0
        assert list((tmp_path / "post").iterdir()) == []
        eventually(lambda: hub.wills == [] and eye.outbox.stats().queued == 0)


def test_it_ends_in_order_while_the_broker_is_away(tmp_path: Path, broker: Broker) -> None:
    broker.stop()
    with EyeEnd(tmp_path / "eye", b"") as eye, PostProcess(eye.socket, tmp_path / "post") as post:
        eventually(lambda: "nobody listens" in post.log, what="noticing")
        assert post.stop() == 0


def test_it_tells_its_supervisor_that_it_is_ready_and_lives(tmp_path: Path, broker: Broker) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(20)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "3000000"}
        with PostProcess(tmp_path / "eye.sock", tmp_path / "post", environment):
            told = set()
            while not {b"READY=1", b"WATCHDOG=1"} <= told:
                told.add(supervisor.recv(4096))


def test_an_idle_post_does_next_to_nothing(tmp_path: Path, broker: Broker) -> None:
    with (
        HubClient(broker) as hub,
        EyeEnd(tmp_path / "eye", hub.key.public) as eye,
        PostProcess(eye.socket, tmp_path / "post") as post,
    ):
        eventually(lambda: hub.beats == 1, what="a beat")
        before, beats = switches(post.pid), eye.worker_beats
        eventually(lambda: eye.worker_beats > beats + 4)  # two seconds
        assert switches(post.pid) - before < 200, "it polls without end"


def switches(pid: int) -> int:
    """How often the process has gone to sleep and been woken."""
    status = Path(f"/proc/{pid}/status").read_text()
    return sum(int(line.split()[1]) for line in status.splitlines() if "ctxt_switches" in line)


def test_another_cameras_certificate_hears_nothing_and_the_hubs_hears_bytes(tmp_path: Path, broker: Broker) -> None:
    if shutil.which("mosquitto_sub") is None:
        pytest.skip("mosquitto_sub is not installed")
    spy = subscribe(broker, broker.certificate("fedcba9876543210"), tmp_path / "spy")
    home = subscribe(broker, broker.hub_certificate, tmp_path / "home")
    with HubClient(broker) as hub, camera(tmp_path, hub) as (eye, _):
        eventually(lambda: broker.log.count("Sending SUBACK") >= 4, what="subscribing")
        for _ in range(20):
            eye.append()
        all_arrived(eye, hub)
        eventually(lambda: (tmp_path / "home").read_text().count(f"sealcam/{ALIAS}/ev") >= 20, what="the hub's hearing")
    for process in (spy, home):
        process.terminate()
        process.wait(10)
    assert (tmp_path / "spy").read_text() == ""


def subscribe(broker: Broker, certificate: tuple[Path, Path], heard: Path) -> subprocess.Popen[bytes]:
    """`mosquitto_sub` on everything, with that certificate; a line of topic and hex for each message goes to a file."""
    pem, key = certificate
    command = ["mosquitto_sub", "-V", "5", "-h", broker.host, "-p", str(broker.port), "--cafile", str(broker.ca_pem)]
    command += ["--cert", str(pem), "--key", str(key), "-q", "1", "-F", "%t %x", "-t", "#", "-t", "sealcam/#"]
    command += ["-t", f"sealcam/{ALIAS}/ev", "-t", f"sealcam/{ALIAS}/cmd", "-t", "sealcam/+/ev"]
    with heard.open("wb") as file:
        return subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL)


def test_an_unclaimed_camera_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "post").mkdir()
    with PostProcess(tmp_path / "eye.sock", tmp_path / "post") as post:
        assert post.wait() == 2
    assert post.log.splitlines() == [
        "sealcam: error: this camera isn't claimed yet: it has no certificate",
        "hint: claim the camera: sealcam-provision claim",
    ]


def test_a_claim_whose_certificate_is_gone_is_one_clear_error(tmp_path: Path, broker: Broker) -> None:
    (tmp_path / "post" / "tls.pem").unlink()
    with PostProcess(tmp_path / "eye.sock", tmp_path / "post") as post:
        assert post.wait() == 2
    assert len(post.log.splitlines()) == 2
    assert "can't use this camera's certificate" in post.log


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alias = ",
        'alias = "0123456789abcdef"\nhost = "hub"\n',
        'alias = "0123456789ABCDEF"\nhost = "hub"\nport = 8883\n',
        'alias = "+"\nhost = "hub"\nport = 8883\n',
        'alias = "0123456789abcdef"\nhost = ""\nport = 8883\n',
        'alias = "0123456789abcdef"\nhost = "hub"\nport = 70000\n',
        'alias = "0123456789abcdef"\nhost = "hub"\nport = "8883"\n',
        'alias = "0123456789abcdef"\nhost = "hub"\nport = 8883\nowner = "me"\n',
    ],
)
def test_a_damaged_claim_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "post.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"post\.toml") as caught:
        read_address(tmp_path)
    assert caught.value.hint is not None
