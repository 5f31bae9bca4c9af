"""`sealcam-hub delete`: says what would go, asks, and shows how far it has come."""

from __future__ import annotations

import argparse
import sys

from sealcam.wire.errors import ConfigError
from sealcam_hub import deletion
from sealcam_hub.arguments import moment
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.terminal import Adder, Progress, confirmed, say

BEST_EFFORT = (
    "best effort: the keys that are gone were files on this disk. Who copied them before, or reads what the disk\n"
    "still holds of them, or has your 24 words and a recording of the broker, can open what was deleted."
)


def add(command: Adder) -> None:
    """Add the command to the parser."""
    parser = command("delete", _delete, "delete incidents for good: their pictures, reports and clips")
    parser.add_argument("incidents", nargs="*", metavar="INCIDENT", help="ids, as `events` and the console show them")
    parser.add_argument("--before", metavar="WHEN", help="all that began before: 2026-05-01T12:00, or 30d ago")
    parser.add_argument("--camera", metavar="NAME", help="with --before: of one camera, by name or alias")
    parser.add_argument("--yes", action="store_true", help="don't ask")


def _delete(options: argparse.Namespace, folder: Folder) -> int:
    if bool(options.incidents) == bool(options.before):
        raise ConfigError("say which incidents, or --before a time", "one of the two")
    if options.camera and not options.before:
        raise ConfigError("--camera goes with --before", "an incident's id says its camera already")
    with open_home(folder) as home:
        with home.store.reading() as connection:
            if options.before:
                when_ns = moment(options.before, home.clock.wall_ns())
                doomed = deletion.before(connection, when_ns, options.camera)
            else:
                doomed = deletion.named(connection, options.incidents)
        if not doomed:
            say("nothing to delete")
            return 0
        names = ", ".join(sorted({one.name for one in doomed}))
        what = f"{len(doomed)} incident{'s' if len(doomed) > 1 else ''} of {names}"
        if not confirmed(f"Delete {what} for good?", options.yes):
            say("nothing was deleted")
            return 1
        with Progress("writing the keys that stay under a new key") as bar:
            clean = deletion.Deleter(folder, home.store, home.keys, home.clock).delete(doomed, bar)
        with home.store.reading() as connection:
            waiting = deletion.count(connection).pending
    say(f"deleted: {what}; each camera deletes its own sealed copies (1,024 at most now) once it hears of it")
    if waiting:
        say("complete when each camera has said that it seals to its new key: sealcam-hub status tells")
    if not clean:
        sys.stderr.write("the ledger's log is in use and still holds old pages: they go when its readers end\n")
    say(BEST_EFFORT)
    return 0
