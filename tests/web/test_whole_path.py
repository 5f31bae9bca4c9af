"""A home from its first run to the recovery of a hub that is gone, as its owner goes that way in a real browser.

Every part is the product's own process (broker, hub, eye, post, media), the camera sees real footage, and the words
are made and typed at real terminals. How long each step took is written to build/web/whole_path.txt, not asserted.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any

import av
import numpy as np
import pytest

from sealcam_hub.folder import Folder
from sealcam_hub.home import open_home
from sealcam_hub.recipient import make_key
from sealcam_hub.review_queue import Queue
from sealcam_provision import claim
from sealcam_provision import home as homes
from tests import footage, typing_person
from tests.home.conftest import RunningHome, home
from tests.unit.hub.console_client import PASSPHRASE
from tests.waiting import eventually
from tests.web.browser import Browser, browsing, chromium
from tests.web.conftest import fill
from tests.web.shots import shot, wanted
from tests.web.test_player import VIDEO
from tests.web.test_review import ITEM, PRESS
from tests.web.test_sharing import press, received, through_to_grant, until_made

__all__ = ["home"]  # a fixture

REPORT = Path(__file__).resolve().parents[2] / "build" / "web" / "whole_path.txt"
LONG_S = 240.0
REVIEWED = 20
HERE = "document.querySelector('.clips__one--here a')"
PLAYING = f"{VIDEO}?.readyState >= 2 && !{VIDEO}.paused && {VIDEO}.currentTime > 0"
CLICK = "document.querySelector({!r}).click()"


@pytest.fixture(scope="session")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real footage: people for 1.3 s, then the same place without them (its median) for 1.6."""
    target = tmp_path_factory.mktemp("footage") / "visits.mkv"
    with av.open(str(footage.vtest())) as source:
        pictures = [frame.to_ndarray(format="rgb24") for frame in islice(source.decode(video=0), 0, 400, 10)]
        source.seek(0)
        people = [frame.to_ndarray(format="rgb24") for frame in islice(source.decode(video=0), 13)]
    empty = np.median(np.stack(pictures), axis=0).astype(np.uint8)
    with av.open(str(target), "w") as made:
        stream = made.add_stream("libx264", rate=10, options={"preset": "ultrafast", "crf": "18"})
        stream.height, stream.width = empty.shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in [*people, *[empty] * 16]:
            made.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        made.mux(stream.encode())
    return target


@dataclass
class Way:
    """A home that comes into being, whoever lives there in front of their browser, and what was done until then."""

    home: RunningHome
    owner: Browser
    folder: Path
    words: str = ""
    took_s: dict[str, float] = field(default_factory=dict)

    @property
    def hub(self) -> Path:
        return self.home.folder / "hub"

    def does(self, what: str, step: Callable[[], Any]) -> Any:
        """One step of the way, and how long it took."""
        began = monotonic()
        found = step()
        self.took_s[what] = monotonic() - began
        return found

    def at(self, path: str) -> None:
        self.owner.open(f"{self.home.console}{path}")

    def sees(self, **pages: str) -> None:
        """Keep pictures of these pages where anybody wants to look at them."""
        for name, path in pages.items() if wanted() else ():
            self.at(path)
            self.owner.wait("[...document.images].every((one) => one.complete)")
            shot(self.owner, f"whole-{name.replace('_', '-')}")

    def text(self, selector: str = "main") -> str:
        return str(self.owner.ask(f"document.querySelector({selector!r}).textContent"))

    def clicks(self, selector: str, within_s: float = LONG_S) -> None:
        """Wait for something to click on, and click on it."""
        self.owner.wait(f"document.querySelector({selector!r})", within_s)
        self.owner.ask(CLICK.format(selector))

    def enters(self, link: str) -> None:
        """Open the link that a hub without a passphrase has printed, and choose one."""
        self.home.console, _, _ = link.partition("/?")
        self.owner.open(link)
        if wanted():
            shot(self.owner, "whole-choose")
        fill(self.owner, new=PASSPHRASE, again=PASSPHRASE)
        self.owner.wait("document.querySelector('[data-pulse]')?.textContent === 'Live'")

    def claims(self, name: str) -> None:
        """Give the camera of this machine to the hub of this machine, as `sealcam-provision claim` does."""
        fingerprint = claim.owner_fingerprint(self.hub)
        claim.apply(claim.plan(name, self.home.folder / "sealcam.toml", self.hub, fingerprint))

    def plays(self) -> None:
        """Watch the video that the page is of."""
        self.owner.wait("document.querySelector('[data-player]')?.dataset.ready")
        self.owner.ask(f"{VIDEO}.muted = true, {VIDEO}.play()")
        self.owner.wait(PLAYING)
        assert self.owner.ask(f"[{VIDEO}.videoWidth, {VIDEO}.videoHeight]") == [768, 576]


@pytest.fixture
def way(home: RunningHome, tmp_path: Path) -> Iterator[Way]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    with browsing(program) as owner:
        owner.size(1280, 1000)
        made = Way(home, owner, tmp_path)
        yield made
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        REPORT.write_text("".join(f"{seconds:6.1f} s  {what}\n" for what, seconds in made.took_s.items()))


def makes_a_hub(way: Way) -> int:
    """The words are shown at a terminal, once, and written on paper. The broker's port."""
    port = homes.free_port()
    command = (homes.program("sealcam-hub"), "--state", way.hub, "init", "--broker", f"127.0.0.1:{port}")
    made = typing_person.run(command)
    assert made.code == 0, made.error
    way.words = " ".join(re.findall(r"\d+ ([a-z]+)", made.shown.partition("recovered.")[2]))
    assert len(way.words.split()) == 24
    way.home.restart_broker()
    homes.until_listening(way.home.home, "broker", port)
    return port


def enters_an_empty_home(way: Way) -> None:
    """The first page of a home without a camera says what to do next."""
    way.enters(homes.serve(way.home.home, way.hub, 0))
    assert "No camera belongs to this hub yet" in way.text()
    assert "sealcam-provision claim" in way.text(".side")
    way.sees(no_timeline="/timeline", no_review="/review", no_review_data="/review/data", no_sharing="/sharing")
    way.sees(no_cameras="/cameras", no_household="/household", no_notifications="/notifications")
    way.sees(no_offsite="/offsite", no_members="/members", no_log="/log", me="/me", passphrase="/passphrase")
    way.sees(no_now="/")


def claims_a_camera(way: Way, source: Path) -> None:
    """It stands on the page that is open by itself, and is armed with one press."""
    quick = "[sight]\ncalm_s = 0.8\n[clips]\npre_roll_s = 0.5\npost_roll_s = 0.5\n"
    wish = homes.Wish(str(source), "", "home", once=False, console_port=0, extra=quick)
    (way.home.folder / "sealcam.toml").write_text(homes.camera_config(way.home.folder, wish))
    way.claims("Front door")
    way.home.restart("eye")
    way.home.restart("post")
    way.owner.wait("document.querySelector('.tile .state--watching')", LONG_S)
    assert way.text(".tile h3").strip() == "Front door"
    way.clicks(".tile button[value=away]")
    way.owner.wait("document.querySelector('.tile button[value=away][aria-pressed=true]')", LONG_S)


def finds_a_threat(way: Way, place: int = -1) -> str:
    """On the timeline, among persons that are threats, with its video here; -1 is the first. The incident's id."""
    link = f"[...document.querySelectorAll('.card__title a')].at({place})"
    way.at("/timeline?subject=person&verdict=threat")
    way.owner.wait(link, LONG_S)
    way.owner.ask(f"{link}.click()")
    way.owner.wait(HERE, LONG_S)  # threats' clips come by themselves
    return str(way.owner.ask("location.pathname.split('/').at(-1)"))


def watches(way: Way) -> str:
    """The incident's video plays. The clip's id."""
    way.owner.ask(f"{HERE}.click()")
    way.plays()
    return str(way.owner.ask("document.querySelector('[data-player]').dataset.clip"))


def shares_and_revokes(way: Way, clip: str) -> None:
    """People are blurred; the recipient opens one file without a network; then the share ends."""
    secret, saved = way.folder / "their.key", way.folder / "saved"
    saved.mkdir()
    key = make_key(secret)
    press(way.owner, "[data-share]")
    way.owner.wait("document.querySelector('[data-what]')?.dataset.ready === ''")
    press(way.owner, "form.steps .button--main")
    until_made(way.owner)
    assert "People blurred" in way.text(".leaves")
    through_to_grant(way.owner, key.public.hex())
    way.owner.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(saved))
    press(way.owner, "[data-give=page]")
    eventually(lambda: [one.suffix for one in saved.iterdir()] == [".html"], 30, "the page was saved")
    with received(next(saved.iterdir()), secret, claim.owner_fingerprint(way.hub).hex()) as them:
        assert them.problems == []
        shot(them, "whole-recipient")
    press(way.owner, "[data-revoke]")
    way.owner.wait("document.querySelector('[data-state]')?.textContent === 'Revoked'")


def reviews(way: Way) -> None:
    """Twenty clips, a key each."""

    def waiting() -> int:
        with open_home(Folder(way.hub)) as hub:
            return Queue(hub.store, hub.ledger()).count()

    eventually(lambda: waiting() >= REVIEWED, LONG_S, "twenty incidents")
    way.at("/review")
    way.owner.wait("document.querySelector('[data-keys]')?.hidden === false")
    seen = set()
    for number in range(REVIEWED):
        way.owner.wait(f"{ITEM} && document.querySelector('[data-media]')")
        seen.add(way.owner.ask(ITEM))
        before = json.dumps(way.owner.ask(ITEM))
        way.owner.ask(PRESS.format("tbfon"[number % 5]))
        way.owner.wait(f"{ITEM} !== {before}")
    way.owner.wait(f"document.querySelector('[data-done]').textContent === '{REVIEWED}'")
    assert len(seen) == REVIEWED
    camera = str(next(iter(seen))).partition("-")[0]
    way.sees(review="/review", review_data="/review/data", now="/", timeline="/timeline", cameras="/cameras")
    way.sees(household="/household", camera=f"/cameras/{camera}", log="/log", sharing="/sharing", problem="/nowhere")


def logged(way: Way) -> list[str]:
    """What the log says was done, the newest first."""
    way.at("/log")
    found: list[str] = []
    while True:
        part = way.owner.ask("[...document.querySelectorAll('.log__what')].map(one => one.textContent)")
        assert isinstance(part, list)
        found += part
        older = way.owner.ask("document.querySelector('.older a')?.getAttribute('href')")
        if older is None:
            return found
        way.at(str(older))


def deletes(way: Way, incident: str, clip: str) -> None:
    """After one question it is nowhere any more, and what the camera keeps of it opens no longer."""
    sealed = [one for one in way.home.folder.rglob(f"{clip}.scl1") if way.hub not in one.parents]
    way.sees(incident=f"/incident/{incident}", clip=f"/clip/{clip}", save=f"/clip/{clip}/save")
    way.at(f"/incident/{incident}")
    way.clicks(".one__delete a")
    way.clicks(".button--threat")
    way.owner.wait("location.pathname === '/timeline'")
    way.sees(deleted=f"/clip/{clip}")
    way.at(f"/incident/{incident}")
    assert "There is nothing here" in way.text()
    way.at(f"/clip/{clip}")
    assert "Deleted by its owner" in way.text("[data-none]")
    assert way.owner.ask("document.querySelector('video, [data-save], [data-share]')") is None
    assert not list(way.hub.rglob(f"{clip}*"))
    assert not list((way.hub / "shared").iterdir())
    out = way.folder / "out.mp4"
    for path in sealed:
        with pytest.raises(subprocess.CalledProcessError):
            way.home.hub("clip", "open", str(path), "-o", str(out))
    assert not out.exists()


def loses_the_hub(way: Way) -> Path:
    """A backup is all that is left of it."""
    backup = way.folder / "hub.backup"
    way.at("/")
    way.home.hub("backup", "-o", str(backup))
    for name in ("hub", "eye", "post", "broker"):
        way.home.kill(name)
    way.owner.wait("document.querySelector('.pulse--lost')?.textContent.startsWith('Connection to the hub lost')")
    shutil.rmtree(way.hub)
    return backup


def recovers(way: Way, backup: Path) -> None:
    """The words are typed at a terminal; the camera is claimed again, and brings what it has."""
    port = homes.free_port()
    command = (homes.program("sealcam-hub"), "--state", way.hub, "recover", "--from", backup, "--broker")
    with ThreadPoolExecutor(1) as person:
        coming = person.submit(typing_person.run, [*command, f"127.0.0.1:{port}"], [("word  1 of 24: ", way.words)])
        eventually(lambda: (way.hub / "hub.toml").exists() or coming.done(), 60.0, "a new hub")
        way.home.restart_broker()
        homes.until_listening(way.home.home, "broker", port)
        way.claims("Front door")
        way.home.restart("eye")
        way.home.restart("post")
        done = coming.result(timeout=LONG_S)
    assert done.code == 0, done.error
    shown = " ".join(f"{done.shown} {done.out} {done.error}".split())
    assert not any(" ".join(pair) in shown for pair in itertools.pairwise(way.words.split()))


def finds_it_again(way: Way, kept: str, deleted: str) -> None:
    """The recovered hub has what was kept, and its video, which the camera still has; not what was deleted."""
    way.enters(homes.serve(way.home.home, way.hub, 0))
    way.at("/timeline")
    way.owner.wait("document.querySelector('.card')")
    way.at(f"/incident/{deleted}")
    assert "There is nothing here" in way.text()
    way.at(f"/incident/{kept}")
    way.clicks(".clips__one--camera button")
    way.owner.wait(HERE, LONG_S)
    watches(way)


@pytest.mark.slow  # and part of `make test-web`, whatever it takes
def test_the_whole_way_from_the_first_run_to_a_hub_that_is_gone(way: Way, visits: Path) -> None:
    way.does("make a hub, write the words down", partial(makes_a_hub, way))
    way.does("open the link, choose a passphrase", partial(enters_an_empty_home, way))
    way.does("claim a camera, arm it", partial(claims_a_camera, way, visits))
    incident = way.does("find a threat on the timeline", partial(finds_a_threat, way))
    clip = way.does("watch its video", partial(watches, way))
    way.does("share it, open it as the recipient, revoke", partial(shares_and_revokes, way, clip))
    way.does("review twenty clips", partial(reviews, way))
    kept = way.does("find another one", partial(finds_a_threat, way, -2))
    assert kept != incident
    way.does("delete the first", partial(deletes, way, incident, clip))
    log = logged(way)
    for said in ("Opened. an incident", "Opened. a clip, watched", "Commanded. Front door", "Shared. ", "Served. "):
        assert any(one.startswith(said) for one in log), said
    for said in ("Revoked. ", "Deleted. "):
        assert any(one.startswith(said) for one in log), said
    backup = way.does("lose the hub", partial(loses_the_hub, way))
    way.does("recover from the words", partial(recovers, way, backup))
    way.does("find everything again", partial(finds_it_again, way, kept, incident))
    assert [one for one in way.owner.problems if '"source": "network"' not in one] == []  # pages that are gone are 404
