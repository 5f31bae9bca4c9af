"""`sealcam-hub offsite`: name the store of the off-site copy, see how it stands, and end it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from sealcam.wire.errors import ConfigError
from sealcam.wire.statement_kinds import Action
from sealcam_hub import audit, offsite_rows, offsite_settings, offsite_status, offsite_worker
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.offsite import Kind, Names, recovery_public
from sealcam_hub.offsite_errors import Refused
from sealcam_hub.terminal import Adder, confirmed, say


def add(command: Adder) -> None:
    """Add the command to the parser."""
    parser = command("offsite", _show_help, "a sealed copy of what this home keeps, in a store elsewhere")
    parts = parser.add_subparsers(metavar="WHAT", required=True)
    parts.add_parser("template", help="print what the file with a store says").set_defaults(run=_template)
    chosen = parts.add_parser("set", help="copy to the store that FILE names, from now on")
    chosen.add_argument("file", type=Path, metavar="FILE")
    chosen.add_argument("--yes", action="store_true", help="don't ask")
    chosen.set_defaults(run=_set)
    told = parts.add_parser("status", help="what is there, what waits, and why")
    told.add_argument("--json", action="store_true", help="for programs")
    told.set_defaults(run=_status)
    off = parts.add_parser("off", help="copy nothing more; what is there stays there")
    off.set_defaults(run=_off)


def _show_help(_options: argparse.Namespace, _folder: Folder) -> int:
    raise ConfigError("say what: template, set, status or off", "sealcam-hub offsite --help")


def _template(_options: argparse.Namespace, _folder: Folder) -> int:
    say(offsite_settings.TEMPLATE.rstrip())
    return 0


def _set(options: argparse.Namespace, folder: Folder) -> int:
    from sealcam_hub.offsite_s3 import S3Store  # what no other command needs

    chosen = offsite_settings.read_settings(options.file)
    with open_home(folder) as home:
        remote, may_delete = S3Store(chosen), True
        try:
            if chosen.lock_days and not remote.lockable():
                raise ConfigError(
                    "lock_days is set, and this bucket has no object lock", "make one that has, or set lock_days = 0"
                )
            probe = Names(recovery_public(home.keys)).new(Kind.DIRECTORY)  # holds nothing, and isn't locked
            remote.put(probe, b"")
            remote.get(probe, 0)
            try:
                remote.delete(probe)
            except Refused:
                may_delete = False
        finally:
            remote.close()
        lines = [f"From now on everything that this hub keeps goes sealed to {chosen.where},"]
        lines += ["which learns when something comes and how long it is. The 24 words alone open it."]
        before = offsite_settings.load(folder)
        if before is not None and before.where != chosen.where:
            lines += [
                f"All of it is sent again. What is at {before.where} stays there, sealed, and nobody keeps it up."
            ]
        if not may_delete:
            lines += ["This account may not delete there: what you delete here stays there, sealed, till you do it."]
        if chosen.lock_days:
            lines += [f"What you delete here stays there, sealed, for up to {chosen.lock_days} days."]
        elif may_delete:
            lines += ["Who takes this hub can delete the copy with its keys: lock_days, in that file, prevents it."]
        say("\n".join(lines))
        if not confirmed("Is that what you want?", options.yes):
            say("nothing was changed")
            return 1
        with home.store.writing() as connection:  # first: nothing leaves the house that the log doesn't tell of
            told = "everything sealed, off site, from now on"
            audit.append(connection, home.keys, home.clock.wall_ns(), Action.SERVED, audit.OWNER, told)
        offsite_settings.save(folder, chosen)
    say("it begins within seconds where `sealcam-hub serve` runs: sealcam-hub offsite status")
    say(f"keep {options.file} with the words: both bring it back, sealcam-hub recover --offsite {options.file.name}")
    return 0


def _status(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        if options.json:
            say(json.dumps(offsite_status.as_json(home)))
        else:
            say(offsite_status.as_text(home))
    return 0


def _off(_options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        if offsite_settings.load(folder) is None:
            say("there is no off-site copy")
            return 0
        with home.store.writing() as connection:
            told = "nothing more goes off site"
            audit.append(connection, home.keys, home.clock.wall_ns(), Action.REVOKED, audit.OWNER, told)
            offsite_rows.forget_all(connection)
            offsite_worker.forget(connection)
        folder.remove(offsite_settings.FILE)
    say("nothing more is copied. What is there stays, sealed: delete the bucket's objects if you want it gone")
    return 0
