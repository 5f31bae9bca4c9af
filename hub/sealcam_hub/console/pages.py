"""Turns what the hub shows into HTML: which incidents stand on a page, in which days, through which template.

Every value goes through Jinja's autoescaping; a camera's name or a reason may hold anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined

from sealcam_hub.console import assets, roles, words
from sealcam_hub.console.desk import Link
from sealcam_hub.console.source import ConsoleSource
from sealcam_hub.notices import ENDS, NoticeKind
from sealcam_hub.views import IncidentView, NoticeView, ReportView

SIZE = 24  # incidents on a page: fills 2, 3 or 4 columns
STEP = 50
MOST_SEARCHED = 1000  # what one page of a filtered view may open; the next page goes on from there
SHOWN = {"all": None, "threats": "threat", "benign": "benign", "false-alarms": "false_alarm"}
HOUR_NS = 3600 * 1_000_000_000
_MONTH_NS = 30 * 24 * HOUR_NS
STANDS_OUT_NS = dict.fromkeys(("silent", "clock", "certificate", "disk", "broker"), _MONTH_NS) | {"gap": 24 * HOUR_NS}
STANDS_OUT_NS |= dict.fromkeys(ENDS, HOUR_NS)
LOOKED, EARLIER = 200, 20  # newest notices that are looked through; shown of those that have had their time
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


def strip(notices: Sequence[NoticeView], now_ns: int, standing: Sequence[NoticeView] = ()) -> Strip:
    """Which notices stand out: those known to be `standing`, and recent ones; what is over only until that was told."""
    lasting = {notice.id for notice in standing}
    told = {notice.id: notice for notice in (*notices, *standing)}
    ended: set[tuple[str, str, str]] = set()
    now: list[NoticeView] = []
    earlier: list[NoticeView] = []
    for notice in sorted(told.values(), key=lambda one: (one.at_ns, abs(one.id)), reverse=True):
        over = (notice.kind, notice.camera_name, notice.subject) in ended
        old = now_ns - notice.at_ns >= STANDS_OUT_NS.get(notice.kind, STANDS_OUT_ELSE_NS)
        (earlier if (over or old) and notice.id not in lasting else now).append(notice)
        if notice.kind in ENDS:
            ended.add((ENDS[NoticeKind(notice.kind)], notice.camera_name, notice.subject))
    return Strip(tuple(now), tuple(earlier[:EARLIER]))


def picture(incident: IncidentView) -> str | None:
    """The address of an incident's picture, another one when a better picture has come."""
    if not incident.has_thumbnail:
        return None
    newest = max((report.seq for report in incident.reports if report.has_thumbnail), default=0)
    newest = max(newest, incident.picture_seq)
    return f"/thumbnail/{incident.id}?v={newest}"


def changed(report: ReportView, before: ReportView | None) -> bool:
    """Whether a report says something else than the one before it."""
    return before is None or (report.verdict, report.subject, report.reasons) != (
        before.verdict,
        before.subject,
        before.reasons,
    )


def environment(links: Sequence[Link] = (), version: str = assets.VERSION) -> Environment:
    """The templates, escaped without exception, a missing name being an error; `links` stand in the navigation."""
    made = Environment(
        loader=PackageLoader("sealcam_hub.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        clip_state=words.clip_state,
        clock=words.clock,
        iso=words.iso,
        lasted=words.lasted,
        mode=words.mode,
        moment=words.moment,
        notice=words.notice,
        percent=words.percent,
        refusal=words.refusal,
        sentence=words.sentence,
        size=words.size,
        spans=words.spans,
        stage=words.stage,
        state=words.state,
        subject=words.subject,
        trigger=words.trigger,
        verdict=words.verdict,
    )
    made.globals.update(
        CHIPS=CHIPS,
        MODES=words.MODES,
        changed=changed,
        count=words.count,
        late=words.late,
        links=(Link("Now", "/"), *links, Link("Log", "/log")),
        picture=picture,
        shown=roles.shown,
        stale=words.stale,
        version=version,
    )
    return made
