"""Live view in a real browser: a picture that moves, how old it is, what is said when none comes, and the end.

Hub, console and stream are the real ones; the camera's messages are given one by one, so that time is theirs.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam.wire.bodies import ClockQuality, Mode, Outcome
from sealcam_hub.audit_source import AuditSource
from sealcam_hub.clock import SystemClock
from sealcam_hub.console.app import create
from sealcam_hub.console.server import ConsoleServer
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home, open_home
from sealcam_hub.live_show import GRACE_NS
from sealcam_hub.pump import Pump, RecordingLink
from sealcam_hub.receive import Receiver
from tests.hubs import NS, Camera, make
from tests.live_camera import FPS, Line, Session, views
from tests.unit.hub.console_client import PASSPHRASE, TOKEN
from tests.unit.hub.console_fake import FakeDoor
from tests.waiting import eventually
from tests.web.browser import Browser, browsing, chromium
from tests.web.conftest import fill
from tests.web.shots import window

VIEW = "document.querySelector('[data-view]')"
VIDEO = "document.querySelector('[data-view-video]')"
STATE = f"{VIEW}.dataset.state"
STALE = "!document.querySelector('[data-view-stale]').hidden"
TEXT = "document.querySelector('[data-view-{}]').textContent"
PLACE = f"""(() => {{
    const video = {VIDEO};
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0);
    const pixels = context.getImageData(0, 10, canvas.width, 1).data;
    let place = 0;
    for (let x = 0; x < canvas.width; x++) if (pixels[4 * x] > pixels[4 * place]) place = x;
    return place;
}})()"""
SECONDS = 31


class Steered(SystemClock):
    """The kernel's time, and what a test lets pass beyond it."""

    def __init__(self) -> None:
        self.ahead_ns = 0

    def boot_ns(self) -> int:
        return super().boot_ns() + self.ahead_ns

    def wall_ns(self) -> int:
        return super().wall_ns() + self.ahead_ns


class House:
    """A hub with its console, and one camera that has beaten just now."""

    def __init__(self, home: Home, clock: Steered) -> None:
        self.home, self.clock = home, clock
        self.camera = Camera()
        self.camera.claim(home, "Front door")
        self.camera.clock = clock  # type: ignore[assignment]  # it beats in time with the hub
        self.line = Line(self.camera)
        self.live = views(home, self.line)
        self.feed = Feed()
        receiver = Receiver(home.store, home.keys, home.clock)
        self.pump = Pump(receiver, home.wishes(), self.feed, home.clock, live=self.live)
        self.address = ""
        self.beats()

    def hears(self, message: bytes) -> None:
        self.pump.deliver(self.camera.alias, message)
        self.pump.run_once(RecordingLink(), 0)

    def beats(self, **changed: object) -> None:
        self.hears(self.camera.beat(Mode.AWAY, **changed))  # type: ignore[arg-type]

    def begins(self, **changed: object) -> Session:
        """The camera takes the session that it was asked for."""
        eventually(lambda: (self.live.tick(), self.line.wishes)[1], what="the wish")
        first_ns = self.clock.boot_ns() + 777 * NS  # its clock is another one
        return Session(self.camera, self.line.session, first_ns, seconds=SECONDS, **changed)  # type: ignore[arg-type]

    def gives(self, *messages: bytes) -> None:
        for one in messages:
            eventually(lambda: not self.live._messages.full(), what="room")
            self.live.deliver(self.camera.alias, self.line.session, one)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = Steered()
    with open_home(make(tmp_path / "hub"), clock) as home:
        made = House(home, clock)
        app = create(
            home.ledger(),
            made.feed,
            hosts=("localhost",),
            door=FakeDoor(TOKEN),
            arm=lambda _alias, _mode: None,
            clock=clock.wall_ns,
            boot=clock.boot_ns,
            log=AuditSource(home.store, home.keys, clock),
            live=made.live,
        )
        server = ConsoleServer(app)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            made.address = f"http://localhost:{listening.getsockname()[1]}"
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            made.live.start()
            yield made
            server.should_exit = True
            thread.join()
            made.live.stop()


@pytest.fixture
def browser(house: House) -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    with browsing(program) as made:
        made.size(1280, 900)
        made.open(f"{house.address}/?token={TOKEN}")
        fill(made, new=PASSPHRASE, again=PASSPHRASE)
        made.wait("document.querySelector('[data-pulse]')?.textContent === 'Live'")
        yield made


def watch(browser: Browser, house: House) -> None:
    house.beats()  # a browser takes its time to start, and a command names a fresh beat
    browser.open(f"{house.address}/view/{house.camera.alias}")


def plays(browser: Browser, session: Session, index: int) -> None:
    """Wait until the picture of that number is on the screen, or a later one."""
    browser.wait(f"{VIDEO}.currentTime >= {session.seen_ns(index) / NS - 0.3}")


def test_half_a_minute_of_a_picture_that_moves(house: House, browser: Browser) -> None:
    watch(browser, house)
    browser.wait(f"{STATE} === 'asking'")
    window(browser, "asking")
    session = house.begins()
    places = []
    for index in range(round(SECONDS * FPS)):
        house.gives(*session.messages(index))
        if index % 10 == 9:
            plays(browser, session, index)
            places.append(browser.ask(PLACE))
            if index == 149:
                window(browser, "live")
    first_s, last_s = session.seen_ns(0) / NS, session.seen_ns(round(SECONDS * FPS) - 1) / NS
    assert last_s - first_s > 30
    assert browser.ask(f"{VIDEO}.currentTime") > first_s + 29.5
    assert len(set(places)) > len(places) // 2
    browser.wait(f"{STATE} === 'live'")
    assert "s old" in str(browser.ask(TEXT.format("age")))
    assert browser.ask(TEXT.format("words")) == ""
    assert [one.seconds for one in house.line.wishes] == [60]
    assert browser.problems == []


def test_a_picture_that_stands_still_is_grey_and_says_since_when(house: House, browser: Browser) -> None:
    watch(browser, house)
    session = house.begins()
    for index in range(20):
        house.gives(*session.messages(index))
    plays(browser, session, 19)
    browser.wait(STALE)
    said = str(browser.ask(TEXT.format("since")))
    assert said.startswith("No new picture since ")
    assert "Not live" in str(browser.ask(TEXT.format("age")))
    assert "grayscale" in str(browser.ask(f"getComputedStyle({VIDEO}).filter"))
    window(browser, "stale")
    browser.size(320, 640)
    window(browser, "stale-320")
    browser.size(1280, 900)
    session.boot_ns = house.clock.boot_ns() + 777 * NS - session.units[20].t_ns  # it sees again, and now
    for index in range(20, 40):
        house.gives(*session.messages(index))
    browser.wait(f"!({STALE})")
    house.hears(house.camera.will())
    house.clock.ahead_ns += 3 * NS
    house.live.tick()
    browser.wait(f"{STATE} === 'cut-off'")
    browser.wait(STALE)
    window(browser, "cut-off")


def test_a_camera_whose_picture_stands_still_is_grey_on_the_first_page(house: House, browser: Browser) -> None:
    browser.wait("document.querySelector('a.tile__live')")
    assert browser.ask("document.querySelector('.tile--stale')") is None
    house.clock.ahead_ns += 20 * NS
    house.beats(frame_age_ns=9 * NS)
    browser.wait("document.querySelector('.tile--stale .state--stale')")
    assert "Picture stands still" in str(browser.ask("document.querySelector('.tile').textContent"))
    window(browser, "card-stale")
    house.hears(house.camera.will())
    browser.wait("document.querySelector('.tile--cut-off.tile--stale .facts__stale')")
    window(browser, "card-cut-off")


GO = "document.querySelector('[data-look-go]')"
STOP = "document.querySelector('[data-look-stop]')"
SAID = "document.querySelector('[data-look-said]').textContent"
LATER = """
const real = setTimeout, later = [];
globalThis.setTimeout = (does, ms, ...more) => (ms > 60000 ? later.push(does) : real(does, ms, ...more));
globalThis.minutes = () => later.splice(0).forEach((does) => does());
"""


def glance(browser: Browser, house: House) -> Session:
    """Press the tile's button; the camera takes the session."""
    house.beats()
    browser.wait(f"document.querySelector('.looks') && {GO}.checkVisibility()")
    assert house.line.wishes == []
    browser.ask(f"{GO}.focus(), {GO}.click()")
    return house.begins()


def test_a_tile_shows_what_is_now_when_asked_and_goes_on_over_a_beat(house: House, browser: Browser) -> None:
    session = glance(browser, house)
    assert browser.ask(f"document.activeElement === {STOP}")
    for index in range(10):
        house.gives(*session.messages(index))
    plays(browser, session, 9)
    browser.wait(f"{STATE} === 'live' && {TEXT.format('age')}.startsWith('Live, ')")
    window(browser, "tile")
    browser.ask(f"{VIDEO}.mark = 'the same', document.querySelector('.tile').mark = 'old'")
    house.beats(queued=3)
    browser.wait("document.querySelector('.tile').textContent.includes('3 reports')")
    assert browser.ask("document.querySelector('.tile').mark") is None
    assert browser.ask(f"{VIDEO}.mark") == "the same"
    assert browser.ask(f"document.activeElement === {STOP}")
    for index in range(10, 20):
        house.gives(*session.messages(index))
    plays(browser, session, 19)
    browser.wait(STALE)
    assert "grayscale" in str(browser.ask(f"getComputedStyle({VIDEO}).filter"))
    window(browser, "tile-stale")
    show = house.live._shows[house.camera.alias]
    browser.ask(f"{STOP}.click()")
    eventually(lambda: not show.viewers, what="nobody looks")
    assert browser.ask(f"{GO}.checkVisibility() && document.activeElement === {GO}")
    said = AuditSource(house.home.store, house.home.keys, house.clock).newest(9).entries
    assert "live view of Front door" in [one.detail for one in said]
    assert browser.problems == []


@pytest.mark.parametrize("way", ["leaves", "hidden", "long"])
def test_a_look_in_a_tile_is_over_by_itself(house: House, browser: Browser, way: str) -> None:
    browser.call("Page.addScriptToEvaluateOnNewDocument", source=LATER)
    browser.open(house.address)
    session = glance(browser, house)
    house.gives(*session.messages(0))
    browser.wait(f"{STATE} === 'live'")
    show = house.live._shows[house.camera.alias]
    eventually(lambda: show.viewers, what="somebody looks")
    if way == "leaves":
        browser.ask("document.querySelector('.side').style.position = 'static', 0")
        browser.ask("document.body.style.paddingBottom = '4000px', scrollTo(0, 3000)")
    elif way == "hidden":
        browser.ask("Object.defineProperty(document, 'hidden', {value: true, configurable: true}), 0")
        browser.ask("document.dispatchEvent(new Event('visibilitychange'))")
    else:
        browser.ask("minutes()")
    eventually(lambda: not show.viewers, what="nobody looks")
    words = {"leaves": "left the window", "hidden": "", "long": "two minutes"}
    browser.wait(f"{GO}.checkVisibility() && {SAID}.includes('{words[way]}')")


def test_a_second_viewer_shares_the_encode_and_the_last_one_ends_it(house: House, browser: Browser) -> None:
    watch(browser, house)
    session = house.begins()
    for index in range(10):
        house.gives(*session.messages(index))
    plays(browser, session, 9)
    stream = f"/view/{house.camera.alias}/stream"
    read = f"fetch('{stream}').then((answer) => answer.body.getReader().read()).then((part) => part.value.length)"
    assert int(str(browser.ask(read))) > 1000
    show = house.live._shows[house.camera.alias]
    assert len(show.viewers) == 2
    assert [one.seconds for one in house.line.wishes] == [60]
    browser.open(house.address)
    eventually(lambda: not show.viewers, what="both have left")
    house.clock.ahead_ns += GRACE_NS
    house.live.tick()
    assert [one.seconds for one in house.line.wishes] == [60, 0]
    newest = AuditSource(house.home.store, house.home.keys, house.clock).newest(50).entries
    said = [one.detail for one in newest if one.detail.startswith("live view")]
    assert len(said) == 2
    assert said[1] == "live view of Front door"


def test_a_hidden_tab_holds_nothing_and_goes_on_when_it_is_seen(house: House, browser: Browser) -> None:
    watch(browser, house)
    session = house.begins()
    house.gives(*session.messages(0))
    browser.wait(f"{STATE} === 'live'")
    show = house.live._shows[house.camera.alias]
    hide = "Object.defineProperty(document, 'hidden', {{value: {}, configurable: true}}), "
    hide += "document.dispatchEvent(new Event('visibilitychange'))"
    browser.ask(hide.format("true"))
    browser.wait(f"{STATE} === 'hidden'")
    eventually(lambda: not show.viewers, what="nobody looks")
    browser.ask(hide.format("false"))
    eventually(lambda: show.viewers, what="somebody looks")
    for index in range(1, 12):
        house.gives(*session.messages(index))
    browser.wait(f"{STATE} === 'live'")
    browser.ask("document.querySelector('[data-view-pause]').click()")
    browser.wait(f"{STATE} === 'paused'")
    eventually(lambda: not show.viewers, what="nobody looks")
    window(browser, "paused")


def test_a_refusal_is_said_and_can_be_tried_again(house: House, browser: Browser) -> None:
    watch(browser, house)
    eventually(lambda: house.line.numbers, what="the wish")
    house.hears(house.camera.answers(house.line.numbers[-1], 3, Outcome.FAILED, "<b>privacy is on</b>"))
    browser.wait(f"{STATE} === 'refused'")
    assert "<b>privacy is on</b>" in str(browser.ask(TEXT.format("words")))
    window(browser, "refused")
    browser.ask("document.querySelector('[data-view-again]').click()")
    house.clock.ahead_ns += NS
    eventually(lambda: (house.live.tick(), len(house.line.wishes) == 2)[1], what="it is asked again")


def test_the_age_is_known_where_the_cameras_clock_is_set(house: House, browser: Browser) -> None:
    watch(browser, house)
    session = house.begins(quality=ClockQuality.SYNCHRONISED, wall_ns=house.clock.wall_ns())
    for index in range(10):
        house.gives(*session.messages(index))
    browser.wait(f"{TEXT.format('age')}.includes('s old')")
    assert "at least" not in str(browser.ask(TEXT.format("age")))


def test_times_that_begin_anew_and_another_size_of_picture_play_on(house: House, browser: Browser) -> None:
    watch(browser, house)
    session = house.begins()
    for index in range(20):
        house.gives(*session.messages(index))
    plays(browser, session, 19)
    larger = Session(house.camera, house.line.session, session.boot_ns + 100 * NS, seconds=3.0, size=(640, 480))
    house.clock.ahead_ns += NS
    for index in range(20):
        house.gives(*larger.messages(index))
    plays(browser, larger, 19)
    browser.wait(f"{VIDEO}.videoWidth === 640")
    assert browser.problems == []


def test_who_signs_out_sees_nothing_more(house: House, browser: Browser) -> None:
    watch(browser, house)
    session = house.begins()
    house.gives(*session.messages(0))
    browser.wait(f"{STATE} === 'live'")
    show = house.live._shows[house.camera.alias]
    out = "fetch('/logout', {method: 'POST', body: new URLSearchParams({csrf: "
    browser.ask(out + "document.querySelector('[name=csrf]').value})}).then(() => 1)")
    eventually(lambda: not show.viewers, what="the stream's end")
    browser.wait(f"{STATE} === 'closed'")


@pytest.mark.parametrize("width_px", [320, 768, 1280])
def test_nothing_is_wider_than_the_window(house: House, browser: Browser, width_px: int) -> None:
    browser.size(width_px, 700)
    watch(browser, house)
    session = house.begins()
    for index in range(5):
        house.gives(*session.messages(index))
    browser.wait(f"{STATE} === 'live'")
    assert browser.ask("document.documentElement.scrollWidth") == width_px
    window(browser, f"width-{width_px}")


def test_without_scripts_or_media_source_extensions_a_clear_word_stands(house: House, browser: Browser) -> None:
    browser.call(
        "Page.addScriptToEvaluateOnNewDocument", source="delete window.MediaSource; delete window.ManagedMediaSource"
    )
    watch(browser, house)
    browser.wait(f"{STATE} === 'unsupported'")
    assert "Media Source Extensions" in str(browser.ask(TEXT.format("words")))
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.call("Page.navigate", url=f"{house.address}/view/{house.camera.alias}")
    browser.wait("document.readyState === 'complete' && document.querySelector('noscript')")
    assert "needs scripts" in str(browser.ask(TEXT.format("words")))
    window(browser, "no-scripts")
    assert house.line.wishes == []
