"""`sealcam memory`: what this camera remembers of incidents and of the scene, shown, exported or erased.

Only while the eye is stopped: it alone changes its file. Nothing in it is a picture. Looks are exported as numbers
with `--json`. See design/sight.md, memory.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sealcam import config
from sealcam.keystore import Keystore
from sealcam.memory_bodies import plain
from sealcam.memoryfile import MemoryFile
from sealcam.outbox import Outbox
from sealcam.sight.memory import Part, Trace
from sealcam.sight.statics import StaticThing
from sealcam.sight.types import Box
from sealcam.storage import InUse
from sealcam.wire.errors import SealcamError

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command's parser."""
    words = "what the camera remembers of incidents and of the scene: show, export, erase"
    parser = commands.add_parser("memory", help=words, description=words)
    parser.add_argument("--json", action="store_true", help="all of it, a JSON line each, looks as numbers")
    parser.add_argument(
        "--erase", nargs="*", metavar="INCIDENT", help="forget these incidents, with their marks; without a name: all"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"default {config.DEFAULT_PATH}")


def run(options: argparse.Namespace) -> int:
    """Show or erase; the exit code."""
    settings = config.load(options.config)
    folder = settings.paths.state / "eye"
    keys = Keystore.open(folder)
    try:
        outbox = Outbox(folder / "outbox.db", max_bytes=1 << 62)
    except InUse as error:
        hint = "mark incidents at the hub; to list or erase what it remembers: systemctl stop sealcam-eye"
        raise InUse("the eye is running, and its memory is its own", hint) from error
    try:
        memory = MemoryFile(folder / "memory", keys.wrapping, settings.model.name)
        if options.erase is None:
            show(memory, as_json=options.json)
        else:
            erase(memory, options.erase)
    finally:
        outbox.close()
    return 0


def erase(memory: MemoryFile, incidents: list[str]) -> None:
    """Forget these, or everything.

    Raises:
        SealcamError: one of them is not remembered; nothing has changed.
    """
    known = {trace.incident for trace in memory.memory.traces}
    for incident in incidents:
        if incident not in known:
            raise SealcamError(f"no incident {incident} is remembered here", "sealcam memory lists them")
    things = len(memory.statics)
    gone = memory.erase(incidents or None)
    also = "" if incidents else f" and {things} {'thing' if things == 1 else 'things'} of the scene"
    sys.stdout.write(f"forgotten: {gone} {'incident' if gone == 1 else 'incidents'}{also}\n")


def show(memory: MemoryFile, *, as_json: bool) -> None:
    """Print it, the oldest incident first."""
    for trace in memory.memory.traces:
        sys.stdout.write((json.dumps(_trace(trace)) if as_json else _line(trace)) + "\n")
    for thing in memory.statics:
        sys.stdout.write((json.dumps({"static": _thing(thing)}) if as_json else _static_line(thing)) + "\n")
    if not as_json:
        traces = memory.memory.traces
        marked = sum(trace.mark is not None for trace in traces)
        sys.stdout.write(f"{len(traces)} incidents, {marked} of them marked; {len(memory.statics)} static things\n")


def _line(trace: Trace) -> str:
    mark = "no mark" if trace.mark is None else f"marked {trace.mark}"
    when = datetime.fromtimestamp(trace.at_s, UTC).isoformat() if trace.at_s else "at a time unknown"
    return f"{trace.incident}  {when}  {trace.subject}  {trace.verdict} {trace.threat:.2f}  {mark}"


def _static_line(thing: StaticThing) -> str:
    return f"static  {thing.subject}  {_place(thing.box)}"


def _place(box: Box) -> str:
    edges = (round(100 * edge) for edge in (box.x0, box.y0, box.x1, box.y1))
    return "from {} %, {} % to {} %, {} % of the picture".format(*edges)


def _trace(trace: Trace) -> dict[str, object]:
    return {
        "incident": trace.incident,
        "at_s": trace.at_s,
        "subject": str(trace.subject),
        "verdict": str(trace.verdict),
        "threat": trace.threat,
        "mode": str(trace.mode),
        "mark": None if trace.mark is None else str(trace.mark),
        "features": plain(trace.features),
        "parts": [_thing(part) for part in trace.parts],
    }


def _thing(thing: StaticThing | Part) -> dict[str, object]:
    box = thing.box
    return {
        "subject": str(thing.subject),
        "box": [round(edge, 4) for edge in (box.x0, box.y0, box.x1, box.y1)],
        "looks": [[round(float(value), 4) for value in look] for look in thing.looks],
    }
