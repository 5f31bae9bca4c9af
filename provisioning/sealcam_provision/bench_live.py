"""The age of a live picture in a whole home, as the console's answer hands it to a browser; asked as a browser asks.

Camera and hub are on one machine, so both tell time by one clock: what a picture's age is here nobody estimates. What
a browser adds, decoding and its screen, isn't in it. The answer's form is `sealcam_hub.console.view`'s.
"""

from __future__ import annotations

import http.client
import re
import secrets
import socket
import statistics
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from sealcam.wire.errors import SealcamError

_HEAD = struct.Struct(">IB3xdddd")
_WORDS, _KEYFRAME, _PICTURES = 0, 2, 3
_SHOWN = 150  # pictures: each is one sample
_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Glass:
    """Milliseconds: from asking to the first picture, and the age of each picture when it was handed out."""

    first_ms: float
    ages_ms: tuple[float, ...]
    bytes_per_s: float

    def percentile(self, percent: int) -> int:
        """Of the ages."""
        return round(statistics.quantiles(self.ages_ms, n=100, method="inclusive")[percent - 1])


@dataclass(frozen=True, slots=True)
class Door:
    """A session at a console, and the one camera that it shows."""

    host: str
    port: int
    cookie: str
    alias: str

    def connect(self) -> http.client.HTTPConnection:
        """A connection of its own."""
        return http.client.HTTPConnection(self.host, self.port, timeout=_WITHIN_S)

    def look(self, at: http.client.HTTPConnection) -> http.client.HTTPResponse:
        """Ask for the camera's live view."""
        at.request("GET", f"/view/{self.alias}/stream", headers={"Cookie": self.cookie})
        return at.getresponse()


def sign_in(address: str) -> Door:
    """Enter the console at `address`, which carries its one-time token.

    Raises:
        SealcamError: it shows no camera.
    """
    parts = urlsplit(address)
    host, port = parts.hostname or "localhost", parts.port or 80
    at = http.client.HTTPConnection(host, port, timeout=_WITHIN_S)
    try:
        cookie, page = _signed_in(at, f"{parts.path or '/'}?{parts.query}")
    except (OSError, http.client.HTTPException) as error:
        raise SealcamError(f"the console doesn't answer: {error}") from error
    finally:
        at.close()
    found = re.search(r'"/view/([0-9a-f]{16})"', page)
    if found is None:
        raise SealcamError("the console shows no camera to look at")
    return Door(host, port, cookie, found[1])


def measure(address: str | Door, pictures: int = _SHOWN) -> Glass:
    """Look at the one camera of a console.

    Raises:
        SealcamError: it shows no picture.
    """
    door = address if isinstance(address, Door) else sign_in(address)
    at = door.connect()
    try:
        begun = time.monotonic()
        return _looked(door.look(at), begun, pictures)
    except (OSError, http.client.HTTPException) as error:
        raise SealcamError(f"the console doesn't answer: {error}") from error
    finally:
        at.close()


@contextmanager
def looking(door: Door) -> Iterator[None]:
    """Somebody looks at the camera all the time, from the first picture on.

    Raises:
        SealcamError: no picture comes.
    """
    at, seen = door.connect(), threading.Event()
    at.connect()
    sock: socket.socket = at.sock  # an answer without end takes it along
    answer = door.look(at)

    def look() -> None:
        try:
            for kind, _, _ in _blocks(answer):
                if kind == _PICTURES:
                    seen.set()
        except (OSError, http.client.HTTPException, ValueError):  # the connection was closed
            return

    thread = threading.Thread(target=look, name="looking", daemon=True)
    thread.start()
    try:
        if not seen.wait(_WITHIN_S):
            raise SealcamError(f"no live picture came within {_WITHIN_S:g} s")
        yield
    finally:
        sock.shutdown(socket.SHUT_RDWR)
        thread.join(_WITHIN_S)
        at.close()


def _signed_in(at: http.client.HTTPConnection, path: str) -> tuple[str, str]:
    """The cookie of a session whose passphrase was chosen just now, and the first page."""
    cookie, _ = _ask(at, "GET", path, "")
    _, form = _ask(at, "GET", "/", cookie)
    csrf = re.search(r'name="csrf" value="([^"]+)"', form)
    chosen = secrets.token_urlsafe(18)
    fields = {"csrf": "" if csrf is None else csrf[1], "new": chosen, "again": chosen}
    cookie, _ = _ask(at, "POST", "/passphrase", cookie, urlencode(fields))
    return cookie, _ask(at, "GET", "/", cookie)[1]


def _ask(
    at: http.client.HTTPConnection, method: str, path: str, cookie: str, body: str | None = None
) -> tuple[str, str]:
    headers = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    at.request(method, path, body, headers)
    answer = at.getresponse()
    given = answer.getheader("Set-Cookie", "").partition(";")[0]
    return given or cookie, answer.read().decode("utf-8", "replace")


def _looked(answer: http.client.HTTPResponse, begun: float, pictures: int) -> Glass:
    ages_ms: list[float] = []
    first_s, said, size_bytes, since = 0.0, f"the console answered {answer.status}", 0, 0.0
    for kind, seen_ms, data in _blocks(answer):
        now_s = time.monotonic()
        if kind in (_KEYFRAME, _PICTURES):
            ages_ms.append(time.clock_gettime_ns(time.CLOCK_BOOTTIME) / 1e6 - seen_ms)
            size_bytes += len(data)
            if len(ages_ms) == 1:
                first_s = since = now_s
            if len(ages_ms) > pictures:
                return Glass((first_s - begun) * 1e3, tuple(ages_ms[1:]), size_bytes / (now_s - since))
        elif kind == _WORDS:
            said = data.decode("utf-8", "replace")
        if now_s - begun > _WITHIN_S:
            break
    raise SealcamError(f"{len(ages_ms)} live pictures came within {_WITHIN_S:g} s", f"the last word: {said}")


def _blocks(answer: http.client.HTTPResponse) -> Iterator[tuple[int, float, bytes]]:
    while len(head := answer.read(_HEAD.size)) == _HEAD.size:
        size, kind, _now, _age, _way, seen_ms = _HEAD.unpack(head)
        yield kind, seen_ms, answer.read(size)
