"""A hub of several real processes for tests: its own Mosquitto, PostgreSQL where asked for, `serve` and its workers.

The processes are kept up as systemd does: one that has ended is started again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

import pytest

from sealcam_hub import database, doorkeeper, workers
from sealcam_hub.folder import Address
from sealcam_hub.home import open_home
from sealcam_hub.keys import load_keys
from sealcam_hub.postgres import Where
from tests.broker import free_port
from tests.hubs import make
from tests.postgres import Postgres

START_S = 120.0
PROGRAM = Path(sys.executable).with_name("sealcam-hub")


class Fleet:
    """The hub in `folder`, with `serve` and so many workers beside it."""

    def __init__(self, folder: Path, beside: int, postgres: Postgres | None = None) -> None:
        self._mosquitto = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if self._mosquitto is None:
            pytest.skip("Mosquitto is not installed")
        self.folder = make(folder, Address("localhost", free_port()))
        if postgres is not None:
            database.move(self.folder, load_keys(self.folder).table.wrap, Where.parse(postgres.create()))
        with open_home(self.folder) as home:
            workers.choose(home, beside)
        with open_home(self.folder) as home:
            doorkeeper.refresh(home)
        self._commands = [["serve", "--no-console"], *(["worker", str(number)] for number in range(1, beside + 1))]
        self._running: list[subprocess.Popen[bytes] | None] = [None for _ in self._commands]
        self._broker: subprocess.Popen[bytes] | None = None
        self.restarts = [0 for _ in self._commands]
        self.memory_kib = [0 for _ in self._commands]
        self.postgres = postgres

    def keep_up(self) -> None:
        """Start what doesn't run."""
        for number, process in enumerate(self._running):
            if process is not None and process.poll() is None:
                self._weigh(number, process.pid)
                continue
            self.restarts[number] += process is not None
            with (self.folder.path / f"{number}.log").open("ab") as log:
                command = [str(PROGRAM), "--state", str(self.folder.path), *self._commands[number]]
                self._running[number] = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self, number: int) -> None:
        """End one of them as a power cut does: 0 is `serve`."""
        process = self._running[number]
        assert process is not None
        process.kill()
        process.wait()

    def log(self, number: int) -> str:
        """What one of them has said."""
        return self._said(number).decode(errors="replace")

    def _said(self, number: int) -> bytes:
        return (self.folder.path / f"{number}.log").read_bytes()

    def __enter__(self) -> Fleet:
        configuration = self.folder.path / "broker" / "mosquitto.conf"
        with (self.folder.path / "broker.log").open("wb") as log:
            self._broker = subprocess.Popen([str(self._mosquitto), "-c", str(configuration)], stdout=log, stderr=log)
        self.keep_up()
        until, never = time.monotonic() + START_S, threading.Event()
        while not all(b"receiving" in self._said(number) for number in range(len(self._commands))):
            assert time.monotonic() < until, "\n".join(self.log(number) for number in range(len(self._commands)))
            never.wait(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (*self._running, self._broker):
            if process is not None:
                process.terminate()
        for process in (*self._running, self._broker):
            if process is not None:
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def _weigh(self, number: int, pid: int) -> None:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                self.memory_kib[number] = max(self.memory_kib[number], int(line.split()[1]))
