"""Reviewing in a real browser: by keys alone, with undo, with somebody else at it, with a hub that is away; and how
many seconds an incident takes, written to build/web/review.txt and not asserted."""

from __future__ import annotations

import socket
import statistics
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import av
import cv2
import numpy as np
import pytest

from sealcam import verdicts
from sealcam.board.protocols import Frame
from sealcam_hub import review
from sealcam_hub.console.server import ConsoleServer
from sealcam_hub.feed import Feed
from sealcam_hub.review_words import Word
from sealcam_hub.rules import Effect, Rule
from tests import footage
from tests.reviewing import Room, console, reviewing
from tests.unit.hub.console_client import PASSPHRASE, TOKEN
from tests.unit.hub.console_clips import FakeClips, clip, info
from tests.waiting import eventually
from tests.web import shots
from tests.web.browser import Browser, browsing, chromium
from tests.web.conftest import fill
from tests.web.reels import bars, reel

REPORT = Path(__file__).resolve().parents[2] / "build" / "web" / "review.txt"
SITTING = 150
ITEM = "document.querySelector('[data-item]')?.dataset.item"
PRESS = "document.body.dispatchEvent(new KeyboardEvent('keydown', {{key: '{}', bubbles: true}}))"
# Press a key; the seconds until the next incident's picture is drawn (a frame after it is whole).
TIMED = """new Promise((done) => {{
    const before = {item}, begun = performance.now();
    {press};
    const look = () => {{
        const media = document.querySelector('[data-media]');
        const whole = media instanceof HTMLImageElement ? media.complete && media.naturalWidth : media?.readyState >= 2;
        const end = () => done((performance.now() - begun) / 1000);
        if ({item} !== before && (whole || !media)) requestAnimationFrame(end);
        else requestAnimationFrame(look);
    }};
    requestAnimationFrame(look);
}})"""


# The hub's first answer to a word is held back until `letGo`; `read` is true once the page has had it.
HELD = """(() => {
    const real = window.fetch;
    let first = true;
    window.fetch = async (url, ...more) => {
        const answer = await real(url, ...more);
        if (!url.endsWith('/review/mark') || !first) return answer;
        first = false;
        await new Promise((go) => { window.letGo = go; });
        const facts = await answer.json();
        answer.json = async () => (setTimeout(() => { window.read = true; }), facts);
        return answer;
    };
})()"""


# The first word isn't sent before `letGo`.
LATE = """(() => {
    const real = window.fetch;
    let first = true;
    window.fetch = async (url, ...more) => {
        if (url.endsWith('/review/mark') && first) {
            first = false;
            await new Promise((go) => { window.letGo = go; });
        }
        return real(url, ...more);
    };
})()"""


@dataclass
class Place:
    """A hub whose console runs, and a browser that is in."""

    room: Room
    feed: Feed
    browser: Browser
    address: str

    def opens(self) -> None:
        self.browser.open(f"{self.address}/review")
        self.browser.wait("document.querySelector('[data-keys]')?.hidden === false")

    def press(self, key: str) -> None:
        self.browser.ask(PRESS.format(key))

    def shows(self, number: int) -> None:
        self.browser.wait(f"{ITEM} === '{self.room.name(number)}'")

    def text(self, selector: str) -> str:
        return str(self.browser.ask(f"document.querySelector('{selector}').textContent"))

    def shot(self, name: str) -> None:
        if shots.wanted():
            shots.shot(self.browser, name)


def picture(number: int) -> bytes:
    """A picture of 640 x 360 pixels that is another's for another number, some 60 kB."""
    noise = np.random.default_rng(number).integers(0, 90, (360, 640, 3), np.uint8)
    noise[60:340, 200 + number % 200 : 300 + number % 200] += 120
    return bytes(cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 60])[1])


@pytest.fixture
def clips() -> FakeClips:
    return FakeClips()


@pytest.fixture
def place(tmp_path: Path, clips: FakeClips) -> Iterator[Place]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    with reviewing(tmp_path / "hub") as room, socket.create_server(("127.0.0.1", 0)) as listening:
        feed = Feed()
        server = ConsoleServer(console(room, clips, feed=feed))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with browsing(program) as browser:
                browser.size(1280, 900)
                address = f"http://localhost:{listening.getsockname()[1]}"
                browser.open(f"{address}/?token={TOKEN}")
                fill(browser, new=PASSPHRASE, again=PASSPHRASE)
                browser.wait("document.querySelector('.rooms')")
                yield Place(room, feed, browser, address)
                assert browser.problems == []
        finally:
            server.should_exit = True
            thread.join()


def two_words(place: Place, first_waits: str) -> None:
    """Of three incidents two are answered; the first word, or what the hub answers to it, is held back."""
    for number in (1, 2, 3):
        place.room.sees(number, 300 + number, picture(number))
    place.opens()
    place.browser.ask(first_waits)
    place.press("t")
    place.browser.wait("window.letGo")
    place.shows(2)
    place.press("b")


def test_twenty_incidents_by_keyboard_alone(place: Place) -> None:
    for number in range(1, 21):
        place.room.sees(number, 500 + 10 * number, picture(number))
    place.opens()
    place.shot("review")
    for number in range(1, 21):
        place.shows(number)
        place.press("tbfon"[number % 5])
    place.browser.wait("!document.querySelector('[data-empty]').hidden")
    place.browser.wait("document.querySelector('[data-done]').textContent === '20'")
    eventually(lambda: len(place.room.marks.all()) == 20, 20, "twenty marks")
    said = {one.incident: one.word for one in place.room.marks.all()}
    words = ("threat", "benign", "false_alarm", "ours", "unsure")
    assert [said[place.room.name(number)] for number in range(1, 21)] == [words[n % 5] for n in range(1, 21)]
    assert place.text("[data-said]").endswith("Nothing waits any more.")
    place.shot("review-empty")


def test_undo_brings_the_last_one_back_and_then_the_one_before(place: Place) -> None:
    for number in (1, 2, 3):
        place.room.sees(number, 500 + 10 * number, picture(number))
    place.opens()
    place.shows(1)
    place.press("t")
    place.shows(2)
    place.press("b")
    place.shows(3)
    place.press("u")
    place.shows(2)
    assert place.text("[data-told]") == "Taken back."
    place.press("u")
    place.shows(1)
    assert place.room.marks.all() == ()
    place.press("f")
    place.shows(2)
    place.press("f")
    place.shows(3)
    eventually(lambda: [one.word for one in place.room.marks.all()] == ["false_alarm"] * 2, 20, "the other words")


def test_what_somebody_else_says_meanwhile_stands_there_and_is_no_surprise(place: Place) -> None:
    for number in (1, 2, 3):
        place.room.sees(number, 500 + 10 * number, picture(number))
    place.opens()
    place.shows(1)
    place.room.marks.say(place.room.name(1), Word.OURS, 0, "Ben")
    place.room.marks.say(place.room.name(2), Word.OURS, 0, "Ben")
    place.feed.publish("review")
    place.browser.wait("document.querySelector('[data-mark]')")
    assert "Ben has marked this as ours" in place.text("[data-mark]")
    place.press("t")
    place.shows(3)
    said = {place.room.name(1): "threat", place.room.name(2): "ours"}
    eventually(lambda: {one.incident: one.word for one in place.room.marks.all()} == said, 20, "the word")
    assert place.browser.ask("document.querySelector('[data-told]').hidden"), "he had seen it before he pressed"


def test_a_word_that_did_not_arrive_brings_its_incident_back(place: Place) -> None:
    for number in (1, 2):
        place.room.sees(number, 500 + 10 * number, picture(number))
    place.opens()
    place.shows(1)
    place.browser.ask(
        """(() => {
        const real = window.fetch;
        window.fetch = (url, options) => {
            if (url !== '/review/mark') return real(url, options);
            window.fetch = real;
            return Promise.reject(new TypeError('the hub is away.'));
        };
    })()"""
    )
    place.press("t")
    place.browser.wait("!document.querySelector('[data-told]').hidden")
    place.shows(1)
    assert place.text("[data-told]") == "“Threat” wasn't kept: the hub is away. It is shown again."
    assert place.room.marks.all() == ()
    place.press("t")
    place.shows(2)
    eventually(lambda: len(place.room.marks.all()) == 1, 20, "the word")


def test_undo_takes_back_what_was_said_last_whichever_answer_came_first(place: Place) -> None:
    two_words(place, LATE)
    place.shows(1)
    eventually(lambda: len(place.room.marks.all()) == 1, 20, "the second word is kept")
    place.browser.ask("letGo(), 0")
    eventually(lambda: len(place.room.marks.all()) == 2, 20, "the first word is kept, too")
    place.press("u")
    place.shows(2)
    assert [one.incident for one in place.room.marks.all()] == [place.room.name(3)]


def test_a_word_can_be_taken_back_before_it_has_arrived(place: Place) -> None:
    for number in (1, 2):
        place.room.sees(number, 300 + number, picture(number))
    place.opens()
    place.browser.ask(LATE)
    place.press("t")
    place.browser.wait("window.letGo")
    place.shows(1)
    place.press("u")
    place.browser.ask("letGo(), 0")
    place.shows(2)
    assert place.room.marks.all() == ()


def test_what_a_rule_veils_waits_until_somebody_lifts_the_veil(place: Place, clips: FakeClips, tmp_path: Path) -> None:
    place.room.home.household().make(Rule(frozenset({Effect.VEILED})))
    ((content, about),) = reel(tmp_path / "clip", bars(6), 2, 5.9)
    incident = place.room.sees(1, 510, picture(1))
    clips.held.append((clip(1, incident=incident, part=0), content, about))
    place.opens()
    place.browser.wait("document.querySelector('video').readyState >= 2")
    assert place.browser.ask("document.querySelector('video').paused")
    assert "blur" in str(place.browser.ask("getComputedStyle(document.querySelector('video')).filter"))
    place.shot("review-veiled")
    place.browser.ask("document.querySelector('[data-lift]').click(), 0")
    place.browser.wait("!document.querySelector('video').paused")
    assert place.browser.ask("getComputedStyle(document.querySelector('video')).filter") == "none"


def test_keys_can_be_turned_off_and_modifiers_are_not_ours(place: Place) -> None:
    place.room.sees(1, picture=picture(1))
    place.opens()
    place.browser.ask("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 't', ctrlKey: true}))")
    place.browser.ask("document.querySelector('[data-keys] input').click()")
    place.press("t")
    place.opens()
    assert place.browser.ask("document.querySelector('[data-keys] input').checked") is False
    place.press("t")
    assert place.room.marks.all() == ()
    place.browser.ask("document.querySelector('[data-keys] input').click()")
    place.press("t")
    place.browser.wait("!document.querySelector('[data-empty]').hidden")


def test_the_next_clip_is_loaded_before_it_is_shown(place: Place, clips: FakeClips, tmp_path: Path) -> None:
    made = [reel(tmp_path / f"{number}", bars(6), 2, 5.9)[0] for number in (1, 2)]
    for number, (content, about) in enumerate(made, start=1):
        incident = place.room.sees(number, 500 + 10 * number, picture(number))
        clips.held.append((clip(number, incident=incident, part=0), content, about))
    place.opens()
    place.shows(1)
    place.browser.wait("document.querySelector('video').readyState >= 2")
    eventually(lambda: len({id(one.content) for one in clips.opened}) == 2, 20, "both are opened")
    place.press("b")
    place.shows(2)
    place.browser.wait("!document.querySelector('video').paused && document.querySelector('video').currentTime > 0")
    place.shot("review-clip")
    assert info().media == "video/mp4"


def test_an_answer_that_was_overtaken_counts_for_nothing(place: Place) -> None:
    two_words(place, HELD)
    place.browser.wait("document.querySelector('[data-done]').textContent === '2'")
    place.browser.ask("letGo(), 0")
    place.browser.wait("window.read")
    assert place.text("[data-done]") == "2"
    assert place.text("[data-waiting]") == "1"


def test_seconds_an_incident(place: Place) -> None:
    for number in range(1, SITTING + 1):
        place.room.sees(number, 300 + number, picture(number))
    place.opens()
    place.browser.wait(f"{ITEM} && document.querySelector('[data-media]').complete")
    sitting(place, f"{SITTING} incidents with a picture of 640 x 360 each", REPORT)


@pytest.mark.slow
def test_seconds_an_incident_with_a_clip_each(place: Place, clips: FakeClips, tmp_path: Path) -> None:
    """Twelve seconds of a street, enlarged to 1080p, as the product records them, under a name of its own for each."""
    ((content, about),) = reel(tmp_path / "clip", scenes(footage.cars(), 12), 2, 11.9)
    for number in range(1, SITTING + 1):
        incident = place.room.sees(number, 300 + number, picture(number))
        clips.held.append((clip(number, incident=incident, part=0), content, about))
    place.opens()
    place.browser.wait("document.querySelector('video')?.readyState >= 2")
    kind = f"{SITTING} incidents with a clip each, 1920 x 1080, 12 s, {len(content) / 1e6:.1f} MB"
    sitting(place, kind, REPORT.with_name("review-clips.txt"))


def scenes(path: Path, seconds: float) -> Iterator[Frame]:
    """Its pictures, as a camera of 1080p gives ten a second."""
    with av.open(str(path)) as container:
        index = 0
        for picture in container.decode(video=0):
            at_s = float(picture.time or 0)
            if at_s >= seconds:
                return
            if at_s * 10 < index:
                continue
            planes = picture.reformat(1920, 1080, "yuv420p").to_ndarray()
            y, chroma = planes[:1080], planes[1080:].reshape(2, 540, 960)
            yield Frame(round(index * 1e8), index, y, chroma[0], chroma[1])
            index += 1


def sitting(place: Place, kind: str, report: Path) -> None:
    """Answer all but the last as fast as they are drawn, and write how long that took."""
    begun = monotonic()
    seconds = []
    for number in range(SITTING - 1):
        given = place.browser.ask(TIMED.format(item=ITEM, press=PRESS.format("tbfon"[number % 5])))
        assert isinstance(given, int | float)
        seconds.append(float(given))
    place.browser.wait(f"document.querySelector('[data-done]').textContent === '{SITTING - 1}'")
    all_s = monotonic() - begun
    ordered = sorted(seconds)
    lines = [
        f"{kind}, {SITTING - 1} keys pressed as fast as pictures came",
        f"from key to the next picture: median {statistics.median(seconds):.3f} s, "
        f"95 of 100 within {ordered[int(0.95 * len(ordered))]:.3f} s, longest {ordered[-1]:.3f} s",
        f"seconds an incident, hub and browser together: {all_s / len(seconds):.3f}",
    ]
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text("\n".join(lines) + "\n")
    assert len(place.room.marks.all()) == SITTING - 1


def test_the_page_of_what_the_marks_teach_fits_a_phone(place: Place) -> None:
    figures = {"right": 0.93, "found": 0.951, "false": 0.031, "brier": 0.101, "incidents": 42, "threats": 17}
    side = {"before": figures, "after": figures | {"right": 0.96, "brier": 0.08}}
    for number in range(1, 4):
        place.room.marks.say(place.room.sees(number), Word(number), 0, "Ben")
    models = review.of(place.room.home).models
    models.send(models.keep(verdicts.load(), {"marks": side, "simulated": side, "fit": True}))
    place.browser.open(f"{place.address}/review/data")
    place.browser.size(320, 700)
    assert place.browser.ask("document.documentElement.scrollWidth <= innerWidth")
    place.shot("review-data")
