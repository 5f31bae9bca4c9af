"""`python -m sealcam_hub.training`: trains a verdict model of the owner's marks, in a process of its own.

Reads the data set as JSON from standard input, writes progress and at last the model and its figures, a line of JSON
each. Opens no file of the hub and no socket: with the media process it is the only part of the hub that may import
sight. How it learns, and what the figures are: design/hub.md, "Review".
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealcam import verdicts
from sealcam.sight import judge_features
from sealcam.verdict_file import CLASSES, Layer, read
from sealcam_verdict import calibration, fit, real, tflite, train
from sealcam_verdict.fit import Examples
from sealcam_verdict.shaken import odd, shaken

CLASS_OF = {"threat": "threat", "benign": "benign", "ours": "benign", "false_alarm": "false_alarm"}
LEAST, LEAST_CLASSES = 20, 2
FOLDS, SEED = 5, 4
# One marked incident counts as much as this share of the simulated ones, all together as much as that at most.
EACH_SHARE, MOST_SHARE = 1 / 400, 0.5
WORSE = 0.02  # threats that may be lost before a model isn't fit to be sent
# The numbers of marked incidents begin here, so that they are none of a simulated or real one's.
FIRST_INCIDENT = 2_000_000
THREAT = CLASSES.index("threat")


class TooFewError(Exception):
    """There is too little to learn from; in words for the owner."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is simulated: incidents to learn from, to calibrate on, and to measure on."""

    learnt: int = train.LEARNT
    held_out: int = train.HELD_OUT
    measured: int = train.HELD_OUT


def owned(told: Sequence[dict[str, Any]]) -> Examples:
    """The data set as examples, each incident counting the same however often it was reported.

    Raises:
        TooFewError: it has fewer than 20 incidents, or of one class alone.
    """
    rows: list[tuple[list[float], int, float, int]] = []
    for number, one in enumerate(told):
        moments = [moment for moment in one["moments"] if len(moment) == judge_features.COUNT]
        if one["word"] in CLASS_OF and one["version"] == judge_features.VERSION:
            label = CLASSES.index(CLASS_OF[one["word"]])
            rows += [([n / 1000 for n in m], label, 1 / len(moments), FIRST_INCIDENT + number) for m in moments]
    incidents, classes = {row[3] for row in rows}, {row[1] for row in rows}
    if len(incidents) < LEAST or len(classes) < LEAST_CLASSES:
        kinds = "two of threat, benign and false alarm"
        raise TooFewError(f"{len(incidents)} incidents can be learnt from; it takes {LEAST}, and {kinds} among them")
    inputs = np.array([row[0] for row in rows], np.float64)
    counts = np.array([row[2] for row in rows], np.float64)
    return Examples(inputs, np.array([row[1] for row in rows]), counts, np.array([row[3] for row in rows]))


class Trainer:
    """Trains on the same simulated and real examples each time, with other marks."""

    def __init__(self, size: Size) -> None:
        learnt = train.simulated(SEED, size.learnt)
        self._simulated = float(learnt.counts.sum())
        rows = real.examples()
        learnt = learnt.plus(rows.counting(train.REAL_SHARE * self._simulated / rows.counts.sum()))
        self._learnt = learnt.plus(shaken(learnt, SEED)).plus(odd(round(train.ODD_SHARE * len(learnt)), SEED))
        held = train.simulated(SEED + 1, size.held_out)
        self._held_out = held.plus(odd(round(train.ODD_SHARE * len(held)), SEED + 1))
        self.measured = train.simulated(SEED + 2, size.measured)

    def layers(self, marks: Examples) -> tuple[Layer, ...]:
        """The layers that also learnt from these marks."""
        incidents = len(np.unique(marks.incidents))
        share = min(MOST_SHARE, EACH_SHARE * incidents) * self._simulated
        learnt = self._learnt.plus(marks.counting(share / float(marks.counts.sum())))
        return fit.calibrated(fit.fit(learnt, SEED), self._held_out)


def folds(marks: Examples) -> Iterator[NDArray[np.bool_]]:
    """Which rows are left out of each of the five models: an incident's moments together, classes spread evenly."""
    incidents, first = np.unique(marks.incidents, return_index=True)
    order = np.lexsort((np.random.default_rng(SEED).random(len(incidents)), marks.classes[first]))
    fold = np.empty(len(incidents), np.int64)
    fold[order] = np.arange(len(incidents)) % FOLDS
    of_row = fold[np.searchsorted(incidents, marks.incidents)]
    yield from (of_row == one for one in range(FOLDS))


def measured(said: fit.Array, examples: Examples) -> dict[str, float | int]:
    """How often the likeliest class is right, threats found, others called threat, and the Brier score; each row
    counts as it does in `examples`, and `incidents` says of how many incidents they are."""
    likeliest, threat, counts = said.argmax(axis=1), examples.classes == THREAT, examples.counts

    def share(of: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
        total = float(counts[among].sum())
        return round(float(counts[of & among].sum()) / total, 4) if total else 0.0

    everything = np.ones(len(examples), bool)
    return {
        "right": share(likeliest == examples.classes, everything),
        "found": share(likeliest == THREAT, threat),
        "false": share(likeliest == THREAT, ~threat),
        "brier": round(float(calibration.brier(said, examples.classes)), 4),
        "incidents": len(np.unique(examples.incidents)),
        "threats": len(np.unique(examples.incidents[threat])),
    }


def trained(told: Sequence[dict[str, Any]], shipped: bytes, size: Size) -> Iterator[dict[str, Any]]:
    """Train; progress, and last the model with its figures.

    Raises:
        TooFewError: there is too little to learn from.
        ModelError: `shipped` is no verdict model.
    """
    marks, steps = owned(told), FOLDS + 2
    before = read(shipped, "the shipped model")
    trainer = Trainer(size)
    said = np.zeros((len(marks), len(CLASSES)))
    for done, out in enumerate(folds(marks), start=1):
        yield {"done": done, "steps": steps}
        said[out] = fit.probabilities(trainer.layers(marks.where(~out)), marks.inputs[out])
    yield {"done": FOLDS + 1, "steps": steps}
    layers = trainer.layers(marks)
    told_of = {
        "marks": {"before": measured(fit.probabilities(before, marks.inputs), marks), "after": measured(said, marks)},
        "simulated": {
            "before": measured(fit.probabilities(before, trainer.measured.inputs), trainer.measured),
            "after": measured(fit.probabilities(layers, trainer.measured.inputs), trainer.measured),
        },
    }
    yield {"model": tflite.write(layers).hex(), "figures": told_of | {"fit": fit_to_send(told_of)}}


def fit_to_send(told_of: dict[str, dict[str, dict[str, float | int]]]) -> bool:
    """Whether the model finds the threats that the shipped one finds, among the marks and among the simulated ones."""
    return all(one["after"]["found"] >= one["before"]["found"] - WORSE for one in told_of.values())


def main() -> int:
    """Train what standard input holds; 0 when done."""
    with suppress(OSError):  # a unit may forbid it
        os.nice(10)
    try:
        for line in trained(json.load(sys.stdin), verdicts.load(), Size()):
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
    except TooFewError as error:
        sys.stdout.write(json.dumps({"failed": str(error)}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
