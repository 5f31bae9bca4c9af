"""What asks the console in tests: a browser without a screen, in this process, one request at a time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence

import httpx
from starlette.applications import Starlette

from sealcam_hub.console.app import create
from sealcam_hub.console.desk import Part
from sealcam_hub.feed import Feed
from tests.unit.hub.console_clips import FakeClips
from tests.unit.hub.console_fake import NOW_NS, FakeDoor, FakeLog, FakeSource

TOKEN = "once-and-never-again"
PASSPHRASE = "four words that nobody knows"
HERE = "http://localhost:8480"


class Armed:
    """Where the console's wishes go; raises what it is told to."""

    def __init__(self) -> None:
        self.wishes: list[tuple[str, str]] = []
        self.error: Exception | None = None

    def __call__(self, alias: str, mode: str) -> None:
        """Take a wish."""
        if self.error is not None:
            raise self.error
        self.wishes.append((alias, mode))


class Visitor:
    """One browser: keeps cookies, follows no redirect by itself."""

    def __init__(self, app: Starlette) -> None:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
        self._client = httpx.AsyncClient(transport=transport, base_url=HERE)

    @property
    def cookies(self) -> dict[str, str]:
        """What it keeps."""
        return dict(self._client.cookies)

    def ask(self, method: str, path: str, **options: object) -> httpx.Response:
        """One request."""
        return asyncio.run(self._client.request(method, path, **options))

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Look at a page; `sec_fetch_site="none"` becomes that header."""
        return self.ask("GET", path, headers=_headers(headers))

    def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """Send a form, as our own page does unless `headers` say otherwise."""
        return self.ask("POST", path, data=fields, headers={"sec-fetch-site": "same-origin"} | _headers(headers))

    def sign_in(self, passphrase: str = PASSPHRASE) -> Visitor:
        """Choose the passphrase behind the printed link, or type it where there is one."""
        if self.get(f"/?token={TOKEN}").status_code == 303 and "/passphrase" in self.get("/").text:
            answer = self.post("/passphrase", {"csrf": self.csrf(), "new": passphrase, "again": passphrase})
        else:
            answer = self.log_in(passphrase)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        return self

    def log_in(self, passphrase: str, **headers: str) -> httpx.Response:
        """Type a passphrase into the form that stands before every page."""
        return self.post("/login", {"csrf": self.csrf(), "passphrase": passphrase}, **headers)

    def csrf(self) -> str:
        """What our own form carries."""
        found = re.search(r'name="csrf" value="([^"]*)"', self.get("/").text)
        return "" if found is None else found[1]


def console(
    source: FakeSource | None = None,
    feed: Feed | None = None,
    arm: Callable[[str, str], None] | None = None,
    clock: Callable[[], int] = lambda: NOW_NS,
    log: FakeLog | None = None,
    door: FakeDoor | None = None,
    boot: Callable[[], int] = lambda: 0,
    clips: FakeClips | None = None,
    parts: Sequence[Part] = (),
) -> Starlette:
    """A console over a fake hub."""
    return create(
        source or FakeSource(),
        feed or Feed(),
        hosts=("localhost",),
        door=door or FakeDoor(TOKEN),
        arm=arm or Armed(),
        clock=clock,
        boot=boot,
        clips=clips,
        log=log or FakeLog(),
        parts=parts,
    )


def _headers(named: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in named.items()}
