"""The console's addresses: which page answers what, and who may ask.

Everything but the style sheet, the scripts and the door asks for a session. What blocks (opening sealed events,
sending a command) runs on a thread. `pages` and the templates say how it looks, `session` who may look, `guard` what
every answer carries, `events` how open pages hear of changes.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sealcam.wire.errors import SealcamError
from sealcam_hub.console import words
from sealcam_hub.console.events import EventStream, Streams
from sealcam_hub.console.guard import Guard
from sealcam_hub.console.pages import SHOWN, days, environment, strip, window
from sealcam_hub.console.session import LIFE_NS, Session, Sessions, came_from_us, cookie_name, same
from sealcam_hub.console.source import Changes, ConsoleSource

MOST_FORM_BYTES = 4096
MOST_FORM_FIELDS = 8
_INCIDENT = re.compile(r"[0-9A-Za-z_-]{1,80}")
_Handler = Callable[[Request, Session], Awaitable[Response]]


def create(
    source: ConsoleSource,
    feed: Changes,
    *,
    hosts: Collection[str],
    redeem: Callable[[str], bool],
    arm: Callable[[str, str], None],
    clock: Callable[[], int],
) -> Starlette:
    """The console as an ASGI application; run it with `server.ConsoleServer`.

    `hosts` are the names it answers to (`localhost` with any port, `localhost:8480` with that one alone); `redeem`
    says whether the token of a link `/?token=...` opens it, once; `arm(alias, mode)` sends a camera the owner's wish
    and raises a `SealcamError` where it can't; `clock()` is wall time in nanoseconds.
    """
    console = _Console(source, Streams(feed), Sessions(redeem, clock), arm, clock)
    app = Starlette(
        routes=console.routes(),
        middleware=[Middleware(Guard, hosts=hosts)],
        exception_handlers={HTTPException: console.refused, SealcamError: console.failed},
        lifespan=console.lifespan,
    )
    app.state.streams = console.streams
    return app


class _Console:
    def __init__(
        self,
        source: ConsoleSource,
        streams: Streams,
        sessions: Sessions,
        arm: Callable[[str, str], None],
        clock: Callable[[], int],
    ) -> None:
        self.streams = streams
        self._source = source
        self._sessions = sessions
        self._arm = arm
        self._clock = clock
        self._templates = environment()

    def routes(self) -> list[Route | Mount]:
        return [
            Route("/", self.door),
            Route("/incident/{incident}", self._private(self.incident)),
            Route("/thumbnail/{incident}", self._private(self.thumbnail)),
            Route("/fragment/{part}", self._private(self.fragment)),
            Route("/live", self._private(self.live)),
            Route("/arm", self._private(self.arm), methods=["POST"]),
            Mount("/static", StaticFiles(packages=[("sealcam_hub.console", "static")])),
        ]

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        async with self.streams.running():
            yield

    def _session(self, request: Request) -> Session | None:
        return self._sessions.find(request.cookies.get(cookie_name(request.headers["host"])))

    def _private(self, handler: _Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            session = self._session(request)
            return self._closed(request) if session is None else await handler(request, session)

        return answer

    def _page(self, name: str, values: Mapping[str, object], code: int = 200) -> HTMLResponse:
        return HTMLResponse(self._templates.get_template(name).render(values), status_code=code)

    # The door

    async def door(self, request: Request) -> Response:
        session = self._session(request)
        token = request.query_params.get("token")
        if token is not None:
            return self._unlock(request, token, session)
        return self._closed(request) if session is None else await self.now(request, session)

    def _unlock(self, request: Request, token: str, session: Session | None) -> Response:
        # A browser may load an address while it is still being typed, and programs preview links: that is not a use.
        if request.method != "GET" or "prefetch" in request.headers.get("sec-purpose", ""):
            return PlainTextResponse("503: open the link itself\n", status_code=503)
        if session is not None:
            return RedirectResponse("/", status_code=303)
        secret = self._sessions.redeem(token)
        if secret is None:
            return self._page("closed.html", {"used": True}, 403)
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(
            cookie_name(request.headers["host"]),
            secret,
            max_age=LIFE_NS // 1_000_000_000,
            path="/",
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    def _closed(self, request: Request) -> Response:
        # A strict cookie stays behind when a link on another site led here: ask once more, as our own page.
        if request.headers.get("sec-fetch-site") == "cross-site" and request.url.path == "/":
            return self._page("again.html", {})
        return self._page("closed.html", {"used": False}, 403)

    # Pages

    async def now(self, request: Request, session: Session) -> Response:
        return await to_thread.run_sync(lambda: self._page("now.html", self._now(request, session)))

    def _now(self, request: Request, session: Session) -> dict[str, object]:
        return self._cameras(session) | self._cards(request) | self._notices()

    def _cards(self, request: Request) -> dict[str, object]:
        show = request.query_params.get("show", "all")
        before = request.query_params.get("before")
        if show not in SHOWN or (before is not None and not re.fullmatch(r"[0-9]{1,19}", before)):
            raise HTTPException(404)
        shown = window(self._source, show, int(before) if before else None)
        return {
            "show": show,
            "before": before,
            "days": days(shown.incidents, self._clock()),
            "older": shown.older,
            "cameras": self._source.cameras(),
        }

    def _cameras(self, session: Session) -> dict[str, object]:
        cameras = self._source.cameras()
        newest = self._source.incidents(limit=1)
        return {
            "cameras": cameras,
            "headline": words.headline(cameras, newest[0] if newest else None),
            "csrf": session.csrf,
        }

    def _notices(self) -> dict[str, object]:
        return {"strip": strip(self._source.notices(limit=20), self._clock())}

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

    async def incident(self, request: Request, _session: Session) -> Response:
        incident = await to_thread.run_sync(self._source.incident, _incident(request))
        if incident is None:
            raise HTTPException(404)
        return self._page("incident.html", {"incident": incident})

    async def thumbnail(self, request: Request, _session: Session) -> Response:
        jpeg = await to_thread.run_sync(self._source.thumbnail, _incident(request))
        if jpeg is None:
            raise HTTPException(404)
        return Response(jpeg, media_type="image/jpeg")

    async def live(self, _request: Request, _session: Session) -> Response:
        if self.streams.full:
            return PlainTextResponse("503: too many open pages\n", status_code=503)
        return EventStream(self.streams)

    # What changes something

    async def arm(self, request: Request, session: Session) -> Response:
        form = await _form(request)
        ours = came_from_us(request.headers, request.url.scheme)
        if not ours or not same(form.get("csrf", ""), session.csrf):
            raise HTTPException(403)
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
        answer = self._page("problem.html", {"status": status, "message": None, "hint": None}, status)
        answer.headers.update(headers or {})
        return answer

    async def failed(self, _request: Request, error: Exception) -> Response:
        hint = error.hint if isinstance(error, SealcamError) else None
        return self._page("problem.html", {"status": 503, "message": str(error), "hint": hint}, 503)


def _incident(request: Request) -> str:
    incident: str = request.path_params["incident"]
    if not _INCIDENT.fullmatch(incident):
        raise HTTPException(404)
    return incident


async def _form(request: Request) -> dict[str, str]:
    """A small form's fields; the first of each name."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise HTTPException(415)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_FORM_BYTES:
            raise HTTPException(413)
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=MOST_FORM_FIELDS)
    except ValueError as error:
        raise HTTPException(400) from error
    return {name: values[0] for name, values in fields.items()}
