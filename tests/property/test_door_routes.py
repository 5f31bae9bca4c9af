"""Whatever is sent to whatever address: no session, no page; no secret in an answer, and nothing falls over.

The addresses are the application's own. `SEALCAM_EXAMPLES` asks for more examples than a test run takes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealcam_hub.console.roles import MEMBER, OWNERS
from tests.unit.hub.console_client import PASSPHRASE, Visitor
from tests.unit.hub.household import THEIRS
from tests.unit.hub.routed import ENDLESS, OPEN, VALUES, Address, Real, addresses, real

EXAMPLES = int(os.environ.get("SEALCAM_EXAMPLES", "60"))
FREQUENT = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
# What a path, a field or a query may hold: what is meant, what is nearly it, and what never was.
words = st.one_of(
    st.sampled_from(
        ["", "0", "-1", "1e9", "9" * 30, "..", "../../etc/passwd", "%2e%2e", "<b>", "'; --", "\x00", "a" * 3000]
    ),
    st.sampled_from(sorted(VALUES.values())),
    st.text(max_size=40),
)
parts = words.map(lambda text: "_" if text in ("", ".", "..") else quote(text, safe=""))
_NAMES = """csrf name passphrase to token new again current alias mode answer label session passkey member invitation
days before show camera incident verdict"""
names = st.sampled_from(_NAMES.split())
forms = st.dictionaries(names, words, max_size=6)
headers = st.dictionaries(
    st.sampled_from(
        ["range", "if-range", "accept", "sec-purpose", "user-agent", "if-none-match", "cookie", "sec-fetch-dest"]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
    max_size=3,
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with real(tmp_path_factory.mktemp("hub") / "hub") as made:
        yield made


@pytest.fixture(scope="module", autouse=True)
def inside(hub: Real) -> dict[str, Visitor]:
    """Who is in before anybody guesses: wrong tries make those wait who sign in later."""
    return {"owner": hub.owner(), "member": hub.member()}


@pytest.fixture(scope="module")
def known(hub: Real) -> list[Address]:
    return [one for one in addresses(hub.app) if one.route not in ENDLESS]


def sent(visitor: Visitor, one: Address, data: st.DataObject, csrf: str | None = None) -> tuple[int, str]:
    """Send something to an address; what came back. A failure of the application is raised here."""
    values = {name: data.draw(st.sampled_from([VALUES.get(name, "1")]) | parts) for name in one.names}
    form = data.draw(forms) | ({} if csrf is None else {"csrf": csrf})
    told = data.draw(headers)
    if visitor.cookies:
        told.pop("cookie", None)
    path = one.path(values)
    told = {name: value.strip() for name, value in told.items()} | {"sec-fetch-site": "same-origin"}
    options: dict[str, object] = {"data": form or {"x": ""}} if one.method == "POST" else {"params": data.draw(forms)}
    answer = visitor.ask(one.method, path, headers=told, **options)
    assert answer.status_code < 500 or answer.status_code == 503, f"{one}: {answer.status_code}"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for secret in (PASSPHRASE, THEIRS, "$argon2id$", "PRIVATE KEY", "Traceback"):
        assert secret not in answer.text
    return answer.status_code, answer.text


@FREQUENT
@given(data=st.data())
def test_without_a_session_nothing_opens(hub: Real, known: list[Address], data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(known))
    visitor = Visitor(hub.app)
    code, text = sent(visitor, one, data)
    assert not [name for name in visitor.cookies if visitor.cookies[name]], "nobody is let in"
    assert "Front door" not in text
    if one.route not in OPEN:
        assert code in (403, 404), f"{one}: {code}"  # 404: the address isn't even routed so


@FREQUENT
@given(data=st.data())
def test_a_member_never_gets_what_is_the_owners(
    inside: dict[str, Visitor], known: list[Address], data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from([one for one in known if one.route not in OPEN]))
    member = inside["member"]
    code, text = sent(member, one, data, member.csrf())
    if one.method not in MEMBER.get(one.route, ()):
        assert code == 404 or (code == 403 and OWNERS in text.lower()), f"{one}: {code}"


@FREQUENT
@given(data=st.data())
def test_whatever_the_owner_sends_is_answered(
    inside: dict[str, Visitor], known: list[Address], data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from([one for one in known if one.route not in OPEN]))
    owner = inside["owner"]
    sent(owner, one, data, owner.csrf())
