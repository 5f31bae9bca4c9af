"""From message to ledger: what is taken, what is refused, and what the hub answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sealcam.wire.bodies import EventType, Stage
from sealcam.wire.keys import SigningKey
from sealcam.wire.sealed import GENESIS, envelope_hash
from sealcam_hub.chain import MOST_BRIDGES
from sealcam_hub.home import Home
from sealcam_hub.inbox import Message
from sealcam_hub.notices import Refusal
from sealcam_hub.outcome import Outcome, What
from sealcam_hub.receive import Receiver
from tests.hubs import JPEG, WALL_NS, Camera, opened


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with opened(tmp_path / "hub") as made:
        yield made


@pytest.fixture
def camera(home: Home) -> Camera:
    made = Camera()
    made.claim(home)
    return made


@pytest.fixture
def receiver(home: Home, camera: Camera) -> Receiver:
    return Receiver(home.store, home.keys, home.clock)


def take(receiver: Receiver, camera: Camera, *envelopes: bytes) -> list[Outcome]:
    return receiver.take_all([Message(camera.alias, one, WALL_NS + n) for n, one in enumerate(envelopes)])


def whats(outcomes: list[Outcome]) -> list[What]:
    return [one.what for one in outcomes]


def test_an_event_is_appended_and_its_receipt_names_its_hash(receiver: Receiver, camera: Camera) -> None:
    envelope = camera.incident()
    (outcome,) = take(receiver, camera, envelope)
    assert outcome.what is What.APPENDED
    assert camera.receipted(outcome.answer) == envelope_hash(envelope)
    assert outcome.topics == (f"incident/{camera.alias}-0000000000000001",)


def test_events_are_shown_as_they_were_sealed(home: Home, receiver: Receiver, camera: Camera) -> None:
    take(receiver, camera, camera.incident(7), camera.incident(7, Stage.END, JPEG), camera.health())
    (incident,) = home.ledger().incidents()
    assert (incident.subject, incident.verdict, incident.threat, incident.confidence) == (
        "person",
        "threat",
        0.9,
        0.875,
    )
    assert incident.reasons == ("a person was seen", "armed away")
    assert [one.stage for one in incident.reports] == ["new", "end"]
    assert (incident.open, incident.has_thumbnail) == (False, True)
    assert incident.started_ns == WALL_NS - 10_000_000_000
    assert home.ledger().thumbnail(incident.id) == JPEG
    assert home.ledger().thumbnail(incident.id.partition("-")[2]) == JPEG
    assert [line.type for line in home.ledger().lines()] == ["incident", "incident", "health"]


def test_nothing_opened_is_stored(home: Home, receiver: Receiver, camera: Camera) -> None:
    take(receiver, camera, camera.incident(7, Stage.NEW, JPEG), camera.health("camera.lost", "the lens is gone"))
    home.ledger().incidents()
    files = b"".join(path.read_bytes() for path in home.folder.path.glob("ledger.db*"))
    for secret in (JPEG[:40], b"a person was seen", b"the lens is gone", b"armed away"):
        assert secret not in files


def test_a_repeat_is_receipted_again_and_stands_in_the_ledger_once(
    home: Home, receiver: Receiver, camera: Camera
) -> None:
    envelope = camera.incident()
    first, second = take(receiver, camera, envelope, envelope)
    (third,) = take(Receiver(home.store, home.keys, home.clock), camera, envelope)
    assert whats([first, second, third]) == [What.APPENDED, What.REPEAT, What.REPEAT]
    assert first.answer == second.answer == third.answer
    assert len(home.ledger().lines()) == 1
    assert home.ledger().counts().repeats == 2
    assert home.ledger().counts().refused == 0


def test_an_event_that_came_too_early_is_shown_at_once_and_placed_later(
    home: Home, receiver: Receiver, camera: Camera
) -> None:
    one, two, three = camera.incident(1), camera.incident(2), camera.incident(3)
    late, early = take(receiver, camera, one, three)
    assert whats([late, early]) == [What.APPENDED, What.PARKED]
    assert camera.receipted(early.answer) == envelope_hash(three)
    assert [line.seq for line in home.ledger().lines()] == [1]
    assert [line.seq for line in home.ledger().pending()] == [3]
    assert {incident.reports[0].pending for incident in home.ledger().incidents()} == {True, False}
    assert whats(take(receiver, camera, two)) == [What.APPENDED]
    assert [line.seq for line in home.ledger().lines()] == [1, 2, 3]
    assert home.ledger().pending() == ()


def test_a_parked_event_survives_a_restart_of_the_hub(home: Home, receiver: Receiver, camera: Camera) -> None:
    one, two = camera.incident(1), camera.incident(2)
    take(receiver, camera, two)
    assert whats(take(Receiver(home.store, home.keys, home.clock), camera, one)) == [What.APPENDED]
    assert [line.seq for line in home.ledger().lines()] == [1, 2]


def test_two_events_in_one_place_are_a_clone_alarm_without_receipt(
    home: Home, receiver: Receiver, camera: Camera
) -> None:
    take(receiver, camera, camera.incident(1))
    other = camera.seal(EventType.INCIDENT, camera.body(2), 1, GENESIS)
    first, again = take(receiver, camera, other, other)
    assert whats([first, again]) == [What.CLONE, What.CLONE]
    assert first.answer is None
    (notice,) = home.ledger().notices()
    assert notice.kind == "clone"
    assert "place 1" in notice.text
    assert "2 times" in notice.text
    assert [line.type for line in home.ledger().lines()] == ["incident", "notice"]


def test_a_parked_event_that_contradicts_the_chain_is_disputed_and_the_chain_goes_on(
    home: Home, receiver: Receiver, camera: Camera
) -> None:
    foreign = camera.seal(EventType.INCIDENT, camera.body(9), 2, b"x" * 32)
    one, two = camera.incident(1), camera.incident(2)
    assert whats(take(receiver, camera, foreign, one, two)) == [What.PARKED, What.APPENDED, What.APPENDED]
    assert [notice.kind for notice in home.ledger().notices()] == ["clone"]
    assert [line.hash for line in home.ledger().pending()] == [envelope_hash(foreign).hex()]
    assert whats(take(receiver, camera, foreign)) == [What.REPEAT]


def test_a_loss_event_bridges_what_will_never_come(home: Home, receiver: Receiver, camera: Camera) -> None:
    one = camera.incident(1)
    for number in (2, 3):
        camera.incident(number)
    hole = (2, 3, camera.head)
    four, loss = camera.incident(4), camera.loss((2, 3, camera.sent[2]))
    assert hole[2] == camera.sent[2]
    assert whats(take(receiver, camera, one, four, loss)) == [What.APPENDED, What.PARKED, What.APPENDED]
    lines = home.ledger().lines()
    assert [line.seq for line in lines] == [1, 4, 5]
    assert lines[-1].text == ("2 events were dropped on the camera to make room: 2 to 3",)


def test_an_event_that_comes_after_its_tombstone_is_kept_as_late(
    home: Home, receiver: Receiver, camera: Camera
) -> None:
    one, two = camera.incident(1), camera.incident(2)
    loss = camera.loss((2, 2, camera.head))
    take(receiver, camera, one, loss)
    (outcome,) = take(receiver, camera, two)
    assert outcome.what is What.LATE
    assert camera.receipted(outcome.answer) == envelope_hash(two)
    assert [line.seq for line in home.ledger().lines()] == [1, 3, 2]
    forged = camera.seal(EventType.INCIDENT, camera.body(8), 2, camera.sent[0])
    assert whats(take(receiver, camera, forged)) == [What.CLONE]


def test_tombstones_that_reach_ahead_survive_a_restart(home: Home, receiver: Receiver, camera: Camera) -> None:
    one, _two, three = camera.incident(1), camera.incident(2), camera.incident(3)
    loss = camera.loss((2, 2, camera.sent[1]))
    take(receiver, camera, loss, three)
    assert whats(take(Receiver(home.store, home.keys, home.clock), camera, one)) == [What.APPENDED]
    assert [line.seq for line in home.ledger().lines()] == [1, 3, 4]


@pytest.mark.parametrize("at", [0, 4, 5, 20, 100, 400, -70, -1])
def test_a_flipped_bit_is_refused_and_never_answered(home: Home, receiver: Receiver, camera: Camera, at: int) -> None:
    changed = bytearray(camera.incident())
    changed[at] ^= 1
    (outcome,) = take(receiver, camera, bytes(changed))
    assert (outcome.what, outcome.refusal, outcome.answer) == (What.REFUSED, Refusal.FORGED, None)
    assert home.ledger().counts().refused_by_kind == (("forged", 1),)


def test_every_refusal_is_counted_as_what_it_is(home: Home, receiver: Receiver, camera: Camera) -> None:
    other = Camera()
    other.claim(home, "Garden")
    take(receiver, other, other.incident())
    crossed = other.incident()
    foreign = camera.seal(EventType.INCIDENT, camera.body(), 1, GENESIS, SigningKey.generate())
    stranger = camera.prekey
    camera.take_prekey(other.answer.prekey)
    unopenable = camera.seal(EventType.INCIDENT, camera.body(), 1, GENESIS)
    camera.prekey = stranger
    kinds = [take(receiver, camera, one)[0].refusal for one in (crossed, foreign, unopenable, b"", b"SEV1")]
    assert kinds == [Refusal.CROSSED, Refusal.FORGED, Refusal.UNOPENABLE, Refusal.FORGED, Refusal.FORGED]
    unknown = receiver.take("f" * 16, camera.incident(), 1)
    assert (unknown.what, unknown.refusal, unknown.answer) == (What.REFUSED, Refusal.UNKNOWN, None)
    assert [notice.kind for notice in home.ledger().notices()] == ["unopenable"]


def test_bytes_known_from_one_camera_count_for_no_other(home: Home, receiver: Receiver, camera: Camera) -> None:
    other = Camera()
    other.claim(home, "Garden")
    envelope = other.incident()
    take(receiver, other, envelope)
    (outcome,) = take(receiver, camera, envelope)
    assert (outcome.refusal, outcome.answer) == (Refusal.CROSSED, None)


def test_a_camera_enrolled_by_another_process_is_heard_at_once(home: Home, receiver: Receiver) -> None:
    other = Camera()
    other.claim(home, "Garden")
    assert whats(take(receiver, other, other.incident())) == [What.APPENDED]


def test_an_event_of_an_unknown_type_has_its_place(home: Home, receiver: Receiver, camera: Camera) -> None:
    strange = camera.event(0x41, b"\xa1\x01\x02")
    broken = camera.event(EventType.INCIDENT, b"\xa0")
    outcomes = take(receiver, camera, strange, broken, camera.incident())
    assert whats(outcomes) == [What.APPENDED] * 3
    assert [line.type for line in home.ledger().lines()] == ["unknown", "unknown", "incident"]


def test_a_type_outside_the_chain_that_is_unknown_is_ignored(receiver: Receiver, camera: Camera) -> None:
    cover = camera.seal(0x90, b"\xa0", 1, GENESIS)
    assert whats(take(receiver, camera, cover)) == [What.IGNORED]


def test_a_sequence_that_no_ledger_holds_is_malformed(receiver: Receiver, camera: Camera) -> None:
    far = camera.seal(EventType.HEALTH, b"\xa0", (1 << 64) - 1, GENESIS)
    assert take(receiver, camera, far)[0].refusal is Refusal.MALFORMED


def test_a_beat_that_names_another_head_is_a_clone_alarm(home: Home, receiver: Receiver, camera: Camera) -> None:
    take(receiver, camera, camera.incident())
    camera.head = b"y" * 32
    (outcome,) = take(receiver, camera, camera.beat())
    assert outcome.what is What.BEAT
    assert [notice.kind for notice in home.ledger().notices()] == ["clone"]


def test_an_incident_ends_with_the_boot_that_began_it(home: Home, receiver: Receiver, camera: Camera) -> None:
    take(receiver, camera, camera.beat(), camera.incident())
    assert home.ledger().incidents()[0].open
    camera.restart(b"c" * 16)
    take(receiver, camera, camera.beat())
    assert not home.ledger().incidents()[0].open


def test_a_worker_that_another_has_overtaken_looks_again(home: Home, receiver: Receiver, camera: Camera) -> None:
    other = Receiver(home.store, home.keys, home.clock)
    one, two, three = camera.incident(1), camera.incident(2), camera.incident(3)
    assert whats(take(receiver, camera, one)) == [What.APPENDED]
    assert whats(take(other, camera, one, two)) == [What.REPEAT, What.APPENDED]
    assert whats(take(receiver, camera, two, three)) == [What.REPEAT, What.APPENDED]
    assert [line.seq for line in home.ledger().lines()] == [1, 2, 3]


def test_what_finds_no_room_gets_no_receipt_and_one_notice(home: Home, receiver: Receiver, camera: Camera) -> None:
    first = camera.incident(1)
    for number in range(MOST_BRIDGES // 1024 + 2):
        camera.seq = 10_000 * (number + 1)
        runs = [(camera.seq - 4 * at - 3, camera.seq - 4 * at - 2, bytes([number]) * 32) for at in range(1024)]
        (outcome,) = take(receiver, camera, camera.loss(*reversed(runs)))
        if number * 1024 < MOST_BRIDGES:
            assert outcome.what is What.PARKED
        else:
            assert (outcome.what, outcome.refusal, outcome.answer) == (What.REFUSED, Refusal.FULL, None)
    (notice,) = home.ledger().notices()
    assert (notice.kind, "2 times" in notice.text) == ("full", True)
    assert whats(take(receiver, camera, first)) == [What.APPENDED]
    again = Receiver(home.store, home.keys, home.clock).standings()[0].chain
    assert (again, again.ends) == (receiver.standings()[0].chain, receiver.standings()[0].chain.ends)
