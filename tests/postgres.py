"""A real private PostgreSQL for tests: a cluster of its own in a temporary folder, on a socket of its own.

`with Postgres() as database:` makes it, starts it and ends it afterwards; where that runs as root it belongs to another
user, since PostgreSQL refuses root. Its password is asked for; it can be killed, stopped and started again.
"""

from __future__ import annotations

import gc
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import warnings
from pathlib import Path
from types import TracebackType

import pytest

START_S = 60.0
USER = "sealcam"
_SETTINGS = """\
listen_addresses = ''
unix_socket_directories = '{folder}'
logging_collector = off
log_min_messages = warning
max_connections = 60
shared_buffers = 32MB
"""


def _programs() -> Path | None:
    """The folder with the newest PostgreSQL that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda one: int(one.parts[-3]))
    there = shutil.which("postgres")
    return found[-1].parent if found else Path(there).parent if there else None


class Postgres:
    """The cluster; skips the test, saying so, where PostgreSQL is not installed."""

    def __init__(self) -> None:
        programs = _programs()
        if programs is None:
            pytest.skip("PostgreSQL is not installed")
        self._programs = programs
        self.folder = Path(tempfile.mkdtemp(prefix="sealcam-postgres-"))
        self._owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.password = secrets.token_hex(8)
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0

    def create(self) -> str:
        """A new, empty database; its address."""
        self._made += 1
        name = f"ledger{self._made}"
        environment = {**os.environ, "PGPASSWORD": self.password}
        command = [str(self._programs / "createdb"), "-h", str(self.folder), "-U", USER, name]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        return f"postgresql://{USER}:{self.password}@/{name}?host={self.folder}"

    def start(self) -> None:
        """Start it, and return once it takes connections."""
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._as_owner())  # type: ignore[call-overload]
        until, never = time.monotonic() + START_S, threading.Event()
        ready = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder)]
        while subprocess.run(ready, check=False).returncode:
            assert self._process is not None
            assert self._process.poll() is None, f"PostgreSQL ended:\n{self.log}"
            assert time.monotonic() < until, f"PostgreSQL does not answer:\n{self.log}"
            never.wait(0.1)

    def stop(self) -> None:
        """End it at once, in order, whoever is connected."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._signal(signal.SIGQUIT)

    @property
    def log(self) -> str:
        """What it has logged so far."""
        file = self.folder / "log"
        return file.read_text(errors="replace") if file.exists() else ""

    def __enter__(self) -> Postgres:
        os.chown(self.folder, self._owner.pw_uid, self._owner.pw_gid)
        secret = self.folder / "password"
        secret.write_text(self.password)
        os.chown(secret, self._owner.pw_uid, self._owner.pw_gid)
        command = [str(self._programs / "initdb"), "-D", str(self.folder / "data"), "-U", USER, "--no-sync"]
        command += ["-E", "UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={secret}"]
        subprocess.run(command, check=True, capture_output=True, **self._as_owner())  # type: ignore[call-overload]
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS.format(folder=self.folder))
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        with warnings.catch_warnings():  # sockets that pg8000 left to the collector are no later test's warning
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

    def _as_owner(self) -> dict[str, object]:
        if os.geteuid() != 0:
            return {}
        return {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": [], "cwd": self.folder}

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(START_S)
            self._process = None
