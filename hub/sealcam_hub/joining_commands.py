"""`sealcam-hub join`: a second hub asks to be let in, the home hub lets it, the second one begins."""

from __future__ import annotations

import argparse
from pathlib import Path

from sealcam.wire.errors import ConfigError
from sealcam.wire.keys import SigningKey
from sealcam_hub import joining
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.terminal import Adder, confirmed, say
from sealcam_hub.words_commands import save


def add(command: Adder) -> None:
    """Add the command to the parser."""
    parser = command("join", _nothing, "a second hub beside the home hub")
    parts = parser.add_subparsers(metavar="WHAT", required=True)
    asks = parts.add_parser("request", help="at the second hub: make its keys, and a file for the home hub")
    asks.add_argument("-o", "--output", type=Path, required=True, metavar="JOIN")
    asks.set_defaults(run=_request)
    accept = parts.add_parser("accept", help="at the home hub, once the owner has signed: let it in")
    accept.add_argument("join", type=Path, metavar="JOIN")
    accept.add_argument("-o", "--output", type=Path, required=True, metavar="ADMISSION")
    accept.set_defaults(run=_accept)
    finish = parts.add_parser(
        "finish", help="at the second hub: begin; again, when cameras were added, or deletions never reach it"
    )
    finish.add_argument("admission", type=Path, metavar="ADMISSION")
    finish.add_argument("--yes", action="store_true", help="the owner's fingerprint is the right one")
    finish.set_defaults(run=_finish)


def _nothing(_options: argparse.Namespace, _folder: Folder) -> int:
    raise ConfigError("say what: request, accept or finish", "sealcam-hub join --help")


def _request(options: argparse.Namespace, folder: Folder) -> int:
    text, kid = joining.request(folder)
    save(options.output, text)
    say(f"this hub's key id: {kid.hex()}")
    say(f"at the home hub: sealcam-hub recipients change --add {options.output.name} -o REQUEST")
    return 0


def _accept(options: argparse.Namespace, folder: Folder) -> int:
    join = joining.read_join(options.join)
    with open_home(folder) as home:
        text, told = joining.admit(home, join)
    save(options.output, text)
    say(f"at the second hub: sealcam-hub join finish {options.output.name}")
    if not told:
        say("no broker was told: restart it, and it lets the second hub in")
    return 0


def _finish(options: argparse.Namespace, folder: Folder) -> int:
    operating = SigningKey(folder.read("keys/operating"))
    admission = joining.read_admission(options.admission, operating)
    say(f"owner fingerprint: {admission.fingerprint}")
    if not confirmed("Is that what the home hub shows too (sealcam-hub status)?", options.yes):
        say("nothing was done")
        return 1
    count = joining.begin(folder, admission)
    say(
        f"this hub knows {count} camera{'' if count == 1 else 's'}, and opens what they seal from now on: start it with"
    )
    say(f"sealcam-hub --state {folder.path} serve")
    return 0
