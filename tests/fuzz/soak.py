"""`make soak`: every fuzz target for its share of the minutes; `make soak CRASH=NAME` runs a crash again.

Corpora and crashes are kept in build/fuzz, so that each soak goes on where the last one stopped.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import TARGETS
from tests.fuzz.whole import MEMORY

FOLDER = Path("build/fuzz")
# A hang is a bug (the longest input takes a hundredth of this), and so is memory that grows with a count in the input.
LIMITS = ("-timeout=10", "-rss_limit_mb=1024", "-max_len=4096")
_DONE = re.compile(r"#(\d+)\s+DONE\s+cov: (\d+) ft: (\d+) corp: (\d+)/")


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run of one target came to; `edges` are of our own code."""

    executions: int
    edges: int
    corpus: int


def _drive(name: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz.drive", name, str(FOLDER / "corpus" / name), *options]
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:  # libFuzzer ends without a word to Python
        environment = os.environ | {"TMPDIR": folder}
        return subprocess.run(["nice", *command], capture_output=True, text=True, errors="replace", env=environment)


def soak(name: str, seconds: int) -> Figures | None:
    """Run one target; none where it crashed, which is then told with how to run it again."""
    crashes = FOLDER / "crashes"
    crashes.mkdir(parents=True, exist_ok=True)
    before = set(crashes.iterdir())
    done = _drive(name, f"-max_total_time={seconds}", f"-artifact_prefix={crashes}/{name}-", *LIMITS)
    found = _DONE.search(done.stderr)
    if done.returncode == 0 and found is not None:
        executions, edges, _, corpus = (int(one) for one in found.groups())
        return Figures(executions, edges, corpus)
    print(done.stdout[-4000:], done.stderr[-4000:], sep="\n", file=sys.stderr)
    for crash in sorted(set(crashes.iterdir()) - before):
        print(f"sealcam: {name} failed; again with: make soak CRASH={crash.name}", file=sys.stderr)
    return None


def again(crash: str) -> int:
    """Run one crash again, with its traceback."""
    name = next((one for one in TARGETS if crash.startswith(f"{one}-")), None)
    path = FOLDER / "crashes" / crash
    if name is None or not path.exists():
        print(f"sealcam: error: there is no crash {crash} in {path.parent}", file=sys.stderr)
        return 2
    done = _drive(name, str(path))
    print(done.stdout, done.stderr, sep="\n")
    return done.returncode


def main() -> int:
    """Soak all targets, or run `CRASH` again."""
    if crash := os.environ.get("CRASH"):
        return again(crash)
    seconds = float(os.environ.get("SOAK_MINUTES") or 10) * 60
    share = max(1, round(seconds / len(TARGETS)))
    print(f"{'target':<10} {'executions':>10} {'corpus':>7} {'edges':>6}", flush=True)
    failed = 0
    for name in TARGETS:
        figures = soak(name, share)
        if figures is None:
            failed += 1
            print(f"{name:<10} {'failed':>10}", flush=True)
        else:
            print(f"{name:<10} {figures.executions:>10,} {figures.corpus:>7,} {figures.edges:>6,}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
