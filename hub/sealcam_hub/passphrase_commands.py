"""`sealcam-hub passphrase`: the owner sets or replaces the console's passphrase at the terminal."""

from __future__ import annotations

import argparse

from sealcam.wire.errors import ConfigError
from sealcam_hub.folder import Folder
from sealcam_hub.passphrase import FEWEST, Passphrase, check, normal
from sealcam_hub.terminal import Adder, say
from sealcam_hub.tty import DevTty, Terminal


def add(command: Adder) -> None:
    """Add the command to the parser."""
    command("passphrase", _passphrase, "set the console's passphrase, or replace one that was forgotten")


def _passphrase(_options: argparse.Namespace, folder: Folder) -> int:
    folder.settings()  # a folder without a hub is told before anybody types
    there = Passphrase(folder).mark() is not None
    Passphrase(folder).choose(typed_twice(DevTty("the passphrase is typed")))
    say("the passphrase is set" + ("; every browser that was signed in is asked for it" if there else ""))
    return 0


def typed_twice(terminal: Terminal) -> str:
    """What a person chooses, typed the same way twice and unseen.

    Raises:
        ConfigError: it is too short, or it was typed in two ways.
    """
    first = terminal.ask(f"New passphrase, at least {FEWEST} characters: ", echo=False)
    check(first)
    if normal(terminal.ask("Once more: ", echo=False)) != normal(first):
        raise ConfigError("that was typed in two different ways", "nothing was changed; try again")
    return first
