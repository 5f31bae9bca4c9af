"""The player in a real browser: real clips are found, sought, stepped through, marked, saved, and nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sealcam.board.replay import ReplayCamera
from tests import footage
from tests.films import frames, shown
from tests.unit.hub.console_clips import FakeClips, clip, name
from tests.unit.hub.console_fake import SECOND_NS, incident, report
from tests.waiting import eventually
from tests.web.browser import Browser
from tests.web.conftest import Hub
from tests.web.reels import bars, reel

READY = "document.querySelector('[data-player]').dataset.ready === '{}'"
DRAWN = "document.querySelector('[data-strip]').dataset.drawn !== undefined"
VIDEO = "document.querySelector('video')"
TIME = f"{VIDEO}.currentTime"
# Where the light bar of `reels.bars` stands in the picture that is shown, in pixels of it.
BAR = """(() => {
    const video = document.querySelector('video');
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    const pen = canvas.getContext('2d');
    pen.drawImage(video, 0, 0);
    const pixels = pen.getImageData(0, 10, canvas.width, 1).data;
    let place = 0;
    for (let x = 0; x < canvas.width; x++) if (pixels[4 * x] > pixels[4 * place]) place = x;
    return place;
})()"""
SEEK = """(async (at_s) => {
    const video = document.querySelector('video');
    const seeked = new Promise((done) => video.addEventListener('seeked', done, {once: true}));
    video.currentTime = at_s;
    await seeked;
})"""

# A browser with room for 30 s.
FULL = """(() => {
    const append = SourceBuffer.prototype.appendBuffer;
    SourceBuffer.prototype.appendBuffer = function (bytes) {
        let held_s = 0;
        for (let at = 0; at < this.buffered.length; at++) held_s += this.buffered.end(at) - this.buffered.start(at);
        if (held_s > 30) throw new DOMException('full', 'QuotaExceededError');
        append.call(this, bytes);
    };
})()"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FakeClips:
    """Two parts of one incident: 15 s of a bar that moves, then 4 s that go on from there."""
    folder = tmp_path_factory.mktemp("reels")
    ((first, about),) = reel(folder / "one", bars(15), 2, 14.9)
    ((second, later),) = reel(folder / "two", bars(4, start_s=20), 20.5, 23.9)
    return FakeClips((clip(1), first, about), (clip(2), second, later))


@pytest.fixture
def player(hub: Hub, browser: Browser, made: FakeClips) -> Iterator[Browser]:
    """The player of the first part, ready."""
    at = made.held[0][2].at
    said = (("new", 2.0, "threat"), ("update", 6.5, "threat"), ("update", 9.0, "benign"), ("end", 40.0, "benign"))
    reports = tuple(
        report(
            number,
            stage,
            verdict=verdict,
            boot=at.boot,
            boot_ns=at.boot_ns + round(at_s * SECOND_NS),
            has_thumbnail=False,
        )
        for number, (stage, at_s, verdict) in enumerate(said)
    )
    hub.clips.held = list(made.held)
    hub.sees(1, reports=reports)
    watch(hub, browser, 1)
    yield browser
    assert browser.problems == []


def watch(hub: Hub, browser: Browser, number: int) -> None:
    browser.open("about:blank")  # the list's pictures aren't there, and their answers may be late
    browser.problems.clear()
    browser.open(f"{hub.address}/clip/{name(number)}")
    browser.wait(READY.format(name(number)))
    browser.wait(f"{VIDEO}.readyState >= 2 && !{VIDEO}.seeking")


def press(browser: Browser, key: str) -> None:
    """A key, as the keyboard sends it."""
    text = {"text": key} if len(key) == 1 else {}
    browser.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
    browser.call("Input.dispatchKeyEvent", type="keyUp", key=key)


def shows(browser: Browser, number: int) -> None:
    """Wait until this picture of `reels.bars` is shown, by what is in it: a seek's end is told a little earlier."""
    browser.wait(f"{BAR} >> 1 === {number}")


def test_five_places_in_no_order_show_the_pictures_that_were_taken_then(hub: Hub, player: Browser) -> None:
    assert player.ask(f"{VIDEO}.duration") == 15
    for at_s in (7.25, 0.05, 14.85, 3.05, 11.95):
        player.ask(f"{SEEK}({at_s})")
        shows(player, int(at_s * 10))
    part = [one for one in hub.clips.opened if one.reads]
    longest = max(sum(length for _, length in one.reads) for one in part)
    assert longest <= (1 << 20) + (1 << 18), "each answer is a piece, never the file"


def test_single_pictures_forwards_and_back_over_the_fragments_edge(player: Browser) -> None:
    player.ask(f"{SEEK}(1.75)")
    for wanted in (18, 19, 20, 21, 22):
        player.ask("document.querySelector('[data-do=on]').click()")
        player.wait(f"Math.round({TIME} * 1000) === {wanted * 100}")
        player.wait(f"!{VIDEO}.seeking")
        shows(player, wanted)
    for wanted in (21, 20, 19):
        press(player, ",")
        player.wait(f"Math.round({TIME} * 1000) === {wanted * 100}")
        player.wait(f"!{VIDEO}.seeking")
        shows(player, wanted)
    player.ask(f"{SEEK}(0.02)")
    press(player, ",")
    player.ask(f"{SEEK}(14.95)")
    press(player, ".")
    assert player.ask(f"{VIDEO}.paused")
    shows(player, 149)  # there is none after the last


def test_it_plays_at_any_speed_and_pauses_by_key(player: Browser) -> None:
    player.ask("document.activeElement.blur()")
    player.ask(
        "{const one = document.querySelector('[data-speed]'); one.value = '8'; one.dispatchEvent(new Event('change'))}"
    )
    press(player, "k")
    player.wait(f"{TIME} > 6")
    assert player.ask(f"{VIDEO}.playbackRate") == 8
    press(player, " ")
    player.wait(f"{VIDEO}.paused")
    for _ in range(9):
        press(player, "<")
    assert player.ask(f"{VIDEO}.playbackRate") == 0.25


def test_marks_stand_where_they_belong_and_lead_there(player: Browser) -> None:
    marks = player.ask("[...document.querySelectorAll('.mark__to')].map(m => [m.style.left, m.className])")
    assert isinstance(marks, list)
    places = [float(left.rstrip("%")) * 15 / 100 for left, _ in marks]
    assert places == pytest.approx([2, 2, 6.5, 9], abs=1e-3)  # the trigger, then what was said; the end is beyond
    assert [kind.split()[1:] for _, kind in marks] == [
        ["mark__to--trigger", "card--threat"],
        ["mark__to--new", "card--threat"],
        ["mark__to--update", "card--threat"],
        ["mark__to--update", "card--benign"],
    ]
    player.ask("document.querySelectorAll('.mark__to')[2].click()")
    player.wait(f"{TIME} === 6.5 && !{VIDEO}.seeking")
    shows(player, 65)
    press(player, "n")
    player.wait(f"{TIME} === 9")
    press(player, "p")
    player.wait(f"{TIME} === 6.5")
    assert "later" in str(player.ask("document.querySelector('[data-said-list]').textContent"))


def test_the_scenes_clock_stands_beside_the_picture(hub: Hub, player: Browser) -> None:
    player.ask(f"{SEEK}(7.25)")
    began_ms = player.ask(f"fetch('/clip/{name(1)}/facts').then(a => a.json()).then(f => f.wall_ms)")
    assert isinstance(began_ms, int | float)
    shown_at = "Date.parse(document.querySelector('[data-clock]').dateTime)"
    player.wait(f"Math.abs({shown_at} - {began_ms} - 7200) <= 51")  # that picture is the one of 7.2 s


def test_the_strip_is_drawn_from_the_clip_and_leads_there(player: Browser) -> None:
    player.wait(DRAWN)
    light = """[...document.querySelectorAll('.strip canvas')].map(one => {
        const row = one.getContext('2d').getImageData(0, 10, one.width, 1).data;
        let place = 0;
        for (let x = 0; x < one.width; x++) if (row[4 * x] > row[4 * place]) place = x;
        return [Number(one.dataset.from), place / one.width * 320];
    })"""
    drawn = player.ask(light)
    assert isinstance(drawn, list)
    assert len(drawn) >= 5
    for from_s, place_px in drawn:
        assert place_px == pytest.approx(20 * from_s, abs=3)
    box = player.ask(
        "(({left, top, width}) => [left, top, width])(document.querySelector('.strip').getBoundingClientRect())"
    )
    assert isinstance(box, list)
    at = {"x": box[0] + box[2] / 3, "y": box[1] + 10, "button": "left", "clickCount": 1}
    player.call("Input.dispatchMouseEvent", type="mousePressed", **at)
    player.call("Input.dispatchMouseEvent", type="mouseReleased", **at)
    player.wait(f"Math.abs({TIME} - 5) < 0.2")


def test_parts_play_one_after_another_and_each_is_entered_once(hub: Hub, player: Browser) -> None:
    player.ask("document.querySelector('[data-speed]').value = '8'")
    player.ask(f"{SEEK}(14)")
    press(player, "k")
    player.wait(READY.format(name(2)))
    player.wait(f"location.pathname === '/clip/{name(2)}' && {VIDEO}.duration === 4")
    player.wait(f"{VIDEO}.ended")
    player.ask(f"{SEEK}(3.95)")  # at eight times the speed, a busy browser leaves out what it can't draw in time
    shows(player, 39)
    player.ask("document.querySelector('[data-part-of]').click()")
    player.wait(READY.format(name(1)))
    player.wait(f"{VIDEO}.readyState >= 2")
    assert hub.log.watched_clips == [name(1), name(2)]


def test_what_is_far_behind_is_let_go_of_and_comes_back_when_it_is_wanted(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    ((content, about),) = reel(tmp_path / "long", frames(150), 2, 149.9, longest_s=200)
    hub.clips.held = [(clip(1), content, about)]
    watch(hub, browser, 1)
    browser.ask(f"{SEEK}(130)")
    browser.wait(f"{VIDEO}.buffered.length === 1 && {VIDEO}.buffered.start(0) > 60")
    browser.ask(f"{SEEK}(5)")
    browser.wait(f"{VIDEO}.buffered.start(0) < 6 && {VIDEO}.buffered.end({VIDEO}.buffered.length - 1) < 110")
    assert browser.problems == []


def test_where_the_browsers_room_is_full_what_is_not_shown_next_makes_way(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    ((content, about),) = reel(tmp_path / "full", frames(150), 2, 149.9, longest_s=200)
    hub.clips.held = [(clip(1), content, about)]
    watch(hub, browser, 1)
    browser.wait(f"{VIDEO}.buffered.end(0) >= 20")
    browser.ask(FULL)
    browser.ask(f"{SEEK}(60)")
    browser.wait(f"{VIDEO}.buffered.length === 1 && {VIDEO}.buffered.start(0) > 50 && {VIDEO}.buffered.end(0) >= 80")
    assert browser.ask("document.querySelector('[data-words]').hidden")
    assert browser.problems == []


def test_a_hub_that_does_not_answer_is_told_and_playing_goes_on_when_it_does(hub: Hub, player: Browser) -> None:
    kept, words = hub.clips.held, "document.querySelector('[data-words]')"
    view, content, about = kept[1]
    hub.clips.held = [kept[0], (replace(view, state="camera", held=0), content, about)]
    player.ask(f"document.querySelector('[data-part-of=\"{name(2)}\"]').click()")
    player.wait(f"!{words}.hidden")
    assert "its camera has it" in str(player.ask(f"{words}.textContent")).lower()
    hub.clips.held = kept
    player.ask(f"document.querySelector('[data-part-of=\"{name(1)}\"]').click()")
    player.wait(f"{words}.hidden && {VIDEO}.readyState >= 2")
    player.problems.clear()  # the browser notes the answer 409


def test_saving_asks_first_and_the_file_is_the_clip(hub: Hub, player: Browser, made: FakeClips, tmp_path: Path) -> None:
    player.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    player.ask("document.querySelector('[data-save]').click()")
    player.wait("document.querySelector('form.door button')")
    assert "leaves the seal" in str(player.ask("document.querySelector('form.door').textContent"))
    assert hub.log.saved_clips == []
    player.ask("document.querySelector('form.door button').click()")
    content = made.held[0][1]
    eventually(lambda: any(one.stat().st_size == len(content) for one in tmp_path.glob("*.mp4")), 20, "the file")
    (file,) = tmp_path.glob("*.mp4")
    assert file.read_bytes() == content
    assert len(shown(content).times_us) == 150
    assert hub.log.saved_clips == [name(1)]


def test_without_scripts_the_browsers_own_player_plays_it(hub: Hub, browser: Browser, made: FakeClips) -> None:
    hub.clips.held = list(made.held)
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.call("Page.navigate", url=f"{hub.address}/clip/{name(1)}")
    browser.wait("document.querySelector('video[controls]') && document.readyState === 'complete'")
    browser.ask(f"{VIDEO}.preload = 'auto', {VIDEO}.load()")
    browser.wait(f"{VIDEO}.readyState >= 2")
    assert browser.ask(f"{VIDEO}.duration") == 15
    browser.ask(f"{VIDEO}.currentTime = 7.25")
    browser.wait(f"!{VIDEO}.seeking && {VIDEO}.readyState >= 2")
    shows(browser, 72)
    assert browser.ask("getComputedStyle(document.querySelector('[data-keys]')).display") == "none"


@pytest.mark.parametrize("width_px", [320, 768, 1280])
def test_the_player_fits_every_width(hub: Hub, player: Browser, width_px: int) -> None:
    player.size(width_px, 800)
    for path in (f"/clip/{name(1)}", f"/clip/{name(1)}/save", f"/incident/{incident(1).id}"):
        player.open(hub.address + path)
        assert player.ask("document.documentElement.scrollWidth") == width_px, path
    player.problems.clear()  # the incident's picture isn't there


def test_the_porch_is_played_and_every_picture_is_one_of_the_cameras(
    hub: Hub, browser: Browser, tmp_path: Path
) -> None:
    ((content, about),) = reel(tmp_path / "porch", ReplayCamera(footage.porch()).frames(), 0.5, 5.8)
    hub.clips.held = [(clip(1), content, about)]
    hub.sees(1)
    watch(hub, browser, 1)
    taken = [time_us / 1e6 for time_us in shown(content).times_us]
    stepped = [0.0]
    now = "Number(document.querySelector('[data-player]').dataset.shown)"
    for _ in range(12):
        press(browser, ".")
        browser.wait(f"!{VIDEO}.seeking && {now} > {stepped[-1]}")
        stepped.append(float(str(browser.ask(now))))
    assert stepped == pytest.approx(taken[:13], abs=1e-3)
    assert browser.ask(f"{VIDEO}.videoWidth") == 1280
    assert browser.problems == []
    assert hub.log.watched_clips == [name(1)]
