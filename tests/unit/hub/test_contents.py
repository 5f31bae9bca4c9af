"""What the bodies of events do at the hub: clips, pictures in pieces, answers, privacy, farewell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, select

from sealcam.wire import cbor, schema
from sealcam.wire.bodies import ClipKey, ClipState, EventType, IncidentBody, Outcome, Stage
from sealcam.wire.sealed import GENESIS, envelope_hash
from sealcam.wire.wishes import CommandType, PrivacyWish
from sealcam_hub.inbox import Event, open_mail
from sealcam_hub.openfile import open_file
from sealcam_hub.outcome import What
from sealcam_hub.tables import cameras, clips
from tests.hubs import JPEG, Camera
from tests.receiving import Desk
from tests.receiving import desk as made_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with made_desk(tmp_path / "hub") as made:
        yield made


def rows(desk: Desk) -> list[Row[Any]]:
    with desk.home.store.reading() as connection:
        return list(connection.execute(select(clips).order_by(clips.c.clip)).all())


def test_a_clips_key_is_kept_with_its_event_and_wrapped(desk: Desk) -> None:
    key = desk.camera.clip_key(7)
    desk.take(desk.camera.incident(5, clip=key))
    (row,) = rows(desk)
    assert (row.clip, row.incident, row.event) == (key.clip, (5).to_bytes(8, "big"), desk.camera.head)
    assert (row.part, row.state) == (0, None)
    assert desk.home.keys.table.unwrap(row.wrapped) == key.content_key
    files = b"".join(path.read_bytes() for path in desk.home.folder.path.glob("ledger.db*"))
    assert key.content_key not in files


def test_a_parked_events_clip_key_is_kept_at_once(desk: Desk) -> None:
    desk.camera.incident(1)
    assert desk.whats(desk.camera.incident(2, clip=desk.camera.clip_key())) == [What.PARKED]
    assert len(rows(desk)) == 1


def test_the_last_clip_event_counts_whatever_the_order(desk: Desk) -> None:
    camera = desk.camera
    begin = camera.incident(1, clip=camera.clip_key())
    cut, evicted = camera.clip(state=ClipState.INTERRUPTED), camera.clip(state=ClipState.EVICTED, chunks=0)
    desk.take(evicted, begin, cut)
    (row,) = rows(desk)
    assert (row.state, row.chunks, row.said, row.chain) == (ClipState.EVICTED, 0, 3, bytes(32))
    assert row.wrapped is not None
    desk.take(camera.clip(chunks=9))
    assert (rows(desk)[0].state, rows(desk)[0].chunks) == (ClipState.COMPLETE, 9)


def test_the_first_key_of_a_clip_stays_its_key(desk: Desk) -> None:
    camera = desk.camera
    second = ClipKey(clip=camera.clip_key().clip, content_key=b"x" * 32, started_ns=1, part=1)
    desk.take(camera.incident(1, clip=camera.clip_key()))
    desk.take(camera.incident(2, clip=second))
    (row,) = rows(desk)
    assert desk.home.keys.table.unwrap(row.wrapped) == camera.clip_key().content_key


def test_a_camera_changes_nothing_of_another_ones_clip(desk: Desk) -> None:
    other = Camera()
    other.claim(desk.home, "Garden")
    desk.take(desk.camera.incident(1, clip=desk.camera.clip_key()))
    desk.take(other.incident(1, clip=other.clip_key()), other.clip(state=ClipState.EVICTED), camera=other)
    (row,) = rows(desk)
    assert (row.camera, row.state) == (1, None)


def test_numbers_that_no_ledger_holds_do_nothing(desk: Desk) -> None:
    camera = desk.camera
    far = ClipKey(clip=b"c" * 16, content_key=b"k" * 32, started_ns=1, part=1 << 63)
    sent = [camera.incident(1, clip=far), camera.clip(chunks=1 << 47), camera.answers(1 << 63, 1)]
    assert desk.whats(*sent) == [What.APPENDED] * 3
    assert rows(desk) == []


def test_a_body_with_more_in_it_than_this_hub_knows_keeps_its_clip_key(desk: Desk) -> None:
    camera = desk.camera
    body = cbor.decode(camera.body(1, clip=camera.clip_key()))
    envelope = camera.event(EventType.INCIDENT, cbor.encode(body | {99: b"new", 255: bytes(300)}))
    assert desk.whats(envelope) == [What.APPENDED]
    assert len(rows(desk)) == 1


def test_pieces_become_the_incidents_picture_in_any_order(desk: Desk) -> None:
    camera = desk.camera
    report, pieces = camera.incident(1), camera.pieces(JPEG)
    desk.take(report, *reversed(pieces[1:]))
    (incident,) = desk.home.ledger().incidents()
    assert (incident.has_thumbnail, desk.home.ledger().thumbnail(incident.id)) == (False, None)
    desk.take(pieces[0])
    (incident,) = desk.home.ledger().incidents()
    assert (incident.has_thumbnail, desk.home.ledger().thumbnail(incident.id)) == (True, JPEG)


def test_the_newest_picture_is_shown_however_it_came(desk: Desk) -> None:
    camera = desk.camera
    desk.take(camera.incident(1, picture=b"first"), *camera.pieces(JPEG))
    (incident,) = desk.home.ledger().incidents()
    assert desk.home.ledger().thumbnail(incident.id) == JPEG
    desk.take(camera.incident(1, Stage.UPDATE, b"third"))
    assert desk.home.ledger().thumbnail(incident.id) == b"third"
    desk.take(*camera.pieces(b"f" * 1000, name=b"q" * 8)[:-1])
    assert desk.home.ledger().thumbnail(incident.id) == b"third", "the fourth isn't whole yet"


def test_a_piece_that_contradicts_another_is_ignored(desk: Desk) -> None:
    camera = desk.camera
    first, *rest = camera.pieces(JPEG)
    other, count = camera.piece(b"other", 0, len(rest) + 1), camera.piece(b"x", 1, 9)
    desk.take(camera.incident(1), first, other, count, *rest)
    (incident,) = desk.home.ledger().incidents()
    assert desk.home.ledger().thumbnail(incident.id) == JPEG


def test_pieces_without_a_report_are_no_incident(desk: Desk) -> None:
    desk.take(*desk.camera.pieces(JPEG))
    assert desk.home.ledger().incidents() == ()
    assert desk.home.ledger().counts().incidents == 0
    assert {line.type for line in desk.home.ledger().lines()} == {"picture"}


def test_more_pieces_than_a_picture_may_have_are_no_picture(desk: Desk) -> None:
    camera = desk.camera
    desk.take(camera.incident(1), *camera.pieces(bytes(65), size=1))
    (incident,) = desk.home.ledger().incidents()
    assert desk.home.ledger().thumbnail(incident.id) is None


def test_an_answer_ends_its_wish(desk: Desk) -> None:
    desk.home.wishes().wish("Door", PrivacyWish(on=True))
    desk.take(desk.camera.beat())
    ((_, command),) = desk.home.wishes().due()
    number = desk.camera.opens(command).seq
    desk.take(desk.camera.answers(number, CommandType.PRIVACY, Outcome.ARMED, "not while armed"))
    (wish,) = desk.home.wishes().list()
    assert (wish.outcome, wish.detail) == (Outcome.ARMED, "not while armed")


def test_an_answer_to_nothing_is_only_shown(desk: Desk) -> None:
    assert desk.whats(desk.camera.answers(77, CommandType.ARM)) == [What.APPENDED]
    (line,) = desk.home.ledger().lines()
    assert (line.type, line.text) == ("answer", ("command 77 (arm): done", "done"))


def test_privacy_is_known_at_once_and_until_a_newer_beat_says_otherwise(desk: Desk) -> None:
    camera = desk.camera

    def private() -> bool | None:
        with desk.home.store.reading() as connection:
            return connection.execute(select(cameras.c.privacy)).scalar_one()

    desk.take(camera.beat())
    assert private() is False
    event = camera.privacy(on=True)
    desk.take(event)
    assert private() is True
    assert desk.home.ledger().cameras()[0].state == "private"
    late = camera.privacy(on=False)
    desk.take(camera.beat(privacy=True, queued=1), late)
    assert private() is True, "the beat was made after that event"
    assert [line.text[0] for line in desk.home.ledger().lines()] == [
        "capture was stopped (at the camera)",
        "capture began again (at the camera)",
    ]


def test_a_farewell_is_told_at_once_and_its_silence_is_not_told_again(desk: Desk) -> None:
    camera = desk.camera
    desk.take(camera.beat())
    before = camera.incident()
    (outcome,) = desk.take(camera.farewell())
    assert (outcome.what, "notice" in outcome.topics) == (What.PARKED, True)
    assert camera.receipted(outcome.answer) == camera.head
    assert desk.notices() == ["farewell"]
    assert desk.home.ledger().cameras()[0].state == "watching", "what is only parked silences nothing"
    desk.again()
    desk.take(before)
    assert desk.notices() == ["farewell"]
    assert desk.home.ledger().cameras()[0].state == "gone"
    assert desk.receiver.standings()[0].camera.gone


def test_a_camera_that_lives_on_after_a_farewell_is_missed_again(desk: Desk) -> None:
    """Whoever has its key can say farewell in its name."""
    camera = desk.camera
    desk.take(camera.beat(), camera.farewell(), camera.beat())
    assert desk.receiver.standings()[0].camera.gone, "the newest thing that it has said"
    after = camera.incident()
    desk.take(camera.beat(queued=1))
    for _ in range(2):
        assert not desk.receiver.standings()[0].camera.gone
        assert desk.home.ledger().cameras()[0].state == "watching"
        assert camera.alias in desk.receiver.gaps()
        desk.again()
    camera.incident()
    assert desk.whats(after, camera.beat(queued=1)) == [What.APPENDED, What.BEAT]


def test_a_farewell_behind_which_the_camera_is_known_to_have_gone_on_silences_nothing(desk: Desk) -> None:
    camera = desk.camera
    farewell = camera.farewell()
    camera.incident()
    assert desk.whats(camera.beat(queued=2), farewell) == [What.BEAT, What.APPENDED]
    assert not desk.receiver.standings()[0].camera.gone


def test_an_events_repr_tells_no_key(desk: Desk) -> None:
    key = desk.camera.clip_key()
    envelope = desk.camera.incident(1, clip=key)
    known = desk.receiver.standings()[0].camera
    mail = open_mail(envelope, envelope_hash(envelope), known, desk.home.keys, lambda: ())
    assert isinstance(mail, Event)
    assert repr(mail.content_key) not in repr(mail)
    assert repr(key.content_key) not in repr(mail)


def test_reports_and_the_rest_are_told_in_words(desk: Desk) -> None:
    camera = desk.camera
    desk.take(camera.clip(3), camera.hand_over(desk.rotation()), camera.farewell())
    assert [line.type for line in desk.home.ledger().lines() if line.type != "notice"] == [
        "clip",
        "hand-over",
        "farewell",
    ]


def test_an_opened_file_tells_no_clip_key_and_a_piece_by_its_size(desk: Desk) -> None:
    camera = desk.camera
    report, piece = camera.incident(1, clip=camera.clip_key()), camera.piece(b"x" * 40, 0, 1)
    desk.take(report, piece)
    found = json.dumps(open_file(desk.home.store, desk.home.keys, report))
    assert camera.clip_key().clip.hex() in found
    assert camera.clip_key().content_key.hex() not in found
    body = open_file(desk.home.store, desk.home.keys, piece)["body"]
    assert isinstance(body, dict)
    assert body["data_bytes"] == 40


def test_an_opened_file_that_this_version_cannot_read_tells_its_size_alone(desk: Desk) -> None:
    key = b"k" * 32
    body = cbor.encode({1: b"incident", 14: {2: key}})
    for kind in (EventType.INCIDENT, 0x7F):
        envelope = desk.camera.seal(kind, body, 1, GENESIS)
        found = open_file(desk.home.store, desk.home.keys, envelope)
        assert found["body"] == {"unreadable_bytes": len(body)}
        assert key.hex() not in json.dumps(found)


def test_an_incident_without_a_clip_is_read_once(desk: Desk) -> None:
    assert schema.decode(desk.camera.body(), IncidentBody).clip is None
    desk.take(desk.camera.incident())
    assert rows(desk) == []
