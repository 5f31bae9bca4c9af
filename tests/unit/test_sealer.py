"""What a camera says of an incident: where its clip's key goes, and texts that fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.brevity import fitting, shortened
from sealcam.clocks import SimulatedClock
from sealcam.outbox import Outbox
from sealcam.pieces import COVER_BODY_BYTES, PIECE_BYTES, pieces
from sealcam.sealer import Sealer, Watching
from sealcam.sealing import Sealing
from sealcam.sight import judge_features
from sealcam.sight.types import ArmMode, Picture, Stage, Verdict
from sealcam.stamps import Stamps
from sealcam.wire import cbor, schema
from sealcam.wire.bodies import (
    BeatBody,
    Cause,
    ClipKey,
    ClockQuality,
    IncidentBody,
    PieceBody,
    PrivacyBody,
    Traffic,
    WillBody,
)
from tests.claimed import Household, household
from tests.judged import PERSON
from tests.unit.test_pace import picture, report

KEY = ClipKey(clip=b"c" * 16, content_key=b"k" * 32, started_ns=1, part=0)


class Room:
    """A claimed camera that sends as things happen."""

    def __init__(self, folder: Path, max_bytes: int = 1 << 24) -> None:
        self.home: Household = household(folder)
        self.outbox = Outbox(folder / "outbox.db", max_bytes=max_bytes)
        self.clock = clock = SimulatedClock(boot_ns=10**12)
        stamps = Stamps(clock, lambda: ClockQuality.UNKNOWN)
        self.watching = Watching(0, 0, 0, ArmMode.AWAY)
        sealing = Sealing(self.home.camera, self.outbox, stamps.now)
        self.sealer = Sealer(sealing, clock, lambda: self.watching, stamps)

    def incidents(self) -> list[IncidentBody]:
        """What is queued, the most urgent first."""
        found = []
        while (mail := self.outbox.next(0)) is not None:
            found.append(schema.decode(self.home.open(mail.envelope).body, IncidentBody))
            self.outbox.published(mail.seq, 0)
        return found


@pytest.mark.parametrize("image", [None, picture()])
@pytest.mark.parametrize("stage", [Stage.NEW, Stage.UPDATE, Stage.END])
def test_the_key_of_a_clip_goes_once_with_the_first_event(tmp_path: Path, stage: Stage, image: Picture | None) -> None:
    room = Room(tmp_path)
    room.sealer.report(report(stage, image=image), KEY)
    said = room.incidents()
    assert [one.clip for one in said] == [KEY] + [None] * (len(said) - 1)
    assert sum(one.thumbnail is not None for one in said) == (image is not None)
    room.outbox.close()


def test_an_incident_carries_what_was_judged_and_says_which_numbers(tmp_path: Path) -> None:
    room = Room(tmp_path)
    numbers = judge_features.per_mille(PERSON)
    room.sealer.report(replace(report(Stage.END), judged=numbers))
    room.sealer.report(report(Stage.END))
    judged, plain = (one.judged for one in room.incidents())
    assert judged is not None
    assert (judged.version, judged.numbers) == (judge_features.VERSION, numbers)
    assert len(numbers) == judge_features.COUNT
    assert plain is None
    room.outbox.close()


def test_an_event_that_is_evicted_takes_the_clip_whose_key_it_carried_along(tmp_path: Path) -> None:
    room = Room(tmp_path, max_bytes=20_000)
    room.sealer.report(replace(report(Stage.END), verdict=Verdict.BENIGN), KEY)
    for _ in range(30):
        room.sealer.health("x", "more urgent")
    assert room.outbox.clips_to_delete() == (KEY.clip,)
    room.outbox.close()


def test_privacy_is_an_entry_and_a_word_in_the_beat(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.sealer.privacy(on=True, cause=Cause.COMMAND)
    mail = room.outbox.next(0)
    assert mail is not None
    said = schema.decode(room.home.open(mail.envelope).body, PrivacyBody)
    assert (said.on, said.cause) == (True, Cause.COMMAND)
    room.watching = Watching(0, 0, 0, ArmMode.AWAY, privacy=True)
    beat = schema.decode(room.home.open(room.sealer.beat()).body, BeatBody)
    assert (beat.privacy, beat.traffic, beat.recipient_set) == (True, Traffic.INSTANT, 1)
    room.outbox.close()


def test_a_beat_says_how_old_the_newest_picture_is_and_in_privacy_that_there_is_none(
    tmp_path: Path,
) -> None:
    room = Room(tmp_path)
    room.watching = replace(room.watching, newest_ns=room.clock.boot_ns() - 40_000_000)

    def age_ns() -> int:
        return schema.decode(room.home.open(room.sealer.beat()).body, BeatBody).frame_age_ns

    assert age_ns() == 40_000_000
    room.clock.advance(20)
    room.clock.step_wall(-3600)
    assert age_ns() == 20_040_000_000
    room.watching = replace(room.watching, privacy=True)
    assert age_ns() == 0
    room.watching = replace(room.watching, privacy=False, newest_ns=room.clock.boot_ns() + 1)
    assert age_ns() == 0, "a picture of the future is new"


def test_each_will_is_a_new_one_that_says_when_it_was_sealed(tmp_path: Path) -> None:
    room = Room(tmp_path)
    first, second = (room.home.open(room.sealer.will()) for _ in range(2))
    assert (first.kind, second.seq) == (0x82, first.seq + 1)
    assert schema.decode(first.body, WillBody).at.boot_ns == 10**12
    assert room.outbox.stats().queued == 0
    room.outbox.close()


@given(st.text(max_size=300), st.integers(3, 300))
def test_a_text_is_whole_or_its_beginning_and_an_ellipsis(text: str, most: int) -> None:
    made = shortened(text, most)
    assert len(made.encode()) <= most
    assert made == text or (made[-1] == "\N{HORIZONTAL ELLIPSIS}" and text.startswith(made[:-1]))


@given(st.lists(st.text(max_size=80), max_size=30), st.integers(0, 1500))
def test_texts_fit_together_and_the_first_ones_stay(texts: list[str], most: int) -> None:
    made = fitting(texts, most)
    assert len(cbor.encode({1: list(made)})) <= most + 5
    assert all(one == text for one, text in zip(made[:-1], texts, strict=False))
    if len(cbor.encode({1: list(texts)})) < most - 3 * len(texts):
        assert made == tuple(texts)


@given(st.binary(min_size=1, max_size=20_000))
def test_pieces_join_to_the_picture_and_each_fits_an_envelope(jpeg: bytes) -> None:
    made = [schema.decode(body, PieceBody) for body in pieces(bytes(8), b"p" * 8, jpeg)]
    assert b"".join(one.data for one in made) == jpeg
    assert [(one.index, one.count) for one in made] == [(index, len(made)) for index in range(len(made))]


def test_the_largest_piece_fits_exactly_and_too_many_are_refused() -> None:
    made = pieces(b"\xff" * 8, b"\xff" * 8, bytes(255 * PIECE_BYTES))
    assert max(len(body) for body in made) == COVER_BODY_BYTES
    with pytest.raises(ValueError, match="1 to 255 pieces"):
        pieces(bytes(8), bytes(8), bytes(255 * PIECE_BYTES + 1))
    with pytest.raises(ValueError, match="1 to 255 pieces"):
        pieces(bytes(8), bytes(8), b"")
