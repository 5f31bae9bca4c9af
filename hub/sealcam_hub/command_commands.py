"""`sealcam-hub privacy`, `fetch`, `send` and `command list`: what the owner asks of a camera, and what became of it.

Each only writes a wish; `serve` signs it when the camera is heard (`wishes`).
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from sealcam.wire.errors import ConfigError
from sealcam.wire.wishes import ClipRange, CommandType, FetchWish, PrivacyWish
from sealcam_hub.arguments import parse_runs
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.lines import iso, plain
from sealcam_hub.newfile import read_file
from sealcam_hub.terminal import Adder, say
from sealcam_hub.wish_json import read_wish
from sealcam_hub.wish_words import outcome_said, said
from sealcam_hub.wishes import WishView

MAX_WISH_BYTES = 1 << 20


def add(command: Adder) -> None:
    """Add these commands to the command line."""
    privacy = command("privacy", _privacy, "stop a camera's pictures at the source, or begin again")
    privacy.add_argument("camera", metavar="CAMERA", help="name or alias")
    privacy.add_argument("on", choices=("on", "off"))
    fetch = command("fetch", _fetch, "ask a camera to send again what it still keeps")
    fetch.add_argument("camera", metavar="CAMERA", help="name or alias")
    fetch.add_argument("--events", metavar="NUMBERS", help="sequence numbers, such as 3-9,12")
    words = "a clip's id, 32 hex digits, and :NUMBERS for one run of its chunks; may be repeated"
    fetch.add_argument("--clip", action="append", default=[], metavar="ID[:NUMBERS]", help=words)
    send = command("send", _send, "send a camera any command, as JSON: zones, masks, schedule, marks, model, token ...")
    send.add_argument("camera", metavar="CAMERA", help="name or alias")
    send.add_argument("file", type=Path, metavar="FILE.json", help='such as {"command": "privacy", "on": true}')
    listed = command("command", _list, "what was asked of the cameras, and what they answered")
    listed.add_argument("what", choices=("list",))
    listed.add_argument("--json", action="store_true", help="for programs")


def _privacy(options: argparse.Namespace, folder: Folder) -> int:
    return _wish(options, folder, PrivacyWish(on=options.on == "on"))


def _fetch(options: argparse.Namespace, folder: Folder) -> int:
    events = parse_runs(options.events) if options.events else ()
    clips = tuple(_clip(one) for one in options.clip)
    if not (events or clips):
        raise ConfigError("nothing to fetch", "say --events NUMBERS, --clip ID, or both")
    return _wish(options, folder, FetchWish(events=events, clips=clips))


def _send(options: argparse.Namespace, folder: Folder) -> int:
    return _wish(options, folder, read_wish(read_file(options.file, MAX_WISH_BYTES)))


def _clip(text: str) -> ClipRange:
    name, colon, numbers = text.partition(":")
    if not re.fullmatch(r"[0-9a-fA-F]{32}", name):
        raise ConfigError(f"{name!r} is no clip", "its id has 32 hex digits")
    if not colon:
        return ClipRange(clip=bytes.fromhex(name))
    runs = parse_runs(numbers)
    if len(runs) != 1:
        raise ConfigError(f"{numbers!r} is more than one run of chunks", "repeat --clip for each run")
    return ClipRange(clip=bytes.fromhex(name), chunks=runs[0])


def _wish(options: argparse.Namespace, folder: Folder, body: object) -> int:
    with open_home(folder) as home:
        home.wishes().wish(options.camera, body)
    say(f"{options.camera}: {said(body)}, as soon as the camera beats")
    return 0


def _list(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        wishes = home.wishes().list()
    for wish in wishes:
        say(_json(wish) if options.json else _text(wish))
    return 0


def state(wish: WishView) -> str:
    """What became of a wish, in words."""
    if wish.done:
        return "done"
    if wish.outcome is not None and (wish.kind is not CommandType.ARM or wish.outcome != 0):
        return outcome_said(wish.outcome)
    return "sent, not answered yet" if wish.sent else "waits for the camera to be heard"


def _asked(wish: WishView) -> str:
    return said(wish.body) if wish.body is not None else f"{wish.kind.name.lower()} (can't be opened)"


def _text(wish: WishView) -> str:
    detail = f" ({plain(wish.detail)})" if wish.detail else ""
    return f"{iso(wish.asked_ns)}  {plain(wish.camera):<16} {plain(_asked(wish)):<24} {state(wish)}{detail}"


def _json(wish: WishView) -> str:
    return json.dumps(
        {
            "camera": wish.camera,
            "alias": wish.alias,
            "command": wish.kind.name.lower(),
            "asked": _asked(wish),
            "at": iso(wish.asked_ns),
            "sent": wish.sent,
            "done": wish.done,
            "outcome": None if wish.outcome is None else wish.outcome.name.lower(),
            "detail": wish.detail,
            "state": state(wish),
        },
        ensure_ascii=False,
    )
