"""The room "Notifications" in a real browser: set up by keyboard, on a phone, and a push message that is shown."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic_ns

import pytest

from sealcam_hub.console.app import create
from sealcam_hub.console.notifications import NotificationsRoom
from sealcam_hub.console.server import ConsoleServer
from sealcam_hub.feed import Feed
from sealcam_hub.notifying.manage import Notifications
from sealcam_hub.receive import Receiver
from tests.hubs import Camera, opened
from tests.listener import Listener, listening
from tests.unit.hub.console_client import PASSPHRASE, TOKEN
from tests.unit.hub.console_fake import FakeDoor, FakeLog, FakeSource
from tests.unit.hub.test_notify import Phone, again
from tests.waiting import eventually
from tests.web.browser import PATIENCE_S, Browser, browsing, chromium
from tests.web.conftest import fill
from tests.web.shots import shot

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
WORKER = "navigator.serviceWorker.getRegistration('/static/push/worker.js')"
STATE = "document.querySelector('[data-push-state]').textContent"


@dataclass
class Room:
    """A console that runs over a real hub, a browser that is signed in, and what services are sent."""

    address: str
    manage: Notifications
    browser: Browser
    listener: Listener

    def opens(self) -> None:
        self.browser.open(f"{self.address}/notifications")
        self.browser.wait(f"!{STATE}.startsWith('Needs')")

    def allow(self) -> None:
        """Say yes to notifications, as a person does in the browser's own question."""
        self.browser.call("Browser.grantPermissions", origin=self.address, permissions=["notifications"])


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    with listening() as listener, opened(tmp_path / "hub") as home, browsing(program) as browser:
        manage, camera = Notifications(home), Camera()
        camera.claim(home, "Front door")
        camera.clock = home.clock
        app = create(
            FakeSource(),
            Feed(),
            hosts=("localhost",),
            door=FakeDoor(TOKEN),
            arm=lambda _alias, _mode: None,
            clock=home.clock.wall_ns,
            boot=monotonic_ns,
            log=FakeLog(),
            parts=(NotificationsRoom(manage),),
            opened=manage.seen,
        )
        server = ConsoleServer(app)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]})
            thread.start()
            made = Room(f"http://localhost:{taken.getsockname()[1]}", manage, browser, listener)
            try:
                browser.size(1280, 900)
                browser.open(f"{made.address}/?token={TOKEN}")
                fill(browser, new=PASSPHRASE, again=PASSPHRASE)
                browser.wait("document.querySelector('[data-pulse]')?.textContent === 'Live'")
                _happened(manage, camera, listener)
                yield made
            finally:
                server.should_exit = True
                thread.join()


def _happened(manage: Notifications, camera: Camera, listener: Listener) -> None:
    """A phone and a service were added, and told of a threat that nobody has looked at."""
    manage.host(listener.origin)
    manage.add_browser(*Phone(listener).words())
    manage.add_service("Neighbour", listener.origin.replace("http", "json") + "/next", 300)
    telling = again(manage.home, Feed())
    telling.run_once()
    receiver = Receiver(manage.home.store, manage.home.keys, manage.home.clock)
    receiver.take(camera.alias, camera.incident(1), manage.home.clock.wall_ns() + 1)
    telling.run_once()


def press(browser: Browser, key: str, code: str, number: int) -> None:
    for kind in ("keyDown", "keyUp"):
        text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
        browser.call("Input.dispatchKeyEvent", type=kind, key=key, code=code, windowsVirtualKeyCode=number, **text)


def test_a_service_is_added_by_keyboard_and_tried(room: Room) -> None:
    room.opens()
    browser = room.browser
    browser.ask("document.querySelector('#service input[name=name]').focus()")
    browser.call("Input.insertText", text="Family")
    press(browser, "Tab", "Tab", 9)
    browser.call("Input.insertText", text=room.listener.origin.replace("http", "json") + "/family")
    press(browser, "Enter", "Enter", 13)
    browser.wait("document.querySelector('#who')?.textContent.includes('Family')")
    assert "/family" not in str(browser.ask("document.documentElement.outerHTML"))
    browser.ask("[...document.querySelectorAll('#who .row')].at(-1).querySelector('button').focus()")
    press(browser, "Enter", "Enter", 13)
    browser.wait("document.querySelector('[role=status].asked')?.textContent.includes('Family')")
    assert [one.path for one in room.listener.heard][-1].startswith("/family")
    assert browser.problems == []


def test_what_is_waiting_is_seen_with_one_press(room: Room) -> None:
    room.opens()
    browser = room.browser
    assert "Front door: a threat" in str(browser.ask("document.querySelector('#unseen').textContent"))
    browser.ask("document.querySelector('#unseen button').focus()")
    press(browser, "Enter", "Enter", 13)
    browser.wait("!document.querySelector('#unseen')")
    assert room.manage.unseen() == ()


def test_this_browser_is_off_until_somebody_turns_it_on_and_a_failure_is_said(room: Room) -> None:
    room.opens()
    browser = room.browser
    assert browser.ask(STATE) == "Off in this browser."
    assert browser.ask("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    room.allow()
    browser.ask("document.querySelector('#browser input[name=name]').focus()")
    browser.call("Input.insertText", text="This one")
    press(browser, "Enter", "Enter", 13)
    # A Chromium without its maker's services has nobody to ask for a subscription.
    browser.wait(
        "!document.querySelector('[data-push-problem]').hidden || document.body.textContent.includes('This one')"
    )
    assert "push service" in str(browser.ask("document.querySelector('[data-push-problem]').textContent"))
    assert [one.name for one in room.manage.targets()] == ["Anna's phone", "Neighbour"]
    assert browser.problems == []


def test_a_push_message_is_shown_replaced_and_names_where_to_look(room: Room) -> None:
    events: list[dict[str, object]] = []
    room.opens()
    browser, note = room.browser, room.browser._note

    def keep(event: dict[str, object]) -> None:
        events.append(event)
        note(event)

    browser._note = keep  # type: ignore[method-assign]
    room.allow()
    browser.call("ServiceWorker.enable")
    browser.call("BackgroundService.startObserving", service="notifications")
    browser.call("BackgroundService.setRecording", service="notifications", shouldRecord=True)
    browser.ask("navigator.serviceWorker.register('/static/push/worker.js').then(() => true)")
    active = f"{WORKER}.then((one) => one?.active?.state === 'activated')"
    eventually(lambda: browser.ask(active) is True, PATIENCE_S, "the worker runs")

    def registration() -> str | None:
        browser.ask("1")
        for event in events:
            if event.get("method") == "ServiceWorker.workerRegistrationUpdated":
                for one in event["params"]["registrations"]:  # type: ignore[index]
                    return str(one["registrationId"])
        return None

    eventually(lambda: registration() is not None, PATIENCE_S, "the worker is registered")

    def push(**said: object) -> None:
        data = json.dumps({"tag": "incident/x", "path": "/incident/x", "loud": True} | said)
        asked = {"origin": room.address, "registrationId": registration(), "data": data}
        browser.call("ServiceWorker.deliverPushMessage", **asked)

    shown = f"{WORKER}.then((one) => one.getNotifications())"
    told = f"{shown}.then((all) => all.map((one) => [one.title, one.body, one.tag, one.data.path]))"

    def displayed() -> int:
        """How often one was. Asking for them earlier makes the browser forget those that it has yet to display."""
        browser.ask("1")
        seen = [
            one["params"] for one in events if one.get("method") == "BackgroundService.backgroundServiceEventReceived"
        ]
        return sum("displayed" in one["backgroundServiceEvent"]["eventName"] for one in seen)  # type: ignore[index]

    def appears(words: str, times: int) -> None:
        eventually(lambda: displayed() == times, PATIENCE_S, words)
        wanted = [["Sealcam", words, "incident/x", "/incident/x"]]
        eventually(lambda: browser.ask(told) == wanted, PATIENCE_S, words)

    push(words="Front door: movement")
    appears("Front door: movement", 1)
    push(words="Front door: person", loud=False)
    appears("Front door: person", 2)
    assert browser.problems == []


def test_the_page_fits_a_phone_and_a_desk_in_light_and_dark(room: Room) -> None:
    browser = room.browser
    room.opens()
    shot(browser, "notifications")
    browser.size(320, 700)
    assert browser.ask("document.documentElement.scrollWidth") == 320
    names = browser.ask(
        "[...document.querySelectorAll('input:not([type=hidden]), select')].filter((one) => !one.labels.length).length"
    )
    assert names == 0
