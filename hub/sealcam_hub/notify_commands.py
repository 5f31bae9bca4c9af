"""`sealcam-hub notify`: who is told, from the terminal. A service's address is typed, and never an argument."""

from __future__ import annotations

import argparse
import json
import sys

from sealcam.wire.errors import ConfigError
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.lines import iso, plain
from sealcam_hub.notifying.manage import Notifications
from sealcam_hub.notifying.rows import Target
from sealcam_hub.terminal import Adder, say
from sealcam_hub.tty import DevTty

MOST = 2048


def add(command: Adder) -> None:
    """Add the command to the parser."""
    notify = command("notify", _list, "who is told of threats and troubles, beside the console's room for it")
    actions = notify.add_subparsers(dest="action", metavar="ACTION", required=True)
    shown = actions.add_parser("list", help="who is told; no addresses")
    shown.add_argument("--json", action="store_true", help="for programs")
    shown.set_defaults(run=_list)
    added = actions.add_parser("add", help="a service that Apprise knows; its address is asked for, or on stdin")
    added.add_argument("name", metavar="NAME")
    added.add_argument(
        "--after", type=int, default=0, metavar="MINUTES", help="told of threats nobody has seen so long"
    )
    added.set_defaults(run=_add)
    removed = actions.add_parser("remove", help="tell it no more")
    removed.add_argument("name", metavar="NAME")
    removed.set_defaults(run=_remove)
    tried = actions.add_parser("test", help="tell it something now")
    tried.add_argument("name", metavar="NAME")
    tried.set_defaults(run=_test)
    host = actions.add_parser("host", help="take a push service beside the browser makers'")
    host.add_argument("origin", metavar="ORIGIN", help="such as https://push.example.org")
    host.set_defaults(run=_host)


def _list(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        found = Notifications(home).targets()
    if options.json:
        say(json.dumps([_json(one) for one in found], ensure_ascii=False))
    elif not found:
        say("nobody is told anything: sealcam-hub notify add NAME, or the console's room Notifications")
    else:
        for one in found:
            after = f", of threats that nobody has seen for {one.after_s // 60} min" if one.after_s else ""
            failed = ", and it doesn't go through" if one.failed_ns else ""
            say(f"{plain(one.name):<24} {one.kind.value} ({one.place}){after}{failed}")
    return 0


def _json(one: Target) -> dict[str, object]:
    return {
        "name": one.name,
        "kind": one.kind.value,
        "by": one.place,
        "after_s": one.after_s,
        "added": iso(one.added_ns),
        "told": iso(one.sent_ns),
        "failing_since": iso(one.failed_ns),
    }


def _add(options: argparse.Namespace, folder: Folder) -> int:
    if not 0 <= options.after <= 24 * 60:
        raise ConfigError("--after takes 0 to 1440 minutes")
    folder.settings()  # a folder without a hub is told before anybody types
    address = _address()
    with open_home(folder) as home:
        Notifications(home).add_service(options.name, address, options.after * 60)
    say(f"{options.name} is told from now on: sealcam-hub notify test {options.name!r}")
    return 0


def _address() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline(MOST + 2).strip()
    terminal = DevTty("an address is typed")
    try:
        return terminal.ask("Address of the service, unseen (such as ntfys://TOPIC): ", echo=False)
    finally:
        terminal.close()


def _remove(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        found = Notifications(home)
        found.remove(found.named(options.name).id)
    say(f"{options.name} is told nothing any more")
    return 0


def _test(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        found = Notifications(home)
        found.test(found.named(options.name).id)
    say(f"{options.name} has taken it")
    return 0


def _host(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        Notifications(home).host(options.origin)
    say("browsers of that push service can be added now")
    return 0
