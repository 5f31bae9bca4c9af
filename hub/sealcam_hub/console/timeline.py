"""The timeline: all incidents by day, filtered by camera, subject, verdict, day and words.

Which incidents there are for a filter `sealcam_hub.timeline` finds; each that is shown was opened for it. Days are the
hub's own while a day is chosen, and the browser's in the headings.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Protocol
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sealcam_hub.console.desk import Desk, Link
from sealcam_hub.console.numbers import MOST, number
from sealcam_hub.console.pages import SIZE, days
from sealcam_hub.console.session import Session
from sealcam_hub.gists import Wanted, search_words
from sealcam_hub.timeline import Page
from sealcam_hub.views import CameraView, NoticeView

SUBJECTS = ("person", "vehicle", "animal", "none")
VERDICTS = ("threat", "benign", "false_alarm")
MOST_TYPED = 200
MOST_TOLD = 50
_NS = 1_000_000_000


class TimelineSource(Protocol):
    """What is searched: `sealcam_hub.timeline.Timeline` is the real one."""

    def page(self, wanted: Wanted, size: int, before: int | None = None) -> Page:
        """The newest incidents that a filter asks for, of those that arrived before `before`."""
        ...


class CameraList(Protocol):
    """Every camera, for the filter."""

    def __call__(self) -> Sequence[CameraView]:
        """In the owner's order."""
        ...


class NoticesOfATime(Protocol):
    """What stood wrong meanwhile."""

    def __call__(self, since_ns: int, until_ns: int, alias: str, limit: int, /) -> Sequence[NoticeView]:
        """From one wall time to before another, newest first; of one camera where an alias is given."""
        ...


class TimelinePart:
    """The room; a chosen day begins and ends by the clock of `zone`. `notices` stand beside the incidents."""

    link = Link("Timeline", "/timeline")

    def __init__(
        self,
        source: TimelineSource,
        cameras: CameraList,
        zone: str,
        notices: NoticesOfATime = lambda _since, _until, _alias, _limit: (),
    ) -> None:
        self._source, self._cameras, self._zone, self._notices = source, cameras, ZoneInfo(zone), notices

    def routes(self, desk: Desk) -> Sequence[Route]:
        """Its address."""
        self._desk = desk
        return (Route("/timeline", desk.private(self.page)),)

    async def page(self, request: Request, session: Session) -> Response:
        """`/timeline`, with the filter in its query."""
        values = await to_thread.run_sync(self._values, request)
        return self._desk.page("timeline.html", values | {"here": "/timeline", "csrf": session.csrf})

    def _values(self, request: Request) -> dict[str, object]:
        asked = {name: request.query_params.get(name, "") for name in ("camera", "subject", "verdict", "day", "q")}
        asked["q"] = asked["q"][:MOST_TYPED].strip()
        before = number(request.query_params.get("before"))
        cameras = self._cameras()
        day = _day(asked["day"])
        known = ("", *(one.alias for one in cameras)), ("", *SUBJECTS), ("", *VERDICTS)
        fits = (asked["camera"] in known[0], asked["subject"] in known[1], asked["verdict"] in known[2])
        if not all(fits):
            raise HTTPException(404)
        wanted = Wanted(
            camera=asked["camera"],
            subject=asked["subject"],
            verdict=asked["verdict"],
            words=search_words(asked["q"]),
            since_ns=None if day is None else self._begins(day),
            until_ns=None if day is None else self._begins(day + timedelta(days=1)),
        )
        found = self._source.page(wanted, SIZE, before)
        told = self._told(wanted, found, before)
        filtered = {name: value for name, value in asked.items() if value}
        return {
            "asked": asked,
            "filtered": bool(filtered),
            "cameras": cameras,
            "days": days(found.incidents, self._desk.clock()),
            "told": told[:MOST_TOLD],
            "cut": len(told) > MOST_TOLD,
            "untold": _of_incidents(wanted),
            "older": None if found.older is None else f"/timeline?{urlencode(filtered | {'before': found.older})}",
            "here_again": f"/timeline?{urlencode(filtered)}",
            "before": before,
            "SUBJECTS": SUBJECTS,
            "VERDICTS": VERDICTS,
        }

    def _told(self, wanted: Wanted, found: Page, before: int | None) -> Sequence[NoticeView]:
        """What stood wrong in the time that the page shows, and one more where it shows not all; none where it asks
        for what only incidents have.
        """
        if _of_incidents(wanted):
            return ()
        until = min(MOST if one is None else one for one in (before, wanted.until_ns))
        since = wanted.since_ns or 0
        if found.older is not None:
            since = max(since, found.older)
        return self._notices(since, until, wanted.camera, MOST_TOLD + 1)

    def _begins(self, day: date) -> int:
        return int(datetime.combine(day, time(), self._zone).timestamp()) * _NS


def _of_incidents(wanted: Wanted) -> bool:
    """Whether it asks for what a notice hasn't."""
    return bool(wanted.subject or wanted.verdict or wanted.words)


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise HTTPException(404) from error
    if not 1970 < found.year < 2200:
        raise HTTPException(404)
    return found
