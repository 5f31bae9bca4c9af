"""`sealcam-hub clip list`, `fetch`, `room`, and `clip open ID`: the clips that the hub holds, or could hold.

Parses, calls, tells. What is done stands in `vault`, `fetching` and `vault_room`. `serve` is what takes clips in: while
it runs elsewhere `--wait` looks at the ledger and the folder.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sealcam.wire.clip import SCL1, State
from sealcam.wire.errors import ConfigError, SealcamError, StorageError
from sealcam_hub import audit, vault_room
from sealcam_hub.arguments import lasting
from sealcam_hub.folder import Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.lines import plain
from sealcam_hub.newfile import whole_file
from sealcam_hub.ownership import as_caller
from sealcam_hub.terminal import Progress, say
from sealcam_hub.vault import OpenedClip
from sealcam_hub.views import ClipView

if TYPE_CHECKING:
    Parsers = argparse._SubParsersAction[argparse.ArgumentParser]

LOOK_S = 0.5
LEAST_BYTES = 10**9  # of a quota: a clip may have 100 MB
_ID = re.compile(r"[0-9a-f]{32}")
_SIZE = re.compile(r"(\d{1,9})([MGT])B?", re.IGNORECASE | re.ASCII)
_UNITS = {"M": 10**6, "G": 10**9, "T": 10**12}
_COMING = ("asked", "coming")


def add(what: Parsers) -> None:
    """Add what is done with the hub's own clips to `clip`."""
    words = "the clips that this hub has heard of, and where each is"
    listed = what.add_parser("list", help=words, description=words)
    listed.add_argument("--incident", metavar="INCIDENT", help="of one incident")
    listed.add_argument("--camera", metavar="NAME", help="of one camera, by name or alias")
    listed.add_argument("--json", action="store_true", help="for programs")
    listed.set_defaults(run=_list)
    words = "ask cameras for clips that they still have"
    fetch = what.add_parser("fetch", help=words, description=words)
    fetch.add_argument("names", nargs="+", metavar="ID|INCIDENT", help="a clip, or all clips of an incident")
    fetch.add_argument("--wait", action="store_true", help="until all are here; `serve` must run")
    fetch.add_argument("--timeout", metavar="TIME", help="with --wait: no longer than that, such as 10m")
    fetch.set_defaults(run=_fetch)
    words = "how much room the hub's clips take and may take, and what happens when there is none left"
    room = what.add_parser("room", help=words, description=words)
    room.add_argument("--most", metavar="SIZE", help="so much at the most, such as 200G")
    words = "keep: what finds no room stays on its camera; oldest: the oldest clips that were no threat give way"
    room.add_argument("--when-full", choices=("keep", "oldest"), help=words)
    room.add_argument("--json", action="store_true", help="for programs")
    room.set_defaults(run=_room)


@as_caller()
def is_id(path: Path) -> bool:
    """Whether what was named is a clip of the hub's, and not a file."""
    return _ID.fullmatch(str(path)) is not None and not path.exists()


def open_held(name: str, target: Path, home: Home) -> OpenedClip:
    """Write the content of a clip that is here to `target`; the clip, closed. The log's entry comes first.

    Raises:
        SealcamError: as `Vault.open`; nothing is written.
        StorageError: it can't be written.
    """
    with home.vault().open(name) as clip:
        audit.opened(home.store, home.keys, home.clock, f"a clip of {clip.camera}, into a file", bytes.fromhex(name))
        with whole_file(target) as file, Progress("opening") as progress:
            for at in range(0, clip.size, SCL1.chunk_bytes):
                file.write(clip.read(at, SCL1.chunk_bytes))
                progress(at, clip.size)
    return clip


def warning(clip: OpenedClip) -> str | None:
    """What there is to say of a clip that isn't complete."""
    if clip.status.state is State.INTERRUPTED:
        return "interrupted: the camera's power was cut, and it has signed for what is here"
    return "it is still coming: this is what is here so far" if clip.status.state is State.CUT else None


def _list(options: argparse.Namespace, folder: Folder) -> int:
    if options.incident and options.camera:
        raise ConfigError("--incident or --camera", "an incident's id says its camera already")
    with open_home(folder) as home:
        found = home.vault().clips(options.incident, options.camera)
    for one in found:
        say(json.dumps(clip_json(one), ensure_ascii=False) if options.json else _text(one))
    if not found and not options.json:
        say("no clip is known yet: a camera records incidents, unless [clips] record = false")
    return 0


def clip_json(one: ClipView) -> dict[str, object]:
    """A clip for programs; the names are a contract."""
    return {
        "id": one.id,
        "incident": one.incident,
        "camera": one.camera_name,
        "alias": one.alias,
        "part": one.part,
        "state": one.state,
        "why": one.why or None,
        "held": one.held,
        "size": one.size,
        "percent": one.percent,
        "content_bytes": one.content_bytes,
        "interrupted": one.interrupted,
    }


def _text(one: ClipView) -> str:
    size = "" if one.content_bytes is None else f"{one.content_bytes / 1e6:8.1f} MB"
    incident = one.incident or "(not told of yet)"
    cut = "  the camera's power ended it" if one.interrupted else ""
    return f"{one.id}  {plain(one.camera_name):<16} {incident:<33} {one.part:3}  {size:>11}  {_state(one)}{cut}"


def _state(one: ClipView) -> str:
    match one.state:
        case "recording":
            return "being recorded"
        case "camera":
            return "on the camera"
        case "coming":
            return "coming" if one.percent is None else f"coming, {one.percent} %"
        case "stopped":
            return "stopped: no room" if one.why == "full" else "stopped: it came damaged"
        case "gone":
            return "its camera has left"
        case other:
            return other


def _fetch(options: argparse.Namespace, folder: Folder) -> int:
    if options.timeout and not options.wait:
        raise ConfigError("--timeout goes with --wait", "without it the command doesn't wait")
    longest_ns = lasting(options.timeout) if options.timeout else None
    with open_home(folder) as home:
        asked = home.fetching().ask(options.names)
        for one in asked.others:
            say(f"{one.id}: {_state(one)}")
        if asked.clips:
            say(f"asked for {_counted(len(asked.clips))}, as soon as the camera beats")
        elif not asked.others:
            say("there is no clip of that incident")
        if any(one.state != "here" for one in asked.others):
            sys.stderr.write("sealcam-hub: warning: what isn't on a camera any more can't come\n")
        if not options.wait:
            return 0
        return _wait(home, [one.id for one in asked.clips], longest_ns)


def _wait(home: Home, names: Sequence[str], longest_ns: int | None) -> int:
    """Until nothing more is coming; 0 if all are here."""
    until_ns = None if longest_ns is None else home.clock.boot_ns() + longest_ns
    tenths = 0
    with Progress("coming, kB") as progress:
        while True:
            found = [one for name in names if (one := home.vault().clip(name)) is not None]
            known = [one.size or max(one.held, 1) for one in found]
            done, total = sum(one.held for one in found), max(1, sum(known))
            progress(done // 1000, total // 1000)
            if not sys.stderr.isatty() and 10 * done // total > tenths:  # a journal has no bar
                tenths = 10 * done // total
                sys.stderr.write(f"coming: {10 * tenths} %\n")
            if not any(one.state in _COMING for one in found):
                break
            if until_ns is not None and home.clock.boot_ns() >= until_ns:
                raise SealcamError("not all has come in time", "it goes on coming: sealcam-hub clip list shows how far")
            _check_answer(home, found)
            time.sleep(LOOK_S)
    for one in found:
        say(f"{one.id}: {_state(one)}")
    return 0 if all(one.state == "here" for one in found) else 1


def _check_answer(home: Home, found: Sequence[ClipView]) -> None:
    """Return unless a camera has said that it can't."""
    waiting = {one.alias for one in found if one.state == "asked"}
    for wish in home.wishes().list():
        if wish.kind.name == "FETCH" and wish.alias in waiting and wish.outcome is not None and not wish.done:
            detail = plain(wish.detail or wish.outcome.name.lower())
            raise SealcamError(f"{plain(wish.camera)} can't send it: {detail}", "sealcam-hub clip list shows the rest")


def _room(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        with home.store.reading() as connection:
            rules = vault_room.rules(connection)
        if options.most or options.when_full:
            most = _size(options.most) if options.most else rules.most_bytes
            yields = options.when_full == "oldest" if options.when_full else rules.yields
            rules = vault_room.Rules(most, yields)
            with home.store.writing() as connection:
                vault_room.choose(connection, rules)
        files = home.vault().files
        try:
            with home.store.reading() as connection:
                used = vault_room.used_bytes(connection, files)
            free = max(0, min(rules.most_bytes - used, files.free_bytes() - vault_room.LEDGER_BYTES))
        except OSError as error:
            if isinstance(error, StorageError):
                raise
            raise StorageError(f"{files.folder} can't be read: {error.strerror}", "is its disk all right?") from error
    told = {"used_bytes": used, "most_bytes": rules.most_bytes, "free_bytes": free}
    if options.json:
        say(json.dumps(told | {"when_full": "oldest" if rules.yields else "keep"}))
        return 0
    say(
        f"clips take {used / 1e9:.1f} GB of {rules.most_bytes / 1e9:.1f} GB; there is room for {free / 1e9:.1f} GB more"
    )
    if rules.yields:
        say("when it is full, the oldest clips of incidents that were no threat are deleted")
    else:
        say("when it is full, new clips stay on their cameras, and you are told")
    return 0


def _size(text: str) -> int:
    found = _SIZE.fullmatch(text)
    size = int(found[1]) * _UNITS[found[2].upper()] if found else 0
    if not LEAST_BYTES <= size < 1 << 62:
        raise ConfigError(f"{text!r} is no size for a hub's clips", "write it as 200G or 2T; 1G is the least")
    return size


def _counted(count: int) -> str:
    return "1 clip" if count == 1 else f"{count} clips"
