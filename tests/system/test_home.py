"""A whole home under its units: a claimed camera on real footage, its hub, and a private broker, under real systemd."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.container import Container, eventually
from tests.system.root import REPO, VENV

EYE, POST, HUB, BROKER, WRAP = (f"sealcam-{name}.service" for name in ("eye", "post", "hub", "broker", "wrap"))
STATE = "/var/lib/sealcam-hub"
CREDENTIAL = "/etc/credstore.encrypted/sealcam-wrap"
PORT = 8883
BROKER_UNIT = f"""
[Service]
User=sealcam-hub
ExecStart=/usr/sbin/mosquitto -c {STATE}/broker/mosquitto.conf
"""
CONFIG = """
arm = "away"
[camera]
source = "{source}"
"""
WATCHDOG = """
[Service]
WatchdogSec=10
"""


def footage() -> str:
    """A clip with a person, as the container sees it."""
    for folder, inside in ((REPO.parent / "shared/footage", "/mnt/footage"), (REPO / "build/footage", "/mnt/clips")):
        for name in ("test2-cam-person1.mkv", "vtest.avi"):
            if (folder / name).is_file():
                return str(Path(inside) / name)
    pytest.skip("needs footage: provisioning/footage.sh, or ../shared/footage")


class Home:
    """The running home."""

    def __init__(self, container: Container) -> None:
        self.container = container

    def hub(self, *argv: str) -> str:
        """A command of the hub's, as the hub's user."""
        command = (f"{VENV}/bin/sealcam-hub", "--state", STATE, *argv)
        return self.container.run("runuser", "-u", "sealcam-hub", "--", *command)

    def events(self) -> list[dict[str, Any]]:
        """All that the hub's ledger shows."""
        return [json.loads(line) for line in self.hub("events", "--json").splitlines()]

    def incidents(self) -> int:
        """How many reports of incidents were opened."""
        return sum(event["type"] == "incident" for event in self.events())

    def starts(self) -> int:
        """How often the eye said that watching began."""
        return sum(event["type"] == "health" for event in self.events())

    def camera(self) -> dict[str, Any]:
        """What the hub knows of the camera."""
        found: dict[str, Any] = json.loads(self.hub("status", "--json"))["cameras"][0]
        return found

    def claim(self, name: str) -> None:
        """As root, at the camera's command line."""
        where = ("--config", "/etc/sealcam/sealcam.toml", "--hub", STATE)
        self.container.run(f"{VENV}/bin/sealcam-provision", "claim", "--name", name, *where)

    def pid(self, unit: str) -> str:
        return self.container.show(unit, "MainPID")

    def restarted(self, unit: str, before: str) -> bool:
        return self.container.show(unit, "ActiveState") == "active" and self.pid(unit) != before


@pytest.fixture(scope="module")
def home(container: Container) -> Iterator[Home]:
    """Broker, hub, claim, camera, in the order in which a person would do it."""
    made = Home(container)
    container.write("/etc/sealcam/sealcam.toml", CONFIG.format(source=footage()))
    container.write(f"/run/systemd/system/{BROKER}", BROKER_UNIT)
    for unit in (EYE, POST):
        container.write(f"/run/systemd/system/{unit}.d/test.conf", WATCHDOG)
    container.run("systemctl", "daemon-reload")
    made.hub("init", "--broker", f"localhost:{PORT}", "--throwaway")
    container.start(BROKER)
    container.start(HUB)
    container.start(WRAP)
    made.claim("Porch")
    for unit in (EYE, POST):
        container.start(unit)
    yield made
    container.call("systemctl", "stop", EYE, POST, HUB, BROKER)


def test_each_unit_says_itself_that_it_is_ready(home: Home) -> None:
    for unit in (EYE, POST, HUB):
        assert home.container.show(unit, "Type") == "notify"
        assert home.container.show(unit, "ActiveState") == "active", home.container.journal(unit)
        assert home.container.show(unit, "NRestarts") == "0", home.container.journal(unit)


def test_each_process_has_a_user_of_its_own(home: Home) -> None:
    for unit, user in ((EYE, "sealcam-eye"), (POST, "sealcam-post"), (HUB, "sealcam-hub")):
        status = home.container.run("cat", f"/proc/{home.pid(unit)}/status")
        number = home.container.run("id", "-u", user).strip()
        assert f"\nUid:\t{number}\t{number}\t{number}\t{number}\n" in status


def test_what_the_camera_saw_is_opened_at_the_hub(home: Home) -> None:
    eventually(lambda: home.incidents() > 0, 90, f"an incident at the hub\n{home.container.journal(EYE)}")


def test_the_running_eye_has_no_network(home: Home) -> None:
    lines = home.container.within(EYE, "cat", "/proc/self/net/dev").stdout.decode().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in lines] == ["lo"]
    script = f"import socket; socket.create_connection(('127.0.0.1', {PORT}), 2)"
    assert home.container.call(f"{VENV}/bin/python", "-c", script).returncode == 0  # the broker is there for others
    said = home.container.within(EYE, f"{VENV}/bin/python", "-c", script)
    assert said.returncode != 0
    assert b"ConnectionRefusedError" in said.stderr or b"Network is unreachable" in said.stderr


def test_the_running_post_cannot_open_the_eyes_state(home: Home) -> None:
    home.container.run("test", "-f", "/var/lib/sealcam/eye/outbox.db")
    for name in ("", "/outbox.db", "/keys"):
        done = home.container.within(POST, "cat", f"/var/lib/sealcam/eye{name}")
        assert done.returncode != 0
        assert b"Permission denied" in done.stderr


def test_the_eyes_keys_are_locked_under_a_credential_that_root_alone_can_read(home: Home) -> None:
    assert home.container.run("head", "-c", "4", "/var/lib/sealcam/eye/keys") == "SCK1"
    assert home.container.call("test", "-e", "/var/lib/sealcam/eye/wrap").returncode != 0
    assert home.container.run("stat", "-c", "%a %U", f"{CREDENTIAL}").split() == ["600", "root"]
    for unit in (POST, HUB):
        done = home.container.within(unit, "cat", "/run/credentials/sealcam-eye.service/sealcam-wrap")
        assert done.returncode != 0


def test_without_the_credential_the_eye_does_not_start_and_overwrites_nothing(home: Home) -> None:
    before = home.container.run("sha256sum", "/var/lib/sealcam/eye/keys")
    done = home.container.call("runuser", "-u", "sealcam-eye", "--", f"{VENV}/bin/sealcam", "eye")
    assert done.returncode == 1
    assert b"keys is locked, and the credential sealcam-wrap isn't here" in done.stderr
    assert home.container.run("sha256sum", "/var/lib/sealcam/eye/keys") == before


def test_the_credential_is_made_once(home: Home) -> None:
    before = home.container.run("sha256sum", CREDENTIAL)
    home.container.start(WRAP)
    assert home.container.run("sha256sum", CREDENTIAL) == before


def test_a_killed_eye_is_started_again_and_goes_on(home: Home) -> None:
    before, starts = home.pid(EYE), home.starts()
    home.container.kill(EYE, "KILL")
    eventually(lambda: home.restarted(EYE, before), 60, "a new eye")
    eventually(lambda: home.starts() > starts, 60, "its first words at the hub")


def test_a_hung_eye_gets_the_watchdog(home: Home) -> None:
    before, starts = home.pid(EYE), home.starts()
    home.container.kill(EYE, "STOP")
    eventually(lambda: home.restarted(EYE, before), 60, "a new eye")
    eventually(lambda: home.starts() > starts, 60, "its first words at the hub")


def test_a_killed_post_is_started_again_and_goes_on(home: Home) -> None:
    before, beat, starts = home.pid(POST), home.camera()["last_beat"], home.starts()
    home.container.kill(POST, "KILL")
    eventually(lambda: home.restarted(POST, before), 60, "a new post")
    eventually(lambda: home.camera()["last_beat"] > beat, 60, "a beat through the new post")
    home.container.start(EYE)
    eventually(lambda: home.starts() > starts, 60, "an event through the new post")


def test_nothing_was_refused_and_nothing_is_missing(home: Home) -> None:
    status = json.loads(home.hub("status", "--json"))
    assert status["refused"] == 0
    assert not [event for event in home.events() if event["type"] == "notice" and event.get("kind") in ("gap", "clone")]


def test_each_ends_in_order_when_told_to(home: Home) -> None:
    for unit in (EYE, POST, HUB):
        home.container.run("systemctl", "stop", unit)
        assert home.container.show(unit, "Result") == "success", home.container.journal(unit)
        assert home.container.show(unit, "ExecMainStatus") == "0", home.container.journal(unit)
    for unit in (HUB, EYE, POST):
        home.container.start(unit)


def test_a_reset_says_farewell_leaves_nothing_and_the_camera_can_be_claimed_again(home: Home) -> None:
    home.container.run("systemctl", "stop", EYE)
    said = home.container.run(f"{VENV}/bin/sealcam", "reset", "--yes")
    assert "the hub has confirmed the farewell" in said
    for place in ("eye", "post"):
        assert home.container.run("ls", "-A", f"/var/lib/sealcam/{place}") == ""
    assert [event for event in home.events() if event["type"] == "farewell"]
    home.container.run("systemctl", "stop", POST)
    home.claim("Porch again")
    starts = home.starts()
    for unit in (EYE, POST):
        home.container.start(unit)
    eventually(lambda: home.starts() > starts, 60, f"the new camera's first words\n{home.container.journal(EYE)}")
