"""`sealcam-hub init`: a new hub, with words made here, or with those that the owner's device keeps to itself."""

from __future__ import annotations

import argparse
from pathlib import Path

from sealcam.wire.errors import ConfigError
from sealcam_hub import setup, signing
from sealcam_hub.arguments import parse_address
from sealcam_hub.folder import Folder
from sealcam_hub.keys import HubKeys
from sealcam_hub.terminal import Adder, say
from sealcam_hub.tty import DevTty
from sealcam_hub.words import show_words
from sealcam_hub.words_commands import save

_NO_TERMINAL = "the owner's words can be shown"


def add(command: Adder) -> None:
    """Add the command to the parser."""
    init = command("init", _init, "make a hub: authority, keys, the owner's 24 words, the broker's files")
    init.add_argument("--broker", metavar="HOST:PORT", default="localhost:8883", help="default localhost:8883")
    init.add_argument("--throwaway", action="store_true", help="keep the words in the folder: for trials only")
    init.add_argument("--owner", type=Path, metavar="OWNER", help="of `words new` on the owner's device; needs -o")
    init.add_argument("-o", "--output", type=Path, metavar="REQUEST", help="what is to be signed there")
    init.add_argument("--signed", type=Path, metavar="SIGNED", help="what was signed there: finish")


def _init(options: argparse.Namespace, folder: Folder) -> int:
    chosen = [bool(one) for one in (options.throwaway, options.owner, options.signed)]
    if sum(chosen) > 1 or bool(options.owner) != bool(options.output):
        raise ConfigError("--owner OWNER goes with -o REQUEST; --signed and --throwaway stand alone")
    broker = parse_address(options.broker)
    if options.owner:
        request = setup.prepare(folder, signing.read_owner(options.owner))
        save(options.output, request.text())
        say(f"to be signed on the owner's device: sealcam-hub words sign {options.output.name} -o SIGNED")
        say("then here: sealcam-hub init --signed SIGNED")
        return 0
    if options.signed:
        return _made(folder, setup.finish(folder, broker, signing.read_signed(options.signed)))
    if options.throwaway:

        def keep(words: str) -> None:
            text = "# Throw-away words of a trial hub. Real words belong on paper, and nowhere else.\n"
            folder.write("throwaway-words.txt", f"{text}{words}\n".encode())

        return _made(folder, setup.make_hub(folder, broker, keep))
    terminal = DevTty(_NO_TERMINAL)
    return _made(folder, setup.make_hub(folder, broker, lambda words: show_words(terminal, words)))


def _made(folder: Folder, keys: HubKeys) -> int:
    say(f"hub made in {folder.path}")
    say(f"owner fingerprint: {keys.root_fingerprint}")
    say(f"broker: mosquitto -c {folder.path / 'broker' / 'mosquitto.conf'}")
    return 0
