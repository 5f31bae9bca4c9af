"""Passkeys: what a device signs for this place, this challenge and a verified person lets in, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealcam.wire.errors import EnvelopeError
from sealcam_hub import passkeys
from sealcam_hub.console.challenges import LIFE_NS, Challenges
from sealcam_hub.console.throttle import FREE
from sealcam_hub.passkeys import Site, site
from sealcam_hub.person import OWNER, Passkey
from tests.authenticator import PRESENT, Device, b64, unb64
from tests.unit.hub.console_client import HERE, PASSPHRASE, Visitor
from tests.unit.hub.household import THEIRS, House, fields, housed

LAN = Site("hub.local", "https://hub.local:8443")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with housed(tmp_path / "hub") as made:
        yield made


def add(visitor: Visitor, device: Device, label: str = "My phone", **wrong: object) -> int:
    """Add a passkey as the script does."""
    csrf = visitor.csrf()
    asked = visitor.post("/me/passkey/ask", {"csrf": csrf}).text
    answer = device.make(asked, str(wrong.pop("origin", HERE)), **wrong)
    return visitor.post("/me/passkey", {"csrf": csrf, "label": label, "answer": answer}).status_code


def enter(visitor: Visitor, device: Device, **wrong: object) -> int:
    """Sign in as the script does."""
    asked = visitor.post("/passkey/ask", {"to": "/"}).text
    answer = device.sign(asked, str(wrong.pop("origin", HERE)), **wrong)
    return visitor.post("/passkey", {"answer": answer, "to": "/"}).status_code


# In.


def test_a_passkey_signs_in_without_a_name_or_a_word(house: House) -> None:
    owner, device = house.owner(), Device()
    assert "You have none yet" in owner.get("/me").text
    assert add(owner, device) == 200
    assert "My phone" in owner.get("/me").text
    visitor = Visitor(house.app)
    assert enter(visitor, device) == 200
    assert "Incidents" in visitor.get("/").text
    assert "You are the owner" in visitor.get("/me").text
    assert house.log()[-2:] == [
        ("console", "enrolled", "a passkey for the console at localhost"),
        ("console", "opened", "the console, with a passkey"),
    ]


def test_a_members_passkey_makes_a_members_session(house: House) -> None:
    anna, device = house.member(house.owner()), Device()
    assert add(anna, device) == 200
    visitor = Visitor(house.app)
    assert enter(visitor, device) == 200
    assert "You are Anna" in visitor.get("/me").text
    assert visitor.get("/members").status_code == 403
    assert house.log()[-1][0] == "console: Anna"


def test_a_passkey_waits_for_nobodys_wrong_passphrases(house: House) -> None:
    device = Device()
    add(house.owner(), device)
    for _ in range(FREE + 1):
        Visitor(house.app).post("/login", {"passphrase": "guessed, and wrong"})
    assert Visitor(house.app).post("/login", {"passphrase": PASSPHRASE}).status_code == 429
    assert enter(Visitor(house.app), device) == 200


def test_a_device_that_counts_nothing_signs_in_again_and_again(house: House) -> None:
    device = Device(counts=False)
    add(house.owner(), device)
    assert [enter(Visitor(house.app), device) for _ in range(3)] == [200] * 3


# Not in.


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:9999"},
        {"origin": "https://localhost:8480"},
        {"host": "evil.example"},
        {"kind": "webauthn.create"},
        {"challenge": b64(b"c" * 56)},
        {"challenge": ""},
    ],
)
def test_what_was_signed_for_another_place_or_challenge_lets_nobody_in(house: House, wrong: dict[str, object]) -> None:
    owner, device = house.owner(), Device()
    add(owner, device)
    visitor = Visitor(house.app)
    assert enter(visitor, device, **dict(wrong)) == 403
    assert not visitor.cookies
    assert enter(Visitor(house.app), device) == 200, "and a right one still does"


def test_a_device_that_did_not_verify_the_person_lets_nobody_in(house: House) -> None:
    owner, device = house.owner(), Device()
    assert add(owner, Device(flags=PRESENT)) == 400
    add(owner, device)
    device.flags = PRESENT
    assert enter(Visitor(house.app), device) == 403


def test_an_answer_is_good_once(house: House) -> None:
    device = Device(counts=False)  # else the counter would tell
    add(house.owner(), device)
    visitor = Visitor(house.app)
    answer = device.sign(visitor.post("/passkey/ask", {"to": "/"}).text, HERE)
    assert visitor.post("/passkey", {"answer": answer}).status_code == 200
    assert Visitor(house.app).post("/passkey", {"answer": answer}).status_code == 403


def test_a_copied_device_is_noticed_by_its_counter(house: House) -> None:
    device = Device()
    add(house.owner(), device)
    copy = Device(device.credential, device.key, device.count)
    assert enter(Visitor(house.app), device) == 200
    assert enter(Visitor(house.app), copy) == 403


def test_a_strangers_passkey_and_anothers_key_let_nobody_in(house: House) -> None:
    device = Device()
    add(house.owner(), device)
    assert enter(Visitor(house.app), Device()) == 403
    assert enter(Visitor(house.app), Device(credential=device.credential)) == 403


def test_a_challenge_ends_after_its_time(house: House) -> None:
    device = Device()
    add(house.owner(), device)
    visitor = Visitor(house.app)
    asked = visitor.post("/passkey/ask", {"to": "/"}).text
    house.boot[0] += LIFE_NS
    assert visitor.post("/passkey", {"answer": device.sign(asked, HERE)}).status_code == 403


def test_a_challenge_for_one_purpose_or_session_is_none_for_another(house: House) -> None:
    owner, other, device = house.owner(), house.owner(), Device()
    csrf = other.csrf()
    asked = json.loads(owner.post("/me/passkey/ask", {"csrf": owner.csrf()}).text)
    answer = Device().make(json.dumps(asked), HERE)
    assert other.post("/me/passkey", {"csrf": csrf, "answer": answer}).status_code == 400
    add(owner, device)
    visitor = Visitor(house.app)
    assert (
        visitor.post("/passkey", {"answer": device.sign(json.dumps(asked | {"rpId": "localhost"}), HERE)}).status_code
        == 403
    )


def test_without_a_session_nobody_adds_or_removes_one(house: House) -> None:
    visitor = Visitor(house.app)
    for path in ("/me/passkey/ask", "/me/passkey", "/me/passkey/remove"):
        assert visitor.post(path, {"csrf": "", "answer": "{}", "passkey": ""}).status_code == 403
    assert visitor.post("/passkey/ask", {"to": "/"}, sec_fetch_site="cross-site").status_code == 403


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.binary(max_size=60).map(b64),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "rawId",
                        "type",
                        "response",
                        "clientDataJSON",
                        "authenticatorData",
                        "attestationObject",
                        "signature",
                    ]
                ),
                inner,
                max_size=6,
            )
            | st.lists(inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_whatever_is_sent_is_refused_and_nothing_falls_over(told: object) -> None:
    answer = json.dumps(told)
    kept = Passkey(OWNER, b"i", "localhost", b"", 0)
    for ask in _asks(answer, kept):
        with pytest.raises(EnvelopeError):
            ask()


PLACE = Site("localhost", HERE)


@cache
def answers() -> tuple[str, str, Passkey]:
    """A new passkey's answer and one that signs in, both to the same challenge, and what is kept of it."""
    device = Device(b"i" * 8)
    made = device.make(passkeys.ask_new(PLACE, "Anna", b"h" * 16, [], b"c" * 32), HERE)
    registered = passkeys.verify_new(made, b"c" * 32, PLACE)
    kept = Passkey(OWNER, registered.credential, "localhost", registered.public, registered.count)
    return made, device.sign(passkeys.ask(PLACE, b"c" * 32), HERE), kept


@settings(max_examples=400, deadline=None)
@given(signs=st.booleans(), part=st.integers(0, 2), at=st.integers(0, 999), flip=st.integers(1, 255), cut=st.booleans())
def test_a_changed_answer_is_refused_and_nothing_falls_over(
    signs: bool, part: int, at: int, flip: int, cut: bool
) -> None:
    made, signed, kept = answers()
    told = json.loads(signed if signs else made)
    names = sorted(set(told["response"]) - {"userHandle"})
    name = names[part % len(names)]
    raw = bytearray(unb64(told["response"][name]))
    place = at % len(raw)
    raw[place] ^= flip
    told["response"][name] = b64(bytes(raw[: place if cut else len(raw)]))
    try:
        if signs:
            passkeys.verify(json.dumps(told), b"c" * 32, PLACE, kept)
        else:
            passkeys.verify_new(json.dumps(told), b"c" * 32, PLACE)
    except EnvelopeError:
        return
    assert not signs, "all of it is signed"


def _asks(answer: str, kept: Passkey) -> list[Callable[[], object]]:
    return [
        lambda: passkeys.verify_new(answer, b"c" * 32, PLACE),
        lambda: passkeys.verify(answer, b"c" * 32, PLACE, kept),
    ]


# Going.


def test_a_removed_passkey_signs_nobody_in_and_ends_what_it_began(house: House) -> None:
    owner, device, visitor = house.owner(), Device(), Visitor(house.app)
    add(owner, device)
    enter(visitor, device)
    assert (
        owner.post("/me/passkey/remove", dict(fields(owner.get("/me").text, "/me/passkey/remove"))).status_code == 303
    )
    assert visitor.get("/").status_code == 403
    assert enter(Visitor(house.app), device) == 403
    assert house.log()[-1] == ("console", "expelled", "a passkey for the console at localhost")


def test_nobody_removes_anothers(house: House) -> None:
    owner, device = house.owner(), Device()
    anna = house.member(owner)
    add(owner, device)
    form = dict(fields(owner.get("/me").text, "/me/passkey/remove")) | {"csrf": anna.csrf()}
    assert anna.post("/me/passkey/remove", form).status_code == 404
    assert enter(Visitor(house.app), device) == 200


def test_a_removed_members_passkeys_go_with_them(house: House) -> None:
    owner, device = house.owner(), Device()
    anna = house.member(owner)
    add(anna, device)
    owner.post("/members/remove", dict(fields(owner.get("/members").text, "/members/remove")))
    assert anna.get("/").status_code == 403
    assert enter(Visitor(house.app), device) == 403
    assert Visitor(house.app).post("/login", {"name": "Anna", "passphrase": THEIRS}).status_code == 403


def test_another_passphrase_of_the_owners_ends_what_a_passkey_began(house: House) -> None:
    owner, device, visitor = house.owner(), Device(), Visitor(house.app)
    add(owner, device)
    enter(visitor, device)
    other = "quite another set of words"
    owner.post("/passphrase", {"csrf": owner.csrf(), "current": PASSPHRASE, "new": other, "again": other})
    assert visitor.get("/").status_code == 403
    assert enter(Visitor(house.app), device) == 200, "the passkey itself stays"


# The place.


@pytest.mark.parametrize(
    ("scheme", "host", "port", "expected"),
    [
        ("http", "localhost", 8480, Site("localhost", "http://localhost:8480")),
        ("https", "hub.local", 8443, LAN),
        ("https", "hub.local", None, Site("hub.local", "https://hub.local")),
        ("http", "hub.local", 8480, None),
        ("https", "192.168.1.5", 8443, None),
        ("https", "fe80::1", 8443, None),
        ("http", "127.0.0.1", 8480, None),
        ("https", "", 8443, None),
    ],
)
def test_passkeys_are_for_a_name_on_this_machine_or_over_tls(
    scheme: str, host: str, port: int | None, expected: Site | None
) -> None:
    assert site(scheme, host, port) == expected


def test_by_address_no_page_offers_a_passkey_and_none_is_taken(tmp_path: Path) -> None:
    with housed(tmp_path / "hub", hosts=("localhost", "192.168.1.5")) as house:
        visitor = Visitor(house.app)
        page = visitor.get("/", host="192.168.1.5:8443")
        assert "passkey" not in page.text.lower()
        assert "Passphrase" in page.text
        assert visitor.post("/passkey/ask", {"to": "/"}, host="192.168.1.5:8443").status_code == 404
        assert "Sign in with a passkey" in visitor.get("/").text


def test_a_passkey_for_one_name_is_none_for_another(house: House) -> None:
    device, here = Device(), Site("localhost", HERE)
    made = passkeys.verify_new(device.make(passkeys.ask_new(here, "O", b"h", [], b"c" * 32), HERE), b"c" * 32, here)
    kept = Passkey(OWNER, made.credential, "localhost", made.public, made.count)
    with pytest.raises(EnvelopeError):
        passkeys.verify(device.sign(passkeys.ask(LAN, b"c" * 32), LAN.origin), b"c" * 32, LAN, kept)


def test_challenges_are_all_different_and_of_one_process() -> None:
    one, other = Challenges(lambda: 0), Challenges(lambda: 0)
    made = {one.new("in") for _ in range(100)}
    assert len(made) == 100
    challenge = made.pop()
    assert one.holds(challenge, "in")
    assert not one.holds(challenge, "new")
    assert not other.holds(challenge, "in")
    assert not one.holds(challenge[:-1] + bytes([challenge[-1] ^ 1]), "in")
