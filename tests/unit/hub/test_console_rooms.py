"""The rooms over a real ledger: each page opens, and what is done there is done in the hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam.wire.bodies import Outcome, Stage
from sealcam.wire.wishes import CommandType
from sealcam_hub import console_rooms
from sealcam_hub.audit_source import AuditSource
from sealcam_hub.clip_source import Clips
from sealcam_hub.console.app import create
from sealcam_hub.feed import Feed
from tests.hubs import JPEG, Camera
from tests.unit.hub.console_client import TOKEN, Visitor
from tests.unit.hub.console_fake import FakeDoor
from tests.vault import Dock, clip_of, dock, name_of, pieces


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Dock]:
    with dock(tmp_path / "hub") as one:
        one.bring(pieces(clip_of(one.camera)))
        one.desk.take(one.camera.incident(1, Stage.END, JPEG), one.camera.health(), one.camera.beat())
        yield one


@pytest.fixture
def visitor(made: Dock) -> Visitor:
    home = made.desk.home
    app = create(
        home.ledger(),
        Feed(),
        hosts=("localhost",),
        door=FakeDoor(TOKEN),
        arm=home.wishes().ask,
        clock=home.clock.wall_ns,
        boot=home.clock.boot_ns,
        log=AuditSource(home.store, home.keys, home.clock),
        clips=Clips(home.vault(), home.fetching().ask),
        parts=console_rooms.of(home),
    )
    return Visitor(app).sign_in()


def test_every_page_opens_over_a_real_ledger(made: Dock, visitor: Visitor) -> None:
    here = f"/cameras/{made.camera.alias}"
    incident = made.desk.home.ledger().incidents()[0].id
    for path, said in (
        ("/", "Stop capture"),
        ("/timeline?q=seen&verdict=threat", incident),
        ("/cameras", here),
        (here, "No frames."),
        (here, made.camera.kid.hex()),
        (here, "1 clip,"),
        ("/household", made.desk.home.keys.root_fingerprint),
        (f"/incident/{incident}/delete", "Delete this incident?"),
        (f"/clip/{name_of(1).hex()}/delete", "Delete this video?"),
    ):
        answer = visitor.get(path)
        assert answer.status_code == 200, path
        assert said in answer.text, path


def test_what_is_drawn_waits_for_the_cameras_answer(made: Dock, visitor: Visitor) -> None:
    here, home = f"/cameras/{made.camera.alias}", made.desk.home
    fields = {"csrf": visitor.csrf(), "areas": "watch Drive: 10,20 90,20 90,80"}
    assert visitor.post(f"{here}/areas", fields).status_code == 303
    assert "wait until the camera is heard" in visitor.get(here).text
    assert len(home.wishes().due()) == 1
    assert "wait for the camera&#39;s answer" in visitor.get(here).text
    made.desk.take(made.camera.answers(1, CommandType.ZONES, Outcome.FAILED, "too many"))
    page = visitor.get(here).text
    assert "Too many." in page
    assert "watch Drive: 10,20 90,20 90,80" in page


def test_a_video_deleted_in_the_page_is_deleted_in_the_hub(made: Dock, visitor: Visitor) -> None:
    path = f"/clip/{name_of(1).hex()}/delete"
    answer = visitor.post(path, {"csrf": visitor.csrf()})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/incident/")
    assert made.place() == "deleted"
    assert visitor.get(path).status_code == 404
    incident = answer.headers["location"]
    assert visitor.post(f"{incident}/delete", {"csrf": visitor.csrf()}).headers["location"] == "/timeline"
    assert made.desk.home.ledger().incidents() == ()


def test_rules_and_tried_words_are_kept_by_the_hub(made: Dock, visitor: Visitor) -> None:
    csrf = visitor.csrf()
    days = {f"d{day}": "1" for day in range(7)}
    rule = {"csrf": csrf, "veiled": "1", "from": "00:00", "to": "00:00", "zone": "UTC"}
    assert visitor.post("/household/rules", rule | days).status_code == 303
    assert made.desk.home.ledger().incidents()[0].veiled
    assert 'class="veiled"' in visitor.get("/timeline").text
    assert visitor.post("/household/tried", {"csrf": csrf}).status_code == 303
    assert "never tried" not in visitor.get("/household").text


def test_what_was_forged_replayed_or_of_another_is_told_on_the_cameras_page_and_changes_nothing(
    made: Dock, visitor: Visitor
) -> None:
    here, desk = f"/cameras/{made.camera.alias}", made.desk
    assert "No message was: all that came in its name" in visitor.get(here).text
    before, own, stranger = desk.seqs(), made.camera.incident(2, picture=JPEG), Camera()
    stranger.claim(desk.home, "Shed")
    desk.again()
    forged = own[:-1] + bytes([own[-1] ^ 1])
    desk.take(forged, stranger.incident(7), forged, own, own)
    assert desk.seqs() == [*before, before[-1] + 1], "its own came once"
    page = visitor.get(here).text
    assert "Not signed by this camera, or changed on its way</dt><dd>2 messages" in page
    assert "Signed by another camera of yours</dt><dd>1 message<" in page
    assert visitor.get(f"/incident/{made.camera.alias}-{7:016x}").status_code == 404
    assert "No message was" in visitor.get(f"/cameras/{stranger.alias}").text
