"""`sealcam-provision bench`, what `make bench` calls: the camera's own figures, then those of a whole home.

The home's are taken with the product's own processes on this machine: a camera on real footage at 10 fps, a broker
with TLS on loopback, a hub with its ledger on disk. Nothing here asserts a speed.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
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

_STARTS = 12  # each start of the eye gives one first confident event
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
    say(f"the camera's own figures, then {options.starts} starts of a camera in a whole home; some minutes")
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


def home_figures(starts: int) -> list[dict[str, Any]]:
    """Delay from capture to opened event, start to watching, and peak memory of each process."""
    homes.find_mosquitto()
    with tempfile.TemporaryDirectory(prefix="sealcam-bench-") as folder:
        home = Home(Path(folder))
        try:
            wish = Wish(str(runs.default_footage()), "Bench", "away", once=False, console_port=0)
            homes.build(home, wish)
            home.end("eye")
            ready_s = [_start(home, number) for number in range(starts)]
            delays_s = _delays(home)
            memory = {name: _peak_mb(home.parts[name].pid) for name in ("eye", "post", "hub")}
        finally:
            home.end_all()
    if len(delays_s) < 2:
        raise SealcamError("too few incidents were opened to measure", f"more in {folder}")
    how = f"{len(delays_s)} starts of the eye on vtest.avi at 10 fps, loopback Mosquitto with TLS, one machine"
    cut = statistics.quantiles(delays_s, n=20, method="inclusive")
    figures = [
        Figure("capture to opened, p50", round(1000 * statistics.median(delays_s)), "ms", how),
        Figure("capture to opened, p95", round(1000 * cut[-1]), "ms", how),
        Figure("start to watching, median", round(statistics.median(ready_s), 2), "s", "process start to READY=1"),
        *(
            Figure(f"peak memory, {name}", round(value), "MB", "VmHWM after the run above")
            for name, value in memory.items()
        ),
    ]
    return [asdict(figure) for figure in figures]


def _start(home: Home, number: int) -> float:
    """Start the eye, wait for READY=1 and for its first incident at the hub; seconds to READY."""
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
        ready_s = time.monotonic() - begun
    wanted = number + 1
    while len(_new(home)) < wanted and time.monotonic() - begun < _WITHIN_S:
        time.sleep(0.1)
    return ready_s


def _new(home: Home) -> list[dict[str, Any]]:
    """The first confident word of each incident in the ledger."""
    argv = (homes.program("sealcam-hub"), "--state", str(home.folder / "hub"), "events", "--json")
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    events = [json.loads(line) for line in said.splitlines()]
    return [event for event in events if event["type"] == "incident" and event["stage"] == "new"]


def _delays(home: Home) -> Sequence[float]:
    """Seconds from the frame that made each verdict confident to its event being opened."""
    return [
        (datetime.fromisoformat(event["arrived"]) - datetime.fromisoformat(event["occurred"])).total_seconds()
        for event in _new(home)
    ]


def _peak_mb(pid: int) -> float:
    """The most resident memory that a process had so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(row for row in status.splitlines() if row.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024
