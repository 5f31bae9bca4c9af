"""`sealcam bench`: the figures of the budgets that one camera's software can measure by itself.

A figure is a name, a value, its unit and how it was taken. What is compared is measured in turns within one run, since
machines change their speed from minute to minute. Each part of the product adds its own list to `BENCHES`. No test
asserts a speed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

# Modules with a function `figures(footage: Path | None) -> Iterator[Figure]`, in the order of their figures.
BENCHES = (
    "sealcam.bench_sight",
    "sealcam.bench_wire",
    "sealcam.bench_clip",
    "sealcam.bench_record",
    "sealcam.bench_both",
    "sealcam.bench_govern",
    "sealcam.bench_picamera",
    "sealcam.bench_live",
    "sealcam.bench_wear",
    "sealcam.bench_store",
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value: `name` is stable from release to release, `how` says on what it was taken."""

    name: str
    value: float
    unit: str
    how: str


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("bench", help="the figures of the budgets")
    parser.add_argument("clip", nargs="?", type=Path, help="measure on this recording (default: the fetched footage)")
    parser.add_argument("--json", action="store_true", help="as one JSON document")


def run(options: argparse.Namespace) -> int:
    """Measure and print; 0."""
    clip: Path | None = options.clip or default_clip()
    if clip is None:
        sys.stderr.write("sealcam: no footage here: figures are taken on made frames\n")
    found = []
    for figure in measure(clip):
        found.append(figure)
        if not options.json:
            sys.stdout.write(f"{figure.name:<28} {figure.value:>10g} {figure.unit:<6} {figure.how}\n")
            sys.stdout.flush()
    if options.json:
        document = {"machine": platform.platform(), "figures": [asdict(figure) for figure in found]}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    return 0


def measure(clip: Path | None) -> Iterator[Figure]:
    """Every figure, one after the other; heavy libraries are loaded only now."""
    for module in BENCHES:
        sys.stderr.write(f"sealcam: measuring {module.rpartition('_')[2]}\n")
        yield from importlib.import_module(module).figures(clip)


def default_clip() -> Path | None:
    """The walkers that `provisioning/footage.sh` fetched, if this is a checkout that has them."""
    clip = Path(__file__).resolve().parents[2] / "build" / "footage" / "vtest.avi"
    return clip if clip.is_file() else None
