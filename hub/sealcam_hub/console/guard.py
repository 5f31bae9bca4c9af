"""Stands before every page: asks for our own name in the Host header, and tells the browser what it may never do.

Nothing is loaded from elsewhere, nothing is framed, nothing is kept on disk, no script or style stands in a page: one
policy for every answer, whatever it is. The opener of shared clips alone, which holds no data of this home, has its
own: it may run a worker, which alone may run WebAssembly, and asks nobody for anything.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sealcam_hub.console.origin import host_allowed

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "img-src 'self'",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "media-src 'self' blob:",  # live pictures and long clips play from memory
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
OPENER = "/static/opener/"
# Also stands in the page itself, for whoever serves a copy of it.
OPENER_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src blob:",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
OPENER_PAGE_POLICY = OPENER_POLICY.replace(" 'wasm-unsafe-eval'", "")
WORKER = f"{OPENER}worker.mjs"
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
    "X-Robots-Tag": "noindex",
}
ELSEWHERE = "421: this is not the name of a Sealcam console.\nOpen the link that the hub printed.\n"


class Guard:
    """An ASGI layer around the console; `hosts` are asked for each request, since those of a LAN may change."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse other names; otherwise let it through and add the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                protect(MutableHeaders(scope=message), scope["path"])
            await send(message)

        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or not host_allowed(hosts[0], self._hosts):
            await PlainTextResponse(ELSEWHERE, status_code=421)(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)


def protect(headers: MutableHeaders, path: str) -> None:
    """Say to the browser what it may not do with the answer for `path`."""
    headers.update(HEADERS)
    if path.startswith(OPENER):
        headers["Content-Security-Policy"] = OPENER_POLICY if path == WORKER else OPENER_PAGE_POLICY
    # Pictures and pages are opened for this moment; the style sheet may stay, but is asked for.
    headers["Cache-Control"] = "no-cache" if path.startswith("/static/") else "no-store"
