"""The console's page of the off-site copy: what waits, since when and why, and never a key."""

from __future__ import annotations

from sealcam_hub.console.offsite import OffsiteRoom
from sealcam_hub.offsite_rows import Lag
from sealcam_hub.offsite_status import Standing
from sealcam_hub.offsite_worker import State
from tests.hubs import WALL_NS
from tests.unit.hub.console_client import Visitor, console

WHERE = "https://s3.example.net/a-bucket"


def shown(standing: Standing | None) -> str:
    answer = Visitor(console(parts=(OffsiteRoom(lambda: standing),))).sign_in().get("/offsite")
    assert answer.status_code == 200
    return answer.text


def test_where_there_is_none_it_says_how_one_begins() -> None:
    assert "sealcam-hub offsite set store.toml" in shown(None)


def test_a_copy_that_is_complete_says_so() -> None:
    page = shown(Standing(WHERE, Lag(objects=7), State(done_ns=WALL_NS), lags=False))
    assert "All is there" in page
    assert WHERE in page
    assert "It waits" not in page


def test_a_store_that_fails_is_told_with_what_waits() -> None:
    lag = Lag(events=3, clips=1, clip_bytes=5_300_000, oldest_ns=WALL_NS, doomed=2, locked=1, objects=7)
    why = "the store doesn't answer in time"
    page = shown(Standing(WHERE, lag, State(failing_ns=WALL_NS, why=why), lags=True))
    for words in ("It waits since", "answer in time", "3 reports", "1 clip", "5.3 MB", "more than an hour", "holds 1"):
        assert words in page


def test_nobody_without_a_session_sees_it() -> None:
    answer = Visitor(console(parts=(OffsiteRoom(lambda: None),))).get("/offsite")
    assert "Off-site copy" not in answer.text
