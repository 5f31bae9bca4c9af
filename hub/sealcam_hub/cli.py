"""`sealcam-hub`: parses, calls, prints; 0 done, 1 failed, 2 misuse. What each command does is left to its module."""

from __future__ import annotations

import argparse
import errno
import json
import logging
import os
import re
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from sealcam.wire.errors import ConfigError, SealcamError, describe
from sealcam.wire.keys import KEY_BYTES
from sealcam.wire.sealed import envelope_hash
from sealcam_hub import (
    audit,
    audit_commands,
    bench_commands,
    clip_commands,
    command_commands,
    deletion_commands,
    expulsion_commands,
    homeassistant_commands,
    joining_commands,
    lan_commands,
    notify_commands,
    offsite_commands,
    passphrase_commands,
    recipients_commands,
    recovery_commands,
    review_commands,
    setup_commands,
    share_commands,
    simulate_commands,
    words_commands,
    workers_commands,
)
from sealcam_hub.arguments import moment, parse_address
from sealcam_hub.doors import new_link
from sealcam_hub.folder import DEFAULT, VARIABLE, Folder
from sealcam_hub.follow import Choice, Reader, follow
from sealcam_hub.home import open_home
from sealcam_hub.lines import json_line, text_line
from sealcam_hub.newfile import check_target, read_file, write_new
from sealcam_hub.openfile import open_file
from sealcam_hub.ownership import act_as_owner
from sealcam_hub.refusals import CLAIM, ENVELOPE, hinted
from sealcam_hub.status import status_json, status_text
from sealcam_hub.views import EventView

PROGRAM = "sealcam-hub"
MAX_REQUEST_BYTES = 1 << 18
MAX_FILE_BYTES = 1 << 22
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
SERVING = ("serve", "worker")
WRITTEN = ("output", "export", "pin")  # options that name a file a command writes


class _Parser(argparse.ArgumentParser):
    """Argparse with our error line and exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Complain and leave."""
        sys.stderr.write(f"{PROGRAM}: error: {message}\nhint: {self.prog} --help lists what there is\n")
        raise SystemExit(2)


@hinted(CLAIM)
def _enrol(options: argparse.Namespace, folder: Folder) -> int:
    request = sys.stdin.buffer.read(MAX_REQUEST_BYTES)
    with open_home(folder) as home:
        sys.stdout.buffer.write(home.enroller().answer(request, options.name, options.same))
        sys.stdout.buffer.flush()
    return 0


def _serve(options: argparse.Namespace, folder: Folder) -> int:
    from sealcam_hub.serve import serve  # the console's libraries are loaded by this command alone

    console = None if options.no_console else parse_address(options.console)
    if options.metrics is None:
        with open_home(folder) as home:
            return serve(home, console)
    from sealcam_hub.metrics import check_loopback, served  # as above

    address = parse_address(options.metrics)
    check_loopback(address)
    with open_home(folder) as home, served(home, address) as pulse:
        return serve(home, console, pulse.beat)


def _events(options: argparse.Namespace, folder: Folder) -> int:
    out = Console(highlight=False, soft_wrap=True, markup=False)

    def show(event: EventView, pending: bool) -> None:
        if options.json:
            sys.stdout.write(json_line(event, pending) + "\n")
            sys.stdout.flush()
        else:
            out.print(text_line(event, pending))

    with open_home(folder) as home:
        since_ns = moment(options.since, home.clock.wall_ns()) if options.since else 0
        reader = Reader(home.ledger(), Choice(options.camera, since_ns))
        if options.follow:
            follow(reader, show)
        else:
            for event, pending in reader.fresh():
                show(event, pending)
    return 0


def _open(options: argparse.Namespace, folder: Folder) -> int:
    if (options.grant is None) == (options.file is None):
        raise ConfigError("open what?", "an envelope's FILE, or a shared clip's --grant BUNDLE")
    if options.grant is not None:
        return share_commands.open_grant(options)
    with hinted(ENVELOPE):
        return _open_envelope(options, folder)


def _open_envelope(options: argparse.Namespace, folder: Folder) -> int:
    envelope = read_file(options.file, MAX_FILE_BYTES)
    signer = None
    if options.signer is not None:
        if not re.fullmatch(rf"[0-9a-fA-F]{{{2 * KEY_BYTES}}}", options.signer):
            raise ConfigError("--signer takes 64 hex digits", "the camera's Ed25519 public key")
        signer = bytes.fromhex(options.signer)
    with open_home(folder) as home:
        told = open_file(home.store, home.keys, envelope, signer)
        name = envelope_hash(envelope)
        audit.opened(home.store, home.keys, home.clock, f"an envelope in a file, of {told['camera']}", name)
    print(json.dumps(told, ensure_ascii=False))
    return 0


def _thumbnail(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        picture = home.ledger().thumbnail(options.incident)
        if picture is None:
            raise SealcamError(f"no picture of incident {options.incident}", f"{PROGRAM} events lists incidents")
        incident = bytes.fromhex(options.incident[-16:])
        audit.opened(home.store, home.keys, home.clock, "the picture of an incident, into a file", incident)
    write_new(options.output, [picture], replace=True)
    return 0


def _status(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        if options.json:
            print(json.dumps(status_json(home), ensure_ascii=False))
        else:
            Console(highlight=False, soft_wrap=True, markup=False).print(status_text(home))
    return 0


def _arm(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        home.wishes().ask(options.camera, options.mode)
    print(f"{options.camera}: {options.mode}, as soon as the camera beats")
    return 0


def _link(options: argparse.Namespace, folder: Folder) -> int:
    print(new_link(folder))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=PROGRAM, description="Opens, verifies, keeps and shows what the owner's cameras sealed.")
    parser.add_argument("--state", type=Path, metavar="DIR", help=f"the hub's folder; default ${VARIABLE} or {DEFAULT}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[argparse.Namespace, Folder], int], words: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=words, description=words)
        added.set_defaults(run=run)
        return added

    setup_commands.add(command)
    words_commands.add(command)
    passphrase_commands.add(command)
    lan_commands.add(command)
    enrol = command("enrol", _enrol, "take a camera in: its claim request on stdin, the answer on stdout")
    enrol.add_argument("--name", required=True, help="what the owner calls it, such as 'Front door'")
    enrol.add_argument(
        "--same", action="store_true", help="after `recover`: it is the camera of that name, with newer keys"
    )
    run = command("serve", _serve, "receive events and serve the console")
    run.add_argument("--console", metavar="HOST:PORT", default="127.0.0.1:8480", help="default 127.0.0.1:8480")
    run.add_argument("--metrics", metavar="HOST:PORT", help="numbers for Prometheus and /health, to this machine alone")
    run.add_argument("--no-console", action="store_true", help="receive only")
    command("link", _link, "a new one-time link to the console, to choose its passphrase; the one before stops working")
    events = command("events", _events, "the ledger, one line an event")
    events.add_argument("--follow", action="store_true", help="go on as events come")
    events.add_argument("--json", action="store_true", help="for programs")
    events.add_argument("--camera", metavar="NAME", help="of one camera, by name or alias")
    events.add_argument("--since", metavar="WHEN", help="2026-05-01T12:00, or 90m, 2h, 7d ago")
    opened = command("open", _open, "open one envelope file with the hub's keys, and print it as JSON")
    opened.add_argument("file", type=Path, nargs="?", metavar="FILE")
    opened.add_argument("--signer", metavar="HEX", help="the camera's public key, if it isn't one of this hub")
    share_commands.add_open(opened)
    picture = command("thumbnail", _thumbnail, "save the newest picture of an incident")
    picture.add_argument("incident", metavar="INCIDENT")
    picture.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.jpg")
    status = command("status", _status, "cameras and counts")
    status.add_argument("--json", action="store_true", help="for programs")
    arm = command("arm", _arm, "how watchful a camera shall be")
    arm.add_argument("camera", metavar="CAMERA", help="name or alias")
    arm.add_argument("mode", choices=("off", "home", "away", "night"))
    audit_commands.add(command)
    bench_commands.add(command)
    clip_commands.add(command)
    command_commands.add(command)
    share_commands.add(command)
    deletion_commands.add(command)
    expulsion_commands.add(command)
    recovery_commands.add(command)
    recipients_commands.add(command)
    review_commands.add(command)
    joining_commands.add(command)
    offsite_commands.add(command)
    notify_commands.add(command)
    workers_commands.add(command)
    simulate_commands.add(command)
    homeassistant_commands.add(command)
    return parser


def _drop_output() -> None:
    """Let what is still to be printed go nowhere, so that nothing fails when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 failed, 2 misuse."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # this memory holds keys and pictures
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    options = _parser().parse_args(argv)
    folder = Folder(options.state or Path(os.environ.get(VARIABLE) or DEFAULT))
    try:
        if options.command != "bench":  # which has a folder of its own
            act_as_owner(folder, for_good=options.command in SERVING)
        for name in WRITTEN:
            if getattr(options, name, None) is not None:
                check_target(getattr(options, name), folder)
        code = int(options.run(options, folder))
        if sys.stdout is not None:
            sys.stdout.flush()  # here, and not when the interpreter ends: there it couldn't be told
        return code
    except SealcamError as error:
        sys.stderr.write(describe(PROGRAM, error) + "\n")
        return error.exit_code
    except BrokenPipeError:  # the reader of our output went away: nothing more to say
        _drop_output()
        return 1
    except OSError as error:
        if error.filename is not None or error.errno not in _NO_ROOM:
            raise
        _drop_output()
        sys.stderr.write(f"{PROGRAM}: error: the output can't be written: {error.strerror}\nhint: is its disk full?\n")
        return 1
    except KeyboardInterrupt:
        return 130
