"""The room "Notifications" and the command: what a person sets up, and what never shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette

from sealcam_hub.cli import main
from sealcam_hub.console.app import create
from sealcam_hub.console.notifications import NotificationsRoom
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home
from sealcam_hub.notifying.manage import Notifications
from sealcam_hub.notifying.rules import Rules, minute
from tests.hubs import Camera, opened
from tests.listener import Listener, listening
from tests.unit.hub.console_client import TOKEN, Visitor
from tests.unit.hub.console_fake import FakeDoor, FakeLog, FakeSource, incident
from tests.unit.hub.test_notify import Phone, again

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")


@dataclass
class Room:
    """A console over a real hub, and who is in it."""

    home: Home
    manage: Notifications
    listener: Listener
    app: Starlette
    visitor: Visitor

    def send(self, action: str, **fields: str) -> tuple[int, str]:
        answer = self.visitor.post(f"/notifications/{action}", {"csrf": self.visitor.csrf()} | fields)
        return answer.status_code, answer.headers.get("location", answer.text)

    def page(self) -> str:
        return self.visitor.get("/notifications").text

    @property
    def address(self) -> str:
        return self.listener.origin.replace("http", "json") + "/secret"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with listening() as listener, opened(tmp_path / "hub") as home:
        manage = Notifications(home)
        app = create(
            FakeSource([incident(1)]),
            Feed(),
            hosts=("localhost",),
            door=FakeDoor(TOKEN),
            arm=lambda _alias, _mode: None,
            clock=home.clock.wall_ns,
            boot=lambda: 0,
            log=FakeLog(),
            parts=(NotificationsRoom(manage),),
            opened=manage.seen,
        )
        yield Room(home, manage, listener, app, Visitor(app).sign_in())


def test_nobody_without_a_session_gets_in(room: Room) -> None:
    stranger = Visitor(room.app)
    for path in ("/notifications", "/notifications/key"):
        assert stranger.get(path).status_code == 403 or "Who is told" not in stranger.get(path).text
    fields = {"name": "X", "address": room.address, "after": "0", "csrf": "guessed"}
    for action in ("browser", "service", "remove", "test", "seen", "what", "when"):
        assert stranger.post(f"/notifications/{action}", fields).status_code in (401, 403)
        foreign = room.visitor.post(f"/notifications/{action}", fields)
        assert foreign.status_code == 403
    assert room.manage.targets() == ()
    assert not (room.home.folder.path / "keys/vapid.pem").exists()


def test_it_begins_with_nobody_and_says_what_to_do(room: Room) -> None:
    page = room.page()
    assert "Turn notifications on in this browser, or add a service" in page
    assert "that and when" in page
    assert "<script>" not in page
    assert 'aria-current="page"' in page


def test_a_service_is_added_tried_and_removed_and_its_address_shown_nowhere(room: Room) -> None:
    assert room.send("service", name="Family", address=room.address, after="120") == (303, "/notifications#who")
    page = room.page()
    assert "Family" in page
    assert "if nobody has looked for 2 minutes" in page
    (target,) = room.manage.targets()
    assert room.send("test", target=str(target.id)) == (303, f"/notifications?tried={target.id}#who")
    assert "The test was sent to Family" in room.visitor.get(f"/notifications?tried={target.id}").text
    assert json.loads(room.listener.heard[0].body)["message"] == "This is a test"
    room.listener.default = 500
    code, said = room.send("test", target=str(target.id))
    assert (code, "Family didn" in said) == (503, True)
    assert "secret" not in page + said + room.page()
    assert room.send("remove", target=str(target.id)) == (303, "/notifications#who")
    assert room.manage.targets() == ()


def test_a_browser_is_added_by_what_it_says(room: Room) -> None:
    room.manage.host(room.listener.origin)
    phone = Phone(room.listener)
    name, endpoint, p256dh, auth = phone.words()
    said = {"name": name, "endpoint": endpoint, "p256dh": p256dh, "auth": auth}
    assert room.send("browser", **said)[0] == 303
    (target,) = room.manage.targets()
    assert room.send("test", target=str(target.id))[0] == 303
    assert phone.texts() == ["This is a test"]
    assert len(room.visitor.get("/notifications/key").text) == 87
    assert phone.path not in room.page()
    for wrong in ({"endpoint": "http://192.168.0.1/"}, {"p256dh": "x"}, {"auth": ""}, {"name": ""}):
        code, page = room.send("browser", **(said | wrong))
        assert code == 400
        assert 'role="alert" data-problem' in page


def test_what_and_when_are_kept(room: Room) -> None:
    room.send("what", incidents="on", words="verdict")
    room.send("when", **{"from": "22:30", "to": "06:00", "zone": "Europe/Berlin", "repeat": "300"})
    wanted = Rules(False, True, False, True, minute("22:30"), minute("06:00"), "Europe/Berlin", False, 300)
    assert room.manage.rules() == wanted
    page = room.page()
    assert 'value="22:30"' in page
    assert 'value="Europe/Berlin"' in page
    room.send("when", **{"from": "", "to": "", "zone": "UTC", "repeat": "0", "pass": "on"})
    rules = room.manage.rules()
    assert (rules.quiet_from, rules.quiet_to, rules.threats_pass, rules.incidents) == (0, 0, True, True)


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("when", {"from": "25:00", "to": "06:00", "zone": "UTC", "repeat": "0"}),
        ("when", {"from": "22:00", "to": "06:00", "zone": "../../etc/passwd", "repeat": "0"}),
        ("when", {"from": "", "to": "", "zone": "UTC", "repeat": "7"}),
        ("service", {"name": "X", "address": "nonsense", "after": "0"}),
        ("service", {"name": "X", "address": "json://h", "after": "x"}),
        ("remove", {"target": "7"}),
        ("test", {"target": "-1"}),
        ("test", {"target": "9" * 30}),
    ],
)
def test_what_is_no_choice_is_said_and_changes_nothing(room: Room, action: str, fields: dict[str, str]) -> None:
    before = room.manage.rules()
    code, page = room.send(action, **fields)
    assert code == 400
    assert 'role="alert" data-problem' in page
    assert (room.manage.rules(), room.manage.targets()) == (before, ())


def test_a_threat_that_was_told_waits_in_the_room_until_it_was_looked_at(room: Room) -> None:
    camera = Camera()
    camera.claim(room.home, "<b>Front door</b>")
    camera.clock = room.home.clock
    room.manage.add_service("Family", room.address)
    from sealcam_hub.receive import Receiver

    receiver, telling = Receiver(room.home.store, room.home.keys, room.home.clock), again(room.home, Feed())
    telling.run_once()
    for number in (1, 2):
        receiver.take(camera.alias, camera.incident(number), room.home.clock.wall_ns() + number)
    telling.run_once()
    assert len(room.listener.heard) == 2
    assert "&lt;b&gt;Front door&lt;/b&gt;: a threat" in room.page()
    first, second = (f"{camera.alias}-{number:016x}" for number in (1, 2))
    assert room.send("seen", subject=f"incident/{first}") == (303, "/notifications")
    assert room.manage.unseen() == (f"incident/{second}",)
    room.manage.seen(second)
    assert "nobody has looked yet" not in room.page()


def test_opening_an_incidents_page_is_to_have_seen_it_and_its_picture_is_not(room: Room) -> None:
    shown = incident(1).id
    heard: list[str] = []
    app = create(
        FakeSource([incident(1)], pictures={shown: b"\xff\xd8"}),
        Feed(),
        hosts=("localhost",),
        door=FakeDoor(TOKEN),
        arm=lambda _alias, _mode: None,
        clock=room.home.clock.wall_ns,
        boot=lambda: 0,
        log=FakeLog(),
        opened=heard.append,
    )
    visitor = Visitor(app).sign_in()
    assert visitor.get(f"/thumbnail/{shown}").status_code == 200
    assert heard == []
    assert visitor.get(f"/incident/{shown}").status_code == 200
    assert heard == [shown]


def test_the_browser_may_load_what_an_installed_app_needs(room: Room) -> None:
    manifest = room.visitor.get("/static/push/manifest.webmanifest")
    assert manifest.headers["content-type"].startswith("application/manifest+json")
    assert "manifest-src 'self'" in manifest.headers["content-security-policy"]
    for icon in manifest.json()["icons"]:
        assert room.visitor.get(icon["src"]).headers["content-type"] == "image/png"
    assert "javascript" in room.visitor.get("/static/push/worker.js").headers["content-type"]
    assert "/static/push/manifest.webmanifest" in room.page()


def test_the_command_does_the_same_from_a_terminal(
    room: Room, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import io

    state = ["--state", str(tmp_path / "hub"), "notify"]

    def run(*words: str, typed: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main([*state, *words])
        said = capsys.readouterr()
        assert "secret" not in said.out + said.err
        return code, said.out + said.err

    assert run("list") == (
        0,
        "nobody is told anything: sealcam-hub notify add NAME, or the console's room Notifications\n",
    )
    assert run("add", "Family", "--after", "5", typed=f"{room.address}\n")[0] == 0
    assert "of threats that nobody has seen for 5 min" in run("list")[1]
    assert json.loads(run("list", "--json")[1])[0]["by"] == "json"
    assert run("test", "Family") == (0, "Family has taken it\n")
    room.listener.default = 500
    assert run("test", "Family")[0] == 1
    assert run("add", "Family", typed="json://elsewhere\n")[0] == 2
    assert run("add", "X", typed="secret-nonsense\n")[0] == 2
    assert run("host", "https://push.example.org")[0] == 0
    assert run("host", "push.example.org")[0] == 2
    assert room.manage.rules().hosts == ("https://push.example.org",)
    assert run("remove", "Family")[0] == 0
    assert run("remove", "Family")[0] == 2


def test_an_old_page_that_removes_somebody_removes_nobody_who_came_later(room: Room) -> None:
    room.send("service", name="Family", address=room.address, after="0")
    (old,) = room.manage.targets()
    room.send("remove", target=str(old.id))  # in another tab
    room.send("service", name="Neighbour", address=f"{room.address}2", after="0")
    room.send("remove", target=str(old.id))
    assert [one.name for one in room.manage.targets()] == ["Neighbour"]
