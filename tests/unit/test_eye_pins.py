"""The whole eye with a button, a shutter and an infrared lamp: what the hub hears, and what is left of the camera."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sealcam.board.button import SimulatedButton
from sealcam.board.infrared import FakeInfrared
from sealcam.board.led import FakeLight
from sealcam.board.protocols import Exposure, Frame, Shine
from sealcam.board.scripted import ScriptedCamera
from sealcam.board.shutter import FakeShutter
from sealcam.clocks import SimulatedClock
from sealcam.pin_settings import Unusable
from sealcam.privacy import Privacy
from sealcam.sight.types import ArmMode
from sealcam.sight.watch import Watch
from sealcam.wire import schema
from sealcam.wire.bodies import Cause, EventType, HealthBody, PrivacyBody
from sealcam.wire.envelope import Opened
from sealcam.wired import Wired
from tests.claimed import household
from tests.eye_home import Home, walk
from tests.waiting import eventually


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, household(tmp_path))


def health(home: Home) -> dict[str, str]:
    told = [schema.decode(one.body, HealthBody) for one in home.events() if one.kind == EventType.HEALTH]
    return {one.code: one.detail for one in told}


class Held(ScriptedCamera):
    """A camera that pauses behind its first picture until it is let go on."""

    def __init__(self, frames: Sequence[Frame], go_on: threading.Event) -> None:
        super().__init__(frames)
        self._go_on = go_on

    def frames(self) -> Iterator[Frame]:
        for index, frame in enumerate(super().frames()):
            if index == 1:
                assert self._go_on.wait(20)
            yield frame


def test_a_press_closes_the_camera_and_the_lens_and_another_opens_both(home: Home) -> None:
    clock, shutter, light, pressed = SimulatedClock(), FakeShutter(), FakeLight(), threading.Event()
    button = SimulatedButton(clock)
    opened: list[ScriptedCamera] = []

    def press() -> None:
        button.press()
        clock.advance(0.2)
        button.press(down=False)
        clock.advance(0.2)

    def camera() -> ScriptedCamera:
        opened.append(Held(walk(), pressed) if len(opened) == 0 else ScriptedCamera(walk()))
        if len(opened) == 1:
            press()
        return opened[-1]

    def once_private(told: Opened) -> Sequence[bytes]:
        if told.kind == EventType.PRIVACY and schema.decode(told.body, PrivacyBody).on:
            press()
        return ()

    privacy = Privacy(home.folder / "privacy")
    waiting = threading.Thread(target=lambda: _when_private(privacy, pressed))
    waiting.start()
    code, _ = home.run(
        camera,
        mode=ArmMode.HOME,
        answer=once_private,
        wired=Wired(button=button, shutter=shutter, light=light),
    )
    waiting.join(20)
    assert code == 0
    assert len(opened) == 2
    told = [schema.decode(one.body, PrivacyBody) for one in home.events() if one.kind == EventType.PRIVACY]
    assert [(one.on, one.cause) for one in told] == [(True, Cause.BUTTON), (False, Cause.BUTTON)]
    assert shutter.told == [False, True, False]
    assert light.told == [Shine.STEADY, Shine.OFF, Shine.STEADY, Shine.OFF]


def _when_private(privacy: Privacy, pressed: threading.Event) -> None:
    """Let the camera go on once the file says that privacy is on."""
    path = privacy._path
    eventually(lambda: path.is_file() and path.read_bytes() == b"on\n", 20.0)
    pressed.set()


def test_ten_seconds_end_the_eye_for_a_reset_and_cover_the_lens(home: Home) -> None:
    clock, shutter, light = SimulatedClock(), FakeShutter(), FakeLight()
    button, go_on = SimulatedButton(clock), threading.Event()

    def hold() -> None:
        eventually(lambda: shutter.told)
        button.press()
        eventually(lambda: not button.idle)
        clock.advance(11)
        button.stirred.set()
        eventually(lambda: Shine.RESETTING in light.told)
        go_on.set()

    waiting = threading.Thread(target=hold)
    waiting.start()
    code, eye = home.run(lambda: Held(walk(), go_on), wired=Wired(button=button, shutter=shutter, light=light))
    waiting.join(20)
    assert code == 0
    assert eye.reset
    assert shutter.told == [False, True]
    assert light.told[-1] is Shine.RESETTING


def test_what_cannot_be_used_is_told_and_the_camera_watches(home: Home) -> None:
    unusable = (Unusable(("pir",), "motion sensor: GPIO1 is reserved", "take another"),)
    home.run(lambda: ScriptedCamera(walk()), wired=Wired(unusable=unusable))
    assert health(home)["pin-unusable"] == "motion sensor: GPIO1 is reserved; take another"
    assert home.incidents()


def test_our_own_infrared_switch_is_no_motion(home: Home) -> None:
    """The picture turns as by night while the lamp goes on, frame by frame, and nobody is there."""
    switched: list[int] = []

    class Muted(Watch):
        def switched_ir(self, t_ns: int) -> None:
            switched.append(t_ns)
            super().switched_ir(t_ns)

    infrared = FakeInfrared()
    dark = [replace(frame, exposure=Exposure(0.5, 12.0)) for frame in walk(90)[:5] * 20]
    frames = [replace(frame, t_ns=index * 100_000_000, index=index) for index, frame in enumerate(dark)]
    home.run(lambda: ScriptedCamera(frames), watch=Muted, wired=Wired(infrared=infrared))
    assert infrared.told == [False, True, False]
    assert switched == [5_000_000_000]
