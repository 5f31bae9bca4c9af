"""Live views at the hub: one session for all who look, hostile messages, slow viewers, the log, and the end."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import update

from sealcam.wire import statement
from sealcam.wire.bodies import AnswerBody, Outcome
from sealcam.wire.errors import ConfigError, SealcamError
from sealcam.wire.live import Content
from sealcam.wire.statement_kinds import Rotation
from sealcam_hub.audit_source import AuditSource
from sealcam_hub.clock import SimulatedClock
from sealcam_hub.contents import rotation_nonce
from sealcam_hub.feed import Feed
from sealcam_hub.home import Home
from sealcam_hub.live import MOST_VIEWERS, LiveViews
from sealcam_hub.live_picture import Picture
from sealcam_hub.live_viewer import Viewer
from sealcam_hub.pump import Pump, RecordingLink
from sealcam_hub.receive import Receiver
from sealcam_hub.tables import cameras
from tests.hubs import NS, Camera, opened
from tests.live_camera import Line, Session, views


@dataclass
class Watching:
    """Somebody in front of a page: what was shown and said to them."""

    live: LiveViews
    viewer: Viewer
    pictures: list[Picture] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    text: str = ""

    def look(self) -> list[Content]:
        """Take what waits; what kinds of it there are."""
        words, pictures = self.viewer.take()
        self.pictures += pictures
        if words is not None:
            self.states.append(words.state)
            self.text = words.text
        return [one.content for one in pictures]


class House:
    """A hub, a camera that beats, and people who look."""

    def __init__(self, home: Home) -> None:
        self.home = home
        assert isinstance(home.clock, SimulatedClock)
        self.clock = home.clock
        self.camera = Camera()
        self.camera.claim(home)
        self.link = RecordingLink()
        self.line = Line(self.camera)
        self.live = views(home, self.line)
        receiver = Receiver(home.store, home.keys, home.clock)
        self.pump = Pump(receiver, home.wishes(), Feed(), home.clock, live=self.live)
        self.passed = 0
        self.beats()

    def hears(self, *envelopes: bytes) -> None:
        for one in envelopes:
            self.pump.deliver(self.camera.alias, one)
        while self.pump.run_once(self.link, 0):
            pass

    def beats(self, **changed: object) -> None:
        self.camera.clock.advance(1)
        self.hears(self.camera.beat(**changed))  # type: ignore[arg-type]

    def passes(self, seconds: float) -> None:
        """Let time pass in steps of a second, with a beat every 20 s."""
        for _ in range(round(seconds)):
            self.clock.advance(1)
            self.passed += 1
            if self.passed % 20 == 0:
                self.camera.clock.advance(20)
                self.hears(self.camera.beat())
            self.pump.run_once(self.link, 0)

    def comes(self, who: str = "anna") -> Watching:
        return Watching(self.live, self.live.enter(self.camera.alias, who, lambda: None))

    def session(self, **changed: object) -> Session:
        return Session(self.camera, self.line.session, 50 * NS, **changed)  # type: ignore[arg-type]

    def gives(self, *messages: bytes, session: bytes | None = None) -> None:
        for one in messages:
            self.live.deliver(self.camera.alias, session or self.line.session, one)
            self.live.run_once(0)

    def answers(self, outcome: Outcome, detail: str = "") -> None:
        self.hears(self.camera.answers(self.line.numbers[-1], 3, outcome, detail))

    def log(self) -> list[str]:
        source = AuditSource(self.home.store, self.home.keys, self.home.clock)
        return [one.detail for one in reversed(source.newest(50).entries) if "live" in one.detail]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with opened(tmp_path / "hub") as home:
        yield House(home)


# What the camera is asked


def test_the_first_viewer_begins_a_session_and_others_share_it(house: House) -> None:
    first = house.comes()
    second = house.comes("bert")
    tab = house.comes()
    assert [one.seconds for one in house.line.wishes] == [60]
    session = house.session()
    house.gives(*session.all())
    kinds = first.look()
    assert kinds[:3] == [Content.BEGINNING, Content.KEYFRAME, Content.PICTURES]
    assert second.look() == kinds == tab.look()
    assert [one.data for one in second.pictures] == [one.data for one in first.pictures]
    assert first.states == ["live"]


def test_it_is_prolonged_while_somebody_looks_and_ended_when_the_last_one_has_left(house: House) -> None:
    first, second = house.comes(), house.comes("bert")
    session = house.session(seconds=12.0)
    for index in range(70):  # a picture each second
        house.gives(*session.messages(index))
        house.passes(1)
    assert [one.seconds for one in house.line.wishes] == [60, 60, 60]
    assert len({one.session for one in house.line.wishes}) == 1
    house.live.leave(first.viewer)
    house.live.leave(first.viewer)
    house.passes(4)
    assert len(house.line.wishes) == 3
    house.live.leave(second.viewer)
    house.passes(4)
    assert len(house.line.wishes) == 3
    house.passes(2)
    assert house.line.wishes[-1].seconds == 0
    assert house.line.wishes[-1].session == house.line.wishes[0].session
    house.gives(*session.messages(71), session=house.line.wishes[0].session)
    assert house.live.dropped["nobody asked"] == len(session.messages(71))


def test_a_page_that_is_loaded_again_goes_on_with_the_same_session(house: House) -> None:
    first = house.comes()
    house.gives(*house.session().all())
    house.live.leave(first.viewer)
    house.passes(2)
    again = house.comes()
    assert len(house.line.wishes) == 1
    assert again.look()[:2] == [Content.BEGINNING, Content.KEYFRAME]
    house.passes(8)
    assert house.line.wishes[-1].seconds == 60


def test_no_wish_is_left_and_the_log_has_one_pair_a_viewer(house: House) -> None:
    first, tab, second = house.comes(), house.comes(), house.comes("bert")
    session = house.session(seconds=12.0)
    for index in range(60):
        house.gives(*session.messages(index))
        house.passes(1)
    assert house.home.wishes().list() == ()
    assert house.log() == ["live view of Door", "live view of Door"]
    house.live.leave(first.viewer)
    house.passes(6)
    assert len(house.log()) == 2
    house.live.leave(tab.viewer)
    house.live.leave(second.viewer)
    house.passes(8)
    assert house.log()[2:] == ["live view of Door is over, after 66 s", "live view of Door is over, after 66 s"]


def test_when_the_hub_ends_the_camera_and_the_log_are_told(house: House) -> None:
    one = house.comes()
    house.live.stop()
    assert one.viewer.closed
    assert [wish.seconds for wish in house.line.wishes] == [60, 0]
    assert house.log()[-1] == "live view of Door is over, after 1 s"
    with pytest.raises(SealcamError, match="ending"):
        house.comes()


def test_without_an_entry_in_the_log_there_is_no_picture(house: House, tmp_path: Path) -> None:
    house.home.store.close()
    (tmp_path / "hub" / "ledger.db").chmod(0o400)
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (tmp_path / "hub" / name).unlink(missing_ok=True)
    (tmp_path / "hub" / "ledger.db").unlink()
    with pytest.raises(SealcamError):
        house.comes()
    assert house.line.wishes == []


def test_an_unknown_camera_and_too_many_viewers_are_refused(house: House) -> None:
    with pytest.raises(ConfigError):
        house.live.enter("f" * 16, "anna", lambda: None)
    for _ in range(MOST_VIEWERS):
        house.comes()
    with pytest.raises(SealcamError, match="too many"):
        house.comes()
    assert len(house.line.wishes) == 1


def test_no_command_passes_another_on_its_way(house: House) -> None:
    """A camera takes rising numbers alone: what was overtaken waits for the next beat."""
    held: list[bool] = []

    class Watched(RecordingLink):
        def send(self, alias: str, payload: bytes) -> bool:
            held.append(house.live.commanding.locked())
            return super().send(alias, payload)

    house.home.wishes().ask("Door", "night")
    house.clock.advance(1)
    house.pump.run_once(Watched(), 0)
    assert held == [True]
    send = house.line.send
    seen = views(
        house.home, house.line, lambda alias, command: held.append(seen.commanding.locked()) or send(alias, command)
    )
    seen.enter(house.camera.alias, "anna", lambda: None)
    seen.stop()
    assert held == [True, True, True]
    assert house.line.numbers == sorted(house.line.numbers)


# What the camera says


def test_a_refusal_is_told_in_the_cameras_words_and_nobody_asks_on(house: House) -> None:
    one = house.comes()
    house.answers(Outcome.FAILED, "too many live views began")
    one.look()
    assert one.states[-1] == "refused"
    assert "too many live views began" in one.text
    house.passes(60)
    assert len(house.line.wishes) == 1
    house.comes("bert")  # somebody else may try
    assert len(house.line.wishes) == 2


def test_a_stale_command_is_signed_anew_and_another_ones_answer_changes_nothing(house: House) -> None:
    one = house.comes()
    house.live.answered(house.camera.alias, _answer(house, 999, Outcome.FAILED))
    house.answers(Outcome.STALE)
    house.passes(2)
    one.look()
    assert "refused" not in one.states
    assert [wish.seconds for wish in house.line.wishes] == [60, 60]
    assert house.line.numbers[1] > house.line.numbers[0]


def _answer(house: House, number: int, outcome: Outcome) -> AnswerBody:
    return AnswerBody(at=house.camera.stamp(), number=number, command=3, outcome=outcome, detail="")


def test_a_camera_that_was_not_heard_is_asked_when_it_is(house: House) -> None:
    house.clock.advance(300)
    house.camera.clock.advance(300)
    one = house.comes()
    one.look()
    assert one.states[-1] == "unheard"
    house.beats()
    house.clock.advance(2)
    house.pump.run_once(house.link, 0)
    assert len(house.line.wishes) == 1
    one.look()
    assert one.states[-1] == "asking"


def test_while_the_broker_is_away_nothing_is_asked_and_afterwards_it_is(house: House) -> None:
    house.line.up = False
    one = house.comes()
    one.look()
    assert one.states[-1] == "unheard"
    house.line.up = True
    house.passes(2)
    assert len(house.line.wishes) == 1


def test_privacy_is_told_and_when_it_is_over_the_picture_comes_back(house: House) -> None:
    one = house.comes()
    session = house.session()
    house.gives(*session.messages(0))
    house.hears(house.camera.privacy(True))
    house.gives(session.end())
    house.passes(3)
    one.look()
    assert one.states[-1] == "private"
    assert len(house.line.wishes) == 1
    house.hears(house.camera.privacy(False))
    house.passes(3)
    assert len(house.line.wishes) == 2
    assert house.line.wishes[1].session != house.line.wishes[0].session
    house.gives(*house.session().messages(0))
    one.look()
    assert one.states[-1] == "live"


def test_a_camera_that_ends_it_or_shows_nothing_is_asked_anew_with_another_session(house: House) -> None:
    one = house.comes()
    session = house.session()
    house.gives(*session.messages(0), session.end())
    one.look()
    assert one.states[-1] == "ended"
    house.passes(3)
    assert len({wish.session for wish in house.line.wishes}) == 2
    house.passes(11)
    one.look()
    assert len({wish.session for wish in house.line.wishes}) == 3  # no picture for ten seconds
    house.passes(15)
    assert len({wish.session for wish in house.line.wishes}) == 3  # ever more rarely
    house.passes(10)
    assert len({wish.session for wish in house.line.wishes}) == 4


def test_a_broken_connection_is_told_while_no_picture_comes(house: House) -> None:
    one = house.comes()
    session = house.session()
    house.gives(*session.messages(0))
    house.hears(house.camera.will())
    house.clock.advance(1.5)
    house.pump.run_once(house.link, 0)
    one.look()
    assert one.states[-1] == "live"
    house.passes(2)
    one.look()
    assert one.states[-1] == "cut-off"


# What others say


def test_messages_of_strangers_are_dropped_and_counted(house: House) -> None:
    one = house.comes()
    stranger = Camera()
    stranger.claim(house.home, "Shed")
    house.gives(*Session(stranger, house.line.session, 50 * NS).messages(0))
    house.clock.advance(1)
    other = Session(house.camera, b"o" * 16, 50 * NS)
    house.gives(*other.messages(0))
    house.gives(b"", b"SLV1", b"SLV1\0", b"SLV1\1", b"SLV1\2" + bytes(2000), secrets.token_bytes(4000))
    assert one.look() == []
    house.clock.advance(1)
    session = house.session()
    start, beginning, key = session.messages(0)
    house.gives(start, *(beginning[:at] + bytes([beginning[at] ^ 1]) + beginning[at + 1 :] for at in range(4, 120, 7)))
    assert one.look() == []
    house.gives(beginning, key, key, beginning)
    assert one.look() == [Content.BEGINNING, Content.KEYFRAME]


def test_a_flood_of_starts_costs_four_looks_a_second(house: House) -> None:
    house.comes()
    asked: list[bytes] = []
    show = house.live._shows[house.camera.alias]
    opens = show.opens
    show.opens = lambda session, message: (asked.append(message), opens(session, message))[1]
    for _ in range(200):
        house.gives(b"SLV1\0" + secrets.token_bytes(721))
        house.clock.advance(0.01)
    assert len(asked) <= 9


def test_what_an_older_epoch_key_signed_is_not_shown(house: House) -> None:
    house.camera.clock = house.clock
    one = house.comes()
    thief = copy(house.camera)
    house.hears(house.camera.hand_over(_rotation(house)))
    session = house.session()
    house.gives(*Session(thief, house.line.session, 50 * NS).messages(0))
    assert one.look() == []
    house.clock.advance(1)
    house.gives(*session.messages(0))
    assert one.look() == [Content.BEGINNING, Content.KEYFRAME]


def _rotation(house: House) -> bytes:
    keys, camera = house.home.keys, house.camera
    nonce = rotation_nonce(keys, camera.kid, camera.epoch + 1)
    return statement.sign(keys.operating, Rotation(camera=camera.kid, epoch=camera.epoch + 1, nonce=nonce))


def test_what_was_shown_before_other_keys_never_comes_back(house: House) -> None:
    one = house.comes()
    before = house.session()
    kept = [*before.messages(0), *before.messages(1)]
    house.gives(*kept)
    house.clock.advance(1)
    after = Session(house.camera, house.line.session, 60 * NS, part=1)
    house.gives(*after.messages(0))
    shown = one.look()
    assert shown == [Content.BEGINNING, Content.KEYFRAME, Content.PICTURES, Content.BEGINNING, Content.KEYFRAME]
    assert one.pictures[-1].stream != one.pictures[0].stream
    house.clock.advance(1)
    house.gives(*kept)
    assert one.look() == []
    house.gives(*after.messages(1))
    assert one.look() == [Content.PICTURES]
    house.clock.advance(1)
    larger = Session(house.camera, house.line.session, 70 * NS, part=1, size=(640, 480))
    house.gives(*larger.messages(0))  # another size of picture, the same keys
    assert one.look() == [Content.BEGINNING, Content.KEYFRAME]


def test_behind_a_hole_the_next_keyframe_is_waited_for(house: House) -> None:
    one = house.comes()
    session = house.session()
    units = [session.messages(index) for index in range(len(session.units))]
    keys = [index for index, unit in enumerate(session.units) if unit.key]
    assert len(keys) > 1
    for index, messages in enumerate(units):
        if index != 3:
            house.gives(*messages)
    assert one.look() == [
        Content.BEGINNING,
        Content.KEYFRAME,
        *[Content.PICTURES] * 2,
        *[Content.KEYFRAME if index in keys else Content.PICTURES for index in range(keys[1], len(units))],
    ]
    show = house.live._shows[house.camera.alias]
    assert show.stream.dropped["behind a hole"] == keys[1] - 4


def test_an_expelled_camera_shows_nothing(house: House) -> None:
    one = house.comes()
    with house.home.store.writing() as connection:
        connection.execute(update(cameras).values(expelled=True))
    house.gives(*house.session().messages(0))
    house.clock.advance(2)
    house.live.tick()
    assert one.look() == []
    assert one.states[-1] == "expelled"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_has_ended_by_a_fault_of_its_own_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bool:
        raise KeyError("a fault")

    with opened(tmp_path) as home:
        camera = Camera()
        camera.claim(home)
        live = views(home, Line(camera))
        assert live.check()
        monkeypatch.setattr(live, "run_once", broken)
        live.start()
        assert live._thread is not None
        live._thread.join(20)
        with pytest.raises(SealcamError, match="live views are opened no more"):
            live.check()
        live.stop()
