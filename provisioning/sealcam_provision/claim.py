"""`sealcam-provision claim`: gives a camera to its owner's hub where both are on this machine (design/pipeline.md).

A plan of three steps, each a command of the camera's or the hub's own: the tool carries the bytes between them and
holds no key. The owner root's fingerprint comes from the hub's folder, which on one machine is the owner's own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sealcam.wire.errors import SealcamError
from sealcam.wire.keys import fingerprint

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

_DEFAULT_HUB = Path("/var/lib/sealcam-hub")
_MAX_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a plan: what it does in words, what it runs, and whether it reads the step before."""

    words: str
    argv: tuple[str, ...]
    reads: bool


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("claim", help="give a camera on this machine to the hub on this machine")
    parser.add_argument("--name", required=True, help="what the owner calls the camera, such as 'Front door'")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the camera's configuration")
    parser.add_argument("--hub", type=Path, metavar="DIR", default=_DEFAULT_HUB, help=f"default {_DEFAULT_HUB}")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and change nothing")


def plan(name: str, config: Path | None, hub: Path, root_fingerprint: bytes) -> tuple[Step, ...]:
    """The three steps of a claim; pure."""
    where = () if config is None else ("--config", str(config))
    return (
        Step("the camera makes its keys (once) and asks", ("sealcam", "claim", "request", *where), reads=False),
        Step("the hub enrols it", ("sealcam-hub", "--state", str(hub), "enrol", "--name", name), reads=True),
        Step(
            "the camera checks the owner's signatures and accepts",
            ("sealcam", "claim", "accept", "--fingerprint", root_fingerprint.hex(), *where),
            reads=True,
        ),
    )


def run(options: argparse.Namespace) -> int:
    """Plan, then apply; the exit code."""
    steps = plan(options.name, options.config, options.hub, owner_fingerprint(options.hub))
    for number, step in enumerate(steps, 1):
        sys.stderr.write(f"{number}. {step.words}\n")
        if options.dry_run:
            sys.stderr.write(f"   {' '.join(step.argv)}\n")
    if not options.dry_run:
        apply(steps)
        sys.stderr.write(f"claimed: {options.name}\n")
    return 0


def owner_fingerprint(hub: Path) -> bytes:
    """The fingerprint of the owner root that the hub in this folder belongs to.

    Raises:
        SealcamError: there is no hub in the folder.
    """
    try:
        return fingerprint((hub / "keys" / "root.pub").read_bytes())
    except OSError as error:
        hint = "set one up first: sealcam-hub init; or name its folder with --hub"
        raise SealcamError(f"no hub in {hub}: {error.strerror}", hint) from error


def apply(steps: tuple[Step, ...]) -> None:
    """Run the steps, each reading what the one before said; safe to repeat.

    Raises:
        SealcamError: a step failed, with its own words.
    """
    said = b""
    for step in steps:
        program = str(Path(sys.executable).with_name(step.argv[0]))
        done = subprocess.run(
            (program, *step.argv[1:]), input=said if step.reads else b"", capture_output=True, check=False
        )
        if done.returncode != 0 or len(done.stdout) > _MAX_BYTES:
            lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit {done.returncode}"]
            error = next((line for line in lines if ": error: " in line), lines[-1])
            hint = next((line.removeprefix("hint: ") for line in lines if line.startswith("hint: ")), None)
            raise SealcamError(f"{step.words}: {error.split(': error: ')[-1]}", hint)
        said = done.stdout
