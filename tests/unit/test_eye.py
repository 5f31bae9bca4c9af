"""The eye whole, with a scripted camera and detector, a real outbox and socket, and a post that the test plays."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from sealcam.board.led import FakeLight
from sealcam.board.litert import ScriptedNetwork
from sealcam.board.protocols import Camera, Frame, PirCounts, Shine
from sealcam.board.scripted import ScriptedCamera, grey_frame
from sealcam.clips import ClipFolder
from sealcam.privacy import Privacy
from sealcam.scene import Scene
from sealcam.scene_settings import SceneSettings
from sealcam.sealing import Seal
from sealcam.sight.candidates import Candidates
from sealcam.sight.panel import Panel
from sealcam.sight.spec import DecodingSpec, Head, InputSpec, ModelSpec, Placement
from sealcam.sight.types import ArmMode, Report
from sealcam.sight.watch import Watch
from sealcam.term import Term
from sealcam.wire import schema
from sealcam.wire.bodies import (
    AnswerBody,
    BeatBody,
    Cause,
    ClipBody,
    ClipState,
    ClockQuality,
    EventType,
    HealthBody,
    Mode,
    Outcome,
    PrivacyBody,
    Stage,
    Stamp,
    Verdict,
)
from sealcam.wire.clip import ClipInfo
from sealcam.wire.envelope import Opened
from sealcam.wire.errors import ClipError, HardwareError
from sealcam.wire.wishes import ArmBody, CommandType, PrivacyWish, ScheduleEntry, ScheduleWish
from tests.claimed import household
from tests.eye_home import Home, Masking, walk


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, household(tmp_path))


def test_a_walker_becomes_one_sealed_incident_with_a_picture(home: Home) -> None:
    code, eye = home.run(lambda: ScriptedCamera(walk()))
    assert code == 0
    bodies = home.incidents()
    assert eye.incidents == 1
    assert len({body.incident for body in bodies}) == 1
    assert bodies[0].stage == Stage.NEW
    assert [body.stage for body in bodies].count(Stage.END) == 1
    assert bodies[0].verdict == Verdict.THREAT
    assert bodies[0].thumbnail is None, "the first word of a threat waits for no picture"
    assert any(body.thumbnail is not None and body.thumbnail[:2] == b"\xff\xd8" for body in bodies)
    assert home.left == 0, "every receipt was taken"


def test_a_model_that_gives_no_numbers_is_told_once_and_threatens_nobody(home: Home) -> None:
    spec = ModelSpec(
        "made",
        InputSpec(64, 128, "NHWC", "uint8", "RGB", Placement.STRETCH, 0, 1.0, 0.0),
        DecodingSpec(Head.YOLOX, 0.5, strides=(32,)),
        ("person",),
        0.37,
    )
    nonsense = np.full((1, 8, 6), np.nan, np.float32)
    panel = Panel(Candidates(ScriptedNetwork((1, 64, 128, 3), [[nonsense]]), spec))
    code, _ = home.run(lambda: ScriptedCamera(walk()), panel=panel)
    assert code == 0
    assert panel.broken > 10
    told = [schema.decode(one.body, HealthBody).code for one in home.events() if one.kind == EventType.HEALTH]
    assert told.count("model-broken") == 1
    assert all(body.verdict != Verdict.THREAT for body in home.incidents())


def test_a_covered_camera_is_told_and_that_nobody_looks_any_more(home: Home) -> None:
    scene = np.kron(np.random.default_rng(1).integers(20, 190, (18, 32)), np.ones((5, 5))).astype(np.uint8)
    covered = np.full((90, 160), 40, np.uint8)
    frames = [grey_frame(scene if index < 100 else covered, index * 200_000_000, index) for index in range(180)]
    home.run(lambda: ScriptedCamera(frames), mode=ArmMode.NIGHT)
    told = [schema.decode(one.body, HealthBody) for one in home.events() if one.kind == EventType.HEALTH]
    assert {one.code for one in told} == {"started", "tamper-covered", "tamper-stays"}
    assert [one.detail for one in told if one.code == "tamper-stays"] == ["covered: watching ended before it did"]


def test_a_clock_that_stands_still_blinds_nobody_and_is_told_once(home: Home) -> None:
    stuck = [grey_frame(one.y, 0, one.index) for one in walk()]
    home.run(lambda: ScriptedCamera(stuck))
    told = [schema.decode(one.body, HealthBody).code for one in home.events() if one.kind == EventType.HEALTH]
    assert told == ["started", "clock-stuck"]
    assert Verdict.THREAT in {body.verdict for body in home.incidents()}


def test_the_chain_holds_from_the_first_event_on(home: Home) -> None:
    home.run(lambda: ScriptedCamera(walk()))
    events = home.events()
    assert [one.seq for one in events] == list(range(1, len(events) + 1))
    assert events[0].kind == EventType.HEALTH
    assert schema.decode(events[0].body, HealthBody).code == "started"
    assert events[0].prev == bytes(32)


def test_a_second_start_goes_on_in_the_same_chain(home: Home) -> None:
    home.run(lambda: ScriptedCamera(walk()))
    first = len(home.events())
    home.run(lambda: ScriptedCamera(walk()))
    seqs = [one.seq for one in home.events()]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) > first


def test_the_hub_arms_by_a_fresh_beat_and_a_stale_or_repeated_command_changes_nothing(home: Home) -> None:
    sent: list[bytes] = []

    def command(nonce: bytes, number: int, mode: Mode) -> bytes:
        return home.command(CommandType.ARM, ArmBody(mode=mode), nonce, number)

    def answer(opened: Opened) -> Sequence[bytes]:
        if opened.kind != EventType.BEAT or sent:
            return ()
        nonce = schema.decode(opened.body, BeatBody).nonce
        sent.extend(
            (
                command(nonce, 5, Mode.HOME),
                command(nonce, 5, Mode.OFF),  # the same number again
                command(nonce, 4, Mode.OFF),  # an older one
                command(bytes(32), 6, Mode.OFF),  # no beat said this
            )
        )
        return sent

    told = threading.Event()

    class Told(Watch):
        def set_mode(self, mode: ArmMode, *, scheduled: bool = False, expected: bool = False) -> None:
            super().set_mode(mode, scheduled=scheduled, expected=expected)
            told.set()

    def footage() -> Iterator[Frame]:
        """An empty scene until the command has been taken, then the walker."""
        index = 0
        while not told.is_set():
            yield grey_frame(np.full((90, 160), 60, np.uint8), index * 100_000_000, index)
            index += 1
        yield from walk(start_ns=index * 100_000_000)

    home.run(lambda: ScriptedCamera(footage()), answer=answer, watch=Told)
    assert {body.mode for body in home.incidents()} == {Mode.HOME}
    assert all(body.verdict != Verdict.THREAT for body in home.incidents())


def test_no_pixel_under_a_mask_that_was_commanded_is_in_anything_that_is_sealed(home: Home) -> None:
    """Red stripes run in the upper left corner; whoever walks there is seen in front of black."""
    masking = Masking(home)

    def red(frame: Frame) -> Frame:
        stripes = (np.arange(80) + 3 * frame.index) // 8 % 2 == 1
        frame.y[:54, :80] = np.where(stripes, 120, 60)
        frame.v[:27, :40] = 230
        return frame

    def footage() -> Iterator[Frame]:
        index = 0
        while not masking.taken.wait(0.01):
            yield grey_frame(np.full((90, 160), 60, np.uint8), index * 100_000_000, index)
            index += 1
        yield from map(red, walk(start_ns=index * 100_000_000))

    home.run(lambda: ScriptedCamera(footage()), answer=masking.answer, watch=masking.watch)
    (told,) = [schema.decode(one.body, AnswerBody) for one in home.events() if one.kind == EventType.ANSWER]
    assert (told.outcome, told.detail) == (Outcome.DONE, "1 mask is in force")
    pictures = [body.thumbnail for body in home.incidents() if body.thumbnail is not None]
    assert pictures
    for picture in pictures:
        image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        blue, _, reddish = (image[:, :, channel].astype(int) for channel in range(3))
        assert int(np.abs(reddish - blue).max()) < 30
    again = Scene(home.folder / "scene", home.keys.camera.wrapping, SceneSettings(), ArmMode.HOME, lambda: None)
    assert len(again.place.masks) == 1, "and after a restart it is there still"


def test_a_schedule_that_was_commanded_arms_at_once_and_says_so(home: Home) -> None:
    home.now_ns = 1_795_386_600 * 10**9
    taken = threading.Event()
    sent: list[bytes] = []

    class Taken(Watch):
        def set_mode(self, mode: ArmMode, *, scheduled: bool = False, expected: bool = False) -> None:
            super().set_mode(mode, scheduled=scheduled, expected=expected)
            taken.set()

    def answer(opened: Opened) -> Sequence[bytes]:
        if opened.kind != EventType.BEAT or sent:
            return ()
        always = ScheduleEntry(days=127, from_minute=0, to_minute=1440, mode=Mode.NIGHT)
        nonce = schema.decode(opened.body, BeatBody).nonce
        sent.append(home.command(CommandType.SCHEDULE, ScheduleWish(entries=(always,), zone="UTC"), nonce, 1))
        return sent

    def footage() -> Iterator[Frame]:
        index = 0
        while not taken.wait(0.01):
            yield grey_frame(np.full((90, 160), 60, np.uint8), index * 100_000_000, index)
            index += 1
        yield from walk(start_ns=index * 100_000_000)

    home.run(lambda: ScriptedCamera(footage()), answer=answer, watch=Taken, mode=ArmMode.HOME)
    assert {body.mode for body in home.incidents()} == {Mode.NIGHT}
    assert any("armed night by the schedule" in body.reasons for body in home.incidents())
    (told,) = [schema.decode(one.body, AnswerBody) for one in home.events() if one.kind == EventType.ANSWER]
    assert (told.outcome, told.detail) == (Outcome.DONE, "the schedule is in force: armed night now")
    beats = [schema.decode(one.body, BeatBody) for one in home.opened if one.kind == EventType.BEAT]
    assert not beats[0].scheduled
    assert (beats[-1].mode, beats[-1].scheduled) == (Mode.NIGHT, True)
    assert all(one.storage is not None and one.storage.clips_most_mib == 4096 for one in beats)


class _Sources:
    """Opens endless footage of someone who walks, and says when each source was opened, read and closed."""

    def __init__(self) -> None:
        self.opened = self.closed = self.frames = 0
        self.finish = threading.Event()

    def __call__(self) -> Camera:
        self.opened += 1
        return _Source(self)

    @property
    def running(self) -> int:
        return self.opened - self.closed


class _Source(ScriptedCamera):
    def __init__(self, sources: _Sources) -> None:
        super().__init__(self._walking())
        self._sources = sources

    def _walking(self) -> Iterator[Frame]:
        while not self._sources.finish.wait(0.005):
            index = self._sources.frames = self._sources.frames + 1
            y = np.full((90, 160), 60, np.uint8)
            left = 2 * (index % 60)
            y[20:70, left : left + 20] = 230
            yield grey_frame(y, index * 100_000_000, index)

    def close(self) -> None:
        super().close()
        self._sources.closed += 1


def test_privacy_closes_the_camera_and_says_so_until_it_is_over(home: Home) -> None:
    sources, light, said = _Sources(), FakeLight(), []
    steps: list[int] = []

    class Counted(Watch):
        def step(self, frame: Frame, pir_ns: int | None = None) -> tuple[Report, ...]:
            assert sources.running == 1
            steps.append(frame.index)
            return super().step(frame, pir_ns)

    def answer(opened: Opened) -> Sequence[bytes]:
        if opened.kind == EventType.PRIVACY and not schema.decode(opened.body, PrivacyBody).on:
            sources.finish.set()
        if opened.kind != EventType.BEAT:
            return ()
        beat = schema.decode(opened.body, BeatBody)
        said.append((beat.privacy, sources.running, light.shine, len(steps)))
        match len(said), beat.privacy:
            case 1, False:
                return (home.command(CommandType.PRIVACY, PrivacyWish(on=True), beat.nonce, 1),)
            case 2, True:
                return (home.command(CommandType.PRIVACY, PrivacyWish(on=False), beat.nonce, 2),)
        return ()

    code, _ = home.run(sources, mode=ArmMode.HOME, answer=answer, watch=Counted, light=light)
    assert code == 0
    assert sources.running == 0
    assert [one[:3] for one in said[1:2]] == [(True, 0, Shine.OFF)]
    entries = [schema.decode(one.body, PrivacyBody) for one in home.events() if one.kind == EventType.PRIVACY]
    assert [(one.on, one.cause) for one in entries] == [(True, Cause.COMMAND), (False, Cause.COMMAND)]
    answers = [schema.decode(one.body, AnswerBody) for one in home.events() if one.kind == EventType.ANSWER]
    assert [(one.number, one.outcome) for one in answers] == [(1, Outcome.DONE), (2, Outcome.DONE)]


def test_a_clip_that_a_power_cut_left_open_is_told_at_the_next_start(home: Home) -> None:
    at = Stamp(boot=bytes(16), boot_ns=1, wall_ns=1, quality=ClockQuality.UNKNOWN)
    info = ClipInfo(incident=bytes(8), at=at, media="video/mp4", part=0)
    keys = home.keys.camera
    seal = Seal(keys.signer, keys.epoch, keys.recipients(), 1, Term())
    prepared = ClipFolder(home.folder / "clips").prepare(seal, info)
    recording = prepared.queued()
    recording.write(bytes(3 * 65536 + 5))
    recording.abandon()
    home.run(lambda: ScriptedCamera(walk(3)))
    first, second = home.events()[:2]
    told = schema.decode(first.body, ClipBody)
    assert (told.clip, told.state, told.chunks, told.size) == (
        prepared.key.clip,
        ClipState.INTERRUPTED,
        3,
        3 * 65536,
    )
    assert second.kind == EventType.HEALTH
    home.run(lambda: ScriptedCamera(walk(3)))
    assert [one.kind for one in home.events()].count(EventType.CLIP) == 1


class _Felt:
    """A motion sensor that has felt something while privacy was on."""

    def __init__(self) -> None:
        self._edge: int | None = 7

    counts = PirCounts()

    def take(self) -> int | None:
        edge, self._edge = self._edge, None
        return edge

    def close(self) -> None:
        pass


def test_an_eye_that_starts_in_privacy_opens_no_camera_and_forgets_what_its_sensor_felt(home: Home) -> None:
    Privacy(home.folder / "privacy").switch(on=True)
    sources = _Sources()

    class Unmoved(Watch):
        def step(self, frame: Frame, pir_ns: int | None = None) -> tuple[Report, ...]:
            assert pir_ns is None
            return super().step(frame, pir_ns)

    def answer(opened: Opened) -> Sequence[bytes]:
        if opened.kind != EventType.BEAT:
            return ()
        beat = schema.decode(opened.body, BeatBody)
        if beat.privacy:
            assert sources.opened == 0
            return (home.command(CommandType.PRIVACY, PrivacyWish(on=False), beat.nonce, 1),)
        sources.finish.set()
        return ()

    code, _ = home.run(sources, answer=answer, watch=Unmoved, sensor=_Felt())
    assert code == 0
    assert sources.opened == 1
    started = schema.decode(home.events()[0].body, HealthBody)
    assert (started.code, started.detail) == ("started", "privacy is on: nothing is seen")


def test_a_camera_that_fails_at_once_ends_the_eye_with_one_line(
    home: Home, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    lost = HardwareError("the camera is gone", "check its cable")
    code, _ = home.run(lambda: ScriptedCamera(walk(3), lost))
    assert code == 1
    said = capfd.readouterr().err
    assert "sealcam: error: the camera is gone" in said
    assert "hint: check its cable" in said


def test_a_recording_that_breaks_off_delivers_what_it_held_before_the_error_is_told(
    home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    code, eye = home.run(lambda: ScriptedCamera(walk(30), ClipError("the clip is cut short", "copy it again")))
    assert code == 1
    assert eye.incidents == 1
    assert home.left == 0
    assert [body.stage for body in home.incidents()].count(Stage.END) == 1
    assert "sealcam: error: the clip is cut short" in capfd.readouterr().err
