"""The console's live view: a page for each camera, and its picture as one answer that goes on while somebody looks.

The answer is a row of blocks, each `HEAD` and then as many bytes as it says. A viewer who takes nothing for too
long is let go, so that the camera's session ends; whoever signs out is let go soon (`Patience`). What is shown, and
to how many, is `sealcam_hub.live`'s. design/clips.md, "Live view, hub".
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import anyio
from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sealcam.wire.live import Content
from sealcam_hub.console.lasting import until_gone
from sealcam_hub.console.session import Session
from sealcam_hub.console.source import ConsoleSource
from sealcam_hub.live_picture import Picture, Words
from sealcam_hub.live_viewer import Viewer

# Of a block: bytes that follow, kind, then milliseconds: the hub's clock now; how old the newest picture in it is for
# certain; what comes on top by both wall clocks, not a number where they can't tell; the camera's clock when it was
# seen.
HEAD = struct.Struct(">IB3xdddd")
_ALIAS = re.compile(r"[0-9a-f]{16}")
_HEADERS = [(b"content-type", b"application/octet-stream"), (b"x-accel-buffering", b"no")]


class LiveSource(Protocol):
    """Where live pictures come from: `sealcam_hub.live.LiveViews` is the real one. Both calls may block."""

    def enter(self, alias: str, who: str, wake: Callable[[], None], /) -> Viewer:
        """A further viewer of a camera; `wake` is called from any thread; a `SealcamError` where that can't be."""
        ...

    def leave(self, viewer: Viewer, /) -> None:
        """That one looks no more; doing so twice is harmless."""
        ...


class Block(IntEnum):
    """What a block holds."""

    WORDS = 0  # JSON: `state` and `text`
    BEGINNING = 1  # the number of the stream, u32; its media type, a zero; what a player needs before pictures
    KEYFRAME = 2
    PICTURES = 3
    STILL_HERE = 4  # nothing


_BLOCKS = {Content.BEGINNING: Block.BEGINNING, Content.KEYFRAME: Block.KEYFRAME, Content.PICTURES: Block.PICTURES}


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a stream looks whether its session still stands, and how long it waits for a viewer to take more."""

    check_s: float = 5.0
    stall_s: float = 20.0


PATIENCE = Patience()


class ViewPages:
    """What `app` routes to. `render(template, values)` makes a page, `session(request)` says who asks."""

    def __init__(
        self,
        source: ConsoleSource,
        live: LiveSource | None,
        boot: Callable[[], int],
        render: Callable[[str, Mapping[str, object]], Response],
        session: Callable[[Request], Session | None],
        patience: Patience = PATIENCE,
    ) -> None:
        self._source, self._live, self._render, self._session = source, live, render, session
        self._boot, self._patience = boot, patience
        self._open: set[ViewStream] = set()

    @property
    def there(self) -> bool:
        """Whether there are any."""
        return self._live is not None

    async def page(self, request: Request, session: Session) -> Response:
        """`/view/{alias}`."""
        alias = _alias(request)
        camera = next((one for one in await to_thread.run_sync(self._source.cameras) if one.alias == alias), None)
        if camera is None or self._live is None:
            raise HTTPException(404)
        return self._render("view.html", {"camera": camera, "csrf": session.csrf})

    async def stream(self, request: Request, session: Session) -> Response:
        """`/view/{alias}/stream`."""
        if self._live is None:
            raise HTTPException(404)

        def stays() -> bool:
            return self._session(request) is not None

        asked = _Asked(_alias(request), session.csrf, stays)
        return ViewStream(self._live, asked, self._boot, self._patience, self._open)

    def close(self) -> None:
        """End every stream; from the server's own thread."""
        for one in tuple(self._open):
            one.close()


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which camera, by whom, and whether that one is still signed in."""

    alias: str
    who: str
    stays: Callable[[], bool]


class ViewStream(Response):
    """The answer that stays open until the viewer, the session or the hub goes."""

    def __init__(
        self,
        live: LiveSource,
        asked: _Asked,
        boot: Callable[[], int],
        patience: Patience,
        others: set[ViewStream],
    ) -> None:
        super().__init__()
        self._live, self._asked, self._boot, self._patience = live, asked, boot, patience
        self._others = others
        self._changed = asyncio.Event()
        self._closed = False

    def close(self) -> None:
        """End it; from the server's own thread."""
        self._closed = True
        self._changed.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show until one side ends."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the server has just ended
                loop.call_soon_threadsafe(self._changed.set)

        viewer = await to_thread.run_sync(self._live.enter, self._asked.alias, self._asked.who, wake)
        self._others.add(self)
        try:
            await until_gone(receive, self._show(viewer, send))
        finally:
            self._others.discard(self)
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self._live.leave, viewer)

    async def _show(self, viewer: Viewer, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
        while not (self._closed or viewer.closed) and self._asked.stays():
            with anyio.move_on_after(self._patience.check_s):
                await self._changed.wait()
            self._changed.clear()
            words, pictures = viewer.take()
            blocks = self._blocks(words, pictures) or [_block(Block.STILL_HERE, b"", self._boot())]
            await self._send(viewer, send, b"".join(blocks))
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send(self, viewer: Viewer, send: Send, body: bytes) -> None:
        """Send it; a viewer who takes nothing for too long looks no more, whatever becomes of the connection."""
        async with anyio.create_task_group() as tasks:

            async def let_go() -> None:
                await anyio.sleep(self._patience.stall_s)
                await to_thread.run_sync(self._live.leave, viewer)

            tasks.start_soon(let_go)
            await send({"type": "http.response.body", "body": body, "more_body": True})
            tasks.cancel_scope.cancel()

    def _blocks(self, words: Words | None, pictures: tuple[Picture, ...]) -> list[bytes]:
        now_ns = self._boot()
        said = [] if words is None else [json.dumps({"state": words.state, "text": words.text}).encode()]
        found = [_block(Block.WORDS, one, now_ns) for one in said]
        return found + [_picture(one, now_ns) for one in pictures]


def _picture(picture: Picture, now_ns: int) -> bytes:
    kind = _BLOCKS[picture.content]
    if kind is Block.BEGINNING:
        media = picture.media.encode("ascii", "replace").replace(b"\0", b"?")
        return _block(kind, struct.pack(">I", picture.stream & 0xFFFFFFFF) + media + b"\0" + picture.data, now_ns)
    return _block(kind, picture.data, now_ns, picture)


def _block(kind: Block, data: bytes, now_ns: int, picture: Picture | None = None) -> bytes:
    age_ms = way_ms = seen_ms = math.nan
    if picture is not None and picture.age is not None:
        age_ms = (picture.age.least_ns + max(0, now_ns - picture.arrived_ns)) / 1e6
        way_ms = math.nan if picture.age.way_ns is None else picture.age.way_ns / 1e6
        seen_ms = picture.seen_ns / 1e6
    return HEAD.pack(len(data), kind, now_ns / 1e6, age_ms, way_ms, seen_ms) + data


def _alias(request: Request) -> str:
    alias: str = request.path_params["alias"]
    if not _ALIAS.fullmatch(alias):
        raise HTTPException(404)
    return alias
