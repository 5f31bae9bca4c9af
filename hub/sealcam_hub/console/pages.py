"""Turns what the hub shows into HTML: which incidents stand on a page, in which days, through which template.

Every value goes through Jinja's autoescaping; a camera's name or a reason may hold anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined

from sealcam_hub.console import words
from sealcam_hub.console.source import ConsoleSource
from sealcam_hub.views import IncidentView, NoticeView, ReportView

SIZE = 24  # incidents on a page: fills 2, 3 or 4 columns
STEP = 50
MOST_SEARCHED = 1000  # what one page of a filtered view may open; the next page goes on from there
SHOWN = {"all": None, "threats": "threat", "benign": "benign", "false-alarms": "false_alarm"}
HOUR_NS = 3600 * 1_000_000_000
STANDS_OUT_NS = {"silent": 30 * 24 * HOUR_NS, "back": HOUR_NS, "gap": 24 * HOUR_NS}
STANDS_OUT_ELSE_NS = 7 * 24 * HOUR_NS  # copied keys, and whatever else there will be
CHIPS = (("all", "All"), ("threats", "Threats"), ("benign", "Benign"), ("false-alarms", "False alarms"))


@dataclass(frozen=True, slots=True)
class Window:
    """The incidents of one page, newest first, and where the next page goes on (none: that was all)."""

    incidents: tuple[IncidentView, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class Day:
    """Incidents that arrived on one day (UTC; the browser regroups them by its own)."""

    key: str
    title: str
    incidents: tuple[IncidentView, ...]


@dataclass(frozen=True, slots=True)
class Strip:
    """Notices that stand out, and those that have had their time; newest first."""

    now: tuple[NoticeView, ...]
    earlier: tuple[NoticeView, ...]


def window(source: ConsoleSource, show: str, before: int | None) -> Window:
    """The page of incidents that arrived before `before`, of one verdict or all.

    The ledger pages by arrival and knows no verdict (it stores no opened event), so a filtered page is searched for.
    """
    wanted = SHOWN[show]
    found: list[IncidentView] = []
    searched = 0
    while searched < MOST_SEARCHED:
        limit = SIZE + 1 if wanted is None else STEP
        batch = source.incidents(limit=limit, before=before)
        searched += len(batch)
        found += [incident for incident in batch if wanted is None or incident.verdict == wanted]
        if len(found) > SIZE:
            return Window(tuple(found[:SIZE]), found[SIZE - 1].arrived_ns)
        if not batch:  # a short batch isn't the last one: what can't be opened is left out
            return Window(tuple(found), None)
        before = batch[-1].arrived_ns
    return Window(tuple(found), before)


def days(incidents: Sequence[IncidentView], now_ns: int) -> tuple[Day, ...]:
    """Incidents in the ledger's order, under the day they arrived."""
    groups = groupby(incidents, lambda incident: words.iso(incident.arrived_ns)[:10])
    made = ((key, tuple(group)) for key, group in groups)
    return tuple(Day(key, words.day(group[0].arrived_ns, now_ns), group) for key, group in made)


def strip(notices: Sequence[NoticeView], now_ns: int) -> Strip:
    """Which notices stand out: the recent ones, but a silence only until the camera is back."""
    heard: set[str] = set()
    standing: list[NoticeView] = []
    earlier: list[NoticeView] = []
    for notice in notices:
        over = notice.kind == "silent" and notice.camera_name in heard
        old = now_ns - notice.at_ns >= STANDS_OUT_NS.get(notice.kind, STANDS_OUT_ELSE_NS)
        (earlier if over or old else standing).append(notice)
        if notice.kind in ("silent", "back"):
            heard.add(notice.camera_name)
    return Strip(tuple(standing), tuple(earlier))


def picture(incident: IncidentView) -> str | None:
    """The address of an incident's picture, another one when a better picture has come."""
    if not incident.has_thumbnail:
        return None
    newest = max((report.seq for report in incident.reports if report.has_thumbnail), default=0)
    return f"/thumbnail/{incident.id}?v={newest}"


def changed(report: ReportView, before: ReportView | None) -> bool:
    """Whether a report says something else than the one before it."""
    return before is None or (report.verdict, report.subject, report.reasons) != (
        before.verdict,
        before.subject,
        before.reasons,
    )


def environment() -> Environment:
    """The templates, escaped without exception, in which a missing name is an error."""
    made = Environment(
        loader=PackageLoader("sealcam_hub.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        clock=words.clock,
        iso=words.iso,
        lasted=words.lasted,
        mode=words.mode,
        moment=words.moment,
        notice=words.notice,
        percent=words.percent,
        sentence=words.sentence,
        stage=words.stage,
        state=words.state,
        subject=words.subject,
        trigger=words.trigger,
        verdict=words.verdict,
    )
    made.globals.update(
        CHIPS=CHIPS, MODES=words.MODES, changed=changed, count=words.count, late=words.late, picture=picture
    )
    return made
