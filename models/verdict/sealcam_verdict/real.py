"""The features of incidents in real clips, as they were harvested: a table of numbers, so that nobody needs the clips.

`real.csv` has three rows for each incident, for its first report, its middle and its end: clip, made condition, number
of the incident, what it truly was (seen by a person), and the features. How it was made: `harvest`. One clip can be
left out.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np

from sealcam.sight import judge_features
from sealcam.sight.types import Subject
from sealcam.sight.verdict import IncidentFeatures
from sealcam.verdict_file import CLASSES
from sealcam_verdict.fit import Examples
from sealcam_verdict.kinds import WITH_PIR
from sealcam_verdict.life import Dice

TABLE = Path(__file__).with_name("real.csv")
# Of the features those that the model sees; the rest is for the rules.
COLUMNS = (
    *("confidence", "seen_s", "motion_s", "people", "pir", "light", "hits", "looks", "height", "path", "dwell_s"),
    *("approach", "spread", "inside", "bursts"),
)
# How often a motion sensor, where there is one, fires at these.
FELT = {"threat": 0.7, "benign": 0.3, "false_alarm": 0.06}
# The numbers of real incidents begin here, so that they are none of a simulated one's.
FIRST_INCIDENT = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One moment of one real incident."""

    clip: str
    condition: str
    incident: str
    truth: str
    features: IncidentFeatures


def clips() -> tuple[str, ...]:
    """The names of the clips that took part, sorted."""
    return tuple(sorted({row.clip for row in rows()}))


@cache
def rows() -> tuple[Row, ...]:
    """The whole table."""
    if not TABLE.is_file():
        return ()
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(_rows(csv.DictReader(file)))


def examples(*, leave_out: str | None = None, only: str | None = None) -> Examples:
    """The rows as examples, without one clip or of one alone.

    Each incident counts the same, however often it was judged, and each clip the same, however many there are of it.
    The recordings have no motion sensor: one is simulated, as for simulated incidents.
    """
    chosen = [row for row in rows() if row.clip != leave_out and only in (None, row.clip)]
    keys = sorted({(row.clip, row.condition, row.incident) for row in chosen})
    numbers = {key: FIRST_INCIDENT + index for index, key in enumerate(keys)}
    of = [numbers[(row.clip, row.condition, row.incident)] for row in chosen]
    judged = {number: of.count(number) for number in set(of)}
    of_clip = {clip: sum(1 for key in keys if key[0] == clip) for clip in {row.clip for row in chosen}}
    counts = [1 / judged[number] / of_clip[row.clip] for row, number in zip(chosen, of, strict=True)]
    inputs = [judge_features.vector(replace(row.features, pir=_felt(row)))[0] for row in chosen]
    return Examples(
        np.array(inputs, np.float64).reshape(len(inputs), judge_features.COUNT),
        np.array([CLASSES.index(row.truth) for row in chosen], np.int64),
        np.array(counts, np.float64),
        np.array(of, np.int64),
    )


def _felt(row: Row) -> bool:
    """Whether a motion sensor would have fired: the same for all moments of an incident."""
    key = f"{row.clip}, {row.condition}, {row.incident}"
    return Dice(zlib.crc32(key.encode())).whether(WITH_PIR * FELT[row.truth])


def _rows(table: csv.DictReader[str]) -> Iterator[Row]:
    kinds = {field.name: field.type for field in fields(IncidentFeatures)}
    for line in table:
        values: dict[str, float | int | bool] = {}
        for name in COLUMNS:
            number = float(line[name])
            values[name] = bool(number) if kinds[name] == "bool" else int(number) if kinds[name] == "int" else number
        features = IncidentFeatures(subject=Subject(line["subject"]), **values)  # type: ignore[arg-type]
        yield Row(line["clip"], line["condition"], line["incident"], line["truth"], features)
