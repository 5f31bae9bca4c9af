"""What happens to an incident while somebody is being told of it, or waits to be told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from sealcam.wire.bodies import Stage, Verdict
from sealcam_hub import deletion
from sealcam_hub.notify_tables import told
from sealcam_hub.notifying import round as round_file
from sealcam_hub.notifying import rows
from sealcam_hub.notifying.push import Message, Pusher, Sent
from sealcam_hub.notifying.round import deliver
from tests.unit.hub.test_notify import Room, room

__all__ = ["room"]


def test_what_becomes_a_threat_while_it_is_told_of_rings(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.add_service()
    room.manage.change(lambda chosen: replace(chosen, incidents=True, verdict=True))
    news: list[bytes] = []

    def slowly(pusher: Pusher, kind: rows.Kind, secret: bytes, message: Message) -> Sent:
        if news:
            room.happens(news.pop())
        return deliver(pusher, kind, secret, message)

    first = room.incident(1)
    news.append(room.threat(1, stage=Stage.UPDATE))
    monkeypatch.setattr(round_file, "deliver", slowly)
    room.happens(first)
    room.passes(1)
    assert [one.rpartition(": ")[2] for one in room.service()] == ["benign, person", "threat, person"]
    room.passes(60)
    assert len(room.service()) == 2


def test_what_changes_while_it_is_told_of_is_shown_in_its_place(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.add_phone()
    room.manage.change(lambda chosen: replace(chosen, verdict=True))
    news, first = [], room.threat(1)
    news.append(room.incident(1, Verdict.FALSE_ALARM, stage=Stage.END))

    def slowly(pusher: Pusher, kind: rows.Kind, secret: bytes, message: Message) -> Sent:
        if news:
            room.happens(news.pop())
        return deliver(pusher, kind, secret, message)

    monkeypatch.setattr(round_file, "deliver", slowly)
    room.happens(first)
    for _ in range(3):
        room.passes(60)
    assert len(room.phone.texts()) == 2
    assert "false alarm" in room.phone.texts()[-1]


def test_of_a_deleted_incident_nobody_is_told_any_more(room: Room) -> None:
    room.add_service("Neighbour", after_s=120)
    room.happens(room.threat(1))
    with room.home.store.reading() as connection:
        doomed = deletion.named(connection, [room.home.ledger().incidents()[0].id])
    room.home.deleter().delete(doomed)
    room.passes(121)
    assert room.service() == []
    with room.home.store.reading() as connection:
        assert connection.execute(select(told)).all() == []


def test_who_would_be_told_later_is_not_told_of_a_false_alarm(room: Room) -> None:
    room.add_service("Neighbour", after_s=120)
    room.happens(room.threat(1), room.incident(1, Verdict.FALSE_ALARM, stage=Stage.END))
    room.passes(121)
    assert room.service() == []
