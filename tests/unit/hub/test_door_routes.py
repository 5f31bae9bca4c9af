"""Every address of the real console: closed without a session, a member's by the table alone, safe in its headers."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from sealcam_hub.console import roles
from sealcam_hub.console.roles import MEMBER, OWNERS
from sealcam_hub.doors import make_link
from tests.furnished import furnished
from tests.unit.hub.console_client import PASSPHRASE, Visitor
from tests.unit.hub.household import THEIRS
from tests.unit.hub.routed import ENDLESS, OPEN, Address, Real, addresses, hidden, real

# Written out a second time, so that nobody lets a member do more by a slip of the pen in the table.
A_MEMBER_MAY_POST = {
    "/arm",
    "/clip/{clip}/fetch",
    "/review/mark",
    "/review/undo",
    "/me/end",
    "/me/passkey",
    "/me/passkey/ask",
    "/me/passkey/remove",
}
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with real(tmp_path_factory.mktemp("hub") / "hub") as made:
        yield made


def answer_to(visitor: Visitor, one: Address, **fields: str) -> tuple[int, str]:
    """What one address answers that is asked for as our own page would."""
    found = visitor.post(one.path(), fields or {"x": "y"}) if one.method == "POST" else visitor.get(one.path())
    return found.status_code, found.text


def test_without_a_session_every_address_is_the_same_closed_door(hub: Real) -> None:
    told = {one: answer_to(Visitor(hub.app), one) for one in hidden(hub.app)}
    assert len(told) > 30
    assert {one: code for one, (code, _) in told.items() if code != 403} == {}
    assert len({text for _, text in told.values()}) == 1, "and tells nothing of what there is"
    assert "Front door" not in next(iter(told.values()))[1]


def test_a_guest_with_the_link_gets_no_further(hub: Real) -> None:
    link = make_link(hub.home.folder, 8480)
    guest = Visitor(hub.app)
    assert guest.get("/?" + link.partition("?")[2]).status_code == 303
    assert {one: code for one in hidden(hub.app) if (code := answer_to(guest, one)[0]) != 403} == {}


def test_a_made_up_or_foreign_cookie_opens_nothing(hub: Real) -> None:
    for cookie in ("sealcam-8480=made-up", "sealcam-8480=", "sealcam-80=" + "x" * 43, "__Host-sealcam-8480=made-up"):
        assert Visitor(hub.app).get("/", cookie=cookie).status_code == 403


def test_what_is_open_shows_nothing_of_the_home(hub: Real) -> None:
    for one in addresses(hub.app):
        if one.route in OPEN:
            code, text = answer_to(Visitor(hub.app), one)
            assert code in (200, 303, 307, 403), one
            assert "Front door" not in text
            assert "Anna" not in text


def test_a_member_may_what_the_table_says_and_nothing_else(hub: Real) -> None:
    member = hub.member()
    csrf = member.csrf()
    for one in hidden(hub.app):
        if one.route in ENDLESS:
            continue
        code, text = answer_to(member, one, csrf=csrf, session="nobody's", passkey="none")
        owners = code == 403 and OWNERS in text.lower()
        assert owners is (one.method not in MEMBER.get(one.route, ())), f"{one}: {code}"
    assert member.get("/").status_code == 200


def test_the_table_names_addresses_that_there_are_and_lets_nobody_do_more_by_mistake(hub: Real) -> None:
    there = {(one.route, one.method) for one in addresses(hub.app)}
    for route, methods in MEMBER.items():
        assert all((route, method) in there for method in methods - {"HEAD"}), f"{route} isn't there"
    assert {route for route, methods in MEMBER.items() if methods - {"GET", "HEAD"}} == A_MEMBER_MAY_POST
    assert not [one for one in MEMBER if one.startswith(("/members", "/sharing", "/cameras", "/household"))]
    assert roles.address({"route": None, "root_path": "/"}) == "", "what can't be told is nobody's"


def test_a_form_without_our_secret_or_from_another_site_changes_nothing(hub: Real) -> None:
    owner = hub.owner()
    csrf = owner.csrf()
    for one in hidden(hub.app):
        if one.method == "POST":
            # Mostly 403; where a page looks for what isn't there first, it says that.
            assert owner.post(one.path(), {"csrf": "wrong"}).status_code >= 400, one
            assert owner.post(one.path(), {"csrf": csrf}, sec_fetch_site="cross-site").status_code >= 400, one
    assert owner.get("/").status_code == 200


def test_what_there_is_not_is_not_found(hub: Real) -> None:
    owner = hub.owner()
    for one in hidden(hub.app):
        if one.method == "GET" and {"incident", "clip", "alias"} & set(one.names) and one.route not in ENDLESS:
            code = answer_to(owner, one)[0]
            assert code in (404, 204), f"{one}: {code}"


def test_no_page_has_a_script_or_a_style_in_it_and_each_forbids_them(hub: Real) -> None:
    owner = hub.owner()
    for visitor in (owner, Visitor(hub.app)):
        for one in addresses(hub.app):
            if one.method != "GET" or one.route in ENDLESS:
                continue
            answer = visitor.get(one.path())
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy, one
            assert "unsafe" not in policy, one
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"
            kept = answer.headers.get("content-disposition", "").startswith("attachment")  # a file for somebody else
            if "html" in answer.headers.get("content-type", "") and not kept:
                assert not INLINE.search(answer.text), f"{one}: {INLINE.search(answer.text)}"


@pytest.mark.slow
def test_no_secret_is_in_any_page_of_a_home_with_everything_in_it(hub: Real, tmp_path: Path) -> None:
    with furnished(tmp_path) as at:
        owner, member = at.owner(), at.member()
        named = at.named(owner)
        secrets = [
            one.encode() for one in (PASSPHRASE, THEIRS, "$argon2id$", "PRIVATE KEY", owner.secret, member.secret)
        ]
        for one in ("operating", "table"):
            key = at.folder.read(f"keys/{one}")
            secrets += [key, key.hex().encode(), base64.b64encode(key), base64.urlsafe_b64encode(key).rstrip(b"=")]
        told: dict[str, bytes] = {}
        for who in (owner, member):
            for one in hidden(hub.app):
                if one.method == "GET" and one.route not in ENDLESS:
                    for values in product(*(named[name] for name in one.names)):
                        path = one.path(dict(zip(one.names, values, strict=True)))
                        answer = who.ask("GET", path)
                        told[f"{who is owner} {path} {answer.status_code}"] = (
                            answer.content + str(answer.headers).encode()
                        )
        told["the log"] = at.log.encode()
    whole = [where for where, said in told.items() if where.startswith("True") and b"Front door" in said]
    assert {f"True /incident/{named['incident'][0]} 200", f"True /clip/{named['clip'][0]} 200"} <= set(whole)
    assert len(whole) > 15, "they were pages with something on them"
    assert not [where for where, said in told.items() if any(secret in said for secret in secrets)]


def test_no_secret_is_in_any_page_or_log(hub: Real, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    owner, member = hub.owner(), hub.member()
    csrf = owner.csrf()
    secrets = [PASSPHRASE, THEIRS, "$argon2id$", "PRIVATE KEY", *owner.cookies.values(), *member.cookies.values()]
    keys = (hub.home.folder.path / "keys").glob("*")
    secrets += [one.read_bytes().hex() for one in keys if one.is_file() and one.name in ("operating", "table")]
    said = [answer_to(owner, one, csrf=csrf)[1] for one in hidden(hub.app) if one.route not in ENDLESS]
    said += [one.getMessage() for one in caplog.records if one.name != "httpx"]  # the browser's, not ours
    assert not [secret for secret in secrets if any(secret in text for text in said)]
