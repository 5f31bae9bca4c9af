"""Prekeys over their life: issued, taken up, and destroyed as soon as nothing can come under them, and not before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from sealcam.wire import statement
from sealcam.wire.bodies import EventType
from sealcam.wire.errors import ConfigError
from sealcam.wire.statement_kinds import ClaimRequest, Prekey
from sealcam_hub import prekeys
from sealcam_hub.notices import Refusal
from sealcam_hub.outcome import What
from sealcam_hub.tables import cameras
from tests.hubs import Camera, csr
from tests.receiving import DAY_S, Desk
from tests.receiving import desk as made_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with made_desk(tmp_path / "hub") as made:
        yield made


def numbers(desk: Desk) -> list[int]:
    with desk.home.store.reading() as connection:
        return sorted(connection.execute(select(prekeys.prekeys.c.number)).scalars())


def issued(desk: Desk) -> list[bytes]:
    return [message for _, message in desk.receiver.renew() if message[4] == 3]


def next_day(desk: Desk) -> bytes:
    """A day later: the camera beats, and the hub issues a prekey."""
    desk.clock.advance(DAY_S)
    desk.take(desk.camera.beat())
    (message,) = issued(desk)
    return message


def number_of(desk: Desk, message: bytes) -> int:
    return statement.read(message, desk.home.keys.operating.public, Prekey).number


def test_a_prekey_is_issued_daily_once_the_one_before_is_taken_up(desk: Desk) -> None:
    assert issued(desk) == []
    second = next_day(desk)
    assert number_of(desk, second) == 2
    desk.clock.advance(DAY_S)
    desk.take(desk.camera.beat())
    assert issued(desk) == []  # the camera hasn't taken it up yet
    desk.camera.take_prekey(second)
    desk.take(desk.camera.beat())
    assert number_of(desk, issued(desk)[0]) == 3


def test_a_beat_that_names_an_older_prekey_is_told_the_newest_again(desk: Desk) -> None:
    message = next_day(desk)
    (beat,) = desk.take(desk.camera.beat())
    assert (beat.answer, beat.also) == (None, (message,))
    desk.camera.take_prekey(message)
    assert desk.take(desk.camera.beat())[0].also == ()


def test_a_prekey_lives_while_something_may_come_that_is_sealed_to_it(desk: Desk) -> None:
    camera = desk.camera
    message = next_day(desk)
    old = camera.incident(1)
    camera.take_prekey(message)
    desk.take(camera.beat(oldest_prekey=1, queued=1))
    assert numbers(desk) == [1, 2], "the camera still has something queued"
    desk.take(camera.beat(queued=1))
    assert numbers(desk) == [1, 2], "event 1 was published, it says, and is still missing"
    assert desk.whats(old, camera.incident(2)) == [What.APPENDED, What.APPENDED]
    desk.take(camera.beat())
    assert numbers(desk) == [2]


def test_what_was_sealed_to_a_dead_prekey_is_told_and_the_newest_is_sent_again(desk: Desk) -> None:
    camera = desk.camera
    message = next_day(desk)
    first, copied = camera.incident(1), camera.seal(EventType.INCIDENT, camera.body(3), 2, camera.head)
    camera.take_prekey(message)
    desk.take(first, camera.beat())
    assert numbers(desk) == [2]
    again, soon = desk.take(copied), desk.take(copied)
    assert (again[0].refusal, again[0].answer, again[0].also) == (Refusal.UNOPENABLE, None, (message,))
    assert soon[0].also == (), "nobody makes the hub sign as fast as they send"
    assert desk.notices() == ["unopenable"]
    assert "copy" in desk.told()
    desk.clock.advance(61)
    assert desk.take(copied)[0].also == (message,)
    assert len(desk.home.ledger().incidents()) == 1  # what was opened stays readable


def restore(desk: Desk) -> None:
    """What a restored backup leaves: an older ledger that doesn't know which numbers were used since."""
    with desk.home.store.writing() as connection:
        connection.execute(update(cameras).values(skip=True))
    desk.again()


def test_after_a_restore_the_next_prekey_is_far_ahead_and_goes_out_at_once(desk: Desk) -> None:
    restore(desk)
    (message,) = issued(desk)
    assert number_of(desk, message) == 1 + prekeys.SKIP
    assert issued(desk) == []
    desk.camera.take_prekey(message)
    desk.clock.advance(DAY_S)
    desk.take(desk.camera.beat())
    assert number_of(desk, issued(desk)[0]) == 2 + prekeys.SKIP


def test_a_restored_hub_destroys_nothing_while_it_misses_what_came_since_the_backup(desk: Desk) -> None:
    camera = desk.camera
    restore(desk)
    (message,) = issued(desk)
    lost = camera.incident(1)  # receipted after the backup was made: only the camera's chain tells of it
    camera.take_prekey(message)
    desk.take(camera.beat())
    assert numbers(desk) == [1, 1 + prekeys.SKIP]
    desk.take(lost)
    desk.take(camera.beat())
    assert numbers(desk) == [1 + prekeys.SKIP]


def test_an_expelled_camera_has_no_prekeys_and_is_not_heard(desk: Desk) -> None:
    camera = desk.camera
    known = camera.incident(1)
    desk.take(known)
    with desk.home.store.writing() as connection:
        connection.execute(update(cameras).values(expelled=True))
        prekeys.destroy_all(connection, 1)
    for one in (known, camera.incident(2), camera.beat(), camera.will(), camera.cover()):
        (outcome,) = desk.take(one)
        assert (outcome.refusal, outcome.answer, outcome.also) == (Refusal.EXPELLED, None, ())
    desk.clock.advance(30 * DAY_S)
    assert desk.receiver.renew() == []
    assert numbers(desk) == []
    assert desk.home.ledger().cameras()[0].state == "expelled"
    assert desk.receiver.standings()[0].camera.prekeys == ()


def claims(desk: Desk, epoch: int, prekey: int) -> Camera:
    """A camera that was claimed saying these numbers, and that has beaten."""
    camera = Camera()
    camera.clock, camera.epoch = desk.clock, epoch
    keys = {"public": camera.signer.public, "command": camera.command.public}
    item = ClaimRequest(epoch=epoch, csr=csr(camera.tls), prekey=prekey, **keys)
    camera.request = lambda: statement.claim_request(camera.signer, item)  # type: ignore[method-assign]
    camera.claim(desk.home, f"Camera {epoch} {prekey}")
    desk.again()
    desk.take(camera.beat(), camera=camera)
    return camera


@pytest.mark.parametrize(("epoch", "prekey"), [((1 << 32) - 1, 0), (1, (1 << 63) - 2), (1, 1 << 63), (1, 1 << 62)])
def test_a_camera_whose_numbers_are_at_their_end_is_refused(desk: Desk, epoch: int, prekey: int) -> None:
    with pytest.raises(ConfigError, match="no number left"):
        claims(desk, epoch, prekey)


def test_numbers_near_their_end_stop_no_other_cameras_prekeys_and_rotations(desk: Desk) -> None:
    end = prekeys.LAST - prekeys.SKIP - 1
    camera = claims(desk, (1 << 32) - 2, end)
    for _ in range(9):
        desk.clock.advance(DAY_S)
        desk.take(desk.camera.beat())
        desk.take(camera.beat(), camera=camera)
        sent = desk.receiver.renew()
        for alias, message in sent:
            if message[4] == 3:
                (desk.camera if alias == desk.camera.alias else camera).take_prekey(message)
    assert desk.camera.prekey.number == 10
    assert camera.prekey.number <= prekeys.LAST
    assert desk.camera.alias in [alias for alias, message in sent if message[4] == 7]
