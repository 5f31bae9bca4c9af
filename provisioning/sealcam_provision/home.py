"""A whole home on one machine: broker, hub and camera as real processes in a folder of their own.

Each part is the product's own command with its own state, started in order and ended in reverse; nothing here sees a
key or a picture. What is shown while it runs is left to `run`.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sealcam.wire.errors import SealcamError
from sealcam_provision import claim

_END_S = 15.0  # how long a part may take to end by itself


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asked for: a camera source, an arming mode, whether footage ends, the console's port.

    `extra` is more of the camera's configuration, in TOML.
    """

    source: str
    name: str
    arm: str
    once: bool
    console_port: int
    extra: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """What was sealed at the camera, and opened and refused at the hub."""

    sealed: int
    opened: int
    refused: int
    queued: int


@dataclass(eq=False, slots=True)
class Home:
    """The running parts, in the order they were started."""

    folder: Path
    parts: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    lock: IO[str] | None = None

    def logs(self, name: str) -> Path:
        """Where a part's messages go."""
        return self.folder / f"{name}.log"

    def start(
        self,
        name: str,
        *argv: str,
        stdout: int | IO[str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start one part; its messages go to a file."""
        with self.logs(name).open("a") as log, _later():
            self.parts[name] = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log if stdout is None else stdout, stderr=log, text=True,
                start_new_session=True, env=environment,
            )  # fmt: skip  # a session of its own: Ctrl-C reaches us alone, and we end the parts in order
        return self.parts[name]

    def last_words(self, name: str) -> SealcamError:
        """Why a part ended, from its own messages."""
        lines = [line for line in self.logs(name).read_text(errors="replace").splitlines() if line.strip()]
        error = next((line for line in reversed(lines) if "rror" in line), lines[-1] if lines else "it said nothing")
        hint = next((line.removeprefix("hint: ") for line in reversed(lines) if line.startswith("hint: ")), None)
        return SealcamError(f"{name}: {error.split(': error: ')[-1]}", hint or f"more in {self.logs(name)}")

    def end(self, name: str) -> str:
        """End one part, by itself if it can; what it had printed."""
        part = self.parts.pop(name)
        if part.poll() is None:
            part.send_signal(signal.SIGTERM)
        try:
            said, _ = part.communicate(timeout=_END_S)
        except subprocess.TimeoutExpired:
            part.kill()
            said, _ = part.communicate()
        return said or ""

    def end_all(self) -> None:
        """End what still runs, the last started first."""
        for name in reversed(list(self.parts)):
            self.end(name)
        if self.lock is not None:
            self.lock.close()


@contextmanager
def _later() -> Iterator[None]:
    """Hold an interrupt back while a part is being started: in between, nobody would know of it to end it."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda number, _frame: came.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


def program(name: str) -> str:
    """The path of one of the product's commands, beside this one."""
    return str(Path(sys.executable).with_name(name))


def free_port(wanted: int = 0) -> int:
    """A free loopback port: the wanted one, or any."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise SealcamError("no free port on this machine")


def open_folder(root: Path) -> Home:
    """A fresh folder for one run: the first slot that no other run holds, emptied."""
    root.mkdir(parents=True, exist_ok=True)
    for slot in range(1, 100):
        lock = (root / f"{slot}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        folder = root / str(slot)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        return Home(folder, lock=lock)
    raise SealcamError("a hundred runs are going on already", "end some of them")


def find_mosquitto() -> str:
    """The broker's program.

    Raises:
        SealcamError: Mosquitto isn't installed.
    """
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise SealcamError("Mosquitto, the broker, is not installed", "sudo apt-get install mosquitto")
    return found


def build(home: Home, wish: Wish) -> str:
    """Start broker, hub and camera in order, each when the one before is ready; the console's address.

    Raises:
        SealcamError: a part didn't start, in its own words.
    """
    hub, port = home.folder / "hub", free_port()
    mosquitto = find_mosquitto()
    _once("hub", program("sealcam-hub"), "--state", str(hub), "init", "--broker", f"127.0.0.1:{port}", "--throwaway")
    home.start("broker", mosquitto, "-c", str(hub / "broker" / "mosquitto.conf"))
    until_listening(home, "broker", port)
    address = serve(home, hub, free_port(wish.console_port))
    config = home.folder / "sealcam.toml"
    config.write_text(camera_config(home.folder, wish))
    claim.apply(claim.plan(wish.name, config, hub, claim.owner_fingerprint(hub)))
    home.start("eye", program("sealcam"), "eye", "--config", str(config), stdout=subprocess.PIPE)
    home.start("post", program("sealcam"), "post", "--config", str(config))
    return address


def _once(name: str, *argv: str) -> str:
    """What a part prints that ends at once."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SealcamError(f"{name}: {done.stderr.strip()}")
    return done.stdout.strip()


def until_listening(home: Home, name: str, port: int, within_s: float = 10.0) -> None:
    """Wait until a part takes connections on a loopback port.

    Raises:
        SealcamError: it ended, or didn't open the port in time.
    """
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if home.parts[name].poll() is not None:
            raise home.last_words(name)
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
            continue
        return
    raise SealcamError(f"the {name} did not open port {port} within {within_s:g} s", f"more in {home.logs(name)}")


def serve(home: Home, hub: Path, port: int) -> str:
    """Start the hub; where another program took the port in the meantime, once more with any. The console's address."""
    for console in (port, 0):
        argv = (program("sealcam-hub"), "--state", str(hub), "serve", "--console", f"127.0.0.1:{console}")
        try:
            return _console(home, home.start("hub", *argv, stdout=subprocess.PIPE), hub)
        except SealcamError as error:
            if "in use" not in error.message or not console:
                raise
            home.end("hub")
            home.logs("hub").unlink()
    raise AssertionError("a free port is never in use")


def _console(home: Home, part: subprocess.Popen[str], hub: Path) -> str:
    """The address that the hub prints once it listens; a link where it says that there is a way in."""
    assert part.stdout is not None
    for line in part.stdout:
        if "sealcam-hub link" in line:
            return _once("hub", program("sealcam-hub"), "--state", str(hub), "link")
        if "http://" in line:
            return line[line.index("http://") :].strip()
    part.wait()
    raise home.last_words("hub")


def camera_config(folder: Path, wish: Wish) -> str:
    """The camera's configuration; JSON strings are TOML strings."""
    return (
        f"arm = {json.dumps(wish.arm)}\n"
        f"[camera]\nsource = {json.dumps(wish.source)}\nrepeat = {json.dumps(not wish.once)}\n"
        f"[paths]\nstate = {json.dumps(str(folder / 'camera'))}\nsocket = {json.dumps(str(folder / 'eye.sock'))}\n"
        f"{wish.extra}"
    )


def tally(home: Home) -> Tally:
    """End the camera and ask the hub what it has opened.

    Raises:
        SealcamError: the camera died without a word, or the hub doesn't answer.
    """
    eye = home.parts["eye"]
    lines = home.end("eye").strip().splitlines()
    if not lines and eye.returncode != -signal.SIGTERM:  # that one was ended before it began to watch
        raise home.last_words("eye")
    said = json.loads(lines[-1]) if lines else {"incidents": 0, "queued": 0}
    done = subprocess.run(
        (program("sealcam-hub"), "--state", str(home.folder / "hub"), "status", "--json"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise SealcamError(f"hub: {done.stderr.strip()}")
    status = json.loads(done.stdout)
    return Tally(said["incidents"], status["opened"], status["refused"], said["queued"])
