"""`sealcam-hub words`: for the owner's own device, where the 24 words are made and used; it needs no hub there."""

from __future__ import annotations

import argparse
from pathlib import Path

from sealcam.wire.errors import ConfigError
from sealcam.wire.keys import fingerprint
from sealcam_hub import recovery_state, signing
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.newfile import check_new, write_new
from sealcam_hub.terminal import Adder, say
from sealcam_hub.tty import DevTty, Terminal
from sealcam_hub.words import ask_words, new_words, owner_keys, show_words

_PURPOSE = "the owner's words are shown and typed"


def add(command: Adder) -> None:
    """Add the command to the parser."""
    parser = command("words", _show_help, "the owner's 24 words, on the owner's own device")
    parts = parser.add_subparsers(metavar="WHAT", required=True)
    new = parts.add_parser("new", help="make 24 words; their public halves go to a file for `init --owner`")
    new.add_argument("-o", "--output", type=Path, required=True, metavar="OWNER")
    new.set_defaults(run=_new)
    sign = parts.add_parser("sign", help="show what a hub asks for, and sign it with the words")
    sign.add_argument("request", type=Path, metavar="REQUEST")
    sign.add_argument("-o", "--output", type=Path, required=True, metavar="SIGNED")
    sign.set_defaults(run=_sign)
    check = parts.add_parser("check", help="try the words: do they open what is this home's?")
    check.add_argument("--owner", type=Path, metavar="OWNER", help="against this file of `words new`, without a hub")
    check.set_defaults(run=_check)


def _show_help(_options: argparse.Namespace, _folder: Folder) -> int:
    raise ConfigError("say what: new, sign or check", "sealcam-hub words --help")


def _new(options: argparse.Namespace, _folder: Folder) -> int:
    terminal = DevTty(_PURPOSE)
    check_new(options.output)
    words = new_words()
    show_words(terminal, words)
    owner = owner_keys(words)
    save(options.output, signing.OwnerFile(owner.root.public, owner.recovery.public).text())
    say(f"owner fingerprint: {fingerprint(owner.root.public).hex()}")
    say(f"public halves, for `sealcam-hub init --owner`: {options.output}")
    return 0


def _sign(options: argparse.Namespace, _folder: Folder) -> int:
    request = signing.read_request(options.request)
    signed = signed_by_hand(DevTty(_PURPOSE), request)
    if signed is None:
        say("nothing was signed")
        return 1
    save(options.output, signed.text())
    say(f"signed: {options.output}; take it to the hub that asked")
    return 0


def _check(options: argparse.Namespace, folder: Folder) -> int:
    """At a hub the household's page then tells that they were tried, and when."""
    root = folder.read("keys/root.pub") if options.owner is None else signing.read_owner(options.owner).root
    if ask_words(DevTty("the owner's words are typed")).root.public != root:
        raise ConfigError("these are another owner's words", "look at the paper again: is it this home's?")
    if options.owner is None:
        with open_home(folder) as home:
            recovery_state.tried(home)
    say(f"these are the words of owner {fingerprint(root).hex()}")
    return 0


def signed_by_hand(terminal: Terminal, request: signing.Request) -> signing.Signed | None:
    """What a person signs after they have read what it is; none where they don't want to.

    Raises:
        ConfigError: the request is one that nobody should sign, or the words aren't this owner's.
    """
    terminal.show(f"You are asked to sign:\n{signing.describe(request)}")
    terminal.show(f"for the owner {fingerprint(request.root).hex()}\n")
    if terminal.ask("Is that what you want? Type yes: ").lower() != "yes":
        return None
    return signing.sign(request, ask_words(terminal))


def save(path: Path, text: str) -> None:
    """Write a file, whole or not at all; a plain file that was there is replaced.

    Raises:
        StorageError: that isn't possible.
    """
    write_new(path, [text.encode()], replace=True)
