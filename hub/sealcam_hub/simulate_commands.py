"""`sealcam-hub simulate`: many cameras that are only simulated, against this hub while it runs."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.terminal import Adder, say


def add(command: Adder) -> None:
    """Add the command to the parser."""
    words = "enrol simulated cameras, let them send for a while, and check the ledger; for a hub made for that alone"
    parser = command("simulate", _simulate, words)
    parser.add_argument("--cameras", type=int, default=10, metavar="N", help="default 10")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="default 60")
    words = "events a second of each camera; default 0: as fast as they are receipted"
    parser.add_argument("--rate", type=float, default=0.0, metavar="R", help=words)
    parser.add_argument("--window", type=int, default=4, metavar="W", help="events that wait for receipts; default 4")
    parser.add_argument("--json", action="store_true", help="for programs")


def _simulate(options: argparse.Namespace, folder: Folder) -> int:
    from sealcam_hub.simulate import Load, simulate

    with open_home(folder) as home:
        found = simulate(home, Load(options.cameras, options.seconds, options.rate, options.window))
    if options.json:
        say(json.dumps(asdict(found)))
    else:
        say(f"{found.events} events of {options.cameras} cameras in {found.seconds} s: {found.rate} a second")
        say(f"{found.receipted} receipted; p50 {found.p50_ms} ms, p95 {found.p95_ms} ms, worst {found.worst_ms} ms")
        say(f"{found.sent_again} sent again; each in the ledger exactly once" if not found.wrong else "WRONG:")
        for line in found.wrong:
            say(f"  {line}")
    return 1 if found.wrong else 0
