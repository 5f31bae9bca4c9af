"""Who may look at the console: a session of this browser, under our own name; a form comes from our own page."""

from __future__ import annotations

import pytest

from sealcam.wire.errors import LinkDown
from sealcam_hub.console.origin import came_from_us, cookie_name, host_allowed
from sealcam_hub.console.session import LIFE_NS, MOST, Entry, Sessions
from sealcam_hub.console.throttle import Throttle
from tests.unit.hub.console_client import TOKEN, Armed, Visitor, console
from tests.unit.hub.console_fake import NOW_NS, PORCH, FakeSource, incident

PRIVATE = ("/", "/incident/a-b", "/thumbnail/a-b", "/fragment/cards", "/fragment/cameras", "/fragment/notices", "/live")


# A session.


@pytest.mark.parametrize("path", PRIVATE)
def test_without_a_session_everything_is_closed(path: str) -> None:
    source = FakeSource([incident(1)])
    answer = Visitor(console(source)).get(path)
    assert answer.status_code == 403
    assert source.asked == 0


def test_a_made_up_cookie_is_no_session() -> None:
    answer = Visitor(console()).get("/", cookie="sealcam-8480=made-up")
    assert answer.status_code == 403


def test_a_session_ends_after_its_time() -> None:
    now = [NOW_NS]
    visitor = Visitor(console(clock=lambda: now[0])).sign_in()
    now[0] += LIFE_NS - 1
    assert visitor.get("/").status_code == 200
    now[0] += 1
    assert visitor.get("/").status_code == 403


def test_two_hubs_on_one_machine_do_not_sign_each_other_out() -> None:
    assert cookie_name("localhost:8480") != cookie_name("localhost:8481")


def test_sessions_keep_no_secret_in_the_clear() -> None:
    sessions = Sessions(lambda _person: b"mark", lambda: NOW_NS)
    for secret in (sessions.begin(Entry(b"mark"), Throttle(lambda: 0)), sessions.invite(Throttle(lambda: 0))):
        assert secret not in repr(vars(sessions))


def test_a_session_of_another_passphrase_is_none() -> None:
    marks = [b"one"]
    sessions = Sessions(lambda _person: marks[0], lambda: NOW_NS)
    secret = sessions.begin(Entry(b"one"), Throttle(lambda: 0))
    assert sessions.find(secret) is not None
    marks[0] = b"two"
    assert sessions.find(secret) is None
    marks[0] = b"one"
    assert sessions.find(secret) is None, "over is over"


def test_a_session_ends_by_its_name_and_nobody_elses_does() -> None:
    sessions = Sessions(lambda _person: b"mark", lambda: NOW_NS)
    here, there = (sessions.begin(Entry(b"mark"), Throttle(lambda: 0)) for _ in range(2))
    found = sessions.find(there)
    assert found is not None
    assert sessions.end_where(lambda one: one.name == found.name) == 1
    assert sessions.find(there) is None
    assert sessions.find(here) is not None
    assert [one.person.name for one in sessions.all()] == ["Owner"]


def test_the_session_that_was_used_longest_ago_makes_room() -> None:
    now = [NOW_NS]
    sessions = Sessions(lambda _person: b"mark", lambda: now[0])
    secrets = []
    for _ in range(MOST):
        now[0] += 1
        secrets.append(sessions.begin(Entry(b"mark"), Throttle(lambda: 0)))
    now[0] += 1
    assert sessions.find(secrets[0]) is not None
    sessions.begin(Entry(b"mark"), Throttle(lambda: 0))
    assert len(sessions.all()) == MOST
    assert sessions.find(secrets[0]) is not None
    assert sessions.find(secrets[1]) is None


def test_over_tls_the_cookie_is_taken_from_this_host_over_tls_alone() -> None:
    assert cookie_name("hub.local:8443", "https") == "__Host-sealcam-8443"
    assert cookie_name("hub.local", "https") == "__Host-sealcam-443"


# The name.


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:8480", "localhost@evil", "", "[::1"]
)
def test_another_name_is_refused_before_anything_else(host: str) -> None:
    visitor = Visitor(console())
    assert visitor.get(f"/?token={TOKEN}", host=host).status_code == 421
    assert visitor.get("/static/base.css", host=host).status_code == 421
    assert visitor.sign_in().get("/").status_code == 200


@pytest.mark.parametrize(
    ("host", "hosts", "allowed"),
    [
        ("localhost:8480", {"localhost"}, True),
        ("LOCALHOST:8480", {"localhost:8480"}, True),
        ("localhost:8481", {"localhost:8480"}, False),
        ("localhost", {"localhost:80"}, True),
        ("[::1]:8480", {"[::1]"}, True),
        ("127.0.0.1:8480", {"localhost"}, False),
        ("localhost:99999", {"localhost"}, False),
        ("localhost/x", {"localhost"}, False),
    ],
)
def test_a_name_with_a_port_means_that_port(host: str, hosts: set[str], allowed: bool) -> None:
    assert host_allowed(host, hosts) is allowed


# What changes something.


def test_a_mode_is_set_from_our_own_page() -> None:
    arm = Armed()
    visitor = Visitor(console(arm=arm)).sign_in()
    answer = visitor.post("/arm", {"csrf": visitor.csrf(), "alias": PORCH, "mode": "night"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert arm.wishes == [(PORCH, "night")]


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_form_of_another_site_sets_nothing(site: str) -> None:
    arm = Armed()
    visitor = Visitor(console(arm=arm)).sign_in()
    answer = visitor.post("/arm", {"csrf": visitor.csrf(), "alias": PORCH, "mode": "off"}, sec_fetch_site=site)
    assert answer.status_code == 403
    assert not arm.wishes


@pytest.mark.parametrize("csrf", ["", "wrong"])
def test_a_form_without_our_secret_sets_nothing(csrf: str) -> None:
    arm = Armed()
    visitor = Visitor(console(arm=arm)).sign_in()
    assert visitor.post("/arm", {"csrf": csrf, "alias": PORCH, "mode": "off"}).status_code == 403
    assert not arm.wishes


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"host": "localhost:8480", "origin": "http://localhost:8480"}, True),
        ({"host": "localhost", "origin": "http://localhost:80"}, True),
        ({"host": "localhost:8480", "origin": "http://localhost:8481"}, False),
        ({"host": "localhost:8480", "origin": "https://localhost:8480"}, False),
        ({"host": "localhost:8480", "origin": "null"}, False),
        ({"host": "localhost:8480"}, False),
        ({"host": "localhost:8480", "origin": "null", "sec-fetch-site": "same-origin"}, True),
    ],
)
def test_where_a_request_came_from(headers: dict[str, str], ours: bool) -> None:
    assert came_from_us(headers, "http") is ours


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"alias": "0000000000000000", "mode": "off"}, 400),
        ({"alias": PORCH, "mode": "asleep"}, 400),
        ({"alias": PORCH}, 400),
        ({"alias": PORCH, "mode": "off", "more": "x" * 20_000}, 413),
        ({"alias": PORCH, "mode": "off"} | {f"field{n}": "x" for n in range(40)}, 400),
    ],
)
def test_a_form_that_makes_no_sense_is_a_clear_refusal(fields: dict[str, str], status: int) -> None:
    arm = Armed()
    visitor = Visitor(console(arm=arm)).sign_in()
    assert visitor.post("/arm", {"csrf": visitor.csrf()} | fields).status_code == status
    assert not arm.wishes


def test_only_a_plain_form_is_read() -> None:
    visitor = Visitor(console()).sign_in()
    answer = visitor.ask("POST", "/arm", json={"mode": "off"}, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 415
    assert visitor.get("/arm").status_code == 405


def test_a_wish_that_fails_says_why_and_what_to_do() -> None:
    arm = Armed()
    arm.error = LinkDown("the broker is away", "start it")
    visitor = Visitor(console(arm=arm)).sign_in()
    answer = visitor.post("/arm", {"csrf": visitor.csrf(), "alias": PORCH, "mode": "off"})
    assert answer.status_code == 503
    assert "The broker is away. Start it." in answer.text


# What every answer carries.


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/base.css", "/thumbnail/x", "/fragment/cards"])
@pytest.mark.parametrize("signed_in", [True, False])
def test_every_answer_tells_the_browser_what_it_may_not_do(path: str, signed_in: bool) -> None:
    visitor = Visitor(console())
    if signed_in:
        visitor.sign_in()
    headers = visitor.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")
