"""An eye that is looked at: sight goes on as if nobody did, the light blinks, what is masked or private stays so."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

from sealcam.board.encoder import X264Encoder
from sealcam.board.led import FakeLight
from sealcam.board.protocols import Camera, Frame, Shine
from sealcam.board.replay import ReplayCamera
from sealcam.board.scripted import ScriptedCamera, grey_frame
from sealcam.config import ModelSettings
from sealcam.eyesight import open_detector
from sealcam.messages import Carry, Way
from sealcam.privacy import Privacy
from sealcam.sight.types import ArmMode, Report
from sealcam.sight.watch import Watch
from sealcam.taping import Kit
from sealcam.wire import schema
from sealcam.wire.bodies import (
    AnswerBody,
    BeatBody,
    ClockQuality,
    EventType,
    HealthBody,
    IncidentBody,
    Outcome,
    Stamp,
)
from sealcam.wire.envelope import Opened
from sealcam.wire.wishes import CommandType, LiveWish, PrivacyWish
from tests import footage
from tests.claimed import household
from tests.eye_home import Home, Masking, walk
from tests.livecam import SESSION, Looker
from tests.recording import SETTINGS

KIT = Kit(SETTINGS, partial(X264Encoder, fps=15, bytes_per_s=100_000), "the yard", most_frames=1 << 20)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, household(tmp_path))


class Looking:
    """A hub that asks for a live view at the first beat, and looks at it; `begun` and `over` when it says so."""

    def __init__(self, home: Home, seconds: int = 3600) -> None:
        self._home, self._seconds = home, seconds
        self.looker = Looker(SESSION, [home.keys.camera.signer.public], [home.keys.prekey])
        self.begun, self.over = threading.Event(), threading.Event()
        self._asked = False

    def carry(self, item: Carry) -> Sequence[bytes]:
        assert (item.way, item.id) == (Way.LIVE, SESSION)
        self.looker.hear(item.payload)
        return ()

    def answer(self, opened: Opened) -> Sequence[bytes]:
        if opened.kind == EventType.HEALTH:
            code = schema.decode(opened.body, HealthBody).code
            self.begun.set() if code == "live-began" else None
            self.over.set() if code == "live-ended" else None
        if opened.kind != EventType.BEAT or self._asked:
            return ()
        self._asked = True
        return (self.ask(schema.decode(opened.body, BeatBody).nonce, 1),)

    def ask(self, nonce: bytes, number: int, seconds: int | None = None) -> bytes:
        wish = LiveWish(session=SESSION, seconds=self._seconds if seconds is None else seconds)
        return self._home.command(CommandType.LIVE, wish, nonce, number)


def waited_for(event: threading.Event, camera: Callable[[], Camera]) -> Callable[[], Camera]:
    """A source that opens once that has happened."""

    def opened() -> Camera:
        assert event.wait(30)
        return camera()

    return opened


def codes(home: Home) -> list[str]:
    return [schema.decode(one.body, HealthBody).code for one in home.events() if one.kind == EventType.HEALTH]


class Noted(Watch):
    """Sight that notes at which frame it said what."""

    said: list[tuple[int, Report]]

    def step(self, frame: Frame, pir_ns: int | None = None) -> tuple[Report, ...]:
        reports = super().step(frame, pir_ns)
        self.said += [(frame.index, replace(one, picture=None)) for one in reports]
        return reports


def noting() -> tuple[type[Noted], list[tuple[int, Report]]]:
    found: list[tuple[int, Report]] = []

    class Here(Noted):
        said = found

    return Here, found


def sealed(home: Home) -> list[IncidentBody]:
    """What was sealed of incidents, without its stamps: two runs are two boots."""
    nowhen = Stamp(boot=bytes(16), boot_ns=0, wall_ns=0, quality=ClockQuality.UNKNOWN)
    return [replace(one, at=nowhen) for one in home.incidents()]


@pytest.mark.parametrize("recorded", [False, True], ids=["live alone", "while it records"])
def test_an_intruder_is_told_at_the_same_frame_with_the_same_words_whether_somebody_looks_or_not(
    tmp_path: Path, recorded: bool
) -> None:
    """Real people, the real model; every frame reaches sight, and every report leaves at the frame it belongs to."""
    clip = footage.vtest_cut(tmp_path / "walkers.avi", 5)
    runs = []
    for looked_at in (False, True):
        folder = tmp_path / str(looked_at)
        folder.mkdir()
        home = Home(folder, household(folder))
        looking, (watch, said) = Looking(home), noting()
        camera = partial(ReplayCamera, clip)
        code, eye = home.run(
            waited_for(looking.begun, camera) if looked_at else camera,
            watch=watch,
            panel=open_detector(ModelSettings(second="off", tiles=False)),
            answer=looking.answer if looked_at else lambda _: (),
            recording=KIT if recorded else None,
            showing=KIT,
            carry=looking.carry,
        )
        assert code == 0
        assert home.left == 0
        runs.append((said, eye._watching.frames, eye._watching.dropped, home, looking))
    (alone, *seen_alone, _, _), (shown, *seen_shown, home, looking) = runs
    assert shown == alone
    assert len({report.incident for _, report in shown}) >= 1
    assert seen_shown == seen_alone == [50, 0]
    if not recorded:  # else a clip's key goes along, and is another each time
        assert sealed(home) == sealed(runs[0][3])
    pictures = looking.looker.pictures
    assert len(pictures) >= 20, "a link that is a test's may be slower than a file is read"
    assert looking.looker.ended
    assert codes(home)[:2] == ["live-began", "started"] or codes(home)[:2] == ["started", "live-began"]
    assert codes(home)[-1] == "live-ended"


def endless(until: threading.Event, paint: Callable[[Frame], Frame] = lambda frame: frame) -> Iterator[Frame]:
    """An empty scene, ten times a second of its own time, until that has happened and for three frames more."""
    index = more = 0
    while more < 3:
        more += until.wait(0.01)
        yield paint(grey_frame(np.full((90, 160), 60, np.uint8), index * 100_000_000, index))
        index += 1


def test_the_light_blinks_and_the_camera_says_so_while_somebody_looks(home: Home) -> None:
    looking, light = Looking(home, seconds=1), FakeLight()
    code, _ = home.run(
        lambda: ScriptedCamera(endless(looking.over)),
        answer=looking.answer,
        light=light,
        showing=KIT,
        carry=looking.carry,
    )
    assert code == 0
    steady = [one for one in light.told if one is not Shine.OFF]
    assert steady in ([Shine.STEADY, Shine.BLINKING, Shine.STEADY], [Shine.BLINKING, Shine.STEADY])
    assert light.told[-1] is Shine.OFF
    assert codes(home) == ["started", "live-began", "live-ended"]
    (told,) = [schema.decode(one.body, AnswerBody) for one in home.events() if one.kind == EventType.ANSWER]
    assert (told.outcome, told.detail) == (Outcome.DONE, "the picture is shown live for 1 s")
    assert looking.looker.ended
    assert looking.looker.played_ms() == looking.looker.seen_ms


def test_a_camera_without_an_encoder_says_that_it_has_no_live_view(home: Home) -> None:
    looking, answered = Looking(home), threading.Event()

    def answer(opened: Opened) -> Sequence[bytes]:
        answered.set() if opened.kind == EventType.ANSWER else None
        return looking.answer(opened)

    home.run(lambda: ScriptedCamera(endless(answered)), answer=answer)
    (told,) = [schema.decode(one.body, AnswerBody) for one in home.events() if one.kind == EventType.ANSWER]
    assert told.outcome is Outcome.UNSUPPORTED


def test_privacy_ends_the_view_and_another_is_refused_with_words(home: Home) -> None:
    looking, light, finish = Looking(home), FakeLight(), threading.Event()
    beats: list[BeatBody] = []

    def answer(opened: Opened) -> Sequence[bytes]:
        if opened.kind == EventType.ANSWER and schema.decode(opened.body, AnswerBody).number == 3:
            Privacy(home.folder / "privacy").switch(on=False)
            finish.set()
            return (home.command(CommandType.PRIVACY, PrivacyWish(on=False), beats[-1].nonce, 4),)
        if opened.kind != EventType.BEAT:
            return looking.answer(opened)
        beats.append(beat := schema.decode(opened.body, BeatBody))
        if beat.privacy:
            return (looking.ask(beat.nonce, 3),)
        if len(beats) == 1:
            return (*looking.answer(opened), home.command(CommandType.PRIVACY, PrivacyWish(on=True), beat.nonce, 2))
        return ()

    code, _ = home.run(
        lambda: ScriptedCamera(endless(finish)),
        answer=answer,
        light=light,
        showing=KIT,
        carry=looking.carry,
        mode=ArmMode.HOME,
    )
    assert code == 0
    told = [schema.decode(one.body, AnswerBody) for one in home.events() if one.kind == EventType.ANSWER]
    said = {one.number: (one.outcome, one.detail) for one in told}
    assert said[3] == (Outcome.FAILED, "privacy is on: nothing is seen")
    ended = [schema.decode(one.body, HealthBody) for one in home.events() if one.kind == EventType.HEALTH]
    assert next(one.detail for one in ended if one.code == "live-ended").startswith("privacy is on")
    assert Shine.BLINKING not in light.told[light.told.index(Shine.OFF) :]


def test_what_is_masked_while_somebody_looks_is_black_for_whoever_looks(home: Home) -> None:
    looking, masking, asked = Looking(home), Masking(home), threading.Event()

    def red(frame: Frame) -> Frame:
        frame.v[:27, :40] = 230
        return frame

    def footage_of_two_scenes() -> Iterator[Frame]:
        last = 0
        for frame in endless(masking.taken, red):
            last = frame.index + 1
            yield frame
        for frame in walk(40, start_ns=last * 100_000_000):
            yield red(replace(frame, index=last + frame.index))

    nonces: list[bytes] = []

    def answer(opened: Opened) -> Sequence[bytes]:
        if opened.kind == EventType.BEAT:
            nonces.append(schema.decode(opened.body, BeatBody).nonce)
        return looking.answer(opened)

    def carry(item: Carry) -> Sequence[bytes]:
        looking.carry(item)
        if len(looking.looker.pictures) != 4 or asked.is_set():
            return ()
        asked.set()
        return (home.command(CommandType.MASKS, Masking.WISH, nonces[0], 2),)

    home.run(
        lambda: ScriptedCamera(footage_of_two_scenes()),
        answer=answer,
        watch=masking.watch,
        showing=KIT,
        carry=carry,
    )
    shown = _red(looking.looker)
    assert True in shown, "before, it was seen"
    assert shown[-5:] == [False] * 5
    assert shown == sorted(shown, reverse=True), "and from some picture on no more"


def _red(looker: Looker) -> list[bool]:
    """Whether anything red is in each picture that was shown."""
    found = []
    stream = [part.data for part in looker.parts]
    whole = b"".join(data for at, data in enumerate(stream) if data not in stream[:at])  # one beginning
    with av.open(io.BytesIO(whole), format="mp4") as container:
        for one in container.decode(video=0):
            image = one.to_ndarray(format="rgb24").astype(int)
            found.append(bool((image[:, :, 0] - image[:, :, 2]).max() > 60))
    return found
