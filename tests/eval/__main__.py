"""`make eval`: watches every labelled clip under every made condition, and writes `eval.json` and `report.html`.

What was run once is kept by the hash of all that it depends on, so that an interrupted run goes on where it was. See
design/sight.md, how it is measured.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import cv2

from sealcam.wire.errors import ModelError, SealcamError, describe
from sealcam_verdict.weather import Strength
from tests.eval import motion, plan
from tests.eval.labels import FOLDER
from tests.eval.plan import Job
from tests.eval.progress import Progress
from tests.eval.records import Run
from tests.eval.report import write
from tests.eval.running import LIVE, LIVE_AT_ONCE, SYSTEMS, kept, run
from tests.eval.tables import Result, result

DEFAULT_MODEL = "nanodet-g"
OURS = "sealcam"
RUNS = "runs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 when everything that was asked for was watched and written."""
    options = _parser().parse_args(arguments)
    cv2.setNumThreads(1)
    try:
        return _run(options)
    except SealcamError as error:
        sys.stderr.write(describe("sealcam", error) + "\n")
        return 1
    except BrokenProcessPool:
        sys.stderr.write("sealcam: error: a worker was ended in the middle of its job; what others finished is kept\n")
        sys.stderr.write("hint: where memory is short, --workers 1 needs the least\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("sealcam: interrupted; what was finished is kept\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.eval", description="how well sight sees")
    parser.add_argument("--clips", default="", help="names without their endings, with commas: vtest,tree")
    parser.add_argument("--models", default=DEFAULT_MODEL, help="names of the manifest, with commas")
    parser.add_argument("--quick", action="store_true", help="the real clips and three mild conditions")
    parser.add_argument(
        "--strengths", type=_strengths, default="mild,hard", help="of the made conditions: mild, hard; default both"
    )
    parser.add_argument(
        "--baselines", default="mog2,motion", help="mog2, motion, both with a comma (the default), or none"
    )
    parser.add_argument("--workers", type=_count, default=len(os.sched_getaffinity(0)), help="default: one a core")
    parser.add_argument("--kept", action="store_true", help="run nothing; write what earlier runs found")
    parser.add_argument("--labels", type=Path, default=FOLDER, help="labels of your own (tests/eval/labels.py)")
    parser.add_argument("--footage", type=Path, action="append", help="where their recordings lie")
    parser.add_argument("--out", type=Path, default=plan.TOP / "build" / "eval", help="default: build/eval")
    return parser


def _run(options: argparse.Namespace) -> int:
    footage = tuple(options.footage or plan.FOLDERS)
    clips = plan.clips(options.labels, [name for name in options.clips.split(",") if name], footage)
    for name in plan.missing(options.labels, footage):
        sys.stderr.write(f"sealcam: {name} is not here and is left out\n")
    if not clips:
        sys.stderr.write("sealcam: error: no labelled clip is here\nhint: provisioning/footage.sh gets two of them\n")
        return 1
    weathers = plan.conditions(quick=options.quick, strengths=options.strengths)
    jobs = list(plan.jobs(clips, _systems(options), weathers))
    if options.kept:
        jobs = [job for job in jobs if kept(options.out / RUNS, job).is_file()]
    results = _watch(jobs, options)
    write(options.out, results, weathers)
    sys.stdout.write(f"{options.out / 'report.html'}\n{options.out / 'eval.json'}\n")
    return 0


def _systems(options: argparse.Namespace) -> list[tuple[str, str]]:
    """The systems to compare, ours first: baselines with a detector use the first model."""
    names = [name for name in options.models.split(",") if name]
    found = [(OURS, name) for name in names]
    for baseline in (name for name in options.baselines.split(",") if name not in ("", "none")):
        if baseline == "motion" and not motion.here():
            sys.stderr.write("sealcam: Debian's motion is not installed and is left out: apt-get install motion\n")
            continue
        if baseline not in SYSTEMS or baseline == OURS:
            raise ModelError(f"there is no baseline {baseline}", "there are mog2 and motion")
        found.append((baseline, "" if baseline == "motion" else names[0]))
    return found


def _watch(jobs: Sequence[Job], options: argparse.Namespace) -> list[Result]:
    """Every job's result: what wasn't kept yet is run, and kept at once."""
    folder = options.out / RUNS
    folder.mkdir(parents=True, exist_ok=True)
    todo = [job for job in jobs if not kept(folder, job).is_file()]
    progress = Progress(len(jobs), todo, sys.stderr, options.workers, LIVE, LIVE_AT_ONCE)
    try:
        run(todo, folder, options.workers, progress)
    finally:
        progress.clear()
    return [result(job, Run.from_json(kept(folder, job).read_text(encoding="utf-8"))) for job in jobs]


def _strengths(words: str) -> tuple[Strength, ...]:
    """Strengths named with commas, in their own order."""
    named = {Strength(word) for word in words.split(",") if word}
    return tuple(strength for strength in Strength if strength in named)


def _count(word: str) -> int:
    """A number from 1 on."""
    if (number := int(word)) < 1:
        raise ValueError(word)
    return number


if __name__ == "__main__":
    sys.exit(main())
