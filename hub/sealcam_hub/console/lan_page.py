"""The page on plain HTTP that lets a phone trust this hub's console on the LAN: it knows nothing else of the home.

No cookie, no form, no script; it hands out one certificate, as a file and as a profile for Apple's devices. Whoever
stands between can replace the page, so what counts is the fingerprint that the phone itself shows against the one at
the hub. design/hub.md, "Login".
"""

from __future__ import annotations

import io
import plistlib
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from importlib.resources import files

import segno
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from sealcam_hub.console.guard import Guard
from sealcam_hub.console.pages import environment

FILE, PROFILE = "sealcam-console.crt", "sealcam-console.mobileconfig"
_STYLES = ("base.css", "lan.css")


@dataclass(frozen=True, slots=True)
class Trust:
    """What a phone is asked to trust: the certificate (DER), its fingerprint, and the console's address and name."""

    certificate: bytes
    fingerprint: str
    address: str
    name: str


def create(trust: Trust, hosts: Collection[str]) -> Starlette:
    """The page as an ASGI application, under the names `hosts`."""
    page = environment().get_template("lan.html").render(trust=trust, file=FILE, profile=PROFILE)
    style = "".join((files("sealcam_hub.console") / "static" / name).read_text() for name in _STYLES)

    async def show(_request: Request, content: bytes | str, media: str, name: str | None = None) -> Response:
        headers = {"content-disposition": f'attachment; filename="{name}"'} if name else None
        return Response(content, media_type=media, headers=headers)

    async def shown(_request: Request) -> Response:
        return HTMLResponse(page)

    async def nothing(_request: Request, error: Exception) -> Response:
        code = error.status_code if isinstance(error, HTTPException) else 500
        return PlainTextResponse("There is nothing else here.\n", status_code=code)

    return Starlette(
        routes=[
            Route("/", shown),
            Route("/lan.css", partial(show, content=style, media="text/css")),
            Route(f"/{FILE}", partial(show, content=trust.certificate, media="application/x-x509-ca-cert", name=FILE)),
            Route(f"/{PROFILE}", partial(show, content=profile(trust), media="application/x-apple-aspen-config")),
        ],
        middleware=[Middleware(Guard, hosts=hosts)],
        exception_handlers={HTTPException: nothing},
    )


def profile(trust: Trust) -> bytes:
    """The certificate as a profile for iOS and macOS; the same one each time, so that a second one replaces it."""
    one, all_of_it = (uuid.uuid5(uuid.NAMESPACE_URL, f"{trust.fingerprint}/{part}") for part in ("root", "profile"))
    identity = f"sealcam.{trust.name}"
    root = {
        "PayloadType": "com.apple.security.root",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{identity}.root",
        "PayloadUUID": str(one).upper(),
        "PayloadDisplayName": f"Sealcam console at {trust.name}",
        "PayloadContent": trust.certificate,
    }
    return plistlib.dumps(
        {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": identity,
            "PayloadUUID": str(all_of_it).upper(),
            "PayloadDisplayName": "Sealcam",
            "PayloadDescription": f"Lets this device open {trust.address}/, and vouches for nothing else.",
            "PayloadContent": [root],
        }
    )


def code(address: str) -> bytes:
    """An address as a QR code, an SVG picture."""
    out = io.BytesIO()
    segno.make(address, error="m").save(out, kind="svg", scale=4, border=2, xmldecl=True, svgns=True)
    return out.getvalue()
