"""Every page of a real hub for everybody: by screen reader (accessibility tree), by keyboard alone, without scripts.

One hub and one browser for the whole file; each test asks a page of its own. With SEALCAM_SCREENSHOTS=DIR each page is
kept there as a picture.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from sealcam.wire.bodies import IncidentPath, Mode, Stage
from sealcam_hub.clock import SystemClock
from sealcam_hub.console.door_ways import Ways
from sealcam_hub.console.server import ConsoleServer
from sealcam_hub.doors import make_link
from sealcam_hub.feed import Feed
from sealcam_hub.front import pages
from sealcam_hub.home import open_home
from sealcam_hub.pump import Pump, RecordingLink
from sealcam_hub.receive import Receiver
from tests.hubs import Camera, make
from tests.live_camera import Line, views
from tests.unit.hub.console_client import PASSPHRASE
from tests.web import shots
from tests.web.browser import Browser, browsing, chromium
from tests.web.conftest import fill

PATH = IncidentPath(
    after_ms=(0, 4000), boxes=(20, 900, 40, 500, 700, 800, 80, 400), aspect=1778, framed=(100, 100, 900, 900)
)
CONTROLS = {
    *("button", "link", "textbox", "searchbox", "checkbox", "radio", "combobox", "listbox", "slider", "spinbutton"),
    *("switch", "tab", "menuitem", "Date", "InputTime", "DisclosureTriangle"),
}
PICTURES = {"image", "img", "Video", "graphics-document"}
PAGES = {
    "now": "/",
    "timeline": "/timeline",
    "nothing found": "/timeline?q=unicorn",
    "incident": "/incident/{incident}",
    "delete": "/incident/{incident}/delete",
    "clip": "/clip/{clip}",
    "live": "/view/{alias}",
    "review": "/review",
    "review data": "/review/data",
    "sharing": "/sharing",
    "cameras": "/cameras",
    "camera": "/cameras/{alias}",
    "household": "/household",
    "notifications": "/notifications",
    "off-site": "/offsite",
    "members": "/members",
    "me": "/me",
    "passphrase": "/passphrase",
    "log": "/log",
    "nowhere": "/nowhere",
}
# Of each form: its page, where it goes, what is filled in, the button, and what stands there afterwards.
FORMS = {
    "arm": ("/", "form[action='/arm']", "", "[value=night]", ".modes__wait"),
    "search": ("/timeline", "form.filter", "verdict.value = 'threat'", "button", ".card--threat"),
    "fetch": ("/incident/{incident}", "form[action$='/fetch']", "", "button", ".clips__one--asked"),
    "mark": ("/review", "form[action='/review/mark']", "", "[value=benign]", "[data-undo] button:not([disabled])"),
    "areas": (
        "/cameras/{alias}",
        "form[action$='/areas']",
        "areas.value = 'watch Drive: 8,55 45,40 60,95'",
        ".button--main",
        ".asked--waits",
    ),
    "rule": (
        "/household",
        "form[action='/household/rules'].hours",
        "querySelector('[type=checkbox]').checked = true",
        ".room__do button",
        "form[action='/household/rules'] [name=remove]",
    ),
    "invite": ("/members", "form[action='/members/invite']", "name.value = 'Anna'", "button", "[name=invitation]"),
    "what is told": (
        "/notifications",
        "form[action$='/what']",
        "incidents.checked = true",
        "button",
        "[name=incidents]:checked",
    ),
}
FOCUS = """(() => {
    const on = document.activeElement, box = on.getBoundingClientRect();
    const drawn = (which) => {
        const style = getComputedStyle(on, which);
        return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
    };
    const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    return {
        what: on.tagName + ' ' + (on.getAttribute('href') ?? on.name ?? '') + ' ' + on.textContent.trim().slice(0, 40),
        // The browser marks the part of a date that has the focus, and not the whole.
        seen: box.width > 0 && inside && (on.type === 'date' || drawn(null) || drawn('::after')),
        href: on.getAttribute('href'),
        value: on.value ?? '',
    };
})()"""


@dataclass
class House:
    """A console over a real hub, whose camera saw some people, and a browser that is in."""

    address: str
    browser: Browser
    names: dict[str, str]

    def at(self, path: str) -> str:
        return self.address + path.format(**self.names)

    def scripts(self, on: bool) -> None:
        self.browser.call("Emulation.setScriptExecutionDisabled", value=not on)

    def opens(self, path: str) -> None:
        self.browser.call("Page.navigate", url=self.at(path))
        # `open` would take the page that is left for the one that comes, where no script tells them apart.
        self.browser.wait(f"location.href === '{self.at(path)}' && document.readyState === 'complete'")

    def press(self, key: str, code: int) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self.browser.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)
            if key == "Enter" and kind == "rawKeyDown":
                self.browser.call("Input.dispatchKeyEvent", type="char", text="\r")

    def tree(self) -> list[dict[str, Any]]:
        """What a screen reader is given, without what it passes over, in its order."""
        nodes: list[dict[str, Any]] = self.browser.call("Accessibility.getFullAXTree")["nodes"]  # type: ignore[assignment]
        known = {one["nodeId"]: one for one in nodes}
        found, waiting = [], [nodes[0]["nodeId"]]
        while waiting:
            node = known.get(waiting.pop())
            if node is not None:
                found.append(node)
                waiting += reversed(node.get("childIds", []))
        return [one for one in found if not one.get("ignored")]


def picture() -> bytes:
    shade = np.tile(np.linspace(30, 200, 320, dtype=np.uint8), (180, 1))
    return bytes(cv2.imencode(".jpg", shade)[1])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    clock, camera, feed = SystemClock(), Camera(), Feed()
    with open_home(make(tmp_path_factory.mktemp("everybody") / "hub"), clock) as home, browsing(program) as browser:
        camera.claim(home, "Front door")
        camera.clock = clock  # type: ignore[assignment]  # it beats in time with the hub
        pump = Pump(Receiver(home.store, home.keys, clock), home.wishes(), feed, clock)
        live = views(home, Line(camera))
        first = camera.incident(1, picture=picture(), clip=camera.clip_key(1), path=PATH)
        for one in (camera.beat(Mode.AWAY), first, camera.incident(1, Stage.END, path=PATH), camera.clip(1)):
            pump.deliver(camera.alias, one)
        for number in range(2, 6):
            for one in (camera.incident(number, picture=picture()), camera.incident(number, Stage.END)):
                pump.deliver(camera.alias, one)
        while pump.run_once(RecordingLink(), 0):
            pass
        incident, gone = (f"{camera.alias}-{number:016x}" for number in (1, 2))
        server = ConsoleServer(pages(home, feed, live, ("localhost",), Ways()))
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            live.start()
            try:
                browser.size(1280, 900)
                browser.open(make_link(home.folder, port))
                fill(browser, new=PASSPHRASE, again=PASSPHRASE)
                browser.wait("document.querySelector('[data-pulse]')?.textContent === 'Live'")
                names = {"incident": incident, "gone": gone, "alias": camera.alias, "clip": f"{1:032x}"}
                yield House(f"http://localhost:{port}", browser, names)
            finally:
                live.stop()
                server.should_exit = True
                thread.join()


def value(node: dict[str, Any], name: str) -> str:
    return str(node.get(name, {}).get("value") or "").strip()


def levels(tree: list[dict[str, Any]]) -> list[int]:
    headings = [node for node in tree if value(node, "role") == "heading"]
    return [int(one["value"]["value"]) for node in headings for one in node["properties"] if one["name"] == "level"]


@pytest.mark.parametrize("page", PAGES)
def test_a_screen_reader_is_told_what_everything_is(house: House, page: str) -> None:
    house.scripts(True)
    house.opens(PAGES[page])
    house.browser.call("Accessibility.enable")
    tree = house.tree()
    roles = [value(node, "role") for node in tree]
    nameless = [
        role for node, role in zip(tree, roles, strict=True) if role in CONTROLS | PICTURES and not value(node, "name")
    ]
    assert nameless == []
    assert any(role in CONTROLS for role in roles)
    assert roles.count("main") == 1
    order = levels(tree)
    assert order.count(1) == 1
    assert order[0] == 1
    assert all(later <= before + 1 for before, later in pairwise(order))
    live = [one for one in tree if value(one, "role") in ("status", "alert")]
    assert live, "no live region"
    assert house.browser.ask("document.documentElement.lang") == "en"
    if shots.wanted():
        shots.shot(house.browser, "every-" + page.replace(" ", "-"))
        house.browser.size(1280, 900)


@pytest.mark.parametrize("page", PAGES)
def test_without_scripts_a_page_shows_what_it_has(house: House, page: str) -> None:
    house.scripts(True)
    house.opens(PAGES[page])
    title = house.browser.ask("document.querySelector('h1').textContent.trim()")
    house.scripts(False)
    try:
        house.opens(PAGES[page])
        assert house.browser.ask("document.querySelector('h1').textContent.trim()") == title
        shown = "[...document.querySelectorAll('main form, .side form')].filter((one) => one.checkVisibility())"
        ends = "one.querySelector('button:not([type=button]), input[type=submit]')"
        assert house.browser.ask(f"{shown}.every((one) => {ends}?.checkVisibility())")
        dead = "[...document.querySelectorAll('button[type=button]')].filter((one) => one.checkVisibility())"
        assert house.browser.ask(f"{dead}.map((one) => one.textContent.trim()).join()") == ""
    finally:
        house.scripts(True)


@pytest.mark.parametrize("name", FORMS)
def test_without_scripts_a_form_does_what_it_says(house: House, name: str) -> None:
    page, form, filled, button, then = FORMS[name]
    house.scripts(False)
    try:
        house.opens(page)
        which = f'document.querySelector("{form}")'
        if filled:
            house.browser.ask(f"{which}.{filled.replace('name.value', 'elements.name.value')}, 0")
        house.browser.ask(f'document.was = 1, {which}.querySelector("{button}").click(), 0')
        house.browser.wait(f'!document.was && document.querySelector("{then}")')
    finally:
        house.scripts(True)


def test_without_scripts_an_incident_is_deleted(house: House) -> None:
    house.scripts(False)
    try:
        house.opens("/incident/{gone}/delete")
        house.browser.ask("document.was = 1, document.querySelector('form.door .button--threat').click(), 0")
        house.browser.wait("!document.was && document.readyState === 'complete'")
        house.opens("/incident/{gone}")
        assert house.browser.ask("document.querySelector('.one')") is None
    finally:
        house.scripts(True)


def tab_to(house: House, href: str, most: int = 80) -> None:
    """Press Tab until the link is reached; whatever has the focus on the way shows it."""
    for _ in range(most):
        house.press("Tab", 9)
        found = house.browser.ask(FOCUS)
        assert isinstance(found, dict)
        assert found["seen"], f"the focus isn't seen on {found['what']}"
        if found["href"] == href:
            return
    raise AssertionError(f"no {href} within {most} steps")


def enter(house: House, path: str) -> None:
    house.press("Enter", 13)
    house.browser.wait(f"location.href === '{house.at(path)}' && document.readyState === 'complete'")


def test_by_keyboard_alone_from_now_to_the_answer(house: House) -> None:
    house.scripts(True)
    house.opens("/")
    house.press("Tab", 9)
    assert house.browser.ask(
        "document.activeElement.matches('.skip') && document.activeElement.matches(':focus-visible')"
    )
    house.press("Enter", 13)
    house.browser.wait("document.activeElement.id === 'main'")
    house.opens("/")
    tab_to(house, "/timeline")
    enter(house, "/timeline")
    tab_to(house, f"/incident/{house.names['incident']}")
    enter(house, "/incident/{incident}")
    tab_to(house, "/review")
    enter(house, "/review")
    for _ in range(40):
        house.press("Tab", 9)
        if house.browser.ask("document.activeElement.value") == "threat":
            break
    assert house.browser.ask(FOCUS)["seen"]  # type: ignore[index]
    asked = str(house.browser.ask("document.querySelector('[data-item]').dataset.item"))
    house.press("Enter", 13)
    house.browser.wait(f"document.querySelector('[data-item]')?.dataset.item !== '{asked}'")
