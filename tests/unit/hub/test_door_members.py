"""Members at the door: invited by a link, in with their own passphrase, out when the owner says so; roles hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam.wire.errors import ConfigError
from sealcam_hub.console.throttle import FREE
from sealcam_hub.members import MOST
from sealcam_hub.person import clean
from tests.unit.hub.console_client import PASSPHRASE, Visitor
from tests.unit.hub.console_fake import PORCH, incident
from tests.unit.hub.household import THEIRS, House, fields, housed

DAY_S = 24 * 3600


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with housed(tmp_path / "hub") as made:
        yield made


def log_in(house: House, name: str, passphrase: str) -> int:
    return Visitor(house.app).post("/login", {"name": name, "passphrase": passphrase}).status_code


# Inviting.


def test_an_invited_person_chooses_a_passphrase_and_is_in_as_themselves(house: House) -> None:
    owner = house.owner()
    token = house.invite(owner)
    page = Visitor(house.app).get(f"/join?token={token}")
    assert page.status_code == 200
    assert "Welcome, Anna" in page.text
    anna = house.member(owner, "Berta")
    assert "You are Berta" in anna.get("/me").text
    assert "Incidents" in anna.get("/").text
    assert log_in(house, "berta ", THEIRS) == 303, "a name is the same in any case"
    assert log_in(house, "", THEIRS) == 403, "which is nobody else's passphrase"
    assert log_in(house, "Berta", PASSPHRASE) == 403, "and the owner's isn't theirs"


def test_looking_at_the_link_uses_nothing_up_and_joining_uses_it_up(house: House) -> None:
    token = house.invite(house.owner())
    for _ in range(2):
        assert Visitor(house.app).get(f"/join?token={token}").status_code == 200
    form = {"token": token, "new": THEIRS, "again": THEIRS}
    assert Visitor(house.app).post("/join", form).status_code == 303
    again = Visitor(house.app).post("/join", form)
    assert again.status_code == 403
    assert "set-cookie" not in again.headers
    assert Visitor(house.app).get(f"/join?token={token}").status_code == 403


@pytest.mark.parametrize(("new", "again"), [("short", "short"), (THEIRS, PASSPHRASE), ("", "")])
def test_what_is_no_passphrase_makes_no_member(house: House, new: str, again: str) -> None:
    token = house.invite(house.owner())
    assert Visitor(house.app).post("/join", {"token": token, "new": new, "again": again}).status_code == 400
    assert house.people.members() == []
    assert house.people.invited(token) is not None


def test_an_invitation_ends_on_its_day_and_when_it_is_withdrawn(house: House) -> None:
    owner = house.owner()
    first, second = house.invite(owner, "Anna", "1"), house.invite(owner, "Berta", "7")
    page = owner.get("/members").text
    assert "Anna" in page
    owner.post("/members/withdraw", dict(fields(page[page.index("Berta") :], "/members/withdraw")))
    house.home.clock.advance(DAY_S)  # type: ignore[attr-defined]
    for token in (first, second, "made-up", ""):
        assert Visitor(house.app).get(f"/join?token={token}").status_code == 403
        form = {"token": token, "new": THEIRS, "again": THEIRS}
        assert Visitor(house.app).post("/join", form).status_code == 403
    assert house.people.members() == []


def test_of_a_link_no_more_than_a_hash_is_kept(house: House) -> None:
    token = house.invite(house.owner())
    kept = b"".join(one.read_bytes() for one in house.home.folder.path.rglob("*") if one.is_file())
    assert token.encode() not in kept
    house.member(house.owner(), "Berta")
    kept = b"".join(one.read_bytes() for one in house.home.folder.path.rglob("*") if one.is_file())
    assert THEIRS.encode() not in kept


@pytest.mark.parametrize("name", ["", "  ", "owner", "OWNER ", "x" * 41, "a\x00b", "a\u202eb"])
def test_what_is_no_name_invites_nobody(house: House, name: str) -> None:
    owner = house.owner()
    with pytest.raises(ConfigError):
        clean(name)
    answer = owner.post("/members/invite", {"csrf": owner.csrf(), "name": name, "days": "3"})
    assert answer.status_code == 400
    assert house.people.invitations() == []


def test_two_people_have_two_names_and_there_is_an_end_of_them(house: House) -> None:
    house.people.invite("Anna", 1)
    for name in ("Anna", "ANNA", " anna "):
        with pytest.raises(ConfigError):
            house.people.invite(name, 1)
    for number in range(MOST - 1):
        house.people.invite(f"guest {number}", 1)
    with pytest.raises(ConfigError, match="most"):
        house.people.invite("one more", 1)


def test_a_name_is_shown_as_text(house: House) -> None:
    owner = house.owner()
    house.invite(owner, "<b>Anna</b>")
    assert "<b>Anna" not in owner.get("/members").text
    assert "&lt;b&gt;Anna" in owner.get("/members").text


# Roles.


def test_a_member_looks_and_arms_and_the_log_says_who(house: House) -> None:
    anna = house.member(house.owner())
    for path in ("/", f"/incident/{incident(1).id}", "/fragment/cards", "/log", "/me", "/passphrase"):
        assert anna.get(path).status_code == 200, path
    assert anna.post("/arm", {"csrf": anna.csrf(), "alias": PORCH, "mode": "away"}).status_code == 303
    assert house.armed.wishes == [(PORCH, "away")]
    assert ("console: Anna", "opened", "an incident and its pictures") in house.log()


def test_a_member_manages_nothing(house: House) -> None:
    owner = house.owner()
    anna = house.member(owner)
    house.member(owner, "Berta")
    csrf = anna.csrf()
    refused = [anna.get("/members"), anna.get("/members/code.svg")]
    for path in ("invite", "withdraw", "remove", "end"):
        form = {"csrf": csrf, "name": "Cora", "days": "3", "invitation": "1", "member": "2", "session": ""}
        refused.append(anna.post(f"/members/{path}", form))
    refused.append(anna.post("/clip/" + "0" * 32 + "/save", {"csrf": csrf}))
    assert {one.status_code for one in refused} == {403}
    assert len({one.text for one in refused}) == 1, "one refusal, whatever stands behind it"
    assert [one.name for one in house.people.members()] == ["Anna", "Berta"]
    assert owner.get("/").status_code == 200
    assert '"/members"' not in anna.get("/").text
    assert '"/members"' in owner.get("/").text


# Going.


def test_a_removed_member_is_out_at_once_and_comes_in_no_more(house: House) -> None:
    owner = house.owner()
    anna = house.member(owner)
    assert anna.get("/").status_code == 200
    answer = owner.post("/members/remove", dict(fields(owner.get("/members").text, "/members/remove")))
    assert answer.status_code == 303
    assert anna.get("/").status_code == 403
    assert log_in(house, "Anna", THEIRS) == 403
    assert owner.get("/").status_code == 200
    told = [(action, detail) for _, action, detail in house.log() if "household" in detail]
    assert told == [("enrolled", "Anna, a member of the household"), ("expelled", "Anna, a member of the household")]


def test_a_member_who_is_gone_from_the_ledger_is_out_though_no_session_was_ended(house: House) -> None:
    anna = house.member(house.owner())
    house.people.remove(house.people.members()[0].id)  # by another process
    assert anna.get("/").status_code == 403
    house.member(house.owner(), "Berta")
    assert anna.get("/").status_code == 403


def test_an_old_tab_of_the_members_turns_nobody_else_out(house: House) -> None:
    owner = house.owner()
    house.member(owner)
    old = dict(fields(owner.get("/members").text, "/members/remove"))
    assert owner.post("/members/remove", old).status_code == 303
    berta = house.member(owner, "Berta")
    owner.post("/members/remove", old)
    assert berta.get("/").status_code == 200


def test_a_member_changes_their_own_passphrase_and_nobody_elses(house: House) -> None:
    owner = house.owner()
    anna, berta = house.member(owner), house.member(owner, "Berta")
    other = "quite another set of words"
    form = {"csrf": anna.csrf(), "current": PASSPHRASE, "new": other, "again": other}
    assert anna.post("/passphrase", form).status_code == 400, "the owner's isn't hers"
    assert anna.post("/passphrase", form | {"current": THEIRS}).status_code == 303
    assert log_in(house, "Anna", other) == 303
    assert log_in(house, "Berta", THEIRS) == 303
    assert berta.get("/").status_code == 200
    assert owner.get("/").status_code == 200


def test_the_owner_ends_any_session_and_a_member_their_own_alone(house: House) -> None:
    owner = house.owner()
    anna, berta = house.member(owner), house.member(owner, "Berta")
    owners = re.findall(r'name="session" value="(\w+)"', berta.get("/me").text)
    assert owners == [], "of others she sees none"
    names = re.findall(r'name="session" value="(\w+)"', owner.get("/members").text)
    assert len(names) == 2
    csrf = anna.csrf()
    assert [anna.post("/me/end", {"csrf": csrf, "session": name}).status_code for name in names].count(303) > 0
    assert berta.get("/").status_code == 200
    assert anna.get("/").status_code == 403, "one of the two was hers"
    assert owner.post("/members/end", {"csrf": owner.csrf(), "session": ""}).status_code == 303
    assert berta.get("/").status_code == 403
    assert owner.get("/").status_code == 200


# Guessing.


def test_an_unknown_name_is_told_as_a_wrong_passphrase_is(house: House) -> None:
    house.member(house.owner())
    answers = [
        Visitor(house.app).post("/login", {"name": name, "passphrase": "wrong wrong wrong"}) for name in ("Anna", "Zoe")
    ]
    assert len({one.text.replace("Zoe", "Anna") for one in answers}) == 1


def test_a_member_who_signs_in_between_forgives_no_wrong_try_at_anybody_elses(house: House) -> None:
    owner = house.owner()
    house.member(owner)
    house.member(owner, "Berta")
    for name in ("", "Berta"):
        codes = []
        for _ in range(FREE + 1):
            codes.append(log_in(house, name, "guessed, and wrong"))
            log_in(house, "Anna", THEIRS)
        assert codes[-1] == 429, name


def test_wrong_tries_are_counted_for_the_owner_and_are_no_entry_of_the_log(house: House) -> None:
    owner = house.owner()
    before = house.log()
    for _ in range(2):
        log_in(house, "", "guessed, and wrong")
    assert house.log() == before
    assert "Wrong tries since the hub started: 2" in owner.get("/members").text


def test_signing_in_is_an_entry_and_without_it_nobody_is_in(house: House) -> None:
    house.owner()
    assert house.log()[-1] == ("console", "opened", "the console, with the passphrase")
    house.member(house.owner())
    assert log_in(house, "Anna", THEIRS) == 303
    assert house.log()[-1] == ("console: Anna", "opened", "the console, with the passphrase")
    house.home.store.close()
    (house.home.folder.path / "ledger.db").unlink()
    answer = Visitor(house.app).post("/login", {"passphrase": PASSPHRASE})
    assert answer.status_code == 503
    assert "set-cookie" not in answer.headers
