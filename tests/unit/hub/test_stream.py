"""A clip on its way to a browser that stalls, goes, or asks for what can't be read: it is let go of, nothing hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from sealcam_hub.console.stream import PIECE, ClipStream
from tests.unit.hub.console_clips import FakeOpenClip, info

CONTENT = bytes(range(251)) * 9000


class Browser:
    """The other side: takes so many pieces and then stalls or goes."""

    def __init__(self, takes: int, goes: bool = False) -> None:
        self.parts: list[bytes] = []
        self.status = 0
        self.over = False
        self._takes, self._goes = takes, goes
        self._gone = asyncio.Event()

    async def receive(self) -> dict[str, object]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            self.status = int(str(message["status"]))
            return
        if len(self.parts) >= self._takes:
            if self._goes:
                self._gone.set()
            await asyncio.Event().wait()  # for ever, as a full socket does
        body = message["body"]
        assert isinstance(body, bytes)
        self.parts.append(body)
        self.over = not message.get("more_body")


def watched(
    takes: int, goes: bool = False, stall_s: float = 60, change: Callable[[FakeOpenClip], None] = lambda _: None
) -> tuple[Browser, FakeOpenClip]:
    clip = FakeOpenClip(CONTENT, info())
    change(clip)

    async def run() -> Browser:
        browser = Browser(takes, goes)
        stream = ClipStream(clip, 100, len(CONTENT), 206, {}, head=False, stall_s=stall_s)
        await asyncio.wait_for(stream({}, browser.receive, browser.send), 20)  # type: ignore[arg-type]
        return browser

    return asyncio.run(run()), clip


def test_all_of_it_comes_in_small_pieces() -> None:
    browser, clip = watched(takes=1000)
    assert b"".join(browser.parts) == CONTENT[100:]
    assert browser.over
    assert max(map(len, browser.parts)) == PIECE
    assert not clip.open


@pytest.mark.parametrize(("goes", "stall_s"), [(True, 60), (False, 0.01)])
def test_whoever_goes_or_takes_nothing_is_let_go_of(goes: bool, stall_s: float) -> None:
    browser, clip = watched(takes=2, goes=goes, stall_s=stall_s)
    assert len(browser.parts) == 2
    assert not browser.over, "it isn't said to be whole"
    assert not clip.open
    assert len(clip.reads) == 3, "nothing is read ahead of who doesn't take it"


def test_what_cannot_be_read_ends_the_answer_and_is_told_without_the_clip(caplog: pytest.LogCaptureFixture) -> None:
    def breaks(clip: FakeOpenClip) -> None:
        clip.fails_at = PIECE + 10

    browser, clip = watched(takes=1000, change=breaks)
    assert b"".join(browser.parts) == CONTENT[100:PIECE]
    assert not browser.over
    assert not clip.open
    assert "can't be read" in caplog.text
