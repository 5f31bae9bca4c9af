"""Every page of the home as a person sees it: nothing runs over its edge, whatever the width, and drawing works.

With SEALCAM_SCREENSHOTS=DIR pictures of each page are kept there, light and dark, for a phone and a desktop.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import monotonic_ns

import pytest

from sealcam.wire.wishes import CommandType, MasksWish, ZonesWish
from sealcam_hub.console import areas
from sealcam_hub.console.app import create
from sealcam_hub.console.cameras import CamerasPart
from sealcam_hub.console.deleting import DeletingPart
from sealcam_hub.console.household import HouseholdPart
from sealcam_hub.console.server import ConsoleServer
from sealcam_hub.console.timeline import TimelinePart
from sealcam_hub.feed import Feed
from sealcam_hub.gists import Wanted
from sealcam_hub.paths import Frame, PathSpot, PathView
from sealcam_hub.rules import Effect, Rule
from sealcam_hub.timeline import Page
from sealcam_hub.views import IncidentView
from tests.footage import vtest
from tests.unit.hub.console_client import PASSPHRASE, TOKEN
from tests.unit.hub.console_clips import FakeClips
from tests.unit.hub.console_fake import NOW_NS, PORCH, FakeDoor, FakeLog, FakeSource, camera, incident, report
from tests.unit.hub.console_rooms_fake import FakeCameras, FakeDeletions, FakeHousehold
from tests.web.browser import Browser, browsing, chromium
from tests.web.conftest import fill
from tests.web.shots import shot

GARDEN = "fedcba9876543210"
ONE = f"{PORCH}-{9:016x}"
HERE = f"/cameras/{PORCH}"
PAGES = {
    "now": "/",
    "timeline": "/timeline",
    "nothing": "/timeline?q=unicorn",
    "incident": f"/incident/{ONE}",
    "delete": f"/incident/{ONE}/delete",
    "cameras": "/cameras",
    "camera": HERE,
    "household": "/household",
    "log": "/log",
}
CORNER = "document.querySelectorAll('.corner')[{}]"
TEXT = "document.querySelector('[data-text]').value"
SHOWN_NS = NOW_NS + 720 * 1_000_000_000  # when the browser believes that it is
CLOCK = """
const Real = Date, now = %d;
globalThis.Date = class extends Real {
  constructor(...given) { given.length ? super(...given) : super(now); }
  static now() { return now; }
};
"""
BEGAN_NS = NOW_NS + 9 * 60_000_000_000
WALKED = PathView(
    tuple(
        PathSpot(BEGAN_NS + round(seconds * 1e9), x, y, 0.1, 0.4)
        for seconds, x, y in ((0, 0.04, 0.72), (3, 0.3, 0.66), (5, 0.46, 0.5), (11, 0.47, 0.5), (14, 0.97, 0.85))
    ),
    16 / 9,
    Frame(0.2, 0.2, 0.8, 0.8),
)
WATCHED = "watch Drive: 8,55 45,40 60,95 10,95\nmask: 70,0 100,0 100,35 75,30"


class Found:
    """A timeline that finds every incident of `source`, and nothing for words."""

    def __init__(self, source: FakeSource) -> None:
        self._source = source

    def page(self, wanted: Wanted, size: int, before: int | None = None) -> Page:
        """The newest."""
        return Page((), None) if wanted.words else Page(tuple(self._source.incidents(size, before)), None)


class Watching:
    """Live views that nobody asks for in these tests."""


@dataclass
class Home:
    """A console that runs, and what stands behind it."""

    address: str
    source: FakeSource
    cameras: FakeCameras
    household: FakeHousehold


def stills(count: int) -> list[bytes]:
    """Pictures of a street as JPEG, some seconds apart."""
    cv2 = pytest.importorskip("cv2")
    film, made = cv2.VideoCapture(str(vtest())), []
    for number in range(count):
        film.set(cv2.CAP_PROP_POS_FRAMES, 60 * number)
        made.append(cv2.imencode(".jpg", cv2.resize(film.read()[1], (640, 360)))[1].tobytes())
    return made


def happened() -> list[IncidentView]:
    """Ten incidents of two cameras."""
    other = {"alias": GARDEN, "camera_name": "Garden, behind the shed"}
    calm = {"verdict": "benign", "threat": 0.12, "reasons": ("a person was seen for 9 s in “Drive”", "armed home")}
    made = []
    for number in range(10):
        changes: dict[str, object] = {}
        if number % 3 == 1:
            changes |= calm
        if number % 4 == 3:
            changes |= other | {"id": f"{GARDEN}-{number:016x}", "subject": "animal", "verdict": "false_alarm"}
            changes |= {"threat": 0.03, "reasons": ("an animal was seen for 4 s", "armed away", "far away")}
        if number == 5:
            changes["effects"] = frozenset({Effect.VEILED})
        if number < 4:
            changes["arrived_ns"] = NOW_NS - 86_400_000_000_000 + number * 60_000_000_000
        made.append(incident(number, **changes))
    said = (report(19), report(20, "update", verdict="threat", threat=0.93), report(21, "end"))
    made[9] = replace(made[9], reports=said, verdict="threat")
    return made


@pytest.fixture
def home() -> Iterator[Home]:
    incidents = happened()
    pictures = {one.id: jpeg for one, jpeg in zip(incidents, stills(len(incidents)), strict=True)}
    there = [
        camera(last_beat_ns=SHOWN_NS - 8_000_000_000),
        camera(GARDEN, name="Garden, behind the shed", state="silent", mode="home", queued=3, private_wished=True),
    ]
    source = FakeSource(incidents, there, pictures=pictures)
    source.paths[ONE] = WALKED
    cameras, household, feed = FakeCameras(source), FakeHousehold(), Feed()
    effects = frozenset({Effect.NOT_KEPT, Effect.VEILED})
    household.make(Rule(effects, (PORCH,), "Sofa", from_minute=1320, to_minute=390, clock="Europe/Vienna"))

    def still(alias: str) -> IncidentView | None:
        return next((one for one in source.shown if one.alias == alias and not one.veiled), None)

    app = create(
        source,
        feed,
        hosts=("localhost",),
        door=FakeDoor(TOKEN),
        arm=lambda _alias, _mode: None,
        clock=lambda: SHOWN_NS,
        boot=monotonic_ns,
        log=FakeLog(12),
        live=Watching(),  # type: ignore[arg-type]
        clips=FakeClips(),
        parts=(
            TimelinePart(Found(source), source.cameras, "UTC"),
            CamerasPart(cameras, source.cameras, still, "Europe/Vienna"),
            HouseholdPart(household, source.cameras, "Europe/Vienna"),
            DeletingPart(FakeDeletions(source)),
        ),
    )
    server = ConsoleServer(app)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield Home(f"http://localhost:{listening.getsockname()[1]}", source, cameras, household)
        server.should_exit = True
        thread.join()


@pytest.fixture
def browser(home: Home) -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    with browsing(program) as made:
        made.size(1280, 900)
        made.call("Page.addScriptToEvaluateOnNewDocument", source=CLOCK % (SHOWN_NS // 1_000_000))
        made.open(f"{home.address}/?token={TOKEN}")
        fill(made, new=PASSPHRASE, again=PASSPHRASE)
        made.wait("document.querySelector('[data-pulse]')?.textContent === 'Live'")
        yield made


@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_every_width_in_light_and_dark(home: Home, browser: Browser, page: str) -> None:
    if page == "camera":
        zones, masks = areas.read(WATCHED)
        home.cameras.wish(PORCH, zones)
        home.cameras.wish(PORCH, masks)
        home.cameras.answers(CommandType.ZONES, "done")
    browser.open(home.address + PAGES[page])
    browser.wait("[...document.images].every((one) => one.complete)")
    shot(browser, page)
    browser.size(320, 640)
    assert browser.ask("document.documentElement.scrollWidth") == 320
    assert browser.problems == []


def test_every_room_can_be_reached_by_the_navigation_and_says_where_it_is(home: Home, browser: Browser) -> None:
    for address in ("/timeline", "/cameras", "/household", "/log", "/"):
        browser.ask(f"document.querySelector('.rooms a[href=\"{address}\"]').click()")
        browser.wait(f"document.querySelector('.rooms a[aria-current=page]')?.getAttribute('href') === '{address}'")
        browser.wait("document.readyState === 'complete'")


def test_areas_are_drawn_by_keyboard_and_sent(home: Home, browser: Browser) -> None:
    browser.open(home.address + HERE)
    browser.wait("document.querySelector('[data-tools]:not([hidden])')")
    browser.ask("document.querySelector('[data-add=watch]').click()")
    assert browser.ask("document.activeElement === document.querySelector('.corner')")
    label = "document.activeElement.getAttribute('aria-label')"
    assert browser.ask(label) == "Watch 1, corner 1 of 4: 30 % from the left, 30 % from the top"

    def press(key: str, code: int = 0) -> None:
        for kind in ("keyDown", "keyUp"):
            browser.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, modifiers=code >> 8)

    press("ArrowLeft", 37)
    press("ArrowUp", 38)
    assert browser.ask(TEXT) == "watch Watch 1: 29,29 70,30 70,70 30,70"
    press("Insert", 45)
    assert browser.ask(label) == "Watch 1, corner 2 of 5: 49.5 % from the left, 29.5 % from the top"
    press("Delete", 46)
    press("Delete", 46)
    press("Delete", 46)  # three stay
    assert browser.ask("document.querySelectorAll('.corner').length") == 3
    browser.ask("document.querySelector('.draw__name').focus(), document.querySelector('.draw__name').select()")
    browser.call("Input.insertText", text="Drive")
    browser.ask("document.querySelector('[data-add=mask]').click()")
    assert str(browser.ask(TEXT)).startswith("watch Drive: ")
    browser.ask("document.querySelector('.draw .button--main').click()")
    browser.wait("document.querySelectorAll('.asked--waits').length === 2")
    zones, masks = home.cameras.wishes
    assert isinstance(zones, ZonesWish)
    assert isinstance(masks, MasksWish)
    assert (zones.zones[0].name, len(zones.zones[0].corners), len(masks.masks)) == ("Drive", 6, 1)


def test_a_corner_follows_the_pointer_and_no_further_than_the_picture(home: Home, browser: Browser) -> None:
    zones, _ = areas.read("watch Drive: 20,20 60,20 60,60")
    home.cameras.wish(PORCH, zones)
    browser.open(home.address + HERE)
    browser.wait("document.querySelectorAll('.corner').length === 3")
    browser.ask(f"{CORNER.format(0)}.scrollIntoView({{block: 'center'}})")
    box = "document.querySelector('[data-stage]').getBoundingClientRect()"
    left, top, width, height = (float(str(browser.ask(f"{box}.{one}"))) for one in ("left", "top", "width", "height"))

    def mouse(kind: str, x: float, y: float) -> None:
        at = {"x": left + width * x, "y": top + height * y}
        browser.call("Input.dispatchMouseEvent", type=kind, button="left", buttons=1, clickCount=1, **at)

    def drag(begin: tuple[float, float], end: tuple[float, float]) -> None:
        mouse("mousePressed", *begin)
        mouse("mouseMoved", *end)
        mouse("mouseReleased", *end)

    drag((0.2, 0.2), (0.1, 0.3))
    corners = areas.read(str(browser.ask(TEXT)))[0].zones[0].corners
    assert [abs(one - wanted) <= 5 for one, wanted in zip(corners[:2], (100, 300), strict=True)] == [True, True]
    drag((0.6, 0.6), (1.4, 0.7))
    corners = areas.read(str(browser.ask(TEXT)))[0].zones[0].corners
    assert corners[4] == 1000
    drag((0.5, 0.4), (0.5, 0.3))  # within the area: all of it
    moved = areas.read(str(browser.ask(TEXT)))[0].zones[0].corners
    assert all(abs(after - before + 100) <= 8 for before, after in zip(corners[1::2], moved[1::2], strict=True))


def test_what_is_typed_is_drawn_and_what_makes_no_sense_is_left_as_it_is(home: Home, browser: Browser) -> None:
    browser.open(home.address + HERE)
    browser.wait("document.querySelector('[data-tools]:not([hidden])')")
    set_text = "document.querySelector('[data-text]').value = {}; "
    told = "document.querySelector('[data-text]').dispatchEvent(new Event('input'))"
    browser.ask(set_text.format("'mask: 0,0 50,0 50,50'") + told)
    browser.wait("document.querySelectorAll('.area--mask').length === 1")
    browser.ask(set_text.format("'mask: 0,0 50'") + told)
    assert browser.ask(TEXT) == "mask: 0,0 50"
    assert browser.ask("document.querySelectorAll('.area--mask').length") == 1


def test_a_veiled_picture_is_shown_when_it_is_asked_for(home: Home, browser: Browser) -> None:
    browser.open(f"{home.address}/incident/{PORCH}-{5:016x}")
    veil = "getComputedStyle(document.querySelector('.one__shot img')).filter"
    assert "blur" in str(browser.ask(veil))
    browser.ask("document.querySelector('.lift input').click()")
    assert browser.ask(veil) == "none"


def test_an_incident_is_deleted_after_one_question(home: Home, browser: Browser) -> None:
    browser.open(f"{home.address}/incident/{ONE}")
    browser.ask("document.querySelector('.one__delete a').click()")
    browser.wait("document.querySelector('.button--threat')")
    assert home.source.incident(ONE) is not None
    browser.ask("document.querySelector('.button--threat').click()")
    browser.wait("location.pathname === '/timeline'")
    assert home.source.incident(ONE) is None
