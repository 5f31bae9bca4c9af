"""Sharing in a real browser: a clip is redacted, shared, opened by its recipient with no network, revoked, and told of.

The hub is real (ledger, vault, media process, audit log), the clip one that the product recorded of real footage.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import pytest

from sealcam.board.replay import ReplayCamera
from sealcam_hub.audit_source import AuditSource
from sealcam_hub.clip_source import Clips
from sealcam_hub.console.app import create
from sealcam_hub.console.server import ConsoleServer
from sealcam_hub.feed import Feed
from sealcam_hub.recipient import key_name, load_key, make_key
from sealcam_hub.share_room import copies
from sealcam_hub.share_room import of as room_of
from tests import footage
from tests.codes import photo
from tests.receiving import Desk, desk
from tests.shared import share
from tests.unit.hub.console_client import PASSPHRASE, TOKEN
from tests.unit.hub.console_fake import FakeDoor
from tests.unit.hub.test_vault import clip_of, hold
from tests.waiting import eventually
from tests.web import shots
from tests.web.browser import Browser, browsing, chromium
from tests.web.conftest import fill
from tests.web.reels import reel
from tests.web.test_opener import FACTS, PLAYS, PROBLEM, check, choose, text


@dataclass
class Home:
    """A hub whose console runs, with one clip in its vault."""

    address: str
    at: Desk
    clip: str

    def log(self) -> list[tuple[str, str]]:
        """Action and detail of each entry, the oldest first."""
        home = self.at.home
        entries = AuditSource(home.store, home.keys, home.clock).newest(99).entries
        return [(one.action, one.detail) for one in reversed(entries)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A man at the door, as the product records him."""
    with ReplayCamera(footage.porch()) as camera:
        ((video, _),) = reel(tmp_path_factory.mktemp("reel"), islice(camera.frames(), 30), 1.0, 2.0)
    return video


@pytest.fixture
def home(tmp_path: Path, film: bytes) -> Iterator[Home]:
    with desk(tmp_path / "hub") as at:
        at.take(at.camera.incident(1, clip=at.camera.clip_key(1)))
        name = hold(at, clip_of(at, plain=film))
        hub = at.home
        app = create(
            hub.ledger(),
            Feed(),
            hosts=("localhost",),
            door=FakeDoor(TOKEN),
            arm=lambda *_: None,
            clock=at.clock.wall_ns,
            boot=at.clock.boot_ns,
            log=AuditSource(hub.store, hub.keys, hub.clock),
            clips=Clips(hub.vault(), hub.fetching().ask),
            parts=(room_of(hub),),
        )
        server = ConsoleServer(app)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            yield Home(f"http://localhost:{port}", at, name)
            server.should_exit = True
            thread.join()


@pytest.fixture
def owner(home: Home) -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    with browsing(program) as made:
        made.size(1280, 1000)
        made.open(f"{home.address}/?token={TOKEN}")
        fill(made, new=PASSPHRASE, again=PASSPHRASE)
        made.wait("document.querySelector('.rooms')")
        yield made


def shot(browser: Browser, name: str) -> None:
    """Its pictures, where they are wanted."""
    if shots.wanted():
        shots.shot(browser, f"sharing-{name}")
        browser.size(1280, 1000)


def press(browser: Browser, selector: str) -> None:
    browser.wait(f"document.querySelector({selector!r})")
    browser.ask(f"document.querySelector({selector!r}).click()")


def put(browser: Browser, name: str, value: str) -> None:
    browser.ask(f"document.querySelector('form.steps [name={name}]').value = {value!r}")


def until_made(browser: Browser) -> None:
    """Wait for what would leave: two models look at every picture of it, which takes a busy machine its time."""

    def shown() -> bool:
        try:
            return browser.ask("document.querySelector('[data-preview]')?.readyState >= 2") is True
        except RuntimeError:  # the page is being exchanged for the next one
            return False

    eventually(shown, 240, "the copy was made")


def through_to_preview(browser: Browser, home: Home, **fields: str) -> None:
    """From the clip's page to a look at what would leave."""
    browser.open(f"{home.address}/clip/{home.clip}")
    press(browser, "[data-share]")
    browser.wait("document.querySelector('[data-what]')?.dataset.ready === ''")
    shot(browser, "1-what")
    for name, value in fields.items():
        put(browser, name, value)
    press(browser, "form.steps .button--main")
    until_made(browser)


# Whether the video of a page can still ask for something when its form goes: the answer would be that it is gone.
LAST_SEEN = """delete sessionStorage.asks;
window.addEventListener("submit", () => {
  sessionStorage.asks = document.querySelector("video").hasAttribute("src");
})"""


def through_to_grant(browser: Browser, key: str, why: str = "share") -> None:
    """From there to a grant."""
    browser.ask("document.querySelector('[name=seen]').checked = true")
    browser.ask(f"document.querySelector('[name=why][value={why}]').checked = true")
    for name, value in (("key", key), ("name", "Insurer"), ("purpose", "Claim 4711")):
        put(browser, name, value)
    shot(browser, "2-preview")
    press(browser, "form.steps .button--main")
    browser.wait("document.querySelector('[data-share]') && document.readyState === 'complete'")
    shot(browser, "3-confirm")
    browser.ask(LAST_SEEN)
    press(browser, "[data-share]")
    browser.wait("document.querySelector('[data-revoke]') && document.readyState === 'complete'")
    assert browser.ask("sessionStorage.asks") == "false"


@contextmanager
def received(page: Path, secret: Path, root: str) -> Iterator[Browser]:
    """The recipient, without a network, with what they were sent, their key, and the owner's fingerprint: it plays."""
    program = chromium()
    assert program is not None
    with browsing(program) as them:
        them.call("Network.enable")
        them.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        them.size(1000, 1200)
        them.open(page.as_uri())
        them.wait("'ready' in document.documentElement.dataset")
        choose(them, "key", secret)
        them.ask(f"document.querySelector('textarea').value = '{root}'")
        press(them, "button[type=submit]")
        them.wait(f"({FACTS}) || ({PROBLEM})")
        assert them.ask(FACTS), text(them, "problem-text")
        press(them, "[data-play]")
        them.wait(PLAYS)
        yield them


def test_a_clip_is_redacted_shared_opened_offline_revoked_and_told_of(
    home: Home, owner: Browser, tmp_path: Path
) -> None:
    owner.open(f"{home.address}/sharing")
    shot(owner, "0-empty")
    assert "Nobody has anything" in str(owner.ask("document.body.textContent"))
    secret = tmp_path / "my.key"
    key = make_key(secret)

    through_to_preview(owner, home, begin="0.5", end="2")
    said = str(owner.ask("document.querySelector('.leaves').textContent"))
    assert "People blurred" in said
    assert "From 0:00.5 to 0:02.0" in said
    assert [action for action, _ in home.log()].count("shared") == 0
    through_to_grant(owner, " ".join(key.public.hex()[at : at + 8] for at in range(0, 64, 8)))
    shot(owner, "4-grant")
    assert key_name(key.public) in str(owner.ask("document.body.textContent"))

    folder = tmp_path / "saved"
    folder.mkdir()
    owner.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    press(owner, "[data-give=page]")
    eventually(lambda: [one.suffix for one in folder.iterdir()] == [".html"], 30, "the page was saved")
    (page,) = folder.iterdir()

    with received(page, secret, home.at.home.keys.root_fingerprint) as them:
        assert text(them, "purpose") == "Claim 4711"
        assert "hub" in str(text(them, "words"))
        length = them.ask("document.querySelector('video').duration")
        assert isinstance(length, int | float)
        assert 1.3 < length < 1.7
        shot(them, "5-recipient")
        assert them.problems == []

    owner.wait("document.readyState === 'complete'")
    owner.ask(LAST_SEEN)
    press(owner, "[data-revoke]")
    owner.wait("document.querySelector('[data-state]')?.textContent === 'Revoked'")
    assert owner.ask("sessionStorage.asks") == "false"
    assert owner.ask("document.querySelector('[data-give]')") is None
    assert not list((home.at.home.folder.path / "shared").iterdir())
    told = home.log()
    assert [action for action, _ in told if action in ("shared", "served", "revoked")] == [
        "shared",
        "served",
        "revoked",
    ]
    detail = next(detail for action, detail in told if action == "shared")
    assert detail.endswith("clip of Door to Insurer, made anew: from 0:00.5 to 0:02.0, people blurred, for: Claim 4711")
    owner.open(f"{home.address}/log")
    assert "Insurer" in str(owner.ask("document.body.textContent"))
    owner.open(f"{home.address}/sharing")
    shot(owner, "6-over")
    assert owner.problems == []


def test_a_box_is_drawn_on_the_picture_and_all_else_is_black(home: Home, owner: Browser, tmp_path: Path) -> None:
    owner.open(f"{home.address}/sharing/clip/{home.clip}")
    owner.wait("document.querySelector('[data-video]').readyState >= 2")
    owner.ask("document.querySelector('[name=people]').checked = false")
    press(owner, "[data-black]")
    corner = owner.ask(
        "(r => [r.left, r.top, r.width, r.height])(document.querySelector('[data-pane]').getBoundingClientRect())"
    )
    assert isinstance(corner, list)
    left, top, width, height = (float(one) for one in corner)
    for kind, x, y in (("mousePressed", 0.5, 0.2), ("mouseMoved", 0.7, 0.4), ("mouseReleased", 0.8, 0.6)):
        place = {"x": left + x * width, "y": top + y * height}
        owner.call("Input.dispatchMouseEvent", type=kind, button="left", buttons=1, clickCount=1, **place)
    drawn = str(owner.ask("document.querySelector('[data-area]').value"))
    assert [abs(int(one) - want) <= 12 for one, want in zip(drawn.split(","), (500, 200, 700, 400), strict=True)]
    shot(owner, "7-box")
    put(owner, "area", "500,200,800,600")
    press(owner, "form.steps .button--main")
    until_made(owner)
    (copy,) = (home.at.home.folder.path / "shared").iterdir()
    with copies(home.at.home).open(copy.stem) as opened:
        mp4 = tmp_path / "copy.mp4"
        mp4.write_bytes(opened.read(0, opened.size))
    with av.open(str(mp4)) as container:
        luma = next(iter(container.decode(video=0))).to_ndarray(format="yuv420p")[:720]
    assert luma[:140].max() < 24
    assert luma[:, :630].max() < 24
    assert luma[160:420, 660:1010].std() > 10


def test_a_consent_stands_by_itself_and_can_be_revoked(home: Home, owner: Browser, tmp_path: Path) -> None:
    owner.open(f"{home.address}/sharing/clip/{home.clip}")
    press(owner, "[name=way][value=signed]")
    press(owner, "form.steps .button--main")
    until_made(owner)
    through_to_grant(owner, make_key(tmp_path / "key").public.hex(), "improve")
    owner.open(f"{home.address}/sharing")
    shot(owner, "8-consent")
    listed = str(owner.ask("document.querySelector('[aria-labelledby=improve]').textContent"))
    assert "To improve the software: Claim 4711" in listed
    assert "Insurer" in listed


def test_the_page_without_a_clip_makes_a_key_and_opens_two_files_without_a_network(
    home: Home, owner: Browser, tmp_path: Path
) -> None:
    owner.open(f"{home.address}/sharing")
    owner.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    press(owner, "a[download]")
    page = tmp_path / "sealcam-open.html"
    eventually(page.exists, 30, "the page was saved")
    folder = tmp_path / "shared"
    folder.mkdir()
    program = chromium()
    assert program is not None
    with browsing(program) as them:
        them.call("Network.enable")
        them.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
        them.open(page.as_uri())
        them.wait("'ready' in document.documentElement.dataset")
        them.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        them.ask("document.querySelector('details').open = true")
        press(them, "[data-make]")
        saved = folder / "sealcam-recipient.key"
        eventually(saved.exists, 30, "the key was saved")
        assert text(them, "made-public") == load_key(saved).public.hex()
        (tmp_path / "files").mkdir()
        check(them, share(tmp_path / "files", b"content"))
        them.wait(f"({FACTS}) || ({PROBLEM})")
        assert them.ask(FACTS), text(them, "problem-text")
        assert them.problems == []


def test_the_key_is_read_from_a_photo_of_its_code_and_another_photo_costs_nothing_typed(
    home: Home, owner: Browser, tmp_path: Path
) -> None:
    public = make_key(tmp_path / "key").public
    (tmp_path / "door.jpg").write_bytes(photo(None))
    (tmp_path / "code.jpg").write_bytes(photo(public.hex().upper()))
    owner.open(f"{home.address}/sharing/clip/{home.clip}")
    press(owner, "[name=way][value=signed]")
    press(owner, "form.steps .button--main")
    until_made(owner)
    owner.ask("document.querySelector('[name=seen]').checked = true")
    for name, value in (("name", "Insurer"), ("purpose", "Claim 4711")):
        put(owner, name, value)
    choose(owner, "picture", tmp_path / "door.jpg")
    press(owner, "form.steps .button--main")
    owner.wait("document.querySelector('[data-problem]') && document.readyState === 'complete'")
    shot(owner, "9-no-code")
    assert "paste the 64 digits" in str(owner.ask("document.querySelector('[data-problem]').textContent"))
    kept = "['name', 'purpose'].map((one) => document.querySelector(`form.steps [name=${one}]`).value)"
    assert owner.ask(kept) == ["Insurer", "Claim 4711"]
    choose(owner, "picture", tmp_path / "code.jpg")
    press(owner, "form.steps .button--main")
    owner.wait("document.querySelector('[data-key]')")
    assert owner.ask("document.querySelector('[data-key]').textContent") == key_name(public)


@pytest.mark.parametrize("width_px", [320, 1280])
def test_every_page_fits(home: Home, owner: Browser, width_px: int) -> None:
    owner.size(width_px, 900)
    for address in ("/sharing", f"/sharing/clip/{home.clip}"):
        owner.open(f"{home.address}{address}")
        assert owner.ask("document.documentElement.scrollWidth <= innerWidth"), address
