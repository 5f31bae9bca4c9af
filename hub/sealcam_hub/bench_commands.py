"""`sealcam-hub bench`: the hub's own figures, for people or as JSON for `make bench`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from sealcam_hub.folder import Folder
from sealcam_hub.terminal import Adder


def add(command: Adder) -> None:
    """Add `bench` to the command line."""
    parser = command("bench", _bench, "how fast this machine takes events and clips in; touches no hub")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--batches",
        type=int,
        default=16,
        metavar="N",
        help="of 256 events each, 625 clips and 6,250 incidents; default 16",
    )
    words = "an empty database on PostgreSQL: only how much a second worker adds there; it is empty again afterwards"
    parser.add_argument("--workers-on", metavar="URL", help=words)
    words = "a folder on the disk to measure; default: where temporary files go"
    parser.add_argument("--on", type=Path, metavar="DIR", help=words)


def _bench(options: argparse.Namespace, _folder: Folder) -> int:
    from sealcam_hub import bench_timeline, bench_vault, bench_workers
    from sealcam_hub.bench import figures

    if options.workers_on is not None:
        found = list(bench_workers.figures(options.workers_on, options.on))
    else:
        found = [*figures(options.on, options.batches), *bench_vault.figures(options.on, 625 * options.batches)]
        found += bench_timeline.figures(options.on, 6250 * options.batches)
    if options.json:
        sys.stdout.write(json.dumps({"figures": [asdict(one) for one in found]}, indent=1) + "\n")
        return 0
    for one in found:
        sys.stdout.write(f"{one.name:<44} {one.value:>10} {one.unit:<6} {one.how}\n")
    return 0
