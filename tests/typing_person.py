"""A person at a real terminal: starts a command on a pseudo-terminal, types when asked, and reads what is shown."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_ATTACH = (
    "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)\n"
    "os.execv(sys.argv[2], sys.argv[2:])"
)


@dataclass(frozen=True)
class Done:
    """How a command ended: its exit code, standard output and error, and all that the terminal showed."""

    code: int
    out: str
    error: str
    shown: str


def run(command: Sequence[str | Path], answers: Sequence[tuple[str, str]] = ()) -> Done:
    """Run `command`; each of `answers` is what the terminal shows, and what is then typed."""
    controller, terminal = pty.openpty()
    whole = [sys.executable, "-c", _ATTACH, str(terminal), *map(str, command)]
    process = subprocess.Popen(
        whole, pass_fds=[terminal], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    os.close(terminal)
    shown, seen = b"", 0
    for prompt, line in answers:
        while prompt.encode() not in shown[seen:]:
            some = _read(controller)
            assert some, f"the command ended before it asked {prompt!r}; it showed {shown.decode()!r}"
            shown += some
        seen = shown.index(prompt.encode(), seen) + len(prompt)
        os.write(controller, line.encode() + b"\n")
    while some := _read(controller):
        shown += some
    out, error = process.communicate(timeout=60)
    os.close(controller)
    return Done(process.returncode, out.decode(), error.decode(), shown.decode())


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 65536)
    except OSError:  # nobody holds the other side any more
        return b""
