"""Tells open pages that something has changed, by server-sent events; what has changed they fetch themselves.

One thread waits for the hub's feed on behalf of all pages; each page holds no more than the set of parts it has not
been told of. A page that goes away is let go at once, and all of them are when the hub ends (`close`): a server that
waits for its open connections would otherwise wait for ever.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sealcam.wire.errors import StorageError
from sealcam_hub.console.lasting import until_gone
from sealcam_hub.console.source import Changes, ChangeSubscription

FEED_WAIT_S = 0.5  # bounds how long the end of the hub waits for the thread
BEAT_S = 15.0  # a line now and then, so that both sides notice a connection that died silently
RETRY_MS = 2000
MOST_PAGES = 64

EVERYTHING = "everything"
_PARTS = {"incident": "cards", "camera": "cameras", "notice": "notices"}
_HEADERS = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]


def part_of(topic: str) -> str:
    """The part of a page that a topic of the hub's feed is shown in."""
    return _PARTS.get(topic.partition("/")[0], EVERYTHING)


class Page:
    """One open page: the parts it has not yet been told of."""

    def __init__(self) -> None:
        self._parts: set[str] = set()
        self._changed = anyio.Event()

    def add(self, part: str) -> None:
        """Note that a part has changed."""
        self._parts.add(part)
        self._changed.set()

    def wake(self) -> None:
        """End the wait without news."""
        self._changed.set()

    async def take(self, wait_s: float) -> tuple[str, ...]:
        """The changed parts, as soon as there are any; none after `wait_s` seconds or when woken."""
        with anyio.move_on_after(wait_s):
            await self._changed.wait()
        self._changed = anyio.Event()
        parts = (EVERYTHING,) if EVERYTHING in self._parts else tuple(sorted(self._parts))
        self._parts.clear()
        return parts


class Streams:
    """All open pages, and the one place in the hub's feed that they share; `version` is what pages are of."""

    def __init__(self, changes: Changes, version: str = "") -> None:
        self._changes = changes
        self.version = version
        self._pages: set[Page] = set()
        self.closed = False

    @property
    def full(self) -> bool:
        """Whether no further page can be kept up to date."""
        return len(self._pages) >= MOST_PAGES

    @property
    def pages(self) -> int:
        """How many pages are kept up to date."""
        return len(self._pages)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Pass changes on while inside; every stream has ended afterwards."""
        subscription = self._changes.subscribe()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._pass_on, subscription)
                try:
                    yield
                finally:
                    self.close()
        finally:
            subscription.close()

    async def _pass_on(self, subscription: ChangeSubscription) -> None:
        while not self.closed:
            topic = await anyio.to_thread.run_sync(subscription.get, FEED_WAIT_S)
            if topic is not None:
                self.tell(part_of(topic))

    def tell(self, part: str) -> None:
        """Tell every page that a part has changed; from the server's own thread."""
        for page in self._pages:
            page.add(part)

    def close(self) -> None:
        """End every stream; from the server's own thread. May be called twice."""
        self.closed = True
        for page in self._pages:
            page.wake()

    def enter(self) -> Page:
        """A further page."""
        page = Page()
        self._pages.add(page)
        return page

    def leave(self, page: Page) -> None:
        """A page that is gone."""
        self._pages.discard(page)


class EventStream(Response):
    """The response that stays open: which version answers, then one message a changed part, until page or hub goes, or
    `stays` says no."""

    def __init__(self, streams: Streams, stays: Callable[[], bool] = lambda: True) -> None:
        super().__init__()
        self._streams = streams
        self._stays = stays

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak until one side ends."""
        page = self._streams.enter()
        try:
            await until_gone(receive, self._speak(page, send))
        finally:
            self._streams.leave(page)

    async def _speak(self, page: Page, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        text = f"retry: {RETRY_MS}\nevent: version\ndata: {self._streams.version}\n\n"
        while not self._streams.closed:
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
            parts = await page.take(BEAT_S)
            try:
                if not await anyio.to_thread.run_sync(self._stays):
                    break
            except StorageError:  # nobody can say at the moment who that is: the page asks again
                break
            text = "".join(f"event: changed\ndata: {part}\n\n" for part in parts) or ": still here\n\n"
        await send({"type": "http.response.body", "body": b"", "more_body": False})
