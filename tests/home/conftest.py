"""A whole home for a test: real broker, hub, eye and post, on a piece of real footage."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from sealcam.wire.errors import SealcamError
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

    def start(self, source: Path, *, once: bool, extra: str = "") -> None:
        quick = "[sight]\ncalm_s = 1.0\n"  # so that each round of the footage is an incident of its own
        wish = Wish(str(source), "Test door", "away", once, console_port=0, extra=quick + extra)
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
        eventually(lambda: len(self.chained()) >= count, 180.0, f"{count} events in the ledger")

    def tell(self) -> None:
        """Print what a failure is understood by: parts that have ended, their messages, the clips on both sides."""
        for name, part in self.home.parts.items():
            print(f"{name}: {'runs' if part.poll() is None else f'ended with {part.returncode}'}")
        for log in sorted(self.folder.glob("*.log")):
            print(f"--- {log.name}\n{log.read_text(errors='replace')}", end="")
        for clip in sorted(path for path in self.folder.rglob("*") if path.suffix in {".part", ".scl1"}):
            print(f"{clip.relative_to(self.folder)}: {clip.stat().st_size} bytes")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[RunningHome]:
    try:
        homes.find_mosquitto()
    except SealcamError as error:
        pytest.skip(f"no broker to start: {error}")
    running = RunningHome(tmp_path)
    yield running
    running.tell()
    running.home.end_all()


@pytest.fixture(scope="session")
def walkers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of real footage with people in it, then three of the same place without them (their median)."""
    target = tmp_path_factory.mktemp("footage") / "walkers.mkv"
    with av.open(str(footage.vtest())) as source:
        pictures = [frame.to_ndarray(format="rgb24") for frame in islice(source.decode(video=0), 0, 400, 10)]
        source.seek(0)
        people = [frame.to_ndarray(format="rgb24") for frame in islice(source.decode(video=0), 40)]
    empty = np.median(np.stack(pictures), axis=0).astype(np.uint8)
    with av.open(str(target), "w") as made:
        stream = made.add_stream("libx264", rate=10, options={"preset": "ultrafast", "crf": "18"})
        stream.height, stream.width = empty.shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in [*people, *[empty] * 30]:
            made.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        made.mux(stream.encode())
    return target
