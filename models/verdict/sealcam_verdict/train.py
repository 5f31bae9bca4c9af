"""`python -m sealcam_verdict.train`: makes the verdict model again, byte for byte, in half a minute on one thread.

Learns from simulated incidents and from the features of real clips (`real.csv`: numbers, no pictures; `harvest` made
them), is calibrated on simulated ones that it was not trained on, and is written where the project keeps it. `without`
gives the model that has never seen one of the clips, for whoever scores it on that clip. See models/cards/verdict.md.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sealcam.sight import judge_features
from sealcam.verdict_file import Layer, read
from sealcam_verdict import fit, real, tflite
from sealcam_verdict.fit import Examples
from sealcam_verdict.shaken import odd, shaken
from sealcam_verdict.simulate import incidents

SEED = 4
# Simulated incidents to learn from, and others to calibrate on and to measure on; three moments each.
LEARNT, HELD_OUT = 12_000, 4_000
# All real examples together count as much as this share of the simulated ones.
REAL_SHARE = 0.25
# And so many examples, beside the simulated ones, are of incidents like no other.
ODD_SHARE = 0.05
CHECKOUT = Path(__file__).resolve().parents[3]
SHIPPED = CHECKOUT / "models" / "verdict.tflite"
MANIFEST = CHECKOUT / "models" / "MANIFEST.toml"
CACHE = CHECKOUT / "build" / "verdict"


def without(clip: str | None) -> bytes:
    """The model's file, trained without the features of this clip (a name as in `real.CLIPS`; none: with all).

    Kept in `build/verdict` under a name that says what it was made from; made where it isn't there.

    Raises:
        ValueError: no clip of this name took part in the training.
    """
    if clip is not None and clip not in real.clips():
        raise ValueError(f"{clip} took no part in the training; those that did: {', '.join(real.clips())}")
    kept = CACHE / f"{'all' if clip is None else Path(clip).stem}-{_made_from()[:16]}.tflite"
    if kept.is_file():
        return kept.read_bytes()
    content = tflite.write(layers(clip))
    kept.parent.mkdir(parents=True, exist_ok=True)
    half = kept.with_suffix(f".{os.getpid()}")  # another process may be making the same
    half.write_bytes(content)
    half.replace(kept)
    return content


def model_for(clip: str) -> bytes:
    """What may judge this clip: the model without it, or, if it took no part in the training, the one with all."""
    return without(clip if clip in real.clips() else None)


def layers(clip: str | None = None) -> tuple[Layer, ...]:
    """The trained and calibrated layers, float32, without one of the clips (none: with all)."""
    learnt = simulated(SEED, LEARNT)
    held_out = simulated(SEED + 1, HELD_OUT)
    rows = real.examples(leave_out=clip)
    if len(rows):
        rows = rows.counting(REAL_SHARE * learnt.counts.sum() / rows.counts.sum())
        learnt = learnt.plus(rows)
    learnt = learnt.plus(shaken(learnt, SEED)).plus(odd(round(ODD_SHARE * len(learnt)), SEED))
    return fit.calibrated(fit.fit(learnt, SEED), held_out.plus(odd(round(ODD_SHARE * len(held_out)), SEED + 1)))


def simulated(seed: int, count: int) -> Examples:
    """So many simulated incidents as examples, numbered from 0."""
    inputs, classes, numbers = [], [], []
    for number, (life, moments) in enumerate(incidents(seed, count)):
        for features in moments:
            inputs.append(judge_features.vector(features)[0])
            classes.append(life.label)
            numbers.append(number)
    array = np.array(inputs, np.float64)
    return Examples(array, np.array(classes), np.ones(len(array)), np.array(numbers))


def _made_from() -> str:
    """A hash over everything that decides what the training gives: this package and the features."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for name in ("fit", "flat", "kinds", "life", "real", "shaken", "simulate", "tflite", "train"):
        digest.update((package / f"{name}.py").read_bytes())
    digest.update(real.TABLE.read_bytes() if real.TABLE.is_file() else b"")
    digest.update(Path(judge_features.__file__).read_bytes())
    return digest.hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, write, and say what it is; 0 when done."""
    parser = argparse.ArgumentParser(prog="sealcam_verdict.train", description="make the verdict model again")
    parser.add_argument("--to", type=Path, default=SHIPPED, metavar="FILE", help=f"default {SHIPPED.name}")
    options = parser.parse_args(arguments)
    content = tflite.write(layers())
    written(content, options.to)
    if options.to == SHIPPED:
        MANIFEST.write_text(named(MANIFEST.read_text(encoding="utf-8"), content), encoding="utf-8")
    return 0


def named(manifest: str, content: bytes) -> str:
    """The manifest with this model's hash in its `[verdict]` table.

    Raises:
        ValueError: it has no such table.
    """
    digest = hashlib.sha256(content).hexdigest()
    renewed, count = re.subn(r'(\[verdict\][^\[]*?\nsha256 = ")[0-9a-f]*"', rf'\g<1>{digest}"', manifest)
    if count != 1:
        raise ValueError("models/MANIFEST.toml has no [verdict] table with a sha256")
    return renewed


def written(content: bytes, path: Path) -> bool:
    """Check the model, write it, say what it is; whether the file is another than before.

    Raises:
        ModelError: this is no verdict model.
    """
    read(content, path.name)
    changed = not path.is_file() or path.read_bytes() != content
    path.write_bytes(content)
    said = "other than before" if changed else "the same as before"
    sys.stdout.write(f"{path}: {len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}, {said}\n")
    return changed


if __name__ == "__main__":
    sys.exit(main())
