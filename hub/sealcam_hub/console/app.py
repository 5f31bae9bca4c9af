"""The console's addresses: which page answers what, and who may ask.

Everything but the style sheet, the scripts, the opener of shared clips and the door asks for a session. What blocks
(opening sealed events, sending a command) runs on a thread. `pages` and the templates say how it looks, `door` who
may look, `guard` what every answer carries, `events` how open pages hear of changes.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sealcam.wire.errors import ConfigError, SealcamError, StorageError
from sealcam_hub.console import assets, roles, tracing, words
from sealcam_hub.console.clips import ClipPages
from sealcam_hub.console.desk import Desk, Handler, Part
from sealcam_hub.console.door import DoorPages
from sealcam_hub.console.door_people import Household
from sealcam_hub.console.door_rooms import DoorRooms
from sealcam_hub.console.door_ways import Ways
from sealcam_hub.console.events import EventStream, Streams
from sealcam_hub.console.form import own_form
from sealcam_hub.console.guard import OPENER, Guard, protect
from sealcam_hub.console.log import LogPages
from sealcam_hub.console.numbers import number
from sealcam_hub.console.pages import LOOKED, SHOWN, SIZE, days, environment, strip, window
from sealcam_hub.console.session import Session
from sealcam_hub.console.source import Changes, ClipSource, ConsoleLog, ConsoleSource, Door
from sealcam_hub.console.trouble import Trouble
from sealcam_hub.console.view import LiveSource, ViewPages
from sealcam_hub.person import ACTING

_INCIDENT = re.compile(r"[0-9A-Za-z_-]{1,80}")


def create(
    source: ConsoleSource,
    feed: Changes,
    *,
    hosts: Collection[str],
    door: Door,
    arm: Callable[[str, str], None],
    clock: Callable[[], int],
    boot: Callable[[], int],
    log: ConsoleLog,
    live: LiveSource | None = None,
    clips: ClipSource | None = None,
    parts: Sequence[Part] = (),
    household: Household | None = None,
    ways: Ways = Ways(),  # noqa: B008 - frozen
    opened: Callable[[str], None] = lambda _incident: None,
    version: str = assets.VERSION,
) -> Starlette:
    """The console as an ASGI application; run it with `server.ConsoleServer`.

    `hosts` are the names it answers to (`localhost` with any port, `localhost:8480` with that one alone); `door`
    knows link and passphrase; `arm(alias, mode)` sends a camera the owner's wish and raises a `SealcamError` where it
    can't; `clock()` is wall time, `boot()` time since boot, in nanoseconds; `log` is the audit log; `live` has the
    live pictures and `clips` the clips, where there are any; `parts` are the rooms beside these, in the navigation's
    order; `household` are the members and everybody's passkeys, and `ways` how it is reached from another device.
    `opened(incident)` hears which incident's page somebody has opened. An open page of another `version` is told so.
    """
    console = _Console(source, Streams(feed, version), door, arm, clock, boot, log, live, clips, parts, household, ways)
    console.opened = opened
    app = Starlette(
        routes=console.routes(),
        middleware=[Middleware(Guard, hosts=hosts)],
        exception_handlers={HTTPException: console.refused, SealcamError: console.failed, Exception: console.broken},
        lifespan=console.lifespan,
    )
    app.state.streams, app.state.views = console.streams, console.views
    return app


class _Console:
    def __init__(
        self,
        source: ConsoleSource,
        streams: Streams,
        door: Door,
        arm: Callable[[str, str], None],
        clock: Callable[[], int],
        boot: Callable[[], int],
        log: ConsoleLog,
        live: LiveSource | None,
        clips: ClipSource | None,
        parts: Sequence[Part],
        household: Household | None,
        ways: Ways,
    ) -> None:
        self.streams = streams
        self.opened: Callable[[str], None] = lambda _incident: None
        self._source = source
        self._door = DoorPages(door, clock, boot, self._page, household)
        self._rooms = None if household is None else DoorRooms(self._door, household, boot, self._page, ways)
        self._arm = arm
        self._clock = clock
        self._boot = boot
        self._trouble = Trouble(boot)
        self._parts = parts
        self._templates = environment([part.link for part in parts if part.link is not None], streams.version)
        self._log = LogPages(log, self._page)
        self._clips = ClipPages(source, clips, self._log, log, self._page)
        self.views = ViewPages(source, live, boot, self._page, self._door.session)

    def routes(self) -> list[Route | Mount]:
        desk = Desk(self._page, self._private, self._log, self.streams, self._clock, self._boot)
        return [
            *(route for part in self._parts for route in part.routes(desk)),
            *(() if self._rooms is None else self._rooms.routes(self._private)),
            Route("/", self.front),
            Route("/login", self._door.login, methods=["POST"]),
            Route("/logout", self._door.out, methods=["POST"]),
            Route("/passphrase", self._door.passphrase, methods=["GET", "POST"]),
            Route("/incident/{incident}", self._private(self.incident)),
            Route("/incident/{incident}/clips", self._private(self._clips.list)),
            Route("/clip/{clip}", self._private(self._clips.page)),
            Route("/clip/{clip}/facts", self._private(self._clips.facts)),
            Route("/clip/{clip}/video", self._private(self._clips.video)),
            Route("/clip/{clip}/fetch", self._private(self._clips.fetch), methods=["POST"]),
            Route("/clip/{clip}/save", self._private(self._clips.save), methods=["GET", "POST"]),
            Route("/thumbnail/{incident}", self._private(self.thumbnail)),
            Route("/fragment/{part}", self._private(self.fragment)),
            Route("/live", self._private(self.live)),
            Route("/view/{alias}", self._private(self.views.page)),
            Route("/view/{alias}/stream", self._private(self.views.stream)),
            Route("/log", self._private(self._log.page)),
            Route("/log/{number}", self._private(self._log.entry)),
            Route("/arm", self._private(self.arm), methods=["POST"]),
            Route("/open", self.opener),
            Mount("/static", StaticFiles(packages=[("sealcam_hub.console", "static")])),
        ]

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        async with self.streams.running():
            yield

    def _private(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """The one way to an address that isn't everybody's: asks who it is, then what they may (`roles`)."""

        async def answer(request: Request) -> Response:
            session = await to_thread.run_sync(self._door.session, request)
            if session is None:
                return await to_thread.run_sync(self._door.closed, request)
            ACTING.set(session.person)
            if not roles.may(session.person, request.method, roles.address(request.scope)):
                raise HTTPException(403, roles.OWNERS)
            return await handler(request, session)

        return answer

    def _page(self, name: str, values: Mapping[str, object], code: int = 200) -> HTMLResponse:
        return HTMLResponse(self._templates.get_template(name).render(values), status_code=code)

    # Pages

    async def front(self, request: Request) -> Response:
        token = request.query_params.get("token")
        if token is not None:
            return await to_thread.run_sync(self._door.unlock, request, token)
        return await self._private(self.now)(request)

    async def now(self, request: Request, session: Session) -> Response:
        return await to_thread.run_sync(lambda: self._page("now.html", {"here": "/"} | self._now(request, session)))

    def _now(self, request: Request, session: Session) -> dict[str, object]:
        return self._cameras(session) | self._cards(request) | self._notices()

    def _cards(self, request: Request) -> dict[str, object]:
        show = request.query_params.get("show", "all")
        before = number(request.query_params.get("before"))
        if show not in SHOWN:
            raise HTTPException(404)
        shown = window(self._source, show, before)
        return {
            "show": show,
            "before": before,
            "days": days(shown.incidents, self._clock()),
            "older": shown.older,
            "cameras": self._source.cameras(),
        }

    def _cameras(self, session: Session) -> dict[str, object]:
        cameras = self._source.cameras()
        newest = self._source.incidents(limit=SIZE)
        return {
            "cameras": cameras,
            "stills": {one.alias: one for one in reversed(newest) if one.has_thumbnail},
            "headline": words.headline(cameras, newest[0] if newest else None),
            "csrf": session.csrf,
            "watchable": self.views.there,
        }

    def _notices(self) -> dict[str, object]:
        return {"strip": strip(self._source.notices(limit=LOOKED), self._clock(), self._source.standing_notices())}

    async def fragment(self, request: Request, session: Session) -> Response:
        def render() -> Response:
            match request.path_params["part"]:
                case "cards":
                    return self._page("cards.html", self._cards(request))
                case "cameras":
                    return self._page("cameras.html", self._cameras(session))
                case "notices":
                    return self._page("notices.html", self._notices())
                case _:
                    raise HTTPException(404)

        return await to_thread.run_sync(render)

    async def incident(self, request: Request, session: Session) -> Response:
        incident = await to_thread.run_sync(self._source.incident, _incident(request))
        if incident is None:
            raise HTTPException(404)
        await to_thread.run_sync(self._log.looked, session, incident.id)
        await to_thread.run_sync(self.opened, incident.id)
        parts = await to_thread.run_sync(self._clips.parts, incident.id)
        path = await to_thread.run_sync(self._source.path, incident.id)
        values = {"incident": incident, "parts": parts, "csrf": session.csrf} | tracing.values(path, incident)
        return self._page("incident.html", values)

    async def thumbnail(self, request: Request, session: Session) -> Response:
        jpeg = await to_thread.run_sync(partial(self._source.thumbnail, _incident(request), unveiled=True))
        if jpeg is None:
            raise HTTPException(404)
        await to_thread.run_sync(self._log.looked, session, _incident(request))
        return Response(jpeg, media_type="image/jpeg")

    async def live(self, request: Request, _session: Session) -> Response:
        if self.streams.full:
            return PlainTextResponse("503: too many open pages\n", status_code=503)
        return EventStream(self.streams, lambda: self._door.session(request) is not None)

    async def opener(self, _request: Request) -> Response:
        return RedirectResponse(f"{OPENER}index.html", status_code=307)

    # What changes something

    async def arm(self, request: Request, session: Session) -> Response:
        form = await own_form(request, session.csrf)
        alias, mode = form.get("alias", ""), form.get("mode", "")
        known = {camera.alias for camera in await to_thread.run_sync(self._source.cameras)}
        if alias not in known or mode not in words.MODES:
            raise HTTPException(400)
        await to_thread.run_sync(self._arm, alias, mode)
        self.streams.tell("cameras")
        return RedirectResponse("/", status_code=303)

    # What went wrong

    async def refused(self, _request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = error.headers if isinstance(error, HTTPException) else None
        message = roles.OWNERS if isinstance(error, HTTPException) and error.detail == roles.OWNERS else None
        answer = self._page("problem.html", {"status": status, "message": message, "hint": None}, status)
        answer.headers.update(headers or {})
        return answer

    async def failed(self, _request: Request, error: Exception) -> Response:
        hint = error.hint if isinstance(error, SealcamError) else None
        if isinstance(error, StorageError):
            self._trouble.met(error)
        # What the one who asks may mend, or has to wait for, is no failure of the hub's.
        status = 409 if isinstance(error, ConfigError) or type(error) is SealcamError else 503
        return self._page("problem.html", {"status": status, "message": str(error), "hint": hint}, status)

    async def broken(self, request: Request, _error: Exception) -> Response:
        """A fault of ours. It is answered outside the guard, so this answer needs its headers."""
        message, hint = "something went wrong in the hub", "its log says what"
        answer = self._page("problem.html", {"status": 500, "message": message, "hint": hint}, 500)
        protect(answer.headers, request.url.path)
        return answer


def _incident(request: Request) -> str:
    incident: str = request.path_params["incident"]
    if not _INCIDENT.fullmatch(incident):
        raise HTTPException(404)
    return incident
