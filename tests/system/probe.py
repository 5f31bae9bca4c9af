"""A hostile program in a unit's place: tries what the unit should forbid, and prints what it reached as JSON."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

SOCKETS = ("/run/dbus/system_bus_socket", "/run/systemd/resolve/io.systemd.Resolve", "/run/systemd/private")
PLACES = ("/var/lib/sealcam/eye", "/var/lib/sealcam/post", "/var/lib/sealcam-hub", "/etc", "/usr", "/run", "/root")


def reached(attempt: Callable[[], object]) -> str:
    """`yes`, or the error that stood in the way."""
    try:
        attempt()
    except OSError as error:
        return os.strerror(error.errno or 0)
    except ValueError as error:
        return str(error)
    return "yes"


def connect(family: int, address: object) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as ours:
        ours.settimeout(2)
        ours.connect(address)


def write(folder: str) -> None:
    file = Path(folder) / "probe"
    file.write_bytes(b"#!/bin/sh\nexit 0\n")
    file.unlink()


def execute(folder: str) -> None:
    file = Path(folder) / "probe.sh"
    try:
        file.write_bytes(b"#!/bin/sh\nexit 0\n")
        file.chmod(0o700)
        subprocess.run((str(file),), check=False)
    finally:
        file.unlink(missing_ok=True)


def trace_a_neighbour() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, 1, 0, 0) != 0:  # PTRACE_ATTACH to the init
        raise OSError(ctypes.get_errno(), "ptrace")


def writable_code() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


state = sys.argv[1]
interfaces = sorted(line.split(":")[0].strip() for line in Path("/proc/self/net/dev").read_text().splitlines()[2:])
found = {
    "interfaces": interfaces,
    "families": {
        name: reached(lambda family=family, kind=kind: socket.socket(family, kind).close())
        for name, family, kind in (
            ("unix", socket.AF_UNIX, socket.SOCK_STREAM),
            ("inet", socket.AF_INET, socket.SOCK_STREAM),
            ("inet6", socket.AF_INET6, socket.SOCK_DGRAM),
            ("packet", socket.AF_PACKET, socket.SOCK_RAW),
            ("vsock", socket.AF_VSOCK, socket.SOCK_STREAM),
        )
    },
    "sockets": {path: reached(lambda path=path: connect(socket.AF_UNIX, path)) for path in SOCKETS},
    "broker": reached(lambda: connect(socket.AF_INET, ("127.0.0.1", 8883))),
    "names": reached(lambda: socket.getaddrinfo("deb.debian.org", 443)),
    "read": {place: reached(lambda place=place: list(Path(place).iterdir())) for place in PLACES},
    "write": {place: reached(lambda place=place: write(place)) for place in PLACES},
    "execute": {place: reached(lambda place=place: execute(place)) for place in (state, "/tmp", "/run/sealcam")},
    "devices": sorted(node.name for node in Path("/dev").iterdir() if not node.is_dir()),
    "root": reached(lambda: os.setuid(0)),
    "ptrace": reached(trace_a_neighbour),
    "writable code": reached(writable_code),
    "namespace": reached(lambda: os.unshare(os.CLONE_NEWUSER)) if hasattr(os, "unshare") else "",
    "core limit": resource.getrlimit(resource.RLIMIT_CORE),
    "neighbours": sum(entry.name.isdecimal() for entry in Path("/proc").iterdir()),
}
print(json.dumps(found))
