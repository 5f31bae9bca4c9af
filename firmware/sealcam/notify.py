"""What a process tells its supervisor: systemd's notification protocol, and no core dumps.

One datagram a message to the Unix socket named in NOTIFY_SOCKET (sd_notify(3)); a name with `@` in front is an
abstract socket. When and what to tell is `service`'s.
"""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import threading
from typing import Protocol

_PR_SET_DUMPABLE = 4  # linux/prctl.h
_WATCHDOG_NS = 5_000_000_000  # without WATCHDOG_USEC nobody listens; this is only a pace


class Notifier(Protocol):
    """Takes messages such as `READY=1`."""

    @property
    def watchdog_ns(self) -> int:
        """How long to wait between two `WATCHDOG=1`, in nanoseconds."""
        ...

    def send(self, message: str) -> None:
        """Tell it; never raises and never blocks: a supervisor that is away is not this process's failure."""
        ...


class SystemdNotifier:
    """The real one: a datagram to systemd."""

    def __init__(self, address: str, watchdog_ns: int = _WATCHDOG_NS) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_ns = watchdog_ns
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)

    def send(self, message: str) -> None:
        """Send one datagram; lost when systemd doesn't take it."""
        try:
            self._socket.sendto(message.encode(), self._address)
        except OSError:
            return

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


class RecordingNotifier:
    """Keeps what it is told, for tests and for processes without a supervisor."""

    def __init__(self, watchdog_ns: int = _WATCHDOG_NS) -> None:
        self.watchdog_ns = watchdog_ns
        self.messages: list[str] = []
        self.told = threading.Condition()

    def send(self, message: str) -> None:
        """Keep the message and wake who waits for it."""
        with self.told:
            self.messages.append(message)
            self.told.notify_all()

    def wait_for(self, message: str, timeout_s: float = 10.0) -> bool:
        """Whether `message` has come, or comes within `timeout_s`."""
        with self.told:
            return self.told.wait_for(lambda: message in self.messages, timeout_s)


class _Nobody:
    """No supervisor: nothing is told."""

    watchdog_ns = _WATCHDOG_NS

    def send(self, message: str) -> None:
        """Nobody listens."""


def notifier_from_environment() -> Notifier:
    """The notifier for NOTIFY_SOCKET and WATCHDOG_USEC, beating three times in the watchdog's time."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return _Nobody()
    usec = os.environ.get("WATCHDOG_USEC", "")
    return SystemdNotifier(address, int(usec) * 1000 // 3 if usec.isdecimal() and int(usec) else _WATCHDOG_NS)


def harden() -> None:
    """Leave no core dump and no door for a debugger of the same user: keys and pixels live in this memory.

    Where the kernel or the C library lacks the call, the limit alone stands; the unit sets it again.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
