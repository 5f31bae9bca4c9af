"""A console on this machine over a fake hub, and a browser; both for as long as one test."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sealcam_hub.console.app import create
from sealcam_hub.console.server import ConsoleServer
from sealcam_hub.feed import Feed
from tests.unit.hub.console_client import TOKEN, once
from tests.unit.hub.console_fake import NOW_NS, FakeSource, incident
from tests.web.browser import Browser, browsing, chromium


class Hub:
    """A console that runs, and what happens in its home."""

    def __init__(self, address: str, source: FakeSource, feed: Feed) -> None:
        self.address = address
        self.source = source
        self.feed = feed

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


@pytest.fixture
def hub() -> Iterator[Hub]:
    source, feed = FakeSource([incident(n) for n in range(60)]), Feed()

    def arm(_alias: str, mode: str) -> None:
        source.there = [replace(source.there[0], wished=mode)]

    app = create(source, feed, hosts=("localhost",), redeem=once(TOKEN), arm=arm, clock=lambda: NOW_NS)
    server = ConsoleServer(app)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield Hub(f"http://localhost:{port}", source, feed)
        server.should_exit = True
        thread.join()


@pytest.fixture
def browser(hub: Hub) -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    with browsing(program) as made:
        made.size(1280, 900)
        made.open(f"{hub.address}/?token={TOKEN}")
        made.wait("document.querySelector('[data-pulse]')?.textContent === 'Live'")
        yield made
