"""A console on this machine over a fake hub, and a browser; both for as long as one test."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from time import monotonic_ns

import pytest

from sealcam_hub.console import assets
from sealcam_hub.console.app import create
from sealcam_hub.console.server import ConsoleServer
from sealcam_hub.feed import Feed
from tests.unit.hub.console_client import PASSPHRASE, TOKEN
from tests.unit.hub.console_clips import FakeClips
from tests.unit.hub.console_fake import NOW_NS, FakeDoor, FakeLog, FakeSource, incident
from tests.web.browser import Browser, browsing, chromium


class Hub:
    """A console that runs, and what happens in its home."""

    def __init__(self) -> None:
        self.source, self.feed = FakeSource([incident(n) for n in range(60)]), Feed()
        self.log, self.clips = FakeLog(120), FakeClips()
        self.door = FakeDoor(TOKEN)
        self.port = 0
        self._end = ExitStack()

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://localhost:{self.port}"

    def begins(self, version: str = assets.VERSION) -> None:
        """Serve, from now on and where it did before, pages of that version."""
        app = create(
            self.source,
            self.feed,
            hosts=("localhost",),
            door=self.door,
            arm=self._arm,
            clock=lambda: NOW_NS,
            boot=monotonic_ns,
            log=self.log,
            clips=self.clips,
            version=version,
        )
        server = ConsoleServer(app)
        listening = self._end.enter_context(socket.create_server(("127.0.0.1", self.port)))
        self.port = listening.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        self._end.callback(thread.join)
        self._end.callback(setattr, server, "should_exit", True)
        thread.start()

    def ends(self) -> None:
        """Serve no more; who was signed in is forgotten."""
        self._end.close()

    def _arm(self, _alias: str, mode: str) -> None:
        self.source.there = [replace(self.source.there[0], wished=mode)]

    def sees(self, number: int, **changes: object) -> None:
        """An incident begins, or says more."""
        made = incident(number, **changes)
        others = [one for one in self.source.shown if one.id != made.id]
        self.source.shown = sorted([made, *others], key=lambda one: -one.arrived_ns)
        self.feed.publish(f"incident/{made.id}")

    def camera(self, **changes: object) -> None:
        """The camera's beat says something else."""
        self.source.there = [replace(self.source.there[0], **changes)]
        self.feed.publish(f"camera/{self.source.there[0].alias}")


def fill(browser: Browser, **fields: str) -> None:
    """Type into the fields of the page's form and press its button, as a person does."""
    for name, text in fields.items():
        browser.wait(f"document.querySelector('form.door [name={name}]')")
        browser.ask(f"document.querySelector('form.door [name={name}]').focus()")
        browser.call("Input.insertText", text=text)
    browser.ask("document.querySelector('form.door button').click()")


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub()
    made.begins()
    yield made
    made.ends()


@pytest.fixture
def browser(hub: Hub) -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    with browsing(program) as made:
        made.size(1280, 900)
        made.open(f"{hub.address}/?token={TOKEN}")
        fill(made, new=PASSPHRASE, again=PASSPHRASE)
        made.wait("document.querySelector('[data-pulse]')?.textContent === 'Live'")
        yield made
