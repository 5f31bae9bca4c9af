"""The console's live answer: who gets it, what it looks like, and that nobody slow, gone or signed out keeps it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette

from sealcam.wire.errors import SealcamError
from sealcam.wire.live import Content
from sealcam_hub.console.app import create
from sealcam_hub.console.view import HEAD, Block, Patience, ViewPages, ViewStream, _Asked
from sealcam_hub.feed import Feed
from sealcam_hub.live_age import Age
from sealcam_hub.live_picture import Picture, Words
from sealcam_hub.live_viewer import Viewer
from tests.unit.hub.console_client import TOKEN, Visitor
from tests.unit.hub.console_fake import NOW_NS, PORCH, FakeDoor, FakeLog, FakeSource

SOON_S = 20
MS = 1_000_000
PATIENT = Patience(check_s=3600, stall_s=3600)


class FakeLive:
    """Viewers, and what a test shows them."""

    def __init__(self) -> None:
        self.viewers: list[Viewer] = []
        self.left: list[Viewer] = []
        self.error: SealcamError | None = None

    def enter(self, alias: str, who: str, wake: Callable[[], None]) -> Viewer:
        """A further one."""
        if self.error is not None:
            raise self.error
        viewer = Viewer(alias, who, wake)
        self.viewers.append(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """That one is gone."""
        viewer.close()
        if viewer in self.viewers:
            self.viewers.remove(viewer)
            self.left.append(viewer)

    def shows(self, content: Content, data: bytes, age: Age | None = None) -> None:
        """To all."""
        picture = Picture(7, content, data, 5000 * MS, 900 * MS, age, "video/mp4" if age is None else "")
        for viewer in self.viewers:
            viewer.show(picture)


class Client:
    """One browser's end of an answer: takes what comes, unless it is `stuck`."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.flows = asyncio.Event()
        self.flows.set()
        self.body = b""
        self.status = 0
        self.over = False

    async def receive(self) -> dict[str, object]:
        """Nothing, until it goes."""
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, object]) -> None:
        """What the answer says."""
        await self.flows.wait()
        if message["type"] == "http.response.start":
            self.status = int(str(message["status"]))
            return
        self.body += bytes(message["body"])  # type: ignore[call-overload]
        self.over = not message["more_body"]

    def blocks(self) -> list[tuple[Block, bytes, tuple[float, ...]]]:
        """What came, but for the signs of life."""
        found, at = [], 0
        while at < len(self.body):
            size, kind, *times = HEAD.unpack_from(self.body, at)
            found.append((Block(kind), self.body[at + HEAD.size : at + HEAD.size + size], tuple(times)))
            at += HEAD.size + size
        assert at == len(self.body)
        return [one for one in found if one[0] is not Block.STILL_HERE]


class Room:
    """Answers over a fake hub."""

    def __init__(self, patience: Patience) -> None:
        self.live = FakeLive()
        self.patience = patience
        self.signed_in = True
        self.open: set[ViewStream] = set()
        self.tasks: list[asyncio.Task[None]] = []

    def looks(self) -> Client:
        """A further browser."""
        client = Client()
        asked = _Asked(PORCH, "anna", lambda: self.signed_in)
        stream = ViewStream(self.live, asked, lambda: 1000 * MS, self.patience, self.open)
        self.tasks.append(asyncio.create_task(stream({"type": "http"}, client.receive, client.send)))
        return client

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the others run until it is so."""
        async with asyncio.timeout(SOON_S):
            while not condition():
                await asyncio.sleep(0)


@asynccontextmanager
async def room(patience: Patience = PATIENT) -> AsyncIterator[Room]:
    made = Room(patience)
    yield made
    for task in made.tasks:
        task.cancel()
    await asyncio.gather(*made.tasks, return_exceptions=True)
    assert made.live.viewers == []
    assert made.open == set()


def test_blocks_carry_their_times_and_a_beginning_its_type() -> None:
    async def run() -> None:
        async with room() as here:
            client = here.looks()
            await here.until(lambda: here.live.viewers)
            here.live.viewers[0].say(Words("live", "ü"))
            here.live.shows(Content.BEGINNING, b"\0moov")
            here.live.shows(Content.KEYFRAME, b"key", Age(30 * MS, 12 * MS))
            here.live.shows(Content.PICTURES, b"next", Age(40 * MS, None))
            await here.until(lambda: len(client.blocks()) == 4)
            words, beginning, key, following = client.blocks()
            assert json.loads(words[1]) == {"state": "live", "text": "ü"}
            assert beginning[:2] == (Block.BEGINNING, b"\0\0\0\7video/mp4\0\0moov")
            assert key[:2] == (Block.KEYFRAME, b"key")
            assert key[2] == (1000.0, 130.0, 12.0, 5000.0)  # it came a tenth of a second ago
            assert following[2][1] == 140.0
            assert following[2][2] != following[2][2]  # not a number

    asyncio.run(run())


def test_who_goes_away_is_let_go_at_once() -> None:
    async def run() -> None:
        async with room() as here:
            client = here.looks()
            await here.until(lambda: here.live.viewers)
            client.gone.set()
            await here.until(lambda: not here.live.viewers)
            await here.tasks[0]

    asyncio.run(run())


def test_who_takes_nothing_holds_up_nobody_and_looks_no_more() -> None:
    async def run() -> None:
        async with room(Patience(check_s=3600, stall_s=0.05)) as here:
            stuck, others = here.looks(), [here.looks() for _ in range(20)]
            await here.until(lambda: len(here.live.viewers) == 21)
            here.live.shows(Content.BEGINNING, b"moov")
            await here.until(lambda: len(stuck.blocks()) == 1)
            stuck.flows.clear()
            here.live.shows(Content.KEYFRAME, b"key", Age(0, None))
            await here.until(lambda: all(len(one.blocks()) == 2 for one in others))
            await here.until(lambda: here.live.left)
            assert len(here.live.viewers) == 20
            stuck.flows.set()
            await here.until(lambda: stuck.over)
            assert len(stuck.blocks()) == 2

    asyncio.run(run())


def test_who_signs_out_is_let_go_and_the_answer_ends_in_order() -> None:
    async def run() -> None:
        async with room(Patience(check_s=0.01, stall_s=3600)) as here:
            client = here.looks()
            await here.until(lambda: here.live.viewers)
            here.signed_in = False
            await here.until(lambda: client.over)
            await here.until(lambda: not here.live.viewers)

    asyncio.run(run())


def test_when_the_console_ends_every_answer_does() -> None:
    async def run() -> None:
        async with room() as here:
            clients = [here.looks() for _ in range(3)]
            await here.until(lambda: len(here.open) == 3)
            for one in tuple(here.open):
                one.close()
            await here.until(lambda: all(client.over for client in clients))

    asyncio.run(run())


# Through the console


def served(live: FakeLive | None) -> Starlette:
    """A console with that live source."""
    return create(
        FakeSource(),
        Feed(),
        hosts=("localhost",),
        door=FakeDoor(TOKEN),
        arm=lambda _alias, _mode: None,
        clock=lambda: NOW_NS,
        boot=lambda: 0,
        log=FakeLog(),
        live=live,
    )


@pytest.mark.parametrize("path", [f"/view/{PORCH}", f"/view/{PORCH}/stream"])
def test_nothing_is_shown_without_a_session(path: str) -> None:
    live = FakeLive()
    assert Visitor(served(live)).get(path).status_code == 403
    assert live.viewers == live.left == []


def test_the_page_may_play_from_memory_and_nothing_else() -> None:
    visitor = Visitor(served(FakeLive())).sign_in()
    answer = visitor.get(f"/view/{PORCH}")
    assert answer.status_code == 200
    assert "media-src 'self' blob:" in answer.headers["content-security-policy"]
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert f'href="/view/{PORCH}"' in visitor.get("/").text


@pytest.mark.parametrize("path", ["/view/" + "f" * 16, "/view/x", f"/view/{PORCH}x/stream", "/view/..%2f/stream"])
def test_a_camera_that_is_not_there_is_not_found(path: str) -> None:
    assert Visitor(served(FakeLive())).sign_in().get(path).status_code == 404


def test_a_console_without_live_pictures_leads_to_none() -> None:
    visitor = Visitor(served(None)).sign_in()
    assert "/view/" not in visitor.get("/").text
    assert visitor.get(f"/view/{PORCH}").status_code == 404


def test_what_hinders_a_view_is_said_before_it_begins() -> None:
    live = FakeLive()
    live.error = SealcamError("too many live views are open", "close one")
    answer = Visitor(served(live)).sign_in().get(f"/view/{PORCH}/stream")
    assert answer.status_code == 409
    assert "oo many live views are open" in answer.text


def test_pages_know_whether_there_are_live_pictures() -> None:
    def render(_name: str, _values: object) -> None:
        raise AssertionError

    pages = ViewPages(FakeSource(), None, lambda: 0, render, lambda _request: None)  # type: ignore[arg-type]
    assert not pages.there
    pages.close()
