"""A whole home for a test: real broker, hub, eye and post, on a piece of real footage."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sealcam_provision import home as homes
from sealcam_provision.home import Home, Wish
from tests import footage
from tests.waiting import eventually


class RunningHome:
    """One home, and what its hub says."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.folder = folder
        self.console = ""

    def start(self, source: Path, *, once: bool) -> None:
        wish = Wish(str(source), "Test door", "away", once, console_port=0)
        self.console = homes.build(self.home, wish)

    def hub(self, *words: str) -> str:
        command = (homes.program("sealcam-hub"), "--state", str(self.folder / "hub"), *words)
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.hub("events", "--json").splitlines()]

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.hub("status", "--json"))
        return found

    def chained(self) -> list[dict[str, Any]]:
        return [event for event in self.events() if event["type"] != "notice"]

    def restart(self, name: str) -> None:
        """Start the eye or the post again, as its supervisor would."""
        config = str(self.folder / "sealcam.toml")
        stdout = subprocess.PIPE if name == "eye" else None
        self.home.start(name, homes.program("sealcam"), name, "--config", config, stdout=stdout)

    def restart_broker(self) -> None:
        config = self.folder / "hub" / "broker" / "mosquitto.conf"
        self.home.start("broker", homes.find_mosquitto(), "-c", str(config))

    def kill(self, name: str) -> None:
        part = self.home.parts.pop(name)
        part.kill()
        part.communicate()

    def until_events(self, count: int) -> None:
        eventually(lambda: len(self.chained()) >= count, 60.0, f"{count} events in the ledger")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[RunningHome]:
    try:
        homes.find_mosquitto()
    except Exception as error:  # noqa: BLE001
        pytest.skip(f"no broker to start: {error}")
    running = RunningHome(tmp_path)
    yield running
    running.home.end_all()


@pytest.fixture(scope="session")
def walkers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first six seconds of real footage with people in it."""
    return footage.cut(footage.vtest(), tmp_path_factory.mktemp("footage") / "walkers.avi", frames=60)
