"""Who may look: a link that works once becomes a session of one browser, and nothing but that browser acts in it.

Pure: cookies and headers come in as strings and go out as strings; `app` moves them. It leaves encryption on the way
to others: the console is bound to the loopback address.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

SECRET_BYTES = 32
LIFE_NS = 30 * 24 * 3600 * 1_000_000_000  # a console that hangs on the wall asks for a new link once a month
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that came with the one-time link: what its forms must carry, and until when (wall ns)."""

    csrf: str
    until_ns: int


class Sessions:
    """The sessions made of one-time links, in memory: a hub that starts again asks for a new link.

    `redeem` says whether a token opens the console, and lets it do so once.
    """

    def __init__(self, redeem: Callable[[str], bool], clock: Callable[[], int]) -> None:
        self._redeem = redeem
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[bytes, Session] = {}

    def redeem(self, token: str) -> str | None:
        """A new session's secret for the cookie; none when the token is wrong or was used before."""
        with self._lock:
            if not self._redeem(token):
                return None
            secret = secrets.token_urlsafe(SECRET_BYTES)
            self._sessions[_digest(secret)] = Session(
                csrf=secrets.token_urlsafe(SECRET_BYTES), until_ns=self._clock() + LIFE_NS
            )
            return secret

    def find(self, secret: str | None) -> Session | None:
        """The session a cookie belongs to; none when there is none or its time is over."""
        if not secret:
            return None
        key = _digest(secret)
        with self._lock:
            session = self._sessions.get(key)
            if session is not None and session.until_ns <= self._clock():
                del self._sessions[key]
                return None
            return session


def same(offered: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that tells nothing of where they differ."""
    return hmac.compare_digest(_digest(offered), _digest(expected))


def cookie_name(host: str) -> str:
    """The session cookie's name: it names the port, since browsers share cookies between the ports of one host."""
    return f"sealcam-{split_host(host)[1] or _PORTS['http']}"


def split_host(host: str) -> tuple[str, int | None]:
    """A Host header's name in lower case and its port; an empty name where it isn't well formed."""
    try:
        parts = urlsplit(f"//{host}")
        if parts.netloc != host or parts.username is not None or not host:
            return "", None
        return parts.hostname or "", parts.port
    except ValueError:
        return "", None


def host_allowed(host: str, hosts: Collection[str]) -> bool:
    """Whether a Host header is one of ours: `name` in `hosts` allows every port of it, `name:port` that port alone.

    A page of another site whose name was pointed at this machine (DNS rebinding) comes with that site's name here.
    """
    name, port = split_host(host)
    if not name:
        return False
    allowed = {split_host(entry) for entry in hosts}
    return (name, None) in allowed or (name, port or _PORTS["http"]) in allowed


def came_from_us(headers: Mapping[str, str], scheme: str) -> bool:
    """Whether a request that changes something was made by our own page.

    `Sec-Fetch-Site` decides where the browser sends it (to localhost it does); `Origin` must be ours otherwise. Under
    our referrer policy a form's `Origin` is `null`, which counts as someone else's when it stands alone.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", ""))
    return (origin.scheme, _with_port(origin.netloc, scheme)) == (scheme, _with_port(headers.get("host", ""), scheme))


def _with_port(host: str, scheme: str) -> tuple[str, int | None]:
    name, port = split_host(host)
    return name, port or _PORTS.get(scheme)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
