"""The report as one page that needs nothing else: tables, faults with pictures, curves, a timeline for every run.

What the figures are is `tables`', how things are drawn `drawing`'s, what it looks like stands in `page.html`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sealcam.sight.types import Verdict
from tests.eval import drawing
from tests.eval.plan import Weather
from tests.eval.records import Shot
from tests.eval.tables import Fault, Result, Row, calibration, confusion, faults
from tests.eval.watching import picture, source

# So many faults are shown with a picture; those without a kept one are made again, which takes their clip's time.
MOST_FAULTS = 24
# Not "all": not every system is shown the hard conditions.
SUMS = ("real", "all mild", "real and all mild", "all hard")


def page(results: Sequence[Result], table: Sequence[Row], weathers: Sequence[Weather]) -> str:
    """The whole page."""
    place = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    ours = [one for one in results if one.job.system == "sealcam"]
    first = ours[0].job.model if ours else ""
    sums = {row.weather: row for row in table if row.system == "sealcam" and row.model == first}
    stretches = {(one.job.clip.name, one.job.stretch) for one in results if one.job.stretch is not None}
    wrong = [fault for fault in faults(results) if fault.job.system == "sealcam"]
    return place.get_template("page.html").render(
        clips=list({one.job.clip.name: one.job.clip for one in results}.values()),
        conditions=len({weather.name for weather in weathers if weather.strength is not None}),
        ours=first,
        mild=sums.get("real and all mild"),
        hard=sums.get("all hard"),
        all=sums.get("all"),
        source_s=math.fsum(stretch.length_s for _, stretch in stretches if stretch is not None),
        seconds=_seconds,
        groups=list(_groups(table)),
        compared=list(_compared(table)),
        faults=[_fault(fault, results) for fault in wrong[:MOST_FAULTS]],
        fault_count=len(wrong),
        judged=list(_judged(results)),
        verdicts=[str(verdict) for verdict in (Verdict.THREAT, Verdict.BENIGN, Verdict.FALSE_ALARM)],
        runs=[_run(one) for one in ours if one.job.model == first],
    )


def _seconds(value: float) -> str:
    if math.isnan(value):
        return "–"
    return "never" if math.isinf(value) else f"{value:.1f} s"


def _name(system: str, model: str) -> str:
    words = {"sealcam": "Sealcam", "mog2": "MOG2", "motion": "motion"}[system]
    return f"{words}, {model}" if model else words


def _groups(table: Sequence[Row]) -> Iterator[dict[str, object]]:
    for system, model in dict.fromkeys((row.system, row.model) for row in table):
        rows = [
            {**asdict(row), "boxes": system != "motion"} for row in table if (row.system, row.model) == (system, model)
        ]
        yield {"name": _name(system, model), "rows": rows}


def _compared(table: Sequence[Row]) -> Iterator[dict[str, object]]:
    """Sums of ours and of the baselines; none where there are no baselines."""
    if len({row.system for row in table}) > 1:
        for row in table:
            if row.weather in SUMS:
                yield {**asdict(row), "label": _name(row.system, row.model)}


def _judged(results: Sequence[Result]) -> Iterator[dict[str, object]]:
    for model in dict.fromkeys(one.job.model for one in results if one.job.system == "sealcam"):
        mine = [one for one in results if (one.job.system, one.job.model) == ("sealcam", model)]
        incidents = [judged for one in mine for judged in one.score.incidents]
        curve = Markup(drawing.reliability(calibration(incidents)))
        yield {"name": _name("sealcam", model), "curve": curve, "counts": confusion(incidents)}


def _place(result: Result) -> str:
    job = result.job
    stretch = "" if job.stretch is None else f", empty from {job.stretch.from_s:g} s"
    return f"{job.clip.name}{stretch}, {job.weather}{' (made)' if job.weather.strength else ''}"


def _run(result: Result) -> dict[str, object]:
    people = [walker for walker in result.score.walkers if walker.must]
    found = f"{sum(not walker.missed for walker in people)} of {len(people)} people found, " if people else ""
    said = f"{len(result.score.incidents)} incident{'' if len(result.score.incidents) == 1 else 's'}"
    shots = [{"picture": _framed(shot, result), "caption": f"{shot.t_s:.1f} s"} for shot in result.run.shots[:3]]
    if result.run.shots and result.run.heat:
        shots.append({"picture": _heat(result), "caption": "gate heat"})
    return {
        "name": _place(result),
        "words": found + said,
        "timeline": Markup(drawing.timeline(result)),
        "shots": shots,
    }


def _framed(shot: Shot, result: Result) -> Markup:
    image = f'<img alt="" loading="lazy" src="data:image/jpeg;base64,{shot.jpeg}">'
    return Markup(f'<div class="picture">{image}{drawing.boxes(shot, result)}</div>')


def _heat(result: Result) -> Markup:
    under = f'<img alt="" loading="lazy" src="data:image/jpeg;base64,{result.run.shots[0].jpeg}">'
    heat = f'<img class="heat" alt="" loading="lazy" src="data:image/png;base64,{result.run.heat}">'
    return Markup(f'<div class="picture dark">{under}{heat}</div>')


def _fault(fault: Fault, results: Sequence[Result]) -> dict[str, object]:
    result = next(one for one in results if one.job == fault.job)
    shot = min(result.run.shots, key=lambda shot: abs(shot.t_s - fault.t_s), default=None)
    if shot is None or abs(shot.t_s - fault.t_s) > drawing.RECENT_S:
        shot = _again(fault, result)
    return {
        "kind": fault.kind,
        "place": _place(result),
        "what": f"{fault.what}, {fault.t_s:.1f} s",
        "picture": _framed(shot, result),
    }


def _again(fault: Fault, result: Result) -> Shot:
    """The frame of a fault, made once more: who was missed is shown in the middle of his time."""
    t_s = fault.t_s
    life = next((life for life in result.job.clip.labels.lives if life.name == fault.what), None)
    if life is not None and fault.kind == "missed":
        t_s = (life.in_view.from_s + life.in_view.to_s) / 2
    begun_s = result.job.clip.first_s if result.job.stretch is None else 0.0
    for frame in source(result.job):
        if begun_s + frame.t_ns / 1e9 >= t_s - 1e-6:
            return Shot(begun_s + frame.t_ns / 1e9, "fault", picture(frame))
    return next(islice(iter(result.run.shots), 1), Shot(t_s, "none", ""))
