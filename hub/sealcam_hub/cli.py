"""`sealcam-hub`: parses, calls, prints; 0 done, 1 failed, 2 misuse. What each command does is left to its module."""

from __future__ import annotations

import argparse
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

from sealcam.wire.errors import ConfigError, SealcamError, StorageError, describe
from sealcam.wire.keys import KEY_BYTES
from sealcam_hub import setup
from sealcam_hub.arguments import moment, parse_address
from sealcam_hub.doors import new_link
from sealcam_hub.folder import DEFAULT, VARIABLE, Folder
from sealcam_hub.follow import Choice, Reader, follow
from sealcam_hub.home import open_home
from sealcam_hub.lines import json_line, text_line
from sealcam_hub.openfile import open_file
from sealcam_hub.status import status_json, status_text
from sealcam_hub.views import EventView

PROGRAM = "sealcam-hub"
MAX_REQUEST_BYTES = 1 << 18
MAX_FILE_BYTES = 1 << 22


class _Parser(argparse.ArgumentParser):
    """Argparse with our error line and exit code 2."""

    def error(self, message: str) -> NoReturn:
        """Complain and leave."""
        sys.stderr.write(f"{PROGRAM}: error: {message}\nhint: {self.prog} --help lists what there is\n")
        raise SystemExit(2)


def _init(options: argparse.Namespace, folder: Folder) -> int:
    def keep(words: str) -> None:
        text = "# Throw-away words of a trial hub. Real words belong on paper, and nowhere else.\n"
        folder.write("throwaway-words.txt", f"{text}{words}\n".encode())

    show = keep if options.throwaway else _terminal()
    keys = setup.make_hub(folder, parse_address(options.broker), show)
    print(f"hub made in {folder.path}")
    print(f"owner fingerprint: {keys.root_fingerprint}")
    print(f"broker: mosquitto -c {folder.path / 'broker' / 'mosquitto.conf'}")
    return 0


def _terminal() -> Callable[[str], None]:
    """Shows words on the terminal itself, whatever standard output is: they must not end up in a file or journal."""
    try:
        terminal = Path("/dev/tty").open("w", encoding="utf-8")  # noqa: SIM115 - closed after its one use
    except OSError as error:
        hint = "run it in a terminal, with paper at hand; or --throwaway to try things out"
        raise ConfigError("the owner's words can only be shown on a terminal, and there is none", hint) from error

    def show(words: str) -> None:
        with terminal:
            listed = words.split()
            rows = ["   ".join(f"{n + 1:2d} {listed[n]:<10}" for n in range(row, row + 4)) for row in range(0, 24, 4)]
            terminal.write(
                "\nThese 24 words are the owner's key. Write them on paper, now: they are shown this once and kept\n"
                "nowhere. Whoever has them can open everything; without them nothing can be recovered.\n\n"
                + "\n".join(rows)
                + "\n\n"
            )

    return show


def _enrol(options: argparse.Namespace, folder: Folder) -> int:
    request = sys.stdin.buffer.read(MAX_REQUEST_BYTES)
    with open_home(folder) as home:
        sys.stdout.buffer.write(home.enroller().answer(request, options.name))
        sys.stdout.buffer.flush()
    return 0


def _serve(options: argparse.Namespace, folder: Folder) -> int:
    from sealcam_hub.serve import serve  # the console's libraries are loaded by this command alone

    console = None if options.no_console else parse_address(options.console)
    with open_home(folder) as home:
        return serve(home, console)


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
    envelope = _read(options.file)
    signer = None
    if options.signer is not None:
        if not re.fullmatch(rf"[0-9a-fA-F]{{{2 * KEY_BYTES}}}", options.signer):
            raise ConfigError("--signer takes 64 hex digits", "the camera's Ed25519 public key")
        signer = bytes.fromhex(options.signer)
    with open_home(folder) as home:
        print(json.dumps(open_file(home.store, home.keys, envelope, signer), ensure_ascii=False))
    return 0


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}") from error


def _thumbnail(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        picture = home.ledger().thumbnail(options.incident)
    if picture is None:
        raise SealcamError(f"no picture of incident {options.incident}", f"{PROGRAM} events lists incidents")
    try:
        options.output.write_bytes(picture)
    except OSError as error:
        raise StorageError(f"{options.output} can't be written: {error.strerror}") from error
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

    init = command("init", _init, "make a hub: authority, keys, the owner's 24 words, the broker's files")
    init.add_argument("--broker", metavar="HOST:PORT", default="localhost:8883", help="default localhost:8883")
    init.add_argument("--throwaway", action="store_true", help="keep the words in the folder: for trials only")
    enrol = command("enrol", _enrol, "take a camera in: its claim request on stdin, the answer on stdout")
    enrol.add_argument("--name", required=True, help="what the owner calls it, such as 'Front door'")
    run = command("serve", _serve, "receive events and serve the console")
    run.add_argument("--console", metavar="HOST:PORT", default="127.0.0.1:8480", help="default 127.0.0.1:8480")
    run.add_argument("--no-console", action="store_true", help="receive only")
    command("link", _link, "a new one-time link to the console; the one before stops working")
    events = command("events", _events, "the ledger, one line an event")
    events.add_argument("--follow", action="store_true", help="go on as events come")
    events.add_argument("--json", action="store_true", help="for programs")
    events.add_argument("--camera", metavar="NAME", help="of one camera, by name or alias")
    events.add_argument("--since", metavar="WHEN", help="2026-05-01T12:00, or 90m, 2h, 7d ago")
    opened = command("open", _open, "open one envelope file with the hub's keys, and print it as JSON")
    opened.add_argument("file", type=Path, metavar="FILE")
    opened.add_argument("--signer", metavar="HEX", help="the camera's public key, if it isn't one of this hub")
    picture = command("thumbnail", _thumbnail, "save the newest picture of an incident")
    picture.add_argument("incident", metavar="INCIDENT")
    picture.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.jpg")
    status = command("status", _status, "cameras and counts")
    status.add_argument("--json", action="store_true", help="for programs")
    arm = command("arm", _arm, "how watchful a camera shall be")
    arm.add_argument("camera", metavar="CAMERA", help="name or alias")
    arm.add_argument("mode", choices=("off", "home", "away", "night"))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 failed, 2 misuse."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # this memory holds keys and pictures
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    options = _parser().parse_args(argv)
    folder = Folder(options.state or Path(os.environ.get(VARIABLE) or DEFAULT))
    try:
        return int(options.run(options, folder))
    except SealcamError as error:
        sys.stderr.write(describe(PROGRAM, error) + "\n")
        return error.exit_code
    except BrokenPipeError:  # the reader of our output went away: nothing more to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
