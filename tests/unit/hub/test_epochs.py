"""New keys for a camera: when the hub asks for them, takes them, and what the old ones are worth from then on."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from sealcam.wire import statement
from sealcam.wire.bodies import EventType
from sealcam.wire.keys import SigningKey
from sealcam.wire.sealed import envelope_hash
from sealcam.wire.statement_kinds import Rotation
from sealcam_hub.contents import rotation_nonce
from sealcam_hub.notices import Refusal
from sealcam_hub.openfile import open_file
from sealcam_hub.outcome import What
from sealcam_hub.tables import cameras
from tests.receiving import DAY_S, Desk
from tests.receiving import desk as made_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with made_desk(tmp_path / "hub") as made:
        yield made


def rotations(desk: Desk) -> list[Rotation]:
    statements = [message for _, message in desk.receiver.renew()]
    hub = desk.home.keys.operating.public
    return [statement.read(one, hub, Rotation) for one in statements if one[4] == 7]


def keys_of(desk: Desk) -> tuple[int, bytes, bytes]:
    with desk.home.store.reading() as connection:
        row = connection.execute(select(cameras.c.epoch, cameras.c.public, cameras.c.command)).one()
    return row.epoch, row.public, row.command


def test_after_a_week_a_camera_that_beats_is_asked_for_new_keys_until_it_has_them(desk: Desk) -> None:
    desk.clock.advance(6 * DAY_S)
    desk.take(desk.camera.beat())
    assert rotations(desk) == []
    desk.clock.advance(DAY_S)
    first, again = rotations(desk), rotations(desk)
    assert first == again
    assert (first[0].camera, first[0].epoch) == (desk.camera.kid, 2)


def test_a_camera_that_is_silent_or_was_never_heard_is_not_asked(desk: Desk) -> None:
    desk.clock.advance(8 * DAY_S)
    assert rotations(desk) == []


def test_a_hand_over_brings_new_keys_and_what_they_sign_is_taken(desk: Desk) -> None:
    camera = desk.camera
    before = camera.incident(1)
    rotation = desk.rotation()
    envelopes = [before, camera.hand_over(rotation), camera.incident(2), camera.beat()]
    assert desk.whats(*envelopes) == [What.APPENDED, What.APPENDED, What.APPENDED, What.BEAT]
    assert keys_of(desk) == (2, camera.signer.public, camera.command.public)
    assert rotations(desk) == []
    assert desk.seqs() == [1, 2, 3]
    assert len(desk.home.ledger().incidents()) == 2, "what each key signed opens under that key"
    desk.again()
    assert desk.whats(camera.incident(3)) == [What.APPENDED]
    assert desk.notices() == []


def test_a_camera_hands_over_again_and_again(desk: Desk) -> None:
    for epoch in (2, 3, 4):
        assert desk.whats(desk.camera.hand_over(desk.rotation())) == [What.APPENDED]
        assert keys_of(desk)[0] == epoch
    assert desk.whats(desk.camera.incident()) == [What.APPENDED]
    assert desk.home.enroller().answer(desk.camera.request(), "Door")  # the same camera, by its newest key
    assert len(desk.home.ledger().cameras()) == 1


def test_the_nonce_is_known_again_after_a_restore(desk: Desk) -> None:
    keys = desk.home.keys
    assert rotation_nonce(keys, desk.camera.kid, 2) == rotation_nonce(keys, desk.camera.kid, 2)
    others = {rotation_nonce(keys, desk.camera.kid, 3), rotation_nonce(keys, b"x" * 8, 2)}
    assert rotation_nonce(keys, desk.camera.kid, 2) not in others


def test_what_the_new_key_signed_waits_for_the_hand_over(desk: Desk) -> None:
    camera = desk.camera
    hand_over = camera.hand_over(desk.rotation())
    alarm, beat = camera.incident(1), camera.beat()
    early, pulse = desk.take(alarm, beat)
    assert (early.refusal, pulse.refusal, early.answer) == (Refusal.EARLY, Refusal.EARLY, None)
    assert desk.home.ledger().counts().refused_by_kind == (("early", 2),)
    assert [one.what for one in desk.take(hand_over)] == [What.APPENDED, What.APPENDED, What.BEAT]
    assert desk.seqs() == [1, 2]
    assert desk.whats(alarm) == [What.REPEAT]
    assert desk.notices() == []


def test_nobody_makes_the_hub_keep_more_than_a_few_early_messages(desk: Desk) -> None:
    camera = desk.camera
    hand_over = camera.hand_over(desk.rotation())
    kept = [camera.incident(n) for n in range(1, 200)]
    desk.take(*kept)
    assert 1 < len(desk.take(hand_over)) < 100


def test_a_parked_hand_over_takes_effect_in_its_place(desk: Desk) -> None:
    camera = desk.camera
    first, hand_over, after = camera.incident(1), camera.hand_over(desk.rotation()), camera.incident(2)
    assert desk.whats(hand_over, after) == [What.PARKED, What.PARKED]
    assert keys_of(desk)[0] == 1, "the keys of the ledger's end are in force"
    desk.again()
    assert desk.whats(first) == [What.APPENDED]
    assert keys_of(desk)[0] == 2
    assert desk.seqs() == [1, 2, 3]


def test_what_was_lost_before_a_hand_over_may_be_told_by_the_new_key(desk: Desk) -> None:
    """Evicted after the hand-over was queued: nobody else is left to tell, and without it the hub waits for ever."""
    camera = desk.camera
    camera.incident(1)
    lost = camera.head
    hand_over, loss, after = camera.hand_over(desk.rotation()), camera.loss((1, 1, lost)), camera.incident(2)
    assert desk.whats(hand_over, loss, after) == [What.PARKED, What.APPENDED, What.APPENDED]
    assert (keys_of(desk)[0], desk.seqs(), desk.notices()) == (2, [2, 3, 4], [])


def test_a_parked_hand_over_that_loses_its_place_takes_its_key_with_it(desk: Desk) -> None:
    camera = desk.camera
    before, thief = keys_of(desk), copy.copy(camera)
    thief.seq, thief.head = 1, b"?" * 32
    false_keys, false_word = thief.hand_over(desk.rotation()), thief.incident(9)
    assert desk.whats(false_keys, false_word) == [What.PARKED, What.PARKED]
    assert desk.whats(camera.incident(1), camera.incident(2)) == [What.APPENDED, What.APPENDED]
    assert keys_of(desk) == before
    assert set(desk.notices()) == {"clone"}
    assert desk.whats(thief.incident(10)) == [What.REFUSED]


def test_a_camera_whose_hand_over_waits_for_an_earlier_event_still_beats(desk: Desk) -> None:
    camera, rotation = desk.camera, desk.rotation()
    camera.incident(1)
    old, hand_over = camera.beat(), camera.hand_over(rotation)
    assert desk.whats(hand_over, old, camera.beat()) == [What.PARKED, What.BEAT, What.BEAT]


def test_the_old_key_beats_no_more_behind_the_hand_over(desk: Desk) -> None:
    camera, rotation = desk.camera, desk.rotation()
    old, hand_over = camera.beat(), camera.hand_over(rotation)
    assert desk.whats(hand_over, old, camera.beat()) == [What.APPENDED, What.STALE, What.BEAT]


def test_a_hand_over_that_comes_into_a_bridged_hole_changes_no_key(desk: Desk) -> None:
    """A camera never gives up a hand-over: only a copy of its key has one for a place that it said was lost."""
    camera = desk.camera
    rotation, thief = desk.rotation(), copy.copy(camera)
    camera.incident(1), camera.incident(2)
    assert desk.whats(camera.loss((1, 2, camera.head)), camera.incident(3)) == [What.APPENDED, What.APPENDED]
    before = keys_of(desk)
    assert desk.whats(thief.hand_over(rotation)) == [What.LATE]
    assert keys_of(desk) == before
    assert set(desk.notices()) == {"clone"}
    assert desk.whats(thief.incident(9), camera.incident(4)) == [What.REFUSED, What.APPENDED]


def test_the_old_key_signs_nothing_behind_the_hand_over(desk: Desk) -> None:
    camera, old = desk.camera, desk.camera.signer
    desk.take(camera.hand_over(desk.rotation()))
    camera.epoch = 1
    copied = camera.seal(EventType.INCIDENT, camera.body(9), 2, camera.head, old)
    pulse = camera.seal(EventType.BEAT, b"\xa0", 99, bytes(32), old)
    camera.epoch = 2
    clone, beat = desk.take(copied, pulse)
    assert (clone.what, clone.answer, beat.what) == (What.CLONE, None, What.REFUSED)
    assert desk.notices() == ["clone"]
    assert "key that is not in force" in desk.told()
    assert desk.whats(camera.incident(1)) == [What.APPENDED]


def test_an_old_key_gets_one_notice_an_hour_whatever_it_signs(desk: Desk) -> None:
    camera, old = desk.camera, desk.camera.signer
    desk.take(camera.hand_over(desk.rotation()))
    camera.epoch = 1
    copied = [camera.seal(EventType.INCIDENT, camera.body(n), 2 + n, camera.head, old) for n in range(20)]
    assert set(desk.whats(*copied[:-1])) == {What.CLONE}
    assert desk.notices() == ["clone"]
    assert "19 times" in desk.told()
    desk.clock.advance(3600)
    desk.take(copied[-1])
    assert desk.notices() == ["clone", "clone"]


def test_what_the_old_key_had_parked_behind_the_hand_over_is_disputed(desk: Desk) -> None:
    camera = desk.camera
    foreign = camera.seal(EventType.INCIDENT, camera.body(9), 2, b"x" * 32)
    fitting = camera.seal(EventType.INCIDENT, camera.body(9), 4, b"x" * 32)
    hand_over = camera.hand_over(desk.rotation())
    assert desk.whats(foreign, fitting, hand_over) == [What.PARKED, What.PARKED, What.APPENDED]
    assert desk.notices() == ["clone"]
    assert "2 times" in desk.told()
    assert desk.whats(camera.incident(1), camera.incident(2), camera.incident(3)) == [What.APPENDED] * 3
    assert desk.seqs() == [1, 2, 3, 4]


def test_the_new_key_signs_nothing_before_the_hand_over(desk: Desk) -> None:
    camera = desk.camera
    hand_over = camera.hand_over(desk.rotation())
    desk.take(hand_over)
    early = camera.seal(EventType.INCIDENT, camera.body(9), 1, bytes(32))
    (outcome,) = desk.take(early)
    assert (outcome.what, outcome.answer) == (What.CLONE, None)


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": b"n" * 32},
        {"epoch": 3},
        {"proof": bytes(64)},
        {"command": bytes(32)},
        {"public": SigningKey(bytes(32)).public},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_hand_over_that_does_not_hold_has_its_place_and_changes_no_key(
    desk: Desk, changed: dict[str, object]
) -> None:
    camera, signer, command = desk.camera, desk.camera.signer, desk.camera.command
    (outcome,) = desk.take(camera.hand_over(desk.rotation(), **changed))
    assert outcome.what is What.APPENDED
    assert camera.receipted(outcome.answer) == camera.head
    assert keys_of(desk) == (1, signer.public, command.public)
    assert desk.notices() == ["clone"]
    assert "not taken" in desk.told()
    camera.signer, camera.epoch = signer, 1
    assert desk.whats(camera.incident(1)) == [What.APPENDED]


def test_a_second_hand_over_by_the_same_key_is_a_clone(desk: Desk) -> None:
    camera, old = desk.camera, desk.camera.signer
    rotation = desk.rotation()
    desk.take(camera.hand_over(rotation))
    keys = keys_of(desk)
    camera.signer, camera.epoch = old, 1
    (second,) = desk.take(camera.hand_over(rotation))
    assert (second.what, second.answer) == (What.CLONE, None)
    assert keys_of(desk) == keys


def test_a_message_that_only_claims_a_next_key_changes_nothing(desk: Desk) -> None:
    camera = desk.camera
    camera.epoch = 2
    stranger = camera.seal(EventType.INCIDENT, camera.body(), 1, bytes(32), SigningKey.generate())
    camera.epoch = 1
    assert desk.take(stranger)[0].refusal is Refusal.EARLY
    assert desk.seqs() == []


def test_an_envelope_file_of_an_earlier_key_still_opens(desk: Desk) -> None:
    camera = desk.camera
    first = camera.incident(1)
    desk.take(first, camera.hand_over(desk.rotation()))
    found = open_file(desk.home.store, desk.home.keys, first)
    assert (found["camera"], found["epoch"], found["hash"]) == ("Door", 1, envelope_hash(first).hex())
