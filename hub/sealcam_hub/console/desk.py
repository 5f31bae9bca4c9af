"""What a part of the console is given, and what it gives: its addresses, and its place in the navigation.

A part is a room of the console of its own (review, sharing, ...). `app` hangs it up; which parts there are says
`sealcam_hub.parts`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route

from sealcam_hub.console.events import Streams
from sealcam_hub.console.log import LogPages
from sealcam_hub.console.session import Session

Handler = Callable[[Request, Session], Awaitable[Response]]
Private = Callable[[Handler], Callable[[Request], Awaitable[Response]]]


class Render(Protocol):
    """Makes a page out of a template; what every page shows is added."""

    def __call__(self, name: str, values: Mapping[str, object], code: int = 200) -> HTMLResponse:
        """The page `name` with `values`, answered with `code`."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What the console gives each part.

    `private` wraps a handler so that nobody without a session reaches it; `log` makes the entry that looking at an
    incident or a clip is, to be called before anything of it is shown; `streams` tells open pages of a change;
    `clock()` is wall time and `boot()` time since boot, in nanoseconds.
    """

    page: Render
    private: Private
    log: LogPages
    streams: Streams
    clock: Callable[[], int]
    boot: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Link:
    """A place in the navigation: its words and its address."""

    words: str
    address: str


class Part(Protocol):
    """A room of the console. What blocks in its handlers runs on a thread (`anyio.to_thread`)."""

    @property
    def link(self) -> Link | None:
        """Where it stands in the navigation, if there."""
        ...

    def routes(self, desk: Desk) -> Sequence[Route | Mount]:
        """Its addresses; asked for once."""
        ...
