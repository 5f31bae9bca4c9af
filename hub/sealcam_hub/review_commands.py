"""`sealcam-hub review`: what the owner's marks come to, the data set of them, and training at home.

The marks themselves are made in the console, where the pictures are (`console.review`).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from sealcam.wire.errors import SealcamError
from sealcam_hub import audit, review
from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.newfile import check_new, check_target, write_new
from sealcam_hub.review import Review
from sealcam_hub.terminal import Adder, say

EVERY_S = 1.0


def add(command: Adder) -> None:
    """Add the command to the command line."""
    parser = command("review", _review, "the owner's marks on incidents: count, export, erase, train at home")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--export", type=Path, metavar="FILE", help="the data set, a line of JSON each; not sealed")
    what.add_argument(
        "--erase", action="store_true", help="forget every mark, here and at the cameras, and every model"
    )
    what.add_argument("--train", action="store_true", help="train a verdict model of the marks; the console sends it")
    parser.add_argument("--json", action="store_true", help="for programs")


def _review(options: argparse.Namespace, folder: Folder) -> int:
    with open_home(folder) as home:
        here = review.of(home, audit.OWNER)
        if options.export is not None:
            check_target(options.export, folder)
            check_new(options.export)  # before the log says that it left the seal
            write_new(options.export, [here.data.export()])
            say(f"written: {options.export}")
        elif options.erase:
            say(f"forgotten: {here.marks.erase()} marks, and what was trained by them")
        elif options.train:
            _train(here, as_json=options.json)
        else:
            _count(here, as_json=options.json)
    return 0


def _count(here: Review, *, as_json: bool) -> None:
    counts, model = here.counts(), here.models.newest()
    if as_json:
        told = {"marked": counts.marked, "by_word": counts.by_word, "waiting": counts.waiting}
        say(json.dumps(told | {"model": None if model is None else {"name": model.name} | model.figures}))
        return
    words = ", ".join(f"{number} {word.replace('_', ' ')}" for word, number in counts.by_word.items())
    say(
        f"{counts.marked} marked{f' ({words})' if words else ''}, {counts.waiting} wait (the console has them: /review)"
    )
    if model is not None:
        say(f"trained last: {model.name}{'' if model.fit else ', which misses threats and can not be sent'}")


def _train(here: Review, *, as_json: bool) -> None:
    here.training.begin()
    done = -1
    while (state := here.training.wait(EVERY_S)).running:
        if state.done != done and not as_json:
            done = state.done
            say(f"training: step {state.done} of {state.steps or '?'}")
    if state.failed:
        raise SealcamError(f"no model was made: {state.failed}", "mark more incidents in the console, at /review")
    _count(here, as_json=as_json)
