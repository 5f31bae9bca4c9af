"""A browser's cookie and what its request says of it: moved between HTTP and `session`, `passkeys`. Pure."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sealcam_hub.console.origin import cookie_name, split_host
from sealcam_hub.passkeys import Site, site

_MOST_TO = 200
# Of a User-Agent, in this order: each browser also names those that it wants to be taken for.
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def secret_of(request: Request) -> str | None:
    """The secret in a browser's cookie, if it has one."""
    return request.cookies.get(_name(request))


def with_cookie(request: Request, answer: Response, secret: str, life_ns: int) -> Response:
    """`answer`, which gives the browser its cookie."""
    answer.set_cookie(
        _name(request),
        secret,
        max_age=life_ns // 1_000_000_000,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


def without_cookie(request: Request, answer: Response) -> Response:
    """`answer`, which takes the cookie away."""
    answer.delete_cookie(
        _name(request), path="/", httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return answer


def led(to: str) -> Response:
    """Leads to another page after a form."""
    return RedirectResponse(to, status_code=303)


def wanted(request: Request) -> str:
    """The page that was asked for, where the whole window shall show it; otherwise the first one."""
    whole = request.method == "GET" and request.headers.get("sec-fetch-dest") == "document"
    return own_address(f"{request.url.path}?{request.url.query}".rstrip("?")) if whole else "/"


def own_address(text: str) -> str:
    """`text` if it is an address here, and no other site's that only looks like one."""
    plain = text.startswith("/") and not text.startswith("//") and "\\" not in text and len(text) <= _MOST_TO
    return text if plain and text.isascii() and text.isprintable() and "token=" not in text else "/"


def place_of(request: Request) -> Site | None:
    """The place that passkeys can be used at, if this is one."""
    return site(request.url.scheme, *split_host(request.headers["host"]))


def browser_of(request: Request) -> str:
    """What a browser says it is, in three words; it may lie."""
    said = request.headers.get("user-agent", "")
    program = next((name for sign, name in _BROWSERS if re.search(rf"\b{sign}", said)), "A browser")
    system = next((name for sign, name in _SYSTEMS if sign in said), "")
    return f"{program} on {system}" if system else program


def _name(request: Request) -> str:
    return cookie_name(request.headers["host"], request.url.scheme)
