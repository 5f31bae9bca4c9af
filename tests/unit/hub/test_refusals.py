"""What isn't one's own, what is gone and what never was are refused in one way; and every answer carries one policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sealcam.wire.bodies import Stage
from sealcam_hub import front
from sealcam_hub.console.door_ways import Ways
from sealcam_hub.console.guard import CONTENT_POLICY, HEADERS
from sealcam_hub.doors import Door
from sealcam_hub.feed import Feed
from sealcam_hub.members import People
from tests.hubs import JPEG
from tests.unit.hub.console_client import HERE, PASSPHRASE, Visitor
from tests.unit.hub.household import THEIRS
from tests.unit.hub.routed import ENDLESS, VALUES, addresses
from tests.vault import Dock, clip_of, dock, name_of, pieces

CLIP = name_of(1).hex()


@dataclass
class Console:
    """The console of a hub with one incident and its clip."""

    made: Dock
    app: Starlette
    incident: str

    def visitor(self, **fields: str) -> Visitor:
        """A browser that somebody is signed in with; the owner if nobody is named."""
        one = Visitor(self.app)
        assert one.post("/login", fields or {"passphrase": PASSPHRASE}).status_code == 303
        return one


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    with dock(tmp_path / "hub") as made:
        made.bring(pieces(clip_of(made.camera)))
        made.desk.take(made.camera.incident(1, Stage.END, JPEG))
        home = made.desk.home
        Door(home.folder).choose(PASSPHRASE)
        people = People(home.store, home.keys, home.clock)
        for name in ("Anna", "Berta"):
            people.join(people.invite(name, 1), THEIRS)
        live = home.live(lambda _alias, _command: True)
        app = front.pages(home, Feed(), live, ("localhost",), Ways())
        yield Console(made, app, home.ledger().incidents()[0].id)


def told(answer: httpx.Response) -> tuple[int, str]:
    """What an answer says, and how."""
    return answer.status_code, answer.text


def nothing(visitor: Visitor) -> tuple[int, str]:
    """What an address gets that there never was."""
    found = told(visitor.get("/clip/" + "f" * 32))
    assert found[0] == 404
    return found


def test_a_draft_of_another_session_is_refused_as_one_that_there_never_was(console: Console) -> None:
    mine, other = console.visitor(), console.visitor()
    begun = mine.post(f"/sharing/clip/{CLIP}", {"csrf": mine.csrf(), "way": "signed"})
    assert begun.status_code == 303
    draft = begun.headers["location"]
    assert mine.get(draft).status_code == 200
    for path in (draft, f"{draft}/video", "/sharing/draft/" + "f" * 16, "/sharing/draft/.", "/sharing/" + "f" * 16):
        assert told(other.get(path)) == nothing(other), path
    for step in ("terms", "drop", "share"):
        assert told(other.post(f"{draft}/{step}", {"csrf": other.csrf()})) == nothing(other), step
    assert mine.get(draft).status_code == 200


def test_a_deleted_incident_is_refused_as_one_that_there_never_was(console: Console) -> None:
    owner = console.visitor()
    paths = [f"/incident/{console.incident}{end}" for end in ("", "/clips", "/delete")]
    paths += [f"/thumbnail/{console.incident}", f"/clip/{CLIP}/delete"]
    assert {owner.get(path).status_code for path in paths} == {200}
    gone = owner.post(f"/incident/{console.incident}/delete", {"csrf": owner.csrf()})
    assert gone.status_code == 303
    for path in paths:
        assert told(owner.get(path)) == nothing(owner), path
    for member in (console.visitor(name="Anna", passphrase=THEIRS), owner):
        assert told(member.get(paths[0])) == nothing(member)


def test_the_name_of_anothers_session_ends_nothing_and_tells_nothing(console: Console) -> None:
    anna, berta, beside = (console.visitor(name=name, passphrase=THEIRS) for name in ("Anna", "Berta", "Berta"))
    (hers,) = re.findall(r'name="session" value="([0-9a-f]{16})"', berta.get("/me").text)
    names = ("f" * 16, "none", hers)
    answers = {told(anna.post("/me/end", {"csrf": anna.csrf(), "session": name})) for name in names}
    assert len(answers) == 1
    assert [one.get("/").status_code for one in (berta, beside)] == [200, 200]
    assert berta.post("/me/end", {"csrf": berta.csrf(), "session": hers}).status_code == 303
    assert [one.get("/").status_code for one in (berta, beside)] == [200, 403]


def test_every_answer_of_the_console_carries_the_same_policy_whatever_it_is(console: Console) -> None:
    owner, stranger = console.visitor(), Visitor(console.app)
    values = VALUES | {"incident": console.incident, "clip": CLIP, "alias": console.made.camera.alias}
    codes = set()
    for visitor in (owner, stranger):
        for one in addresses(console.app):
            if one.route in ENDLESS or one.route == "/logout":
                continue
            for method in (one.method, "DELETE"):
                answer = visitor.ask(method, one.path(values), headers={"sec-fetch-site": "same-origin"})
                codes.add(answer.status_code)
                headers = {name: answer.headers.get(name) for name in HEADERS}
                assert headers == HEADERS | {"Content-Security-Policy": CONTENT_POLICY}, one
                assert answer.headers["cache-control"] == "no-store", one
                assert "server" not in answer.headers
    assert codes >= {200, 307, 403, 404, 405, 415}
    elsewhere = owner.ask("GET", "/", headers={"host": "evil.example"})
    assert (elsewhere.status_code, elsewhere.headers["content-security-policy"]) == (421, CONTENT_POLICY)
    assert elsewhere.headers["cache-control"] == "no-store"


def test_a_fault_of_the_consoles_own_carries_it_too_and_says_nothing_of_itself(console: Console) -> None:
    def falls(_request: Request) -> Response:
        raise RuntimeError(PASSPHRASE)

    console.app.router.routes.insert(0, Route("/falls", falls))
    transport = httpx.ASGITransport(app=console.app, raise_app_exceptions=False)
    answer = _alone(transport).get("/falls")
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"] == CONTENT_POLICY
    assert answer.headers["cache-control"] == "no-store"
    assert "went wrong in the hub" in answer.text
    assert PASSPHRASE not in answer.text


def _alone(transport: httpx.ASGITransport) -> Visitor:
    made = Visitor.__new__(Visitor)
    made._client = httpx.AsyncClient(transport=transport, base_url=HERE)
    return made
