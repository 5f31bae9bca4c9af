"""Open pages hear of changes at once, are let go at once, and never hold up the end of the hub."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from starlette.applications import Starlette

from sealcam_hub.console.events import MOST_PAGES, Streams, part_of
from sealcam_hub.console.server import ConsoleServer
from sealcam_hub.feed import REFRESH, Feed
from tests.unit.hub.console_client import PASSPHRASE, Visitor, console
from tests.unit.hub.console_fake import FakeDoor

SOON_S = 20


class Listener:
    """A page that listens, straight at the application."""

    def __init__(self, app: Starlette, visitor: Visitor) -> None:
        self._app = app
        self._cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        self.gone = asyncio.Event()
        self.said: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.status = 0

    async def listen(self) -> None:
        """Until one side ends."""
        headers = [(b"host", b"localhost:8480"), (b"cookie", self._cookie.encode())]
        scope = {"type": "http", "method": "GET", "path": "/live", "headers": headers, "query_string": b""}
        await self._app({"asgi": {"version": "3.0"}, "scheme": "http", **scope}, self._receive, self._send)

    async def _receive(self) -> dict[str, object]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            self.status = int(str(message["status"]))
        elif message.get("more_body"):
            self.said.put_nowait(bytes(message["body"]))
        else:
            self.said.put_nowait(None)


async def nobody(app: Starlette) -> None:
    """Come back when no page is open any more."""
    while app.state.streams.pages:
        await asyncio.sleep(0)


def listening(then: Callable[[Starlette, Feed, Listener], Awaitable[None]]) -> None:
    """Run `then` while a page listens to a console that is up."""
    feed = Feed()
    app = console(feed=feed)
    visitor = Visitor(app).sign_in()

    async def run() -> None:
        async with app.router.lifespan_context(app):
            listener = Listener(app, visitor)
            task = asyncio.create_task(listener.listen())
            async with asyncio.timeout(SOON_S):
                assert (await listener.said.get() or b"").startswith(b"retry:")
                await then(app, feed, listener)
                listener.gone.set()
                await task

    asyncio.run(run())


def test_a_change_reaches_an_open_page() -> None:
    async def then(_app: Starlette, feed: Feed, listener: Listener) -> None:
        feed.publish("incident/0123456789abcdef-1")
        assert await listener.said.get() == b"event: changed\ndata: cards\n\n"
        feed.publish("camera/0123456789abcdef")
        assert await listener.said.get() == b"event: changed\ndata: cameras\n\n"

    listening(then)


def test_a_page_that_goes_is_let_go_at_once() -> None:
    async def then(app: Starlette, _feed: Feed, listener: Listener) -> None:
        assert app.state.streams.pages == 1
        listener.gone.set()
        await nobody(app)

    listening(then)


def test_a_stream_ends_when_the_hub_does() -> None:
    async def then(app: Starlette, _feed: Feed, listener: Listener) -> None:
        app.state.streams.close()
        assert await listener.said.get() is None
        await nobody(app)

    listening(then)


def test_many_changes_become_one_message() -> None:
    async def run() -> None:
        page = Streams(Feed()).enter()
        for _ in range(1000):
            page.add("cards")
        page.add("notices")
        assert await page.take(0) == ("cards", "notices")
        page.add("cards")
        page.add(part_of(REFRESH))
        assert await page.take(0) == ("everything",)
        assert await page.take(0) == ()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("topic", "part"),
    [
        ("incident/a-b", "cards"),
        ("camera/a", "cameras"),
        ("notice", "notices"),
        ("refresh", "everything"),
        ("new", "everything"),
    ],
)
def test_a_topic_touches_its_part_of_the_page(topic: str, part: str) -> None:
    assert part_of(topic) == part


def test_there_are_only_so_many_open_pages() -> None:
    app = console()
    for _ in range(MOST_PAGES):
        app.state.streams.enter()
    assert Visitor(app).sign_in().get("/live").status_code == 503


def test_the_server_ends_promptly_with_a_page_open() -> None:
    feed = Feed()
    server = ConsoleServer(console(feed=feed, door=FakeDoor(passphrase=PASSPHRASE)))
    with socket.create_server(("127.0.0.1", 0)) as listening_socket:
        port = listening_socket.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening_socket]})
        thread.start()
        page = http.client.HTTPConnection("localhost", port, timeout=SOON_S)
        try:
            headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
            page.request("POST", "/login", f"passphrase={PASSPHRASE.replace(' ', '+')}", headers)
            answer = page.getresponse()
            answer.read()
            cookie = str(answer.headers["set-cookie"]).partition(";")[0]
            page.request("GET", "/live", headers={"Cookie": cookie})
            stream = page.getresponse()
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert stream.readline().startswith(b"retry:")
            feed.publish("notice")
            assert b"data: notices" in b"".join(stream.readline() for _ in range(5))
        finally:
            server.should_exit = True
            thread.join(SOON_S)
        assert not thread.is_alive()
        with suppress(http.client.IncompleteRead):
            assert stream.read().endswith(b"")
        page.close()
