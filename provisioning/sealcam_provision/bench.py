"""`sealcam-provision bench`, what `make bench` calls: the camera's own figures, the hub's, then those of a whole home.

The home's are taken with the product's own processes on this machine: a camera on real footage at 10 fps, a broker
with TLS on loopback, a hub with its ledger on disk. Nothing here asserts a speed.
"""

from __future__ import annotations

import argparse
import contextlib
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
from sealcam_provision import bench_live, bench_wear
from sealcam_provision import home as homes
from sealcam_provision import run as runs
from sealcam_provision.home import Home, Wish

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

_STARTS = 5
_TURNS = 24  # each is one sample of the delay
_ROUNDS = 4  # so often somebody looks for a while
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
    say("the camera's own figures, the hub's, then a camera in a whole home; five minutes")
    own = [*_own("sealcam", "camera"), *_own("sealcam-hub", "hub")]
    figures = [*own, *home_figures(options.starts), *wear_figures()]
    if options.json:
        sys.stdout.write(json.dumps({"figures": figures}, indent=1) + "\n")
    else:
        for figure in figures:
            sys.stdout.write(f"{figure['name']:<44} {figure['value']:>10} {figure['unit']:<8} {figure['how']}\n")
    return 0


def say(text: str) -> None:
    """Tell what is going on, on standard error."""
    sys.stderr.write(f"sealcam: {text}\n")


def _own(program: str, whose: str) -> list[dict[str, Any]]:
    """What one part of the product measures by itself."""
    done = subprocess.run((homes.program(program), "bench", "--json"), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SealcamError(f"the {whose}'s own figures could not be taken", "the message above says why")
    found: list[dict[str, Any]] = json.loads(done.stdout)["figures"]
    return found


def home_figures(starts: int, turns: int = _TURNS) -> list[dict[str, Any]]:
    """Delay from capture to the hub, start to watching, and peak memory of each process."""
    homes.find_mosquitto()
    with tempfile.TemporaryDirectory(prefix="sealcam-bench-") as folder:
        home = Home(Path(folder))
        try:
            address = homes.build(home, Wish(str(runs.default_footage()), _CAMERA, "home", once=False, console_port=0))
            home.end("eye")
            ready_s = [_start(home, number) for number in range(starts)]
            _until(lambda: _reports(home))
            door = bench_live.sign_in(address)
            glass = bench_live.measure(door)  # first of all: nobody looks yet
            delays_s, looked_s = _both_delays(home, door, turns)
            memory = {name: _peak_mb(home.parts[name].pid) for name in ("eye", "post", "hub")}
        finally:
            home.end_all()
    how = f"{len(delays_s)} changed verdicts on vtest.avi at 10 fps, loopback Mosquitto with TLS, one machine"
    shown = (
        f"{len(glass.ages_ms)} pictures of vtest.avi at 10 fps, encoded in software, the same home while it watches; "
    )
    shown += "from capture to the console's answer as a browser takes it, without the browser's decoding and screen"
    figures = [
        Figure("capture to hub, p50", _ms(delays_s, 50), "ms", how),
        Figure("capture to hub, p95", _ms(delays_s, 95), "ms", how),
        Figure("capture to hub, somebody looks", _ms(looked_s, 50), "ms", f"p50, {how}, in turns with nobody looking"),
        Figure("capture to hub, looking over not", _over(looked_s, delays_s), "x", "p50 over p50 of the rows above"),
        Figure("live view, glass to console, p50", glass.percentile(50), "ms", shown),
        Figure("live view, glass to console, p95", glass.percentile(95), "ms", shown),
        Figure("live view, first picture", round(glass.first_ms), "ms", "from asking for it, nobody looked before"),
        Figure("start to watching, median", round(statistics.median(ready_s), 2), "s", "process start to READY=1"),
        *(
            Figure(f"peak memory, {name}", round(value), "MB", "VmHWM after the run above")
            for name, value in memory.items()
        ),
    ]
    return [asdict(figure) for figure in figures]


def wear_figures() -> list[dict[str, Any]]:
    """What the eye writes to its card in an hour, where that can be counted."""
    wear = bench_wear.measure(runs.default_footage())
    if wear is None:
        say("what the eye writes was not counted: that takes root, and a folder for temporary files on a disk")
        return []
    how = f"write_bytes of the eye in {bench_wear.WATCHED_S:g} s, whole pages; the file system's own come on top"
    figures = [
        Figure("written an hour, at rest", round(wear.rest / 1e6, 2), "MB", f"{how}; a still picture, recording is on"),
        Figure("written an hour, under load", round(wear.load / 1e6), "MB", f"{how}; vtest.avi, people all the time"),
    ]
    return [asdict(figure) for figure in figures]


def _both_delays(home: Home, door: bench_live.Door, turns: int) -> tuple[list[float], list[float]]:
    """Delays in seconds while nobody looks, and while somebody does, `turns` of each, some at a time in turns."""
    found: tuple[list[float], list[float]] = ([], [])
    for number in range(2 * _ROUNDS):
        before = len(_updates(home))
        with bench_live.looking(door) if number % 2 else contextlib.nullcontext():
            for turn in range(turns // _ROUNDS):
                _turn(home, "away" if turn % 2 == 0 else "home")
        found[number % 2].extend(_delays(_updates(home)[before:]))
    return found


def _over(these_s: list[float], those_s: list[float]) -> float:
    """The median of these over that of those."""
    return round(statistics.median(these_s) / statistics.median(those_s), 2)


def _updates(home: Home) -> list[dict[str, Any]]:
    return [one for one in _reports(home) if one["stage"] == "update"]


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
