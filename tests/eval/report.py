"""Writes what was measured: `eval.json` for programs, `report.html` for people. The page itself is `page`'s."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.eval.page import page
from tests.eval.plan import Weather
from tests.eval.tables import Result, Row, calibration, confusion, faults, rows


def write(folder: Path, results: Sequence[Result], weathers: Sequence[Weather]) -> None:
    """Both files into `folder`; what lay there before is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    table = rows(results, weathers)
    document = json.dumps(summary(results, table), indent=1)
    (folder / "eval.json").write_text(document + "\n", encoding="utf-8")
    (folder / "report.html").write_text(page(results, table, weathers), encoding="utf-8")


def summary(results: Sequence[Result], table: Sequence[Row]) -> dict[str, object]:
    """What `eval.json` says. Endless delays and what isn't a number are null."""
    systems = dict.fromkeys((one.job.system, one.job.model) for one in results)
    return {
        "clips": [
            {"clip": clip.path.name, "sha256": clip.sha256, "note": clip.labels.note}
            for clip in {one.job.clip.name: one.job.clip for one in results}.values()
        ],
        "rows": [{key: plain(value) for key, value in asdict(row).items()} for row in table],
        "systems": [_system(system, model, results) for system, model in systems],
        "faults": [
            {
                "kind": fault.kind,
                "system": fault.job.system,
                "model": fault.job.model,
                "clip": fault.job.clip.name,
                "weather": str(fault.job.weather),
                "empty_from_s": None if fault.job.stretch is None else fault.job.stretch.from_s,
                "t_s": round(fault.t_s, 3),
                "what": fault.what,
            }
            for fault in faults(results)
        ],
    }


def _system(system: str, model: str, results: Sequence[Result]) -> dict[str, object]:
    mine = [one for one in results if (one.job.system, one.job.model) == (system, model)]
    incidents = [judged for one in mine for judged in one.score.incidents]
    counts = confusion(incidents)
    return {
        "system": system,
        "model": model,
        "confusion": [{"should": a, "called": b, "count": n} for (a, b), n in counts.items()],
        "calibration": [{key: plain(value) for key, value in asdict(one).items()} for one in calibration(incidents)],
        "walkers": [
            {
                "clip": one.job.clip.name,
                "weather": str(one.job.weather),
                **{key: plain(value) for key, value in asdict(walker).items()},
                "delay_s": plain(walker.delay_s),
            }
            for one in mine
            for walker in one.score.walkers
        ],
    }


def plain(value: object) -> object:
    """As JSON has it: no endless numbers, three places."""
    if isinstance(value, float):
        return round(value, 3) if math.isfinite(value) else None
    return value
