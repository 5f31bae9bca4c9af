"""The console's page of the audit log, and the entries that looking at incidents and watching clips makes.

One entry for each session and incident or clip, before the first of its pages or pictures is shown. The browser pins
the head that it has seen (`static/log.js`): what it asks for that is here. Checking is `audit_source`'s.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sealcam_hub.console.numbers import number
from sealcam_hub.console.session import Session
from sealcam_hub.console.source import ConsoleLog

SIZE = 100  # entries on a page
MOST_SEEN = (
    100_000  # pairs of session and incident or clip; when they are more, some looks become entries a second time
)


class LogPages:
    """What `app` routes to: `render(template, values)` makes a page."""

    def __init__(self, log: ConsoleLog, render: Callable[[str, Mapping[str, object]], Response]) -> None:
        self._log = log
        self._render = render
        self._lock = threading.Lock()
        self._seen: set[tuple[str, str]] = set()

    async def page(self, request: Request, session: Session) -> Response:
        """`/log`, the newest entries, or those before a number."""
        before = number(request.query_params.get("before"))
        shown = await to_thread.run_sync(self._log.newest, SIZE, before)
        return self._render("log.html", {"here": "/log", "log": shown, "before": before, "csrf": session.csrf})

    async def entry(self, request: Request, _session: Session) -> Response:
        """`/log/{number}`: the hash at that place, for a browser that has pinned it."""
        place = number(request.path_params["number"])
        name = None if place is None else await to_thread.run_sync(self._log.hash_of, place)
        if name is None:
            raise HTTPException(404)
        return PlainTextResponse(name.hex())

    def looked(self, session: Session, incident: str) -> None:
        """Note that this browser is about to be shown an incident; blocks.

        Raises:
            StorageError: the entry can't be written, so nothing is to be shown.
        """
        self._once(session, incident, self._log.looked)

    def watched(self, session: Session, clip: str) -> None:
        """Note that this browser is about to be shown a clip; blocks.

        Raises:
            StorageError: the entry can't be written, so nothing is to be shown.
        """
        self._once(session, clip, self._log.watched)

    def _once(self, session: Session, what: str, enter: Callable[[str], None]) -> None:
        pair = (session.csrf, what)
        with self._lock:
            if pair in self._seen:
                return
            enter(what)
            if len(self._seen) >= MOST_SEEN:
                self._seen.clear()
            self._seen.add(pair)
