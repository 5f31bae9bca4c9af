"""Every address that the real console of a hub routes, with values for its parameters; and what is everybody's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from sealcam_hub import front
from sealcam_hub.console.door_ways import Ways
from sealcam_hub.doors import Door
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home
from sealcam_hub.members import People
from tests.hubs import Camera, opened
from tests.unit.hub.console_client import PASSPHRASE, Visitor
from tests.unit.hub.household import THEIRS

# What answers somebody without a session: the door itself, and files without anything of the home.
OPEN = {"/", "/login", "/logout", "/passphrase", "/passkey/ask", "/passkey", "/join", "/open"}
ENDLESS = {"/live", "/view/{alias}/stream"}
VALUES: Mapping[str, str] = {
    "incident": "0123456789abcdef-0000000000000001",
    "clip": "0" * 32,
    "alias": "0" * 16,
    "part": "cards",
}


@dataclass(frozen=True)
class Address:
    """One address and one way to ask for it."""

    method: str
    route: str
    names: tuple[str, ...]

    def path(self, values: Mapping[str, str] = VALUES) -> str:
        """With values for its parameters; `1` where none is given."""
        text = self.route
        for name in self.names:
            head, _, tail = text.partition("{" + name)
            text = head + values.get(name, "1") + tail.partition("}")[2]
        return text


def addresses(app: Starlette) -> list[Address]:
    """All of them but files."""
    found = []
    for route in app.routes:
        if isinstance(route, Mount):
            assert route.path == "/static", f"{route.path} isn't walked"
            continue
        assert isinstance(route, Route), route
        names = tuple(route.param_convertors)
        found += [Address(method, route.path, names) for method in sorted(route.methods or ()) if method != "HEAD"]
    return found


def hidden(app: Starlette) -> list[Address]:
    """Those that need a session."""
    return [one for one in addresses(app) if one.route not in OPEN]


@dataclass(frozen=True)
class Real:
    """The console of a real hub with one camera and one member."""

    app: Starlette
    home: Home

    def owner(self) -> Visitor:
        """A browser that the owner is signed in with."""
        visitor = Visitor(self.app)
        assert visitor.post("/login", {"passphrase": PASSPHRASE}).status_code == 303
        return visitor

    def member(self) -> Visitor:
        """A browser that the member is signed in with."""
        visitor = Visitor(self.app)
        assert visitor.post("/login", {"name": "Anna", "passphrase": THEIRS}).status_code == 303
        return visitor


@contextmanager
def real(path: Path) -> Iterator[Real]:
    """A hub in `path` with its console as `serve` makes it."""
    with opened(path) as home:
        Camera().claim(home, "Front door")
        Door(home.folder).choose(PASSPHRASE)
        people = People(home.store, home.keys, home.clock)
        people.join(people.invite("Anna", 1), THEIRS)
        live = home.live(lambda _alias, _command: True)
        yield Real(front.pages(home, Feed(), live, ("localhost",), Ways()), home)
