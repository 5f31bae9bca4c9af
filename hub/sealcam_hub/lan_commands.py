"""`sealcam-hub lan`: the console on the LAN, with TLS and under one name; off until the owner turns it on."""

from __future__ import annotations

import argparse

from sealcam.wire.errors import ConfigError
from sealcam_hub import lan, lan_ca
from sealcam_hub.folder import Folder
from sealcam_hub.lan import PORT, PREPARE_PORT, Lan
from sealcam_hub.terminal import Adder, say


def add(command: Adder) -> None:
    """Add the command to the parser."""
    parser = command("lan", _lan, "the console on phones and other computers at home: turn it on or off, or show where")
    parser.add_argument("turn", choices=("on", "off", "show"), nargs="?", default="show", help="default show")
    parser.add_argument("--name", metavar="NAME", help=f"its one name; default {lan.default_name()}")
    parser.add_argument("--port", type=int, default=PORT, metavar="PORT", help=f"over TLS; default {PORT}")
    words = f"of the page that prepares a phone, on plain HTTP; default {PREPARE_PORT}"
    parser.add_argument("--prepare-port", type=int, default=PREPARE_PORT, metavar="PORT", help=words)


def _lan(options: argparse.Namespace, folder: Folder) -> int:
    folder.settings()
    before = lan.read(folder)
    if options.turn == "off":
        lan.turn_off(folder)
        say("the console is on this machine alone, from the hub's next start")
        return 0
    if options.turn == "on":
        if not all(0 < port < 65536 for port in (options.port, options.prepare_port)):
            raise ConfigError("a port is a number from 1 to 65535")
        known = before.name if before is not None else lan.default_name()
        new = lan.turn_on(folder, Lan(lan.check_name(options.name or known), options.port, options.prepare_port))
        if new and before is not None:
            say("the name is another one: phones have to trust its certificate, and passkeys for the old name are over")
    now = lan.read(folder)
    if now is None:
        say("off: the console is reached on this machine alone; `sealcam-hub lan on` turns it on")
        return 0
    say(f"the console on the LAN: {now.address}/" + (" (from the hub's next start)" if options.turn == "on" else ""))
    say(f"a new phone first opens {now.prepare}/ and installs the certificate there")
    say("before it is trusted, the phone must show this SHA-256 fingerprint of it:")
    say(f"  {lan_ca.fingerprint(lan.authority(folder))}")
    return 0
