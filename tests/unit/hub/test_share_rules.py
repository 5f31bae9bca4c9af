"""What the household's rules keep from being shared, hold back of what was shared, and veil on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealcam.wire.errors import ConfigError
from sealcam.wire.keys import BoxKey
from sealcam_hub.cli import main
from sealcam_hub.rules import Effect, Rule
from sealcam_hub.rules_ledger import Household
from sealcam_hub.share_room import shares as shares_of
from tests.receiving import Desk
from tests.unit.hub.console_client import Visitor
from tests.unit.hub.test_redact import at, begun, copy, grant, made, name, one, them

__all__ = ["at", "made", "one", "them"]


def test_a_clip_that_a_rule_keeps_from_being_shared_is_neither_shared_nor_copied(
    at: Desk, one: Visitor, them: BoxKey, tmp_path: Path
) -> None:
    copied = copy(at)
    rules = Household(at.home.store, at.home.keys, at.home.clock)
    rules.make(Rule(frozenset({Effect.NOT_SHARED})))
    for way in ({"way": "signed", "upto": ""}, {"way": "anew", "people": "yes"}):
        answer = one.post(f"/sharing/clip/{name(at)}", {"csrf": one.csrf()} | way)
        assert "A rule of the household" in answer.text
    with pytest.raises(ConfigError, match="a rule of the household"):
        grant(at, copied, them)
    state_of = ["--state", str(at.home.folder.path)]
    words = ["--to", them.public.hex(), "--name", "I", "--purpose", "p", "--expires", "7d", "--yes"]
    words += ["-o", str(tmp_path / "none")]
    assert main([*state_of, "share", "create", name(at), *words, "--blur-people"]) == 2
    assert shares_of(at.home).list() == ()


def test_what_a_rule_forbids_by_now_is_not_handed_over_again(at: Desk, one: Visitor, them: BoxKey) -> None:
    share = grant(at, copy(at), them)
    assert one.post(f"/sharing/{share.id}/give/grant", {"csrf": one.csrf()}).status_code == 200
    rules = Household(at.home.store, at.home.keys, at.home.clock)
    rules.make(Rule(frozenset({Effect.NOT_SHARED})))
    answer = one.post(f"/sharing/{share.id}/give/grant", {"csrf": one.csrf()})
    assert "A rule of the household" in answer.text
    assert share.bundle not in answer.content


def test_a_grant_that_a_rule_holds_back_by_now_says_so_and_can_be_revoked(at: Desk, one: Visitor, them: BoxKey) -> None:
    share = grant(at, copy(at), them)
    assert "Held back" not in one.get("/sharing").text
    rules = Household(at.home.store, at.home.keys, at.home.clock)
    rules.make(Rule(frozenset({Effect.NOT_SHARED})))
    assert "Held back" in one.get("/sharing").text
    page = one.get(f"/sharing/{share.id}").text
    assert "keeps this clip from being shared" in page
    assert "/give/" not in page
    assert "data-revoke" in page
    one.post(f"/sharing/{share.id}/revoke", {"csrf": one.csrf()})
    assert "Held back" not in one.get("/sharing").text


def test_what_a_rule_veils_is_veiled_on_each_page_of_sharing(at: Desk, one: Visitor, them: BoxKey) -> None:
    share = grant(at, copy(at), them)
    draft = begun(at, one)
    pages = (f"/sharing/clip/{name(at)}", draft, f"/sharing/{share.id}")
    for page in pages:
        assert "<video" in one.get(page).text
        assert "veiled" not in one.get(page).text
    rules = Household(at.home.store, at.home.keys, at.home.clock)
    rules.make(Rule(frozenset({Effect.VEILED})))
    for page in pages:
        text = one.get(page).text
        assert text.index('class="lift"') < text.index('class="frame veiled"') < text.index("<video")
