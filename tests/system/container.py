"""A booted container with real systemd: what the units promise is tried here and not on the machine itself.

Its root is the cached one under a throw-away overlay, its network a loopback of its own. Commands enter by nsenter;
nothing is registered on the host, and leaving the context ends it.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

BOOT_S = 90.0


class ContainerError(Exception):
    """The container didn't boot, or a command in it failed."""


class Container:
    """One booted container; `binds` maps places inside to folders or files outside, read-only. `alone`: its network is
    a loopback of its own; otherwise `localhost` inside is the machine outside."""

    def __init__(self, root: Path, binds: Mapping[str, Path] | None = None, *, alone: bool = True) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sealcam-system-")
        self._log = Path(self._folder.name) / "console"
        notify = Path(self._folder.name) / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours, self._log.open("wb") as log:
            ours.bind(str(notify))
            ours.settimeout(BOOT_S)
            self._nspawn = subprocess.Popen(
                ("systemd-nspawn", "--quiet", "--boot", "-D", str(root), "--register=no", "--keep-unit",
                 "--console=read-only", *(("--private-network",) if alone else ()),
                 "--volatile=overlay", "--notify-ready=yes",
                 *(f"--bind-ro={outside}:{inside}" for inside, outside in (binds or {}).items())),
                env={**os.environ, "NOTIFY_SOCKET": str(notify)}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
            self._leader = 0
            try:
                self._wait_ready(ours)
            except BaseException:
                self.end()
                raise

    def _wait_ready(self, ours: socket.socket) -> None:
        """Read nspawn's messages until the init inside says that it is ready."""
        while True:
            try:
                lines = ours.recv(4096).decode().splitlines()
            except TimeoutError as error:
                said = self._log.read_text(errors="replace")[-2000:]
                raise ContainerError(f"no boot within {BOOT_S:g} s:\n{said}") from error
            for line in lines:
                name, _, value = line.partition("=")
                if name == "X_NSPAWN_LEADER_PID":
                    self._leader = int(value)
            if "READY=1" in lines:
                return

    def __enter__(self) -> Container:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Power it off, and kill it if it doesn't."""
        if self._nspawn.poll() is None and self._leader:
            self.call("systemctl", "poweroff", "--force")
        try:
            self._nspawn.wait(30)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
        self._folder.cleanup()

    def call(self, *argv: str, stdin: bytes = b"", timeout_s: float = 120.0) -> subprocess.CompletedProcess[bytes]:
        """Run a command inside as root; its result, whatever it is."""
        enter = ("nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-n", "-p", "-C", "--")
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        return subprocess.run(
            (*enter, *argv), input=stdin, capture_output=True, timeout=timeout_s, check=False, env=environment
        )

    def begin(self, *argv: str) -> subprocess.Popen[str]:
        """Start a command inside as root, to be spoken to over its standard input and output."""
        enter = ("nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-n", "-p", "-C", "--")
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        return subprocess.Popen(
            (*enter, *argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(self, *argv: str, stdin: bytes = b"", timeout_s: float = 120.0) -> str:
        """Run a command inside as root; what it printed.

        Raises:
            ContainerError: it failed, with what it said.
        """
        done = self.call(*argv, stdin=stdin, timeout_s=timeout_s)
        if done.returncode != 0:
            said = (done.stdout + done.stderr).decode(errors="replace")[-4000:]
            raise ContainerError(f"{shlex.join(argv)}: exit {done.returncode}\n{said}")
        return done.stdout.decode()

    def sh(self, script: str) -> str:
        """Run a shell script inside."""
        return self.run("sh", "-euc", script)

    def write(self, path: str, text: str) -> None:
        """Write a file inside."""
        self.run("sh", "-euc", f"mkdir -p $(dirname {path}); cat > {path}", stdin=text.encode())

    def show(self, unit: str, name: str) -> str:
        """One property of a unit, as `systemctl show` prints it."""
        return self.run("systemctl", "show", unit, "--property", name, "--value").strip()

    def start(self, unit: str) -> None:
        """Start a unit and wait until it says that it is ready.

        systemd can lose a race with the kernel for a unit's old control group ("Failed to spawn executor"); its own
        answer to that is `Restart=always` of the unit, so that is what is waited for.

        Raises:
            ContainerError: it isn't, with the end of its journal.
        """
        done = self.call("systemctl", "restart", unit)
        if done.returncode != 0 and self.show(unit, "Result") == "resources":
            eventually(lambda: self.show(unit, "ActiveState") == "active", 30, f"{unit} started again by systemd")
        elif done.returncode != 0:
            raise ContainerError(f"{unit} did not start: {done.stderr.decode()}\n{self.journal(unit)}")

    def kill(self, unit: str, signal: str) -> None:
        """Send a signal to a unit's main process, behind systemd's back as far as restarting goes."""
        self.run("systemctl", "kill", "--kill-whom=main", f"--signal={signal}", unit)

    def journal(self, unit: str) -> str:
        """The last lines that a unit wrote."""
        return self.run("journalctl", "--no-pager", "-o", "cat", "-n", "40", "-u", unit)

    def within(self, unit: str, *argv: str) -> subprocess.CompletedProcess[bytes]:
        """Run a command inside the sandbox of a running unit: its namespaces and user, but not its seccomp filter."""
        main = self.show(unit, "MainPID")
        status = dict(line.split(":\t", 1) for line in self.run("cat", f"/proc/{main}/status").splitlines())
        user, group = (status[name].split()[0] for name in ("Uid", "Gid"))
        enter = ("nsenter", "-t", main, "-m", "-n", "-i", "-S", user, "-G", group, "--")
        return self.call(*enter, *argv)


def eventually(check: Callable[[], bool], within_s: float, what: str) -> None:
    """Look every 0.2 s until `check` holds; real time, because it is systemd's.

    Raises:
        AssertionError: it didn't hold within `within_s`.
    """
    pause, deadline = threading.Event(), time.monotonic() + within_s
    while not check():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        pause.wait(0.2)
