"""The live picture over HTTP, for Home Assistant's own camera entity: the camera's fragmented MP4, passed on as it is.

Off until the owner turns it on. One address a camera, `/live/ALIAS.mp4`, opened by the token (as the password of HTTP's
basic authentication, or as a bearer token); everything else, and everybody without it, gets the same refusal. Nothing
is decoded, kept or logged; what is shown, and to how many, is `sealcam_hub.live`'s.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import hmac
import re
import secrets
import socket
import threading
from collections.abc import Callable

import anyio
import uvicorn
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sealcam.wire.errors import SealcamError
from sealcam.wire.live import Content
from sealcam_hub.console.lasting import until_gone
from sealcam_hub.console.view import LiveSource
from sealcam_hub.folder import Address
from sealcam_hub.homeassistant.names import ACTOR
from sealcam_hub.homeassistant.settings import Settings
from sealcam_hub.live_viewer import Viewer

TOKEN_BYTES = 32
CHECK_S = 2.0
STALL_S = 20.0
END_S = 5.0
_ALIAS = re.compile(r"[0-9a-f]{16}")
_REFUSED = {"www-authenticate": 'Basic realm="Sealcam"', "cache-control": "no-store"}
_HEADERS = [(b"content-type", b"video/mp4"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]


def new_token() -> tuple[str, str]:
    """A token, and what is kept of it."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return token, kept(token)


def kept(token: str) -> str:
    """What is kept of a token: random enough that a plain hash tells nothing of it."""
    return hashlib.sha256(token.encode()).hexdigest()


def shown(authorization: str) -> str:
    """The token in an `Authorization` header; empty where there is none."""
    kind, _, value = authorization.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def pages(live: LiveSource, token: Callable[[], str]) -> Starlette:
    """The one address; `token()` is what is kept of the token that counts now, empty: none does."""

    async def film(request: Request) -> Response:
        mark = token()
        right = hmac.compare_digest(kept(shown(request.headers.get("authorization", ""))), mark or "-")
        alias = request.path_params["alias"]
        if not right or not _ALIAS.fullmatch(alias):
            return Response("refused", 401, _REFUSED)
        return Film(live, alias, lambda: token() == mark)

    return Starlette(routes=[Route("/live/{alias}.mp4", film, methods=["GET"])])


class Film(Response):
    """The answer that goes on until the reader, the camera's stream or the hub ends it, or `stays()` says no."""

    def __init__(self, live: LiveSource, alias: str, stays: Callable[[], bool]) -> None:
        super().__init__()
        self._live, self._alias, self._stays = live, alias, stays
        self._changed = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show until one side ends."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the server has just ended
                loop.call_soon_threadsafe(self._changed.set)

        try:
            viewer = await to_thread.run_sync(self._live.enter, self._alias, ACTOR, wake)
        except SealcamError:
            await Response("refused", 401, _REFUSED)(scope, receive, send)
            return
        try:
            await until_gone(receive, self._show(viewer, send))
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self._live.leave, viewer)

    async def _show(self, viewer: Viewer, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        beginning: bytes | None = None
        while not viewer.closed and self._stays():
            with anyio.move_on_after(CHECK_S):
                await self._changed.wait()
            self._changed.clear()
            for picture in viewer.take()[1]:
                if picture.content is Content.BEGINNING and beginning is not None and picture.data != beginning:
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                    return  # another stream: no player takes two in one file, so the reader comes again
                if picture.content is Content.BEGINNING:
                    if beginning is not None:
                        continue
                    beginning = picture.data
                with anyio.move_on_after(STALL_S) as waited:
                    await send({"type": "http.response.body", "body": picture.data, "more_body": True})
                if waited.cancelled_caught:
                    return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class LiveDoor:
    """Listens where the owner said, if anywhere, on a thread of its own. `follow` and `close` belong to one thread."""

    def __init__(self, live: LiveSource) -> None:
        self._pages = pages(live, lambda: self._token)
        self._token = ""
        self._at: Address | None = None
        self._running: tuple[uvicorn.Server, threading.Thread, socket.socket] | None = None

    def follow(self, settings: Settings | None) -> None:
        """Listen as the settings say, with the token that they know.

        Raises:
            SealcamError: the port is taken, or the address isn't this machine's.
        """
        at = settings.live if settings is not None and not settings.leaving else None
        self._token = settings.token if settings is not None and at is not None else ""
        if at == self._at:
            return
        self.close()
        if at is not None:
            self._start(at)
            self._at = at

    def close(self) -> None:
        """Listen no more, and end every view."""
        self._at = None
        if self._running is not None:
            server, thread, listening = self._running
            server.should_exit = True
            thread.join(END_S)
            listening.close()
            self._running = None

    def _start(self, at: Address) -> None:
        listening = listen(at, "the live view")
        settings = uvicorn.Config(
            self._pages,
            log_level="error",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(settings)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, name="homeassistant-live", daemon=True
        )
        thread.start()
        self._running = server, thread, listening


def listen(address: Address, what: str) -> socket.socket:
    """A listening socket at `address`.

    Raises:
        SealcamError: the port is taken, forbidden, or the address isn't this machine's.
    """
    try:
        family = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise SealcamError(
            f"{what} can't listen at {address}: {error.strerror or error}", "choose another port"
        ) from error
