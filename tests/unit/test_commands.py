"""What the hub says to a camera: what counts, in which order it is checked, and that an answer is said once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sealcam.clocks import SimulatedClock
from sealcam.command_bodies import BODIES
from sealcam.commands import (
    NEW_BURST,
    OLD_BURST,
    OLD_EVERY_S,
    PREKEY_BURST,
    PREKEY_EVERY_S,
    Commands,
    Handler,
)
from sealcam.duties import Duties
from sealcam.outbox import Outbox
from sealcam.privacy import Privacy
from sealcam.scene import Scene
from sealcam.scene_settings import SceneSettings
from sealcam.sealer import Sealer, Watching
from sealcam.sealing import Sealing
from sealcam.sight.types import ArmMode
from sealcam.stamps import Stamps
from sealcam.wire import schema, statement
from sealcam.wire.bodies import AnswerBody, BeatBody, ClockQuality, EventType, Mode, Outcome, Run, Traffic
from sealcam.wire.envelope import SCM1, seal
from sealcam.wire.keys import BoxKey, SigningKey
from sealcam.wire.sealed import envelope_hash
from sealcam.wire.statement_kinds import ClipHeld, Prekey, Receipt, Rotation
from sealcam.wire.wishes import (
    ArmBody,
    ClipRange,
    CommandType,
    FetchWish,
    ForgetWish,
    LiveWish,
    Mark,
    MarkedIncident,
    MarksWish,
    Mask,
    MasksWish,
    ModelWish,
    PrivacyWish,
    ScheduleEntry,
    ScheduleWish,
    TokenWish,
    Zone,
    ZoneKind,
    ZonesWish,
)
from tests.claimed import Household, household

EVERY_WISH = {
    CommandType.ARM: ArmBody(mode=Mode.HOME),
    CommandType.PRIVACY: PrivacyWish(on=False),
    CommandType.LIVE: LiveWish(session=bytes(16), seconds=60),
    CommandType.FETCH: FetchWish(events=(Run(first=1, last=2),), clips=()),
    CommandType.ZONES: ZonesWish(zones=(Zone(name="door", kind=ZoneKind.ENTRY, corners=(0, 0, 9, 9, 0, 9)),)),
    CommandType.MASKS: MasksWish(masks=(Mask(corners=(0, 0, 1000, 0, 1000, 1000)),)),
    CommandType.SCHEDULE: ScheduleWish(
        entries=(ScheduleEntry(days=127, from_minute=0, to_minute=1440, mode=Mode.NIGHT),), zone="Europe/Zurich"
    ),
    CommandType.MARKS: MarksWish(marks=(MarkedIncident(incident=bytes(8), mark=Mark.OURS),)),
    CommandType.MODEL: ModelWish(name="nanodet-g", sha256=bytes(32)),
    CommandType.TOKEN: TokenWish(token=b"a statement"),
    CommandType.FORGET: ForgetWish(clips=(bytes(16),)),
}


class Room:
    """One claimed camera, its commands, and a hub that seals what the test wants."""

    def __init__(self, folder: Path, handlers: Mapping[CommandType, Handler] | None = None) -> None:
        self.home: Household = household(folder)
        self.clock = SimulatedClock(boot_ns=10**12)
        self.outbox = Outbox(folder / "outbox.db", max_bytes=1 << 24)
        stamps = Stamps(self.clock, lambda: ClockQuality.UNKNOWN)
        self.sealing = Sealing(self.home.camera, self.outbox, stamps.now)
        watching = Watching(frames=0, dropped=0, newest_ns=0, mode=ArmMode.HOME)
        self.sealer = Sealer(self.sealing, self.clock, lambda: watching, stamps, Traffic.INSTANT)
        self.privacy = Privacy(folder / "privacy")
        self.known_ns: int | None = None
        keys = self.home.camera.wrapping
        self.scene = Scene(folder / "scene", keys, SceneSettings(), ArmMode.HOME, lambda: self.known_ns)
        self.duties = Duties(self.outbox, self.privacy, self.scene)
        self.commands = Commands(
            self.home.camera,
            self.outbox,
            self.sealing,
            self.sealer,
            self.clock,
            self.duties.handlers if handlers is None else handlers,
            renewed=lambda: self.renewals.append(self.home.camera.epoch),
        )
        self.renewals: list[int] = []
        self.number = 0

    def nonce(self) -> bytes:
        """That of a beat the camera sends now."""
        return schema.decode(self.home.open(self.sealer.beat()).body, BeatBody).nonce

    def command(
        self,
        wish: object,
        kind: int | None = None,
        *,
        nonce: bytes | None = None,
        number: int | None = None,
        body: bytes | None = None,
        signer: SigningKey | None = None,
        to: bytes | None = None,
    ) -> bytes:
        """What the home hub seals, fresh and with the next number unless the test says otherwise."""
        self.number += 1
        kinds = {cls: one for one, cls in BODIES.items()}
        return seal(
            signer or self.home.hub,
            [to or self.home.camera.command.public],
            kind=kinds[type(wish)] if kind is None else kind,
            seq=self.number if number is None else number,
            prev=self.nonce() if nonce is None else nonce,
            body=schema.encode(wish) if body is None else body,
            epoch=1,
            recipient_set=1,
            form=SCM1,
        )

    def answers(self) -> list[AnswerBody]:
        """The answers that were queued since this was last asked."""
        found = []
        while (mail := self.outbox.next(self.clock.boot_ns())) is not None:
            opened = self.home.open(mail.envelope)
            assert opened.kind == EventType.ANSWER
            assert mail.urgency == 1
            found.append(schema.decode(opened.body, AnswerBody))
            assert self.outbox.acknowledge(envelope_hash(mail.envelope))
        return found

    def outcome(self, message: bytes) -> Outcome:
        """Of the one answer that the camera gives."""
        self.commands.deliver(message)
        (answer,) = self.answers()
        assert answer.detail
        return answer.outcome


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.outbox.close()


def test_what_is_carried_out_is_answered_with_its_number_and_type(room: Room) -> None:
    room.commands.deliver(room.command(ArmBody(mode=Mode.AWAY), number=7))
    (answer,) = room.answers()
    assert (answer.number, answer.command, answer.outcome) == (7, CommandType.ARM, Outcome.DONE)
    assert room.scene.order().mode is ArmMode.AWAY


def test_an_old_nonce_is_stale_and_changes_nothing(room: Room) -> None:
    nonce = room.nonce()
    late = room.command(ArmBody(mode=Mode.OFF), nonce=nonce)
    room.clock.advance(60.1)
    assert room.outcome(late) is Outcome.STALE
    assert room.outcome(room.command(ArmBody(mode=Mode.OFF), nonce=bytes(32))) is Outcome.STALE
    assert room.scene.order().mode is ArmMode.HOME


def test_a_nonce_of_a_minute_ago_still_counts(room: Room) -> None:
    nonce = room.nonce()
    room.clock.advance(60)
    assert room.outcome(room.command(ArmBody(mode=Mode.OFF), nonce=nonce)) is Outcome.DONE


def test_a_number_that_is_not_above_the_last_one_taken_is_repeated(room: Room) -> None:
    assert room.outcome(room.command(ArmBody(mode=Mode.NIGHT), number=5)) is Outcome.DONE
    assert room.outcome(room.command(ArmBody(mode=Mode.OFF), number=5)) is Outcome.REPEATED
    assert room.outcome(room.command(ArmBody(mode=Mode.OFF), number=4)) is Outcome.REPEATED
    assert room.scene.order().mode is ArmMode.NIGHT


def test_stale_comes_before_repeated_and_takes_no_number(room: Room) -> None:
    assert room.outcome(room.command(ArmBody(mode=Mode.OFF), number=9, nonce=bytes(32))) is Outcome.STALE
    assert room.outcome(room.command(ArmBody(mode=Mode.OFF), number=8)) is Outcome.DONE
    assert room.outcome(room.command(ArmBody(mode=Mode.OFF), number=8, nonce=bytes(32))) is Outcome.STALE


@pytest.mark.parametrize("kind", [0x0B, 0x7F, 0xFF])
def test_a_type_that_nobody_knows_is_unsupported_and_its_number_is_taken(room: Room, kind: int) -> None:
    assert room.outcome(room.command(None, kind, body=b"\xa0", number=3)) is Outcome.UNSUPPORTED
    assert room.outcome(room.command(ArmBody(mode=Mode.OFF), number=3)) is Outcome.REPEATED


def test_a_body_that_is_not_as_specified_is_unreadable_and_its_number_is_taken(room: Room) -> None:
    for body in (b"\xa0", b"\xa1\x01\x04", b"\xa1\x01\xf5"):
        assert room.outcome(room.command(None, CommandType.ARM, body=body)) is Outcome.UNREADABLE
    assert room.outcome(room.command(ArmBody(mode=Mode.OFF), number=room.number)) is Outcome.REPEATED


@pytest.mark.parametrize("kind", [CommandType.LIVE, CommandType.MODEL, CommandType.TOKEN])
def test_what_this_camera_has_no_part_for_is_unsupported_and_says_so(room: Room, kind: CommandType) -> None:
    room.commands.deliver(room.command(EVERY_WISH[kind]))
    room.commands.deliver(room.command(None, kind, body=b"\xa0"))
    read, unread = room.answers()
    assert read.outcome is unread.outcome is Outcome.UNSUPPORTED
    assert "yet" in read.detail
    assert "isn't as specified" in unread.detail


def test_a_part_that_comes_later_adds_its_handler_and_nothing_else(tmp_path: Path) -> None:
    taken: list[object] = []

    def take(wish: object) -> str:
        taken.append(wish)
        return "done"

    room = Room(tmp_path, dict.fromkeys(BODIES, take))
    for wish in EVERY_WISH.values():
        assert room.outcome(room.command(wish)) is Outcome.DONE
    assert taken == list(EVERY_WISH.values())
    room.outbox.close()


@pytest.mark.parametrize("corners", [(), (0, 0, 1, 1), (0, 0, 1, 1, 2), (0, 0) * 33])
def test_zones_and_masks_of_too_few_or_too_many_corners_are_unreadable(
    tmp_path: Path, corners: tuple[int, ...]
) -> None:
    room = Room(tmp_path, dict.fromkeys(BODIES, lambda _: "done"))
    zones = ZonesWish(zones=(Zone(name="", kind=ZoneKind.WATCH, corners=corners),))
    assert room.outcome(room.command(zones)) is Outcome.UNREADABLE
    assert room.outcome(room.command(MasksWish(masks=(Mask(corners=corners),)))) is Outcome.UNREADABLE
    room.outbox.close()


def test_the_same_envelope_is_answered_once(room: Room) -> None:
    done, stale = room.command(ArmBody(mode=Mode.AWAY)), room.command(ArmBody(mode=Mode.OFF), nonce=bytes(32))
    for _ in range(50):
        room.commands.deliver(done)
        room.commands.deliver(stale)
    assert [answer.outcome for answer in room.answers()] == [Outcome.DONE, Outcome.STALE]


def test_many_old_commands_do_not_fill_the_chain(room: Room) -> None:
    old = [room.command(ArmBody(mode=Mode.OFF), nonce=bytes(32)) for _ in range(100)]
    for message in old:
        room.commands.deliver(message)
    assert len(room.answers()) == OLD_BURST
    assert room.outcome(room.command(ArmBody(mode=Mode.NIGHT))) is Outcome.DONE, "what is new is answered still"
    room.clock.advance(3 * OLD_EVERY_S)
    for message in [room.command(ArmBody(mode=Mode.OFF), nonce=bytes(32)) for _ in range(20)]:
        room.commands.deliver(message)
    assert len(room.answers()) == 3


def test_a_hub_gone_wild_is_obeyed_and_its_answers_are_bounded(room: Room) -> None:
    for number in range(NEW_BURST + 20):
        room.commands.deliver(room.command(ArmBody(mode=Mode.AWAY if number % 2 else Mode.OFF)))
    assert len(room.answers()) == NEW_BURST
    assert room.scene.order().mode is ArmMode.AWAY


def test_what_the_home_hub_did_not_sign_or_this_camera_cannot_open_gets_no_answer(room: Room) -> None:
    good = room.command(ArmBody(mode=Mode.OFF))
    bad = [
        room.command(ArmBody(mode=Mode.OFF), signer=SigningKey.generate()),
        room.command(ArmBody(mode=Mode.OFF), signer=room.home.owner.root),
        room.command(ArmBody(mode=Mode.OFF), to=BoxKey.generate().public),
        good[:-1] + bytes([good[-1] ^ 1]),
        good[:-1],
        b"SCM1",
        b"",
        b"SGN1",
        b"SGN1\x04 not a receipt",
        b"SGN1\x0b",
        statement.sign(SigningKey.generate(), Receipt(envelope_hash=bytes(32))),
    ]
    for message in bad:
        room.commands.deliver(message)
    assert room.commands.refused == len(bad)
    assert room.answers() == []
    assert room.scene.order().mode is ArmMode.HOME


def test_refusals_are_told_at_powers_of_two(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(100):
        room.commands.deliver(b"junk")
    assert len(caplog.records) == 7


@pytest.mark.parametrize("mode", [Mode.AWAY, Mode.NIGHT])
def test_privacy_is_not_switched_on_while_armed_away_or_night_and_off_always(room: Room, mode: Mode) -> None:
    assert room.outcome(room.command(PrivacyWish(on=True))) is Outcome.DONE
    assert room.outcome(room.command(ArmBody(mode=mode))) is Outcome.DONE
    assert room.outcome(room.command(PrivacyWish(on=False))) is Outcome.DONE
    assert room.outcome(room.command(PrivacyWish(on=True))) is Outcome.ARMED
    assert not room.privacy.on
    assert room.outcome(room.command(ArmBody(mode=Mode.OFF))) is Outcome.DONE
    assert room.outcome(room.command(PrivacyWish(on=True))) is Outcome.DONE
    assert room.privacy.on


def test_privacy_lasts_over_a_restart_and_a_damaged_file_counts_as_on(tmp_path: Path) -> None:
    path = tmp_path / "privacy"
    assert not Privacy(path).on
    assert Privacy(path).switch(on=True)
    assert Privacy(path).on
    assert not Privacy(path).switch(on=True)
    assert Privacy(path).switch(on=False)
    assert not Privacy(path).on
    path.write_bytes(b"")
    assert Privacy(path).on


def test_privacy_that_cannot_be_kept_is_said_to_have_failed(tmp_path: Path) -> None:
    room = Room(tmp_path)
    (tmp_path / "privacy").mkdir()
    assert room.outcome(room.command(PrivacyWish(on=True))) is Outcome.FAILED
    assert not room.privacy.on
    room.outbox.close()


def test_a_fetch_makes_what_is_queued_due_and_says_that_a_camera_without_clips_has_none(room: Room) -> None:
    for _ in range(3):
        room.sealer.health("x", "y")
    for seq in (1, 2, 3):
        room.outbox.published(seq, room.clock.boot_ns())
    room.commands.deliver(room.command(FetchWish(events=(Run(first=2, last=9),), clips=())))
    due = []
    while (mail := room.outbox.next(room.clock.boot_ns())) is not None:
        due.append(mail.seq)
        room.outbox.published(mail.seq, room.clock.boot_ns())
    assert due == [2, 3, 4], "the two that wait still, and the answer"
    clips = FetchWish(events=(), clips=(ClipRange(clip=bytes(16)),))
    assert room.outcome(room.command(clips)) is Outcome.FAILED


def test_what_the_home_hub_holds_of_a_clip_of_this_camera_is_heard_and_nothing_else(tmp_path: Path) -> None:
    room, heard = Room(tmp_path), []
    room.commands = Commands(
        room.home.camera, room.outbox, room.sealing, room.sealer, room.clock, {}, held=heard.append
    )
    good = ClipHeld(camera=room.home.camera.camera, clip=b"c" * 16, held=7, whole=False)
    other = ClipHeld(camera=b"another!", clip=b"c" * 16, held=7, whole=False)
    hub = room.home.hub
    signed = statement.sign(hub, good)
    for bad in (statement.sign(hub, other), statement.sign(SigningKey.generate(), good), signed[:-1] + b"?"):
        room.commands.deliver(bad)
    assert (heard, room.commands.refused) == ([], 3)
    for _ in range(2):
        room.commands.deliver(signed)
    assert heard == [good, good]
    assert room.renewals == []
    room.outbox.close()


def test_statements_are_taken_late_and_twice_and_by_the_keys_in_force(room: Room) -> None:
    camera, hub = room.home.camera, room.home.hub
    newer = statement.sign(hub, Prekey(camera=camera.camera, number=9, public=BoxKey.generate().public))
    older = statement.sign(hub, Prekey(camera=camera.camera, number=8, public=BoxKey.generate().public))
    for message in (newer, older, newer):
        room.commands.deliver(message)
    assert camera.standing(None)[0].prekey == 9
    before = camera.command.public
    rotation = statement.sign(hub, Rotation(camera=camera.camera, epoch=2, nonce=bytes(32)))
    room.commands.deliver(rotation)
    room.commands.deliver(rotation)
    assert camera.epoch == 2
    assert room.commands.refused == 0
    room.commands.deliver(room.command(ArmBody(mode=Mode.OFF), to=before, nonce=bytes(32)))
    assert room.commands.refused == 1, "the old command key is gone"


def test_a_hub_that_renews_without_end_makes_few_writes_and_holds_up_no_other_hub(room: Room) -> None:
    home, other = room.home, SigningKey.generate()
    room.commands.deliver(home.choose(2, home.hub, other))

    def numbers() -> list[int]:
        return [one.prekey for one in home.camera.standing(None)]

    for number in range(2, 100):
        room.commands.deliver(home.issue(number, home.prekey.public, other))
        room.commands.deliver(home.issue(number, home.prekey.public, SigningKey.generate()))
    assert numbers() == [1, PREKEY_BURST + 1]
    assert len(room.renewals) == 1 + PREKEY_BURST
    room.commands.deliver(home.issue(2, home.prekey.public))
    assert numbers() == [2, PREKEY_BURST + 1]
    newest = home.issue(99, home.prekey.public, other)
    room.clock.advance(PREKEY_EVERY_S)
    room.commands.deliver(newest)
    room.commands.deliver(newest)
    assert numbers() == [2, 99], "what came too soon is taken when it is sent again"


def test_only_a_receipt_of_the_home_hub_deletes(room: Room) -> None:
    room.sealer.health("x", "y")
    queued = room.outbox.next(room.clock.boot_ns())
    assert queued is not None
    room.commands.deliver(statement.sign(SigningKey.generate(), Receipt(envelope_hash=queued.hash)))
    room.commands.deliver(statement.sign(room.home.hub, Receipt(envelope_hash=bytes(32))))
    assert room.outbox.stats().queued == 1
    room.commands.deliver(room.home.receipt(queued.envelope))
    assert room.outbox.stats().queued == 0


def test_each_statement_that_changes_keys_is_told_once_and_commands_to_the_old_command_key_are_refused(
    tmp_path: Path,
) -> None:
    room = Room(tmp_path)
    home, old = room.home, room.home.camera.command.public
    other = SigningKey.generate()
    statements = (
        home.issue(2, BoxKey.generate().public),
        home.choose(2, home.hub, other),
        home.issue(9, BoxKey.generate().public, other),
        home.rotation(2),
    )
    for message in (*statements, *reversed(statements)):
        room.commands.deliver(message)
    assert room.renewals == [1, 1, 1, 2]
    assert room.commands.refused == 0
    room.commands.deliver(home.choose(1, home.hub))
    room.commands.deliver(home.choose(2, other))
    assert room.commands.refused == 2, "older sets are counted"
    home.camera.take_prekey(home.issue(3, home.prekey.public))  # so that this hub opens the next beat
    room.commands.deliver(room.command(ArmBody(mode=Mode.HOME), to=old))
    assert room.commands.refused == 3
    room.commands.deliver(room.command(ArmBody(mode=Mode.HOME)))
    assert room.commands.refused == 3
