"""`sealcam-hub recipients`: who may open, and the way from a change that is wanted to one that is signed."""

from __future__ import annotations

import argparse
from pathlib import Path

from sealcam.wire.keys import key_id
from sealcam.wire.statement_kinds import RecipientKind
from sealcam_hub import doorkeeper, recipients, signing
from sealcam_hub.folder import Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.joining import read_join
from sealcam_hub.lines import plain
from sealcam_hub.terminal import Adder, say
from sealcam_hub.tty import DevTty
from sealcam_hub.words_commands import save, signed_by_hand


def add(command: Adder) -> None:
    """Add the command to the parser."""
    parser = command("recipients", _list, "who may open what the cameras seal")
    parts = parser.add_subparsers(metavar="WHAT")
    parts.add_parser("list", help="the recipient set in force").set_defaults(run=_list)
    change = parts.add_parser("change", help="ask for another set, which the owner's words must sign")
    what = change.add_mutually_exclusive_group(required=True)
    what.add_argument("--add", type=Path, metavar="JOIN", help="a hub, by the file that its `join request` wrote")
    what.add_argument("--remove", metavar="KID", help="a hub, by its key id")
    how = change.add_mutually_exclusive_group(required=True)
    how.add_argument("-o", "--output", type=Path, metavar="REQUEST", help="to be signed on the owner's device")
    how.add_argument("--words", action="store_true", help="ask for the 24 words here, and do it at once")
    change.set_defaults(run=_change)
    accept = parts.add_parser("accept", help="let the set be in force that the owner's device has signed")
    accept.add_argument("signed", type=Path, metavar="SIGNED")
    accept.set_defaults(run=_accept)


def _list(_options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        with home.store.reading() as connection:
            names = recipients.names(connection)
        say(f"recipient set {home.keys.set_number}")
        for one in home.keys.chosen.recipients:
            kid = key_id(one.public).hex()
            if one.kind is RecipientKind.RECOVERY:
                say(f"  {kid}  the owner's 24 words")
                continue
            mark = [plain(names[kid])] if names.get(kid) else []
            mark += ["this hub"] if one.public == home.keys.operating.public else []
            mark += ["home hub"] if one.public == home.keys.chosen.home_hub else []
            say(f"  {kid}  hub" + (f" ({', '.join(mark)})" if mark else ""))
    return 0


def _change(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        request = _request(options, home)
        if options.output:
            save(options.output, request.text())
            say(f"to be signed on the owner's device: sealcam-hub words sign {options.output.name} -o SIGNED")
            say("then here: sealcam-hub recipients accept SIGNED")
            return 0
        signed = signed_by_hand(DevTty("the owner's words are typed"), request)
        if signed is None:
            say("nothing was changed")
            return 1
        return _in_force(home, signed)


def _request(options: argparse.Namespace, home: Home) -> signing.Request:
    if options.add:
        join = read_join(options.add)
        request = recipients.add(home.keys, join.operating, join.name)
        with home.store.writing() as connection:
            recipients.remember(connection, join.operating, join.name)
        return request
    return recipients.remove(home.keys, options.remove)


def _accept(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        return _in_force(home, signing.read_signed(options.signed))


def _in_force(home: Home, signed: signing.Signed) -> int:
    number = recipients.accept(home.folder, home.store, home.keys, home.clock, signed)
    say(f"recipient set {number} is in force; each camera takes it up with its next beat")
    if home.keys.is_home:
        _shut_out(home)
    return 0


def _shut_out(home: Home) -> None:
    """Let hubs that are in the set no more into the broker no more."""
    told = doorkeeper.refresh(home)
    with home.store.reading() as connection:
        out = doorkeeper.removed(home, connection)
    cut = [doorkeeper.cut(home, name) for name in out]  # each, whatever became of the one before
    if out and told and all(cut):
        say("the broker lets hubs that were taken out in no more")
    elif out:
        say("the broker couldn't be told: restart it, and it lets hubs that were taken out in no more")
