"""What the owner asks of a camera: signed while it stands, ended by the camera's answer, told in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, update

from sealcam.wire import schema, statement
from sealcam.wire.audit import verify_log
from sealcam.wire.bodies import Mode, Outcome, Run
from sealcam.wire.errors import ConfigError
from sealcam.wire.keys import SigningKey
from sealcam.wire.statement_kinds import Action, LogEntry, Recipient, RecipientKind, RecipientSet
from sealcam.wire.wishes import ClipRange, CommandType, FetchWish, PrivacyWish, ScheduleWindow, ScheduleWish
from sealcam_hub import audit, rekey, setup
from sealcam_hub.cli import main
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.feed import Feed
from sealcam_hub.folder import Folder
from sealcam_hub.home import Home, open_home
from sealcam_hub.keys import SET_ROW
from sealcam_hub.pump import Pump, RecordingLink
from sealcam_hub.receive import Receiver
from sealcam_hub.tables import cameras, wishes
from sealcam_hub.wish_json import read_wish
from sealcam_hub.wish_words import body_type, said
from sealcam_hub.wishes import SKIP, WishView, answered
from tests.hubs import BROKER, Camera, opened

ENDING = (Outcome.UNSUPPORTED, Outcome.UNREADABLE, Outcome.ARMED, Outcome.FAILED)


@dataclass
class Room:
    """A hub whose cameras beat when they are told to, and what it sends."""

    home: Home
    camera: Camera
    clock: SimulatedClock

    def hears(self, *envelopes: bytes) -> None:
        pump = Pump(Receiver(self.home.store, self.home.keys, self.clock), self.home.wishes(), Feed(), self.clock)
        link = RecordingLink()
        link.up = False  # nothing is due while the broker is away
        for one in envelopes:
            pump.deliver(self.camera.alias, one)
        while pump.run_once(link, 0):
            pass

    def beats(self, mode: Mode = Mode.HOME) -> list[tuple[int, int, bytes]]:
        """Kind, number and body of each command that the next beat brings."""
        self.clock.advance(20)
        self.hears(self.camera.beat(mode))
        return self.due()

    def due(self) -> list[tuple[int, int, bytes]]:
        """Kind, number and body of what is sent now; each names the newest beat."""
        made = [self.camera.opens(command) for _, command in self.home.wishes().due()]
        assert all(one.prev == self.camera.nonce for one in made)
        return [(one.kind, one.seq, one.body) for one in made]

    def numbers(self) -> list[int]:
        return [number for _, number, _ in self.beats()]

    def answers(self, number: int, outcome: Outcome, detail: str = "") -> bool:
        with self.home.store.writing() as connection:
            row = connection.execute(select(cameras.c.id)).scalar_one()
            return answered(connection, row, number, outcome, detail)

    def wish(self) -> WishView:
        (one,) = self.home.wishes().list()
        return one

    def log(self) -> tuple[LogEntry, ...]:
        with self.home.store.reading() as connection:
            return verify_log(audit.entries(connection), [self.home.keys.operating.public]).entries


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with opened(tmp_path / "hub") as home:
        assert isinstance(home.clock, SimulatedClock)
        camera = Camera()
        camera.claim(home)
        camera.clock = home.clock
        yield Room(home, camera, home.clock)


def test_a_wish_is_signed_at_each_beat_until_it_is_answered(room: Room) -> None:
    room.beats()
    room.home.wishes().wish("Door", PrivacyWish(on=True))
    assert [(kind, number) for kind, number, _ in room.due()] == [(CommandType.PRIVACY, 1)]
    assert room.due() == []  # once a beat
    ((kind, number, body),) = room.beats()
    assert (kind, number, schema.decode(body, PrivacyWish).on) == (CommandType.PRIVACY, 2, True)
    assert room.answers(2, Outcome.DONE)
    assert room.beats() == []
    assert (room.wish().done, room.wish().outcome) == (True, Outcome.DONE)


@pytest.mark.parametrize("outcome", [Outcome.STALE, Outcome.REPEATED])
def test_a_command_that_came_too_late_or_twice_is_sent_again(room: Room, outcome: Outcome) -> None:
    room.home.wishes().wish("Door", PrivacyWish(on=True))
    (number,) = room.numbers()
    assert not room.answers(number, outcome)
    assert room.wish().outcome is None
    (again,) = room.numbers()
    assert again > number
    assert room.answers(again, Outcome.DONE)
    assert room.numbers() == []


def test_an_arm_command_that_the_schedule_has_overtaken_is_not_signed_anew(room: Room) -> None:
    room.home.wishes().ask("Door", "home")
    ((_, number, _),) = room.beats(Mode.AWAY)
    assert room.answers(number, Outcome.DONE)
    assert room.beats(Mode.HOME) == []
    assert len(room.beats(Mode.AWAY)) == 1, "a camera that lost its mode is told again"
    assert room.answers(number + 1, Outcome.DONE)
    room.clock.advance(20)
    room.hears(room.camera.beat(Mode.NIGHT, scheduled=True))
    assert room.due() == []
    assert room.beats(Mode.NIGHT) == []
    assert room.home.ledger().cameras()[0].wished is None
    assert room.wish().done
    room.home.wishes().ask("Door", "off")
    assert len(room.due()) == 1, "what is asked next is sent"


def test_an_arm_command_that_has_not_arrived_stands_whatever_the_schedule_does(room: Room) -> None:
    room.home.wishes().ask("Door", "home")
    room.hears(room.camera.beat(Mode.NIGHT, scheduled=True))
    assert len(room.due()) == 1
    assert room.home.ledger().cameras()[0].wished == "home"


def test_a_schedule_with_expected_visitors_is_written_as_json(room: Room) -> None:
    text = b"""{"command": "schedule", "zone": "Europe/Berlin",
        "entries": [{"days": 127, "from_minute": 1320, "to_minute": 360, "mode": "night"}],
        "expected": [{"days": 31, "from_minute": 540, "to_minute": 720}]}"""
    wish = read_wish(text)
    assert isinstance(wish, ScheduleWish)
    assert wish.expected == (ScheduleWindow(days=31, from_minute=540, to_minute=720),)
    assert said(wish) == "a schedule of 1 entry and 1 expected visit"
    room.home.wishes().wish("Door", wish)
    ((kind, _, body),) = room.beats()
    assert (kind, schema.decode(body, ScheduleWish)) == (CommandType.SCHEDULE, wish)


@pytest.mark.parametrize("outcome", ENDING)
@pytest.mark.parametrize("arms", [True, False])
def test_a_refusal_ends_a_wish_and_is_shown_to_the_owner(room: Room, outcome: Outcome, arms: bool) -> None:
    if arms:
        room.home.wishes().ask("Door", "away")
    else:
        room.home.wishes().wish("Door", PrivacyWish(on=True))
    (number,) = room.numbers()
    assert room.answers(number, outcome, "the shutter is stuck")
    assert room.numbers() == []
    wish = room.wish()
    assert (wish.done, wish.outcome, wish.detail) == (False, outcome, "the shutter is stuck")


def test_the_console_shows_what_was_refused_until_it_is_asked_for_again(room: Room) -> None:
    room.home.wishes().ask("Door", "away")
    (number,) = room.numbers()
    assert room.home.ledger().cameras()[0].wished == "away"
    room.answers(number, Outcome.FAILED, "no shutter")
    camera = room.home.ledger().cameras()[0]
    assert (camera.wished, camera.refused) == (None, "arm: failed on the camera (no shutter)")
    room.home.wishes().ask("Door", "night")
    camera = room.home.ledger().cameras()[0]
    assert (camera.wished, camera.refused) == ("night", None)


def test_the_answer_that_a_camera_seals_ends_its_wish(room: Room) -> None:
    room.home.wishes().wish("Door", PrivacyWish(on=True))
    (number,) = room.numbers()
    room.hears(room.camera.answers(number - 1, CommandType.PRIVACY, Outcome.FAILED))  # to nothing that was asked
    assert room.wish().outcome is None
    room.hears(room.camera.answers(number, CommandType.PRIVACY, Outcome.ARMED, "armed away"))
    assert (room.wish().outcome, room.wish().detail) == (Outcome.ARMED, "armed away")
    room.home.wishes().wish("Door", PrivacyWish(on=True))
    (again,) = room.numbers()
    room.hears(room.camera.answers(again, CommandType.PRIVACY))
    assert room.wish().done
    assert room.numbers() == []


def test_arming_believes_the_beats_and_not_the_answer(room: Room) -> None:
    room.home.wishes().ask("Door", "away")
    (number,) = room.numbers()
    assert room.answers(number, Outcome.DONE)
    assert not room.wish().done
    assert room.numbers() == [number + 1]
    assert room.beats(Mode.AWAY) == []
    assert room.wish().done


def test_an_answer_to_another_number_changes_nothing(room: Room) -> None:
    room.home.wishes().wish("Door", PrivacyWish(on=True))
    (number,) = room.numbers()
    assert not room.answers(number + 1, Outcome.FAILED)
    assert not room.answers(number - 1, Outcome.DONE)
    assert room.wish().outcome is None
    room.home.wishes().wish("Door", PrivacyWish(on=False))
    assert not room.answers(number, Outcome.DONE)  # to the wish before
    assert room.wish().outcome is None
    assert room.numbers() == [number + 1]


def test_each_kind_of_wish_stands_by_itself_under_a_number_of_its_own(room: Room) -> None:
    room.home.wishes().ask("Door", "away")
    room.home.wishes().wish("Door", PrivacyWish(on=False))
    room.home.wishes().wish("Door", FetchWish(events=(Run(first=3, last=9),), clips=()))
    sent = room.beats()
    assert [(kind, number) for kind, number, _ in sent] == [(1, 1), (2, 2), (4, 3)]
    assert room.answers(2, Outcome.UNSUPPORTED)
    assert [(kind, number) for kind, number, _ in room.beats()] == [(1, 4), (4, 5)]


def test_numbers_leap_when_the_camera_has_taken_a_higher_one(room: Room) -> None:
    room.home.wishes().wish("Door", PrivacyWish(on=True))
    (number,) = room.numbers()
    room.answers(number, Outcome.REPEATED)
    assert room.numbers() == [number + SKIP + 1]


def test_numbers_go_on_rising_for_the_next_process(room: Room) -> None:
    for expected in range(1, 5):
        room.home.wishes().wish("Door", PrivacyWish(on=bool(expected % 2)))
        assert room.numbers() == [expected]  # each `wishes()` is new, as after a restart


def test_an_expelled_camera_and_one_that_said_farewell_get_no_commands(room: Room) -> None:
    room.home.wishes().wish("Door", PrivacyWish(on=True))
    room.clock.advance(20)
    room.hears(room.camera.beat())
    for column in ("gone", "expelled"):
        with room.home.store.writing() as connection:
            connection.execute(update(cameras).values(gone=False, expelled=False))
            connection.execute(update(cameras).values(**{column: True}))
        assert room.home.wishes().due() == []
    with pytest.raises(ConfigError, match="Door was expelled"):
        room.home.wishes().ask("Door", "away")


def test_what_a_camera_says_of_a_failure_is_cut_to_what_the_ledger_holds(room: Room) -> None:
    room.home.wishes().wish("Door", PrivacyWish(on=True))
    (number,) = room.numbers()
    room.answers(number, Outcome.FAILED, "x" * 5000)
    assert room.wish().detail == "x" * 256


def test_the_ledger_holds_no_wish_in_the_clear(room: Room) -> None:
    body = PrivacyWish(on=True)
    room.home.wishes().wish("Door", body)
    with room.home.store.reading() as connection:
        stored = connection.execute(select(wishes.c.body)).scalar_one()
    assert schema.encode(body) not in stored
    assert said(room.wish().body or "") == "privacy on"


def test_every_wish_is_an_entry_of_the_audit_log(room: Room) -> None:
    room.home.wishes().ask("Door", "night")
    room.home.wishes().wish("Door", PrivacyWish(on=True), "console")
    told = [one for one in room.log() if one.action is Action.COMMANDED]
    assert [(one.actor, one.detail) for one in told] == [("owner", "Door: night"), ("console", "Door: privacy on")]
    with pytest.raises(ConfigError):
        room.home.wishes().ask("Attic", "night")
    assert len([one for one in room.log() if one.action is Action.COMMANDED]) == 2


def test_wishes_in_words() -> None:
    clip = ClipRange(clip=b"c" * 16)
    runs = (Run(first=3, last=9), Run(first=12, last=12))
    assert said(FetchWish(events=runs, clips=())) == "fetch events 3-9,12"
    assert said(FetchWish(events=runs[1:], clips=(clip, clip))) == "fetch events 12 and 2 clips"
    assert said(FetchWish(events=(), clips=())) == "fetch nothing"


# The command line.


def hub(room: Room, *words: str) -> int:
    return main(["--state", str(room.home.folder.path), *words])


def test_what_was_asked_and_what_became_of_it_is_listed(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub(room, "arm", "Door", "away") == 0
    assert hub(room, "privacy", "Door", "on") == 0
    assert hub(room, "fetch", "Door", "--events", "3-9,12", "--clip", "0a" * 16, "--clip", "0b" * 16 + ":4-7") == 0
    said_now = capsys.readouterr().out.splitlines()
    assert said_now[1:] == [
        "Door: privacy on, as soon as the camera beats",
        "Door: fetch events 3-9,12 and 2 clips, as soon as the camera beats",
    ]
    sent = {kind: (number, body) for kind, number, body in room.beats()}
    fetched = schema.decode(sent[CommandType.FETCH][1], FetchWish)
    assert fetched.clips[1] == ClipRange(clip=b"\x0b" * 16, chunks=Run(first=4, last=7))
    room.answers(sent[CommandType.PRIVACY][0], Outcome.ARMED, "away \x1b[31m")
    room.answers(sent[CommandType.FETCH][0], Outcome.DONE)
    assert hub(room, "command", "list") == 0
    told = capsys.readouterr().out
    assert "privacy on               refused: not while it is armed; set it to off or home first (away �[31m)" in told
    assert hub(room, "command", "list", "--json") == 0
    rows = {row["command"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows["arm"]["state"] == "sent, not answered yet"
    assert (rows["fetch"]["done"], rows["fetch"]["outcome"], rows["fetch"]["state"]) == (True, "done", "done")
    assert (rows["privacy"]["done"], rows["privacy"]["outcome"]) == (False, "armed")


def test_a_wish_for_a_camera_that_was_not_heard_says_so(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub(room, "privacy", "Door", "off") == 0
    assert hub(room, "command", "list") == 0
    assert "waits for the camera to be heard" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["fetch", "Door"],
        ["fetch", "Door", "--events", "9-3"],
        ["fetch", "Door", "--events", "3,3"],
        ["fetch", "Door", "--events", "all"],
        ["fetch", "Door", "--clip", "0a"],
        ["fetch", "Door", "--clip", "0a" * 16 + ":1,3"],
        ["privacy", "Attic", "on"],
    ],
)
def test_misuse_asks_nothing_of_anybody(room: Room, words: list[str]) -> None:
    assert hub(room, *words) == 2
    assert room.home.wishes().list() == ()
    assert not [one for one in room.log() if one.action is Action.COMMANDED]


EVERY: dict[str, dict[str, object]] = {
    "arm": {"mode": "night"},
    "privacy": {"on": False},
    "live": {"session": "0a" * 16, "seconds": 60},
    "fetch": {"events": [{"first": 3, "last": 9}], "clips": [{"clip": "0b" * 16, "chunks": {"first": 0, "last": 4}}]},
    "zones": {"zones": [{"name": "path", "kind": "entry", "corners": [0, 0, 1000, 0, 1000, 500]}]},
    "masks": {"masks": [{"corners": [0, 0, 300, 0, 300, 400]}]},
    "schedule": {
        "entries": [{"days": 127, "from_minute": 1320, "to_minute": 1440, "mode": "night"}],
        "zone": "Europe/Berlin",
    },
    "marks": {"marks": [{"incident": "0c" * 8, "mark": "false_alarm"}]},
    "model": {"name": "oidv4", "sha256": "0d" * 32},
    "token": {"token": "0e0f"},
}


@pytest.mark.parametrize("name", EVERY)
def test_every_command_is_sent_as_its_owner_wrote_it(room: Room, tmp_path: Path, name: str) -> None:
    file = tmp_path / "wish.json"
    file.write_text(json.dumps({"command": name, **EVERY[name]}))
    assert hub(room, "send", "Door", str(file)) == 0
    ((kind, _, body),) = room.beats()
    assert kind == CommandType[name.upper()]
    assert schema.decode(body, body_type(CommandType(kind))) == read_wish(file.read_bytes())
    assert hub(room, "command", "list") == 0


@pytest.mark.parametrize(
    ("text", "said_of_it"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "no such command"),
        ('{"command": "explode"}', "no such command"),
        ('{"command": ["arm"]}', "no such command"),
        ('{"command": "arm"}', "arm.mode is missing"),
        ('{"command": "arm", "mode": "asleep"}', "arm.mode"),
        ('{"command": "arm", "mode": "away", "mood": 1}', "no field 'mood'"),
        ('{"command": "privacy", "on": 1}', "privacy.on"),
        ('{"command": "live", "session": "00", "seconds": 1}', "live.session"),
        ('{"command": "live", "session": "' + "00" * 16 + '", "seconds": 3601}', "live.seconds"),
        ('{"command": "live", "session": "' + "00" * 16 + '", "seconds": -1}', "live.seconds"),
        ('{"command": "live", "session": "' + "00" * 16 + '", "seconds": true}', "live.seconds"),
        ('{"command": "masks", "masks": [{"corners": [1, 2, 3, 4]}]}', r"masks.masks\[0\].corners"),
        ('{"command": "masks", "masks": [{"corners": [1, 2, 3, 4, 5, 6, 7]}]}', r"masks.masks\[0\].corners"),
        ('{"command": "masks", "masks": [{"corners": [1, 2, 3, 4, 5, 1001]}]}', r"corners\[5\]"),
        ('{"command": "masks", "masks": {}}', "masks.masks"),
        ('{"command": "masks", "masks": [7]}', r"masks.masks\[0\]"),
        ('{"command": "model", "name": "' + "x" * 5000 + '", "sha256": "' + "00" * 32 + '"}', "model"),
    ],
)
def test_a_command_that_is_none_is_told_by_where_it_is_wrong(text: str, said_of_it: str) -> None:
    with pytest.raises(ConfigError, match=said_of_it):
        read_wish(text.encode())


def test_another_hub_of_the_home_asks_nothing_of_a_camera(tmp_path: Path) -> None:
    words: list[str] = []
    folder = Folder(tmp_path / "hub")
    setup.make_hub(folder, BROKER, words.append)
    owner, other = setup.owner_keys(words[0]), SigningKey.generate()
    with open_home(folder, SimulatedClock()) as home:
        Camera().claim(home)
        recipients = (*home.keys.chosen.recipients, Recipient(kind=RecipientKind.HUB, public=other.public))
        chosen = RecipientSet(number=2, suite=1, home_hub=other.public, recipients=recipients)
        folder.write("keys/recipient-set", statement.sign(owner.root, chosen))
        with home.store.writing() as connection:
            rekey.put(connection, SET_ROW, (2).to_bytes(4, "big"))
        with pytest.raises(ConfigError, match="home hub's commands alone"):
            home.wishes().ask("Door", "away")
        assert home.wishes().list() == ()
