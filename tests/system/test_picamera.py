"""The real picamera2 on a recorded scene: the eye under its real unit sees it, a hub outside opens it.

libcamera's virtual camera stands for the sensor; everything above it is what a Raspberry Pi has. design/bringup.md.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sealcam.wire.errors import SealcamError
from sealcam_provision import claim
from sealcam_provision import home as homes
from sealcam_provision.home import Home
from tests import footage
from tests.system.conftest import booted
from tests.system.container import Container, eventually
from tests.system.root import VENV
from tests.system.virtualcam import LIBRARY, SCENE, SETTINGS, camera_root, record

EYE, POST, WRAP = (f"sealcam-{name}.service" for name in ("eye", "post", "wrap"))
CONFIG = """
arm = "away"
[camera]
source = "pi"
[clips]
record = true
fps = 5.0
"""
UNIT = f"""
[Service]
Environment=LD_PRELOAD={LIBRARY}
"""
HALF = "/run/half"
# Twice in one process: libcamera locks a camera to its process by media devices, which the virtual one doesn't have.
OPENED = """
from sealcam.board.picamera import open_picamera2
from sealcam.wire.errors import HardwareError

first = open_picamera2()
for number in (0, 7):
    try:
        open_picamera2(number)
    except HardwareError as error:
        print(error.message)
"""


class Outside:
    """A hub and its broker on this machine."""

    def __init__(self, folder: Path) -> None:
        self._home, self._state = Home(folder), folder / "hub"
        port = homes.free_port()
        self.run("init", "--broker", f"localhost:{port}", "--throwaway")
        self._home.start("broker", homes.find_mosquitto(), "-c", str(self._state / "broker" / "mosquitto.conf"))
        homes.until_listening(self._home, "broker", port)
        hub = (homes.program("sealcam-hub"), "--state", str(self._state))
        self._home.start("hub", *hub, "serve", "--console", "127.0.0.1:0")
        self.fingerprint = claim.owner_fingerprint(self._state).hex()

    def end(self) -> None:
        self._home.end_all()

    def run(self, *words: str, stdin: bytes = b"") -> bytes:
        """A command of the hub's; what it printed."""
        command = (homes.program("sealcam-hub"), "--state", str(self._state), *words)
        return subprocess.run(command, input=stdin, capture_output=True, check=True, timeout=120).stdout

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run("events", "--json").splitlines()]

    def codes(self) -> list[str]:
        """The camera's words on itself, in its order."""
        return [event["kind"] for event in self.events() if event["type"] == "health"]


def scene(folder: Path) -> Path:
    """Some seconds of people who walk."""
    folder.mkdir()
    record(footage.vtest(), folder, first=0, count=60, step=2)
    return folder


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    try:
        homes.find_mosquitto()
    except SealcamError as error:
        pytest.skip(f"no broker to start: {error}")
    made = Outside(tmp_path_factory.mktemp("outside"))
    yield made
    made.end()


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory, outside: Outside) -> Iterator[Container]:
    """A claimed camera that looks through picamera2, its eye and post under their units."""
    pictures = scene(tmp_path_factory.mktemp("recorded") / "scene")
    with booted(tmp_path_factory, lambda: {SCENE: pictures}, camera_root, alone=False) as made:
        made.write("/etc/sealcam/sealcam.toml", CONFIG)
        made.write(f"/run/systemd/system/{EYE}.d/test.conf", UNIT)
        made.run("systemctl", "daemon-reload")
        made.start(WRAP)
        asked = made.call(f"{VENV}/bin/sealcam", "claim", "request")
        assert asked.returncode == 0, asked.stderr
        answer = outside.run("enrol", "--name", "Porch", stdin=asked.stdout)
        made.run(f"{VENV}/bin/sealcam", "claim", "accept", "--fingerprint", outside.fingerprint, stdin=answer)
        for unit in (EYE, POST):
            made.start(unit)
        yield made
        made.call("systemctl", "stop", EYE, POST)
    shutil.rmtree(pictures)


def test_the_scene_that_picamera2_shows_is_an_incident_at_a_hub_outside(camera: Container, outside: Outside) -> None:
    def seen() -> list[dict[str, Any]]:
        return [event for event in outside.events() if event["type"] == "incident"]

    eventually(lambda: bool(seen()), 180, f"an incident at the hub\n{camera.journal(EYE)}")
    assert camera.show(EYE, "PrivateNetwork") == "yes"
    assert camera.show(EYE, "ActiveState") == "active"


def test_the_doctor_finds_the_camera_at_its_rate_once_the_eye_has_let_go_of_it(camera: Container) -> None:
    camera.run("systemctl", "stop", EYE)
    words = ("doctor", "--json", "--only", "camera")
    done = camera.call("env", f"LD_PRELOAD={LIBRARY}", f"{VENV}/bin/sealcam", *words)
    found = {one["part"]: one for one in json.loads(done.stdout)["findings"]}
    assert found["camera"]["figures"]["width_px"] == 640
    assert found["camera"]["figures"]["height_px"] == 360
    assert found["camera"]["words"].startswith("Raspberry Pi camera: 640 x 360")
    assert found["focus"]["grade"] == "good"
    camera.start(EYE)


def test_the_real_library_says_that_a_camera_is_busy_or_not_there_in_one_line(camera: Container) -> None:
    camera.run("systemctl", "stop", EYE)
    done = camera.run("env", f"LD_PRELOAD={LIBRARY}", f"{VENV}/bin/python", "-c", OPENED)
    assert done.splitlines() == ["the camera is busy: another program has it", "there is no camera 7 on this board"]
    camera.start(EYE)


def test_a_camera_that_is_gone_is_told_and_comes_back_by_itself(camera: Container, outside: Outside) -> None:
    before = outside.codes()
    camera.run("mv", SETTINGS, HALF)
    camera.run("systemctl", "restart", "--no-block", EYE)

    def more(code: str) -> bool:
        return outside.codes().count(code) > before.count(code)

    eventually(lambda: more("camera-restart"), 180, f"its word\n{camera.journal(EYE)}")
    assert "camera-lost" in outside.codes()
    camera.run("mv", HALF, SETTINGS)
    eventually(lambda: more("camera-back"), 240, f"pictures again\n{camera.journal(EYE)}")
