"""`sealcam-provision bench`, what `make bench` calls: the camera's own figures, then those of a whole home.

The home's are taken with the product's own processes on this machine: a camera on real footage at 10 fps, a broker
with TLS on loopback, a hub with its ledger on disk. Nothing here asserts a speed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealcam.wire.errors import SealcamError
from sealcam_provision import home as homes
from sealcam_provision import run as runs
from sealcam_provision.home import Home, Wish

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

_STARTS = 5
_TURNS = 24  # each is one sample of the delay
_CAMERA = "Bench"
_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number, its unit, and how it was taken."""

    name: str
    value: float
    unit: str
    how: str


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("bench", help="the figures of the budgets, of camera and home")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--starts", type=int, default=_STARTS, metavar="N", help=f"starts of the eye, default {_STARTS}"
    )


def run(options: argparse.Namespace) -> int:
    """Take the figures and print them; the exit code."""
    signal.signal(signal.SIGTERM, runs.as_interrupt)
    say("the camera's own figures, then a camera in a whole home; two or three minutes")
    figures = [*_device(), *home_figures(options.starts)]
    if options.json:
        sys.stdout.write(json.dumps({"figures": figures}, indent=1) + "\n")
    else:
        for figure in figures:
            sys.stdout.write(f"{figure['name']:<44} {figure['value']:>10} {figure['unit']:<8} {figure['how']}\n")
    return 0


def say(text: str) -> None:
    """Tell what is going on, on standard error."""
    sys.stderr.write(f"sealcam: {text}\n")


def _device() -> list[dict[str, Any]]:
    done = subprocess.run((homes.program("sealcam"), "bench", "--json"), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SealcamError("the camera's own figures could not be taken", "the message above says why")
    found: list[dict[str, Any]] = json.loads(done.stdout)["figures"]
    return found


def home_figures(starts: int, turns: int = _TURNS) -> list[dict[str, Any]]:
    """Delay from capture to the hub, start to watching, and peak memory of each process."""
    homes.find_mosquitto()
    with tempfile.TemporaryDirectory(prefix="sealcam-bench-") as folder:
        home = Home(Path(folder))
        try:
            homes.build(home, Wish(str(runs.default_footage()), _CAMERA, "home", once=False, console_port=0))
            home.end("eye")
            ready_s = [_start(home, number) for number in range(starts)]
            _until(lambda: _reports(home))
            for turn in range(turns):
                _turn(home, "away" if turn % 2 == 0 else "home")
            delays_s = _delays([one for one in _reports(home) if one["stage"] == "update"])
            memory = {name: _peak_mb(home.parts[name].pid) for name in ("eye", "post", "hub")}
        finally:
            home.end_all()
    how = f"{len(delays_s)} changed verdicts on vtest.avi at 10 fps, loopback Mosquitto with TLS, one machine"
    figures = [
        Figure("capture to hub, p50", _ms(delays_s, 50), "ms", how),
        Figure("capture to hub, p95", _ms(delays_s, 95), "ms", how),
        Figure("start to watching, median", round(statistics.median(ready_s), 2), "s", "process start to READY=1"),
        *(
            Figure(f"peak memory, {name}", round(value), "MB", "VmHWM after the run above")
            for name, value in memory.items()
        ),
    ]
    return [asdict(figure) for figure in figures]


def _turn(home: Home, mode: str) -> None:
    """Arm the camera otherwise: someone in view becomes a threat, or expected, with the next frame."""
    before = len(_reports(home))
    argv = (homes.program("sealcam-hub"), "--state", str(home.folder / "hub"), "arm", _CAMERA, mode)
    subprocess.run(argv, capture_output=True, check=True)
    _until(lambda: len(_reports(home)) > before)


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while not condition():
        if time.monotonic() > deadline:
            raise SealcamError(f"nothing new reached the hub within {_WITHIN_S:g} s", "is this machine too busy?")
        time.sleep(0.05)


def _ms(delays_s: list[float], percent: int) -> int:
    """A percentile, in milliseconds."""
    return round(1000 * statistics.quantiles(delays_s, n=100, method="inclusive")[percent - 1])


def _start(home: Home, number: int) -> float:
    """Start the eye and wait for READY=1; the seconds it took."""
    if "eye" in home.parts:
        home.end("eye")
    address = home.folder / f"notify-{number}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(address))
        listener.settimeout(_WITHIN_S)
        begun = time.monotonic()
        argv = (homes.program("sealcam"), "eye", "--config", str(home.folder / "sealcam.toml"))
        home.start("eye", *argv, stdout=subprocess.PIPE, environment={**os.environ, "NOTIFY_SOCKET": str(address)})
        while b"READY=1" not in listener.recv(4096):
            pass
        return time.monotonic() - begun


def _reports(home: Home) -> list[dict[str, Any]]:
    """What the hub has of each incident, in the ledger's order."""
    argv = (homes.program("sealcam-hub"), "--state", str(home.folder / "hub"), "events", "--json")
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    events = [json.loads(line) for line in said.splitlines()]
    return [event for event in events if event["type"] == "incident"]


def _delays(reports: list[dict[str, Any]]) -> list[float]:
    """Seconds from each report's frame to its arrival at the hub, by one machine's one clock.

    The hub opens what has arrived in the same batch; opening itself is among the camera's own figures.
    """
    return [
        (datetime.fromisoformat(one["arrived"]) - datetime.fromisoformat(one["camera_clock"])).total_seconds()
        for one in reports
    ]


def _peak_mb(pid: int) -> float:
    """The most resident memory that a process had so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(row for row in status.splitlines() if row.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
