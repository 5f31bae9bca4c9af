"""`sealcam`: one command a row; each lives in its own module and is imported only when it is called.

So that the post never loads numpy and the eye never loads a network library.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from sealcam import __version__
from sealcam.wire.errors import SealcamError, describe

COMMANDS = {
    "eye": ("sealcam.eye_command", "run the camera: see, decide, seal, queue"),
    "post": ("sealcam.post_command", "carry sealed mail between the eye and the broker"),
    "claim": ("sealcam.claim", "give the camera to its owner"),
    "reset": ("sealcam.reset", "say farewell to the hub, and destroy the camera's keys and all it kept"),
    "memory": (
        "sealcam.memory_command",
        "what the camera remembers of incidents and of the scene: show, export, erase",
    ),
    "replay": ("sealcam.replay", "the whole of sight on recorded files, as fast as it goes"),
    "record": ("sealcam.record", "the incidents of a recorded file as sealed clips"),
    "doctor": ("sealcam.doctor", "look at every part of this board, and say how each does"),
    "bench": ("sealcam.bench", "the figures of the budgets"),
}


class _Parser(argparse.ArgumentParser):
    """Argparse with our error line and exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise SystemExit(_complain(f"{self.prog}: error: {message}\nhint: {self.prog} --help lists what there is", 2))


def _complain(text: str, code: int) -> int:
    sys.stderr.write(text + "\n")
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 failed, 2 misuse."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = _Parser(prog="sealcam", description="A home-security camera that only its owner can open.")
    parser.add_argument("--version", action="version", version=f"sealcam {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    named = next((word for word in arguments if not word.startswith("-")), None)
    for name, (module, words) in COMMANDS.items():
        if name == named:
            importlib.import_module(module).add_parser(commands)
        else:
            commands.add_parser(name, help=words)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        options = parser.parse_args(arguments)
        return int(importlib.import_module(COMMANDS[options.command][0]).run(options))
    except SealcamError as error:
        return _complain(describe("sealcam", error), error.exit_code)
    except BrokenPipeError:  # the reader of our output went away: not our failure, and nothing more to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
