"""The console's door: the link lets choose a passphrase, the passphrase lets in, and guessing it is slow."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from starlette.applications import Starlette

from sealcam.wire.errors import StorageError
from sealcam_hub.console.session import GUEST_NS
from sealcam_hub.console.throttle import FREE, LONGEST_S
from sealcam_hub.doors import Door, make_link
from sealcam_hub.folder import Folder
from sealcam_hub.passphrase import FEWEST
from tests.unit.hub.console_client import PASSPHRASE, TOKEN, Visitor, console
from tests.unit.hub.console_fake import NOW_NS, SECOND_NS, FakeDoor, FakeSource, incident

OTHER = "quite another set of words"


def chosen(**more: object) -> tuple[Starlette, FakeDoor]:
    """A console with a passphrase."""
    door = FakeDoor(TOKEN, passphrase=PASSPHRASE)
    return console(door=door, **more), door  # type: ignore[arg-type]


def choose(visitor: Visitor, new: str, again: str | None = None) -> int:
    fields = {"csrf": visitor.csrf(), "new": new, "again": new if again is None else again}
    return visitor.post("/passphrase", fields).status_code


# The first time.


def test_the_first_page_behind_the_link_lets_choose_a_passphrase_and_then_the_console_opens() -> None:
    door = FakeDoor(TOKEN)
    visitor = Visitor(console(door=door))
    answer = visitor.get(f"/?token={TOKEN}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/"))
    assert TOKEN not in cookie
    assert "Choose a passphrase" in visitor.get("/").text
    guest = visitor.cookies
    assert choose(visitor, PASSPHRASE) == 303
    assert visitor.cookies != guest, "what a guest had is no session"
    assert "Incidents" in visitor.get("/").text
    assert door.passphrase == PASSPHRASE


def test_a_guest_sees_nothing_of_the_home() -> None:
    source = FakeSource([incident(1)])
    visitor = Visitor(console(source))
    visitor.get(f"/?token={TOKEN}")
    for path in (f"/incident/{incident(1).id}", f"/thumbnail/{incident(1).id}", "/fragment/cards", "/live", "/log"):
        assert visitor.get(path).status_code == 403
    assert visitor.post("/arm", {"csrf": visitor.csrf(), "alias": "a", "mode": "off"}).status_code == 403
    assert source.asked == 0


@pytest.mark.parametrize(
    ("new", "again"), [("x" * (FEWEST - 1), None), ("", None), (PASSPHRASE, OTHER), ("é" * 500, None)]
)
def test_what_is_no_passphrase_or_typed_in_two_ways_is_told_and_nothing_is_chosen(new: str, again: str | None) -> None:
    door = FakeDoor(TOKEN)
    visitor = Visitor(console(door=door))
    visitor.get(f"/?token={TOKEN}")
    assert choose(visitor, new, again) == 400
    assert door.passphrase is None
    assert choose(visitor, PASSPHRASE) == 303


def test_without_a_link_nobody_chooses_the_first_passphrase() -> None:
    door = FakeDoor(TOKEN)
    visitor = Visitor(console(door=door))
    answer = visitor.get("/")
    assert answer.status_code == 403
    assert "sealcam-hub link" in answer.text
    assert visitor.post("/passphrase", {"new": PASSPHRASE, "again": PASSPHRASE}).status_code == 403
    assert visitor.post("/login", {"passphrase": PASSPHRASE}).status_code == 403
    assert door.passphrase is None


def test_a_guest_chooses_nothing_once_there_is_a_passphrase() -> None:
    door = FakeDoor(TOKEN)
    visitor = Visitor(console(door=door))
    visitor.get(f"/?token={TOKEN}")
    csrf = visitor.csrf()
    door.choose(OTHER)  # at the terminal, meanwhile
    assert visitor.post("/passphrase", {"csrf": csrf, "new": PASSPHRASE, "again": PASSPHRASE}).status_code == 403
    assert door.passphrase == OTHER


def test_a_guests_hour_ends() -> None:
    now = [NOW_NS]
    visitor = Visitor(console(clock=lambda: now[0]))
    visitor.get(f"/?token={TOKEN}")
    now[0] += GUEST_NS
    assert choose(visitor, PASSPHRASE) == 403


# The link.


def test_the_link_works_once_and_says_how_to_get_another() -> None:
    app = console()
    Visitor(app).get(f"/?token={TOKEN}")
    second = Visitor(app)
    answer = second.get(f"/?token={TOKEN}")
    assert answer.status_code == 403
    assert "The link was used" in answer.text
    assert "sealcam-hub link" in answer.text
    assert not second.cookies
    assert second.get("/").status_code == 403


def test_the_same_browser_may_press_the_link_twice() -> None:
    visitor = Visitor(console())
    for _ in range(2):
        assert visitor.get(f"/?token={TOKEN}").headers["location"] == "/"
    visitor.sign_in()
    assert visitor.get(f"/?token={TOKEN}").headers["location"] == "/"
    assert visitor.get("/").status_code == 200


@pytest.mark.parametrize(
    "token", ["", "wrong", TOKEN[:-1], TOKEN + "x", "ü\ud83d\udc40".encode("utf-8", "ignore").decode()]
)
def test_a_wrong_token_opens_nothing_and_spends_nothing(token: str) -> None:
    app = console()
    assert Visitor(app).ask("GET", "/", params={"token": token}).status_code == 403
    assert Visitor(app).sign_in().get("/").status_code == 200


def test_a_look_ahead_does_not_spend_the_link() -> None:
    app = console()
    assert Visitor(app).get(f"/?token={TOKEN}", sec_purpose="prefetch;prerender").status_code == 503
    assert Visitor(app).ask("HEAD", f"/?token={TOKEN}").status_code == 503
    assert Visitor(app).sign_in().get("/").status_code == 200


def test_a_link_pressed_on_another_site_asks_once_more_as_ourselves() -> None:
    visitor = Visitor(console())
    again = visitor.get("/", sec_fetch_site="cross-site")
    assert again.status_code == 200
    assert 'http-equiv="refresh"' in again.text
    assert visitor.get("/", sec_fetch_site="same-origin").status_code == 403


def test_once_there_is_a_passphrase_the_link_alone_opens_nothing() -> None:
    app, _ = chosen()
    visitor = Visitor(app)
    assert visitor.get(f"/?token={TOKEN}").status_code == 303
    answer = visitor.get("/")
    assert answer.status_code == 403
    assert "Sign in" in answer.text
    assert visitor.log_in(PASSPHRASE).status_code == 303
    assert visitor.get("/").status_code == 200


# The passphrase.


def test_the_passphrase_alone_signs_in_and_leads_to_what_was_asked_for() -> None:
    app, _ = chosen(source=FakeSource([incident(1)]))
    visitor = Visitor(app)
    page = visitor.get(f"/incident/{incident(1).id}", sec_fetch_dest="document")
    assert page.status_code == 403
    assert f'name="to" value="/incident/{incident(1).id}"' in page.text
    answer = visitor.post("/login", {"passphrase": f" {PASSPHRASE} ", "to": f"/incident/{incident(1).id}"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/incident/{incident(1).id}")
    assert visitor.get(answer.headers["location"]).status_code == 200


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/" * 300, "/\r\nx: y", "/?token=x"]
)
def test_nobody_is_led_to_another_site(to: str) -> None:
    app, _ = chosen()
    assert Visitor(app).post("/login", {"passphrase": PASSPHRASE, "to": to}).headers["location"] == "/"


@pytest.mark.parametrize("typed", ["", "guessed", PASSPHRASE.upper(), PASSPHRASE[:-1], PASSPHRASE + "x", "é" * 1500])
def test_a_wrong_passphrase_opens_nothing_and_is_not_shown_again(typed: str) -> None:
    app, _ = chosen()
    visitor = Visitor(app)
    answer = visitor.log_in(typed)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert not typed or typed not in answer.text
    assert visitor.get("/").status_code == 403


def test_a_form_of_another_site_signs_nobody_in() -> None:
    app, door = chosen()
    assert Visitor(app).log_in(PASSPHRASE, sec_fetch_site="cross-site").status_code == 403
    assert door.tried == 0


def test_a_passphrase_that_cannot_be_read_is_told_and_opens_nothing() -> None:
    class Damaged(FakeDoor):
        def matches(self, typed: str) -> bool:
            raise StorageError("what is kept of the passphrase is damaged", "set another one")

    answer = Visitor(console(door=Damaged(passphrase=PASSPHRASE))).log_in(PASSPHRASE)
    assert answer.status_code == 503
    assert "Set another one." in answer.text


# Guessing.


def test_whoever_guesses_waits_and_what_is_typed_meanwhile_is_not_even_looked_at() -> None:
    now = [0]
    app, door = chosen(boot=lambda: now[0])
    for _ in range(FREE):
        assert Visitor(app).log_in("wrong").status_code in (403, 429)
    answer = Visitor(app).log_in(PASSPHRASE)
    assert (answer.status_code, answer.headers["retry-after"], door.tried) == (429, "1", FREE)
    now[0] += SECOND_NS
    assert Visitor(app).log_in(PASSPHRASE).status_code == 303
    assert Visitor(app).log_in("wrong").status_code == 403, "the right one began the count anew"


def test_the_owner_with_a_link_does_not_wait_for_somebody_who_guesses() -> None:
    app, _ = chosen()
    for _ in range(FREE + 1):
        Visitor(app).log_in("wrong")
    owner = Visitor(app)
    assert owner.log_in(PASSPHRASE).status_code == 429
    owner.get(f"/?token={TOKEN}")
    assert owner.log_in(PASSPHRASE).status_code == 303


def test_nobody_is_locked_out_for_ever() -> None:
    now = [0]
    app, _ = chosen(boot=lambda: now[0])
    for _ in range(40):
        Visitor(app).log_in("wrong")
        now[0] += LONGEST_S * SECOND_NS
    assert Visitor(app).log_in(PASSPHRASE).status_code == 303


def test_no_try_no_link_and_no_passphrase_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    folder = Folder(tmp_path)
    folder.create()
    link = make_link(folder, 8480)
    app = console(door=Door(folder))  # type: ignore[arg-type]
    token = link.partition("token=")[2]
    visitor = Visitor(app)
    visitor.get(f"/?token={token}")
    assert choose(visitor, PASSPHRASE) == 303
    assert Visitor(app).log_in("guessed it, or not").status_code == 403
    assert Visitor(app).log_in(PASSPHRASE).status_code == 303
    said = "".join(one.getMessage() for one in caplog.records if one.name != "httpx")  # the browser's, not ours
    kept = said + "".join(one.read_text("latin-1") for one in tmp_path.rglob("*") if one.is_file())
    for secret in (PASSPHRASE, PASSPHRASE.replace(" ", "+"), "guessed", token):
        assert secret not in kept


# Changing it, and going.


def test_a_change_asks_for_the_old_one_and_ends_every_other_session() -> None:
    app, door = chosen()
    here, there = Visitor(app).sign_in(), Visitor(app).sign_in()
    fields = {"csrf": here.csrf(), "current": "wrong", "new": OTHER, "again": OTHER}
    assert here.post("/passphrase", fields).status_code == 400
    assert door.passphrase == PASSPHRASE
    answer = here.post("/passphrase", fields | {"current": PASSPHRASE})
    assert answer.status_code == 303
    assert "It is changed" in here.get(answer.headers["location"]).text
    assert door.passphrase == OTHER
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 403
    assert there.log_in(PASSPHRASE).status_code == 403
    assert there.log_in(OTHER).status_code == 303


def test_a_passphrase_set_at_the_terminal_ends_every_session() -> None:
    app, door = chosen()
    visitor = Visitor(app).sign_in()
    door.choose(OTHER)
    assert visitor.get("/").status_code == 403


def test_who_is_signed_in_changes_it_whoever_guesses_meanwhile() -> None:
    app, door = chosen()
    owner = Visitor(app).sign_in()
    for _ in range(FREE + 1):
        Visitor(app).log_in("wrong")
    fields = {"csrf": owner.csrf(), "current": PASSPHRASE, "new": OTHER, "again": OTHER}
    assert owner.post("/passphrase", fields).status_code == 303
    assert door.passphrase == OTHER


def test_who_is_signed_in_and_guesses_waits_alone() -> None:
    app, door = chosen()
    guesser = Visitor(app).sign_in()
    fields = {"csrf": guesser.csrf(), "current": "wrong", "new": OTHER, "again": OTHER}
    for _ in range(FREE):
        guesser.post("/passphrase", fields)
    tried = door.tried
    assert guesser.post("/passphrase", fields | {"current": PASSPHRASE}).status_code == 400
    assert door.tried == tried, "what is typed while one waits isn't looked at"
    assert Visitor(app).log_in(PASSPHRASE).status_code == 303


@pytest.mark.parametrize("path", ["/passphrase", "/logout"])
def test_a_form_without_our_secret_changes_nothing(path: str) -> None:
    app, door = chosen()
    visitor = Visitor(app).sign_in()
    fields = {"csrf": "wrong", "current": PASSPHRASE, "new": OTHER, "again": OTHER}
    assert visitor.post(path, fields).status_code == 403
    assert visitor.post(path, fields | {"csrf": visitor.csrf()}, sec_fetch_site="cross-site").status_code == 403
    assert door.passphrase == PASSPHRASE
    assert visitor.get("/").status_code == 200


def test_whoever_signs_out_is_out_and_others_are_not() -> None:
    app, _ = chosen()
    here, there = Visitor(app).sign_in(), Visitor(app).sign_in()
    kept = here.cookies
    assert here.post("/logout", {"csrf": here.csrf()}).status_code == 303
    assert not here.cookies
    assert here.get("/", cookie="; ".join(f"{name}={value}" for name, value in kept.items())).status_code == 403
    assert there.get("/").status_code == 200


@pytest.mark.parametrize("path", ["/", "/passphrase", "/log"])
def test_every_page_of_somebody_signed_in_lets_them_out(path: str) -> None:
    app, _ = chosen()
    assert 'action="/logout"' in Visitor(app).sign_in().get(path).text
    assert 'action="/logout"' not in Visitor(app).get(path).text
