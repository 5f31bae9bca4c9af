"""What a camera says outside the chain: beats, wills, and cover that says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from sealcam.wire.bodies import EventType, Mode, Traffic
from sealcam.wire.sealed import GENESIS, envelope_hash
from sealcam_hub.notices import Refusal
from sealcam_hub.outcome import What
from sealcam_hub.tables import cameras
from tests.receiving import Desk
from tests.receiving import desk as made_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with made_desk(tmp_path / "hub") as made:
        yield made


def cut_off(desk: Desk) -> bool:
    with desk.home.store.reading() as connection:
        return connection.execute(select(cameras.c.cut_off)).scalar_one()


def test_a_beat_counts_only_when_it_advances(desk: Desk) -> None:
    camera = desk.camera
    first, second = camera.beat(Mode.AWAY), camera.beat(Mode.AWAY)
    assert desk.whats(second, first, second) == [What.BEAT, What.STALE, What.STALE]
    camera.restart(b"c" * 16)
    assert desk.whats(camera.beat(Mode.NIGHT), second) == [What.BEAT, What.STALE]
    (view,) = desk.home.ledger().cameras()
    assert (view.state, view.mode, view.queued, view.firmware) == ("watching", "night", 0, "0.1.0")
    assert desk.notices() == []


def test_a_boot_that_was_left_and_goes_on_is_a_second_camera(desk: Desk) -> None:
    camera = desk.camera
    desk.take(camera.beat(), camera.beat())
    camera.restart(b"c" * 16)
    desk.take(camera.beat(Mode.NIGHT))
    camera.restart(b"b" * 16)
    camera.beats = 2
    (outcome,) = desk.take(camera.beat(Mode.OFF))
    assert (outcome.what, outcome.answer) == (What.CLONE, None)
    assert desk.notices() == ["clone"]
    assert "two cameras" in desk.told()
    assert desk.home.ledger().cameras()[0].mode == "night"
    desk.take(camera.beat())
    assert "2 times" in desk.told()


def test_a_will_of_this_boot_cuts_a_camera_off_until_it_beats(desk: Desk) -> None:
    camera = desk.camera
    will = camera.will()
    assert desk.whats(will) == [What.STALE], "a hub that knows no boot learns nothing from a will"
    assert desk.whats(camera.beat(), will) == [What.BEAT, What.WILL]
    assert cut_off(desk)
    assert desk.home.ledger().cameras()[0].state == "cut-off"
    assert desk.whats(camera.beat(), will) == [What.BEAT, What.STALE], "each will is taken once"
    assert not cut_off(desk)
    later = camera.will()
    desk.again()
    assert desk.whats(later) == [What.WILL]
    assert cut_off(desk)


def test_a_will_of_a_boot_that_was_left_says_nothing(desk: Desk) -> None:
    camera = desk.camera
    old = camera.will()
    desk.take(camera.beat())
    camera.restart(b"c" * 16)
    assert desk.whats(camera.beat(), old) == [What.BEAT, What.STALE]
    new = camera.will()
    assert desk.whats(new) == [What.WILL], "a new boot counts anew"
    assert desk.notices() == []


def test_cover_is_counted_and_receipted_and_not_stored(desk: Desk) -> None:
    envelope = desk.camera.cover()
    for _ in range(2):
        (outcome,) = desk.take(envelope)
        assert outcome.what is What.COVER
        assert desk.camera.receipted(outcome.answer) == envelope_hash(envelope)
    assert desk.home.ledger().lines() == ()
    assert desk.home.ledger().counts().refused == 0


def test_a_camera_under_cover_gets_one_receipt_of_one_size_whatever_it_sends(desk: Desk) -> None:
    camera = desk.camera
    beat = camera.beat(traffic=Traffic.COVER)
    sent = [beat, camera.cover(), camera.incident(), beat, camera.beat(traffic=Traffic.COVER), camera.cover()]
    outcomes = desk.take(*sent)
    assert [camera.receipted(one.answer) for one in outcomes] == [envelope_hash(one) for one in sent]
    assert len({len(one.answer or b"") for one in outcomes}) == 1
    assert all(one.also == () for one in outcomes)


def test_a_beat_of_an_instant_camera_is_not_receipted(desk: Desk) -> None:
    outcomes = desk.take(desk.camera.beat(), desk.camera.beat(traffic=Traffic.INSTANT), desk.camera.will())
    assert [one.answer for one in outcomes] == [None] * 3


def test_beats_and_wills_that_cannot_be_read_are_malformed(desk: Desk) -> None:
    camera = desk.camera
    for kind in (EventType.BEAT, EventType.WILL):
        broken = camera.seal(kind, b"\xa0", 1, GENESIS)
        assert desk.take(broken)[0].refusal is Refusal.MALFORMED
    far = camera.beat(newest_seq=1 << 63)
    assert desk.take(far)[0].refusal is Refusal.MALFORMED
