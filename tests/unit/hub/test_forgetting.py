"""What was deleted here is deleted by its camera too, however much it is and whenever the camera answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from sealcam.wire.bodies import ClipState, Mode, Outcome
from sealcam.wire.wishes import CommandType, ForgetWish
from sealcam_hub import forgetting
from sealcam_hub.camera_facts import Cameras
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home
from sealcam_hub.inbox import Message
from sealcam_hub.receive import Receiver
from sealcam_hub.tables import wishes
from sealcam_hub.upkeep import Upkeep
from tests.hubs import Camera, opened


@dataclass
class Room:
    """A hub and a camera."""

    home: Home
    clock: SimulatedClock
    camera: Camera
    receiver: Receiver

    def take(self, *mail: bytes) -> None:
        self.receiver.take_all([Message(self.camera.alias, one, self.clock.wall_ns()) for one in mail])

    def records(self, *numbers: int, ends: bool = True) -> None:
        for number in numbers:
            self.clock.advance(1)
            self.take(self.camera.incident(number, clip=self.camera.clip_key(number)))
            if ends:
                self.take(self.camera.clip(number))

    def delete(self, *numbers: int) -> None:
        self.home.deleter().delete_clips([self.camera.clip_key(number).clip for number in numbers])

    def minute(self) -> None:
        self.clock.advance(61)
        self.home.fetching().forgotten()

    def asked(self) -> list[int]:
        """The clips that the camera is asked for and hasn't answered, the newest first."""
        bodies = [one.body for one in self.home.wishes().list() if one.outcome is None]
        return [int.from_bytes(clip, "big") for body in bodies if isinstance(body, ForgetWish) for clip in body.clips]

    def answer(self, outcome: Outcome = Outcome.DONE) -> bytes:
        """The camera beats, is sent what it is asked, and answers."""
        self.take(self.camera.beat(Mode.HOME))
        assert len(self.home.wishes().due()) == 1
        with self.home.store.reading() as connection:
            number = connection.execute(select(func.max(wishes.c.sent_number))).scalar_one()
        return self.camera.answers(number, CommandType.FORGET, outcome)

    def answers(self, outcome: Outcome = Outcome.DONE) -> None:
        """And that comes."""
        self.take(self.answer(outcome))

    def left(self) -> int:
        facts = Cameras(self.home).facts(self.camera.alias)
        assert facts is not None
        return facts.left


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with opened(tmp_path / "hub") as home:
        assert isinstance(home.clock, SimulatedClock)
        camera = Camera()
        camera.claim(home, "Door")
        camera.clock = home.clock
        yield Room(home, home.clock, camera, Receiver(home.store, home.keys, home.clock))


def test_a_camera_is_asked_for_all_that_it_has_not_answered_and_may_still_have(room: Room) -> None:
    room.records(3, 4, 5)
    room.take(room.camera.clip(5, ClipState.EVICTED))
    for number, asked in ((3, [3]), (4, [4, 3]), (5, [4, 3])):
        room.delete(number)
        assert room.asked() == asked
    assert room.left() == 2
    room.answers()
    assert (room.asked(), room.left()) == ([], 0)
    room.minute()
    assert room.asked() == []


def test_more_than_one_command_holds_goes_one_after_another(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "MOST", 2)
    room.records(*range(1, 6))
    room.delete(*range(1, 6))
    for asked, left in (([5, 4], 3), ([3, 2], 1), ([1], 0)):
        assert room.asked() == asked
        room.minute()
        assert room.asked() == asked, "it hasn't answered"
        room.answers()
        assert room.left() == left
        room.minute()
    assert room.asked() == []


def test_a_clip_that_was_still_being_recorded_is_asked_for_again_once_it_has_ended(room: Room) -> None:
    room.records(1)
    room.records(2, ends=False)
    room.delete(1, 2)
    assert room.asked() == [2, 1]
    room.answers()
    assert room.left() == 1
    room.minute()
    assert room.asked() == [], "it goes as it ends"
    room.take(room.camera.clip(2))
    room.minute()
    assert room.asked() == [2]
    room.answers()
    assert room.left() == 0


def test_a_clip_that_ended_after_the_answer_is_asked_for_again_though_its_end_came_first(room: Room) -> None:
    room.records(2, ends=False)
    room.delete(2)
    answer, ended = room.answer(), room.camera.clip(2)
    room.take(ended)
    room.take(answer)
    room.minute()
    assert room.asked() == [2]


def test_a_clip_whose_end_never_comes_is_asked_for_once_more(room: Room) -> None:
    room.records(2, ends=False)
    room.delete(2)
    room.answers()
    room.clock.advance(3600)
    room.minute()
    assert room.asked() == [2]
    room.answers()
    room.minute()
    assert (room.asked(), room.left()) == ([], 0)


@pytest.mark.parametrize("outcome", [Outcome.UNSUPPORTED, Outcome.FAILED])
def test_what_a_camera_does_not_do_is_not_asked_for_again_by_itself(room: Room, outcome: Outcome) -> None:
    room.records(1, 2)
    room.delete(1)
    room.answers(outcome)
    room.minute()
    assert (room.asked(), room.left()) == ([], 1)
    room.delete(2)
    assert room.asked() == [2, 1]


def test_what_was_deleted_before_cameras_were_asked_is_asked_for(room: Room) -> None:
    room.records(1)
    room.delete(1)
    with room.home.store.writing() as connection:
        connection.execute(delete(wishes))
    room.minute()
    assert room.asked() == [1]


def test_a_deleted_clip_that_made_room_is_no_loss(room: Room) -> None:
    upkeep = Upkeep(room.home, Feed(), lambda: True, lambda: (1 << 40, 1 << 41))
    upkeep.run_once()
    room.records(1, 2)
    room.delete(1)
    for number, told in ((1, False), (2, True)):
        room.take(room.camera.clip(number, ClipState.EVICTED))
        room.clock.advance(61)
        upkeep.run_once()
        assert ("disk" in {one.kind for one in room.home.ledger().notices()}) == told
