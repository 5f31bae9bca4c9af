"""A hub that runs as a process, in a home where there is one of everything that a page can name; for tests over HTTP.

Its broker isn't there, which is no failure of a hub: what it is asked for waits.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from sealcam.wire.bodies import Stage
from sealcam_hub.clock import SystemClock
from sealcam_hub.doors import Door
from sealcam_hub.feed import Feed
from sealcam_hub.folder import Address, Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.inbox import Message
from sealcam_hub.members import People
from sealcam_hub.notifying.manage import Notifications
from sealcam_hub.receive import Receiver
from sealcam_hub.recipient import make_key
from tests.broker import free_port
from tests.hubs import JPEG, Camera, make
from tests.scl1 import content
from tests.unit.hub.console_client import PASSPHRASE
from tests.unit.hub.household import THEIRS
from tests.vault import clip_of, name_of, pieces
from tests.waiting import eventually

HUB = str(Path(sys.executable).with_name("sealcam-hub"))
INCIDENTS = 6  # of which the first have clips here, and one has a clip that its camera keeps
HELD, KEPT = 4, 5
PUSH = "https://127.0.0.1:9"  # a push service of the owner's own, where nobody listens


@dataclass
class Furnished:
    """The process, its home's folder and log, and the ids of what there is."""

    folder: Folder
    console: str
    metrics: str
    ids: dict[str, tuple[str, ...]] = field(default_factory=dict)
    key: str = ""

    @property
    def log(self) -> str:
        """All that the process has written."""
        return (self.folder.path.parent / "serve.log").read_text()

    def browser(self, **fields: str) -> Browser:
        """Somebody who signs in, the owner if nobody else is named."""
        return Browser(self, fields or {"passphrase": PASSPHRASE})

    def owner(self) -> Browser:
        """A browser of the owner's."""
        return self.browser()

    def named(self, who: Browser) -> dict[str, tuple[str, ...]]:
        """Every id that a page may name, with a draft and a grant of that owner's."""
        clip = self.ids["clip"][0]
        draft = _last(who.post(f"/sharing/clip/{clip}", way="signed"))
        terms = {"seen": "yes", "days": "7d", "name": "Bob", "purpose": "a look", "key": self.key}
        assert who.post(f"/sharing/draft/{draft}/terms", **terms).status_code == 303
        share = _last(who.post(f"/sharing/draft/{draft}/share"))
        draft = _last(who.post(f"/sharing/clip/{clip}", way="signed"))
        fixed = {"part": ("cards", "cameras", "notices"), "what": ("page", "clip", "grant"), "number": ("1", "2")}
        return self.ids | fixed | {"draft": (draft,), "share": (share,)}

    def member(self) -> Browser:
        """A browser of Anna's."""
        return self.browser(name="Anna", passphrase=THEIRS)


class Browser:
    """A session: its cookie, and what its forms carry."""

    def __init__(self, at: Furnished, typed: Mapping[str, str]) -> None:
        with httpx.Client(base_url=at.console, trust_env=False) as client:
            answer = client.post("/login", data=dict(typed), headers={"sec-fetch-site": "same-origin"})
            assert answer.status_code == 303, answer.status_code
            ((self.name, self.secret),) = client.cookies.items()
            found = re.search(r'name="csrf" value="([^"]*)"', client.get("/").text)
        assert found is not None
        self.csrf, self.cookie = found[1], f"{self.name}={self.secret}"
        self._at = at

    def ask(self, method: str, path: str, **options: object) -> httpx.Response:
        """One request, as our own page makes it."""
        headers = {"cookie": self.cookie, "sec-fetch-site": "same-origin"} | options.pop("headers", {})  # type: ignore[operator]
        return httpx.request(method, self._at.console + path, headers=headers, trust_env=False, **options)  # type: ignore[arg-type]

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form."""
        return self.ask("POST", path, data={"csrf": self.csrf, **fields})


@contextmanager
def furnished(path: Path) -> Iterator[Furnished]:
    """Make the home in `path`, and let its hub run meanwhile."""
    folder = make(path / "hub", Address("localhost", free_port()))
    console, metrics = free_port(), free_port()
    made = Furnished(folder, f"http://localhost:{console}", f"http://localhost:{metrics}")
    with open_home(folder, SystemClock()) as home:
        made.ids |= _furnish(home)
    made.key = make_key(path / "recipient.key").public.hex()
    command = [HUB, "--state", str(folder.path), "serve", "--console", f"127.0.0.1:{console}"]
    with (path / "serve.log").open("w") as log:
        hub = subprocess.Popen([*command, "--metrics", f"127.0.0.1:{metrics}"], stdout=log, stderr=log)
    try:
        eventually(lambda: _answers(f"{made.metrics}/health") and _answers(made.console), 120, "the hub")
        yield made
        assert hub.poll() is None, made.log
    finally:
        hub.terminate()
        hub.wait(60)


def _furnish(home: Home) -> dict[str, tuple[str, ...]]:
    camera = Camera()
    camera.claim(home, "Front door")
    receiver, intake, clock = Receiver(home.store, home.keys, home.clock), home.intake(Feed()), home.clock
    reports: list[bytes] = []
    for number in range(1, INCIDENTS + 1):
        clip = camera.clip_key(number) if number <= KEPT else None
        reports += [camera.incident(number, Stage.NEW, JPEG, clip), camera.incident(number, Stage.END)]
    reports += [camera.health(), camera.beat()]
    receiver.take_all([Message(camera.alias, one, clock.wall_ns() + place) for place, one in enumerate(reports)])
    for number in range(1, HELD + 1):
        for one in pieces(clip_of(camera, number, content(100_000))):
            intake.deliver(camera.alias, name_of(number), one)
            intake.run_once(lambda _alias, _message: True, 0)
    Door(home.folder).choose(PASSPHRASE)
    people = People(home.store, home.keys, home.clock)
    people.join(people.invite("Anna", 1), THEIRS)
    Notifications(home).host(PUSH)
    return {
        "alias": (camera.alias,),
        "incident": tuple(f"{camera.alias}-{number:016x}" for number in range(1, INCIDENTS + 1)),
        "clip": tuple(name_of(number).hex() for number in range(1, KEPT + 1)),
    }


def _last(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


def _answers(address: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(address, trust_env=False).status_code < 500
    return False
