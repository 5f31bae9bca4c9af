"""`sealcam-hub expel`: turns a camera out, at this hub and, where it is the home hub, at the broker."""

from __future__ import annotations

import argparse

from sealcam.wire.statement_kinds import Action, RecipientKind
from sealcam_hub import audit, deletion, doorkeeper, expulsion
from sealcam_hub.folder import Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.lines import plain
from sealcam_hub.terminal import Adder, confirmed, say


def add(command: Adder) -> None:
    """Add the command to the parser."""
    parser = command("expel", _expel, "turn a camera out for good: nothing it says counts any more")
    parser.add_argument("camera", metavar="CAMERA", help="name or alias")
    parser.add_argument("--yes", action="store_true", help="don't ask")


def _expel(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        with home.store.reading() as connection:
            camera = expulsion.find(connection, options.camera)
        question = f"Turn out {plain(camera.name)} ({camera.alias})? What it still has queued is lost."
        if not confirmed(question, options.yes):
            say("nothing was done")
            return 1
        now_ns = home.clock.wall_ns()
        with home.store.writing() as connection:
            expulsion.expel(connection, camera.alias)
            told = f"camera {camera.alias}"
            audit.append(connection, home.keys, now_ns, Action.EXPELLED, audit.OWNER, told, camera.kid)
        deletion.settle(home.store, now_ns)
        say(f"{plain(camera.name)} is expelled: this hub believes nothing it says, and its prekeys are destroyed")
        if not home.keys.is_home:
            say("the home hub still believes it, and lets it into the broker: expel it there too")
        elif doorkeeper.refresh(home) & doorkeeper.cut(home, camera.alias):
            say("the broker has ended its session and lets it in no more")
        else:
            say("the broker couldn't be told: restart it, and it lets the camera in no more")
        if any(one != home.keys.operating.public for one in _hubs(home)):
            say("each other hub believes it until it is expelled there, or joins anew: join accept, join finish")
    return 0


def _hubs(home: Home) -> list[bytes]:
    return [one.public for one in home.keys.chosen.recipients if one.kind is RecipientKind.HUB]
