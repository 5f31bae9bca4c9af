"""Where on a clip's timeline its incident's reports stand, and what time it was in its first picture. Pure.

The camera's clock since boot joins them: clip and reports carry it, and no setting of the wall clock moves them
against each other. design/clips.md, "Player".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sealcam.wire.bodies import ClockQuality, Stamp
from sealcam_hub.views import ReportView

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the timeline, in seconds from the clip's first picture; `kind` is `trigger` or a report's stage."""

    at_s: float
    kind: str
    verdict: str
    report: ReportView | None


@dataclass(frozen=True, slots=True)
class Scene:
    """Wall time of the clip's first picture in ns, and whether the camera's own clock was sure of it."""

    wall_ns: int
    sure: bool


def marks(at: Stamp, trigger_ns: int | None, reports: Sequence[ReportView]) -> tuple[Mark, ...]:
    """The trigger and every report of the same boot, in their order; some may lie in another part.

    An update of the same moment that says the same (it brings a picture, or a clip's key) is no mark of its own.
    """
    told = [one for one in reports if one.boot == at.boot]
    first = told[0].verdict if told else ""
    told = [one for before, one in zip([None, *told], told, strict=False) if before is None or _news(before, one)]
    found = [] if trigger_ns is None else [Mark((trigger_ns - at.boot_ns) / _SECOND_NS, "trigger", first, None)]
    found += [Mark((one.boot_ns - at.boot_ns) / _SECOND_NS, one.stage, one.verdict, one) for one in told]
    return tuple(found)


def _news(before: ReportView, report: ReportView) -> bool:
    same = (before.boot_ns, before.verdict, before.subject) == (report.boot_ns, report.verdict, report.subject)
    return report.stage != "update" or not same


def scene(at: Stamp, reports: Sequence[ReportView]) -> Scene:
    """When the first picture was taken: by the camera's wall clock, or by what its reports came to here."""
    if at.quality is ClockQuality.SYNCHRONISED:
        return Scene(at.wall_ns, sure=True)
    told = next((one for one in reports if one.boot == at.boot), None)
    return Scene(at.wall_ns if told is None else told.occurred_ns - (told.boot_ns - at.boot_ns), sure=False)
