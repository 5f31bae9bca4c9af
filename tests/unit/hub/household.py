"""A console over a fake home with real people: members, passkeys and log in a hub of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette

from sealcam_hub.audit_source import AuditSource
from sealcam_hub.console.app import create
from sealcam_hub.console.door_people import Household
from sealcam_hub.console.door_ways import Ways
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home
from sealcam_hub.members import People
from sealcam_hub.members_passkeys import Keyring
from tests.hubs import opened
from tests.unit.hub.console_client import HERE, PASSPHRASE, TOKEN, Armed, Visitor
from tests.unit.hub.console_clips import FakeClips
from tests.unit.hub.console_fake import FakeDoor, FakeSource, incident

THEIRS = "a member's very own words"


@dataclass
class House:
    """The console, its hub, and who comes to it."""

    app: Starlette
    home: Home
    people: People
    keyring: Keyring
    source: FakeSource
    armed: Armed
    boot: list[int]
    address: str = HERE

    def owner(self) -> Visitor:
        """A browser that the owner is signed in with."""
        return Visitor(self.app).sign_in()

    def invite(self, owner: Visitor, name: str = "Anna", days: str = "3") -> str:
        """The token of an invitation that the owner makes on the page."""
        page = owner.post("/members/invite", {"csrf": owner.csrf(), "name": name, "days": days})
        found = re.search(r"/join\?token=([\w-]+)", page.text)
        assert found is not None, page.text
        return found[1]

    def member(self, owner: Visitor, name: str = "Anna") -> Visitor:
        """A browser that a new member is signed in with."""
        visitor = Visitor(self.app)
        token = self.invite(owner, name)
        answer = visitor.post("/join", {"token": token, "new": THEIRS, "again": THEIRS})
        assert (answer.status_code, answer.headers["location"]) == (303, "/me")
        return visitor

    def log(self) -> list[tuple[str, str, str]]:
        """Actor, action and detail of the audit log, oldest first."""
        shown = AuditSource(self.home.store, self.home.keys, self.home.clock).newest(100)
        assert shown.holds
        return [(one.actor, one.action, one.detail) for one in reversed(shown.entries)]


@contextmanager
def housed(path: Path, ways: Ways | None = None, hosts: tuple[str, ...] = ("localhost",)) -> Iterator[House]:
    """A console whose owner has a passphrase, over a new hub in `path`."""
    with opened(path) as home:
        people, keyring = People(home.store, home.keys, home.clock), Keyring(home.store, home.keys, home.clock)
        source, armed, boot = FakeSource([incident(1)]), Armed(), [0]
        app = create(
            source,
            Feed(),
            hosts=hosts,
            door=FakeDoor(TOKEN, passphrase=PASSPHRASE),
            arm=armed,
            clock=home.clock.wall_ns,
            boot=lambda: boot[0],
            log=AuditSource(home.store, home.keys, home.clock),
            clips=FakeClips(),
            household=Household(people, keyring),
            ways=ways or Ways(),
        )
        yield House(app, home, people, keyring, source, armed, boot)


def fields(page: str, action: str) -> Mapping[str, str]:
    """The hidden fields of the page's first form with that action."""
    form: Callable[[str], re.Match[str] | None] = re.compile(
        rf'<form[^>]*action="{action}".*?</form>', re.DOTALL
    ).search
    found = form(page)
    assert found is not None, f"no form for {action}"
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', found[0]))
