"""What is our own name, and our own page: the Host header, the cookie's name, and where a request was made. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def cookie_name(host: str, scheme: str = "http") -> str:
    """The session cookie's name: it names the port, since browsers share cookies between the ports of one host.

    Over TLS it has the prefix under which browsers take it from nobody but the same host over TLS.
    """
    name = f"sealcam-{split_host(host)[1] or _PORTS.get(scheme, 80)}"
    return f"__Host-{name}" if scheme == "https" else name


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
