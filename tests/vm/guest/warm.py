"""Runs commands of `sealcam`, each in a process of its own that has the modules loaded already.

Loading them takes an emulated processor many seconds. A machine is saved while this waits for orders, and every start
of the camera goes on from there: what is saved is the interpreter, nothing of the camera. Orders are lines of a FIFO,
the command's words; what the commands print goes where this prints.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from pathlib import Path

from sealcam import cli

MODULES = (
    *("sealcam.eye_command", "sealcam.post_command", "ai_edge_litert.interpreter"),
    *("av", "paho.mqtt.client", "ssl", "zoneinfo"),
)


def main(orders: Path) -> None:
    """Take orders for ever, in the background: who started this goes on when all is loaded."""
    for name in MODULES:
        importlib.import_module(name)
    if os.fork() != 0:
        os._exit(0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    with os.fdopen(os.open(orders, os.O_RDWR)) as lines:  # for writing too: so it never ends
        for line in lines:
            if os.fork() == 0:
                supervise(line.split())


def supervise(words: list[str]) -> None:
    """Run a command, again and again until it ends in order, as systemd would; its number is in /run/COMMAND.pid."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    while True:
        child = os.fork()
        if child == 0:
            sys.exit(cli.main(words))
        Path(f"/run/{words[0]}.pid").write_text(str(child))
        if os.waitpid(child, 0)[1] == 0:
            os._exit(0)
        time.sleep(1.0)


main(Path(sys.argv[1]))
