"""`sealcam-provision`: the technician's tool; each command parses, makes a pure plan, then applies it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from sealcam.wire.errors import SealcamError, describe
from sealcam_provision import bench, claim, models, run

_PROGRAM = "sealcam-provision"


class _Parser(argparse.ArgumentParser):
    """Argparse with our error line and exit code 2."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: error: {message}\nhint: {self.prog} --help lists what there is\n")
        raise SystemExit(2)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 failed, 2 misuse."""
    parser = _Parser(prog=_PROGRAM, description="Set up Sealcam cameras without ever seeing their pictures.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    modules = {"claim": claim, "model": models, "run": run, "bench": bench}
    for module in modules.values():
        module.add_parser(commands)
    options = parser.parse_args(argv)
    try:
        return int(modules[options.command].run(options))
    except SealcamError as error:
        sys.stderr.write(describe(_PROGRAM, error) + "\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
