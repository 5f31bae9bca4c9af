"""A stalled and a frozen camera have left the board as `camera-lost` within ten seconds, with every time as it ships.

From the last living picture to the envelope that goes to the post: by a simulated clock, and with the outbox, the
sealer and the pace that the eye has. That the eye takes these steps in this order is `test_recovery`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from sealcam.board.fake_picamera2 import FakePicamera2, FakeRequest
from sealcam.board.newest import STALL_S
from sealcam.board.picamera import PiCamera
from sealcam.board.protocols import Camera, Frame
from sealcam.board.scripted import ScriptedCamera, grey_frame
from sealcam.clocks import SimulatedClock
from sealcam.pace import InstantPace
from sealcam.recovery import Recovering, Recovery
from sealcam.sight.types import ArmMode
from sealcam.standstill import FROZEN_S, LiveCamera
from sealcam.wire import schema
from sealcam.wire.bodies import EventType, HealthBody
from sealcam.wire.errors import HardwareError
from tests.unit.test_sealer import Room

WITHIN_S = 10.0
SCENE = np.tile(np.arange(96, dtype=np.uint8), (64, 1))


class Stalling(FakePicamera2):
    """Gives so many pictures, ten a second, and then none; whoever waits for one lets the time pass."""

    def __init__(self, clock: SimulatedClock, pictures: int) -> None:
        super().__init__(stride=96)
        self._simulated, self._left = clock, pictures

    def wait(self, job: object, timeout: float) -> FakeRequest:
        """The next picture, or TimeoutError."""
        if not self._left:
            self._simulated.advance(timeout)
            raise TimeoutError
        self._left -= 1
        self._simulated.advance(0.1)
        chroma = np.full(64 * 96 // 2, 128, np.uint8)
        self.push(np.concatenate((SCENE.ravel(), chroma)), {"SensorTimestamp": self._simulated.boot_ns()})
        return super().wait(job, timeout)


def stalled(clock: SimulatedClock) -> Camera:
    """A Raspberry Pi camera that stalls after three pictures."""
    return PiCamera((192, 128), (96, 64), 10, clock=clock, open_camera=lambda: Stalling(clock, 3))


class Ticking(ScriptedCamera):
    """Ten pictures a second of a simulated clock."""

    def __init__(self, clock: SimulatedClock, pictures: list[np.ndarray]) -> None:
        super().__init__(grey_frame(picture, 0, index) for index, picture in enumerate(pictures))
        self._simulated = clock

    def frames(self) -> Iterator[Frame]:
        """The script's, each a tenth of a second after the last one."""
        for frame in super().frames():
            self._simulated.advance(0.1)
            yield frame


def frozen(clock: SimulatedClock) -> Camera:
    """A sensor that gives the third of its pictures for ever."""
    return Ticking(clock, [np.roll(SCENE, min(index, 2), axis=1) for index in range(300)])


def lost(camera: Camera, clock: SimulatedClock) -> tuple[str, float]:
    """How the camera ends, and how many seconds after the third picture, the last that lives."""
    frames = LiveCamera(camera, clock).frames()
    assert len([next(frames) for _ in range(3)]) == 3
    last_ns = clock.boot_ns()
    with pytest.raises(HardwareError) as caught:
        list(frames)
    camera.close()
    return caught.value.message, (clock.boot_ns() - last_ns) / 1e9


def seconds_until_told(room: Room, why: str, mode: ArmMode) -> float:
    """How long after the loss its word goes to the post, on a link that is up and idle."""
    pace, lost_ns = InstantPace(room.outbox, room.sealer.beat), room.clock.boot_ns()
    pace.resumed(lost_ns)
    Recovery(Recovering(), room.sealer, room.clock).lost(why, mode)
    while (room.clock.boot_ns() - lost_ns) / 1e9 <= WITHIN_S:
        parcel = pace.take(room.clock.boot_ns())
        if parcel is None:
            room.clock.advance(0.1)
            continue
        opened = room.home.open(parcel.envelope)
        if opened.kind == EventType.HEALTH:
            said = schema.decode(opened.body, HealthBody)
            assert said.code == "camera-lost"
            assert said.detail == f"{why}; it is opened again"
            return (room.clock.boot_ns() - lost_ns) / 1e9
    raise AssertionError("it wasn't told")


@pytest.mark.parametrize("mode", [ArmMode.OFF, ArmMode.AWAY])
@pytest.mark.parametrize(
    ("broken", "after_s", "words"),
    [
        (stalled, STALL_S, "the camera gave no frame for 2 s"),
        (frozen, FROZEN_S, "the camera gave one and the same picture for 7 s"),
    ],
)
def test_a_camera_that_stalls_or_freezes_has_been_told_within_ten_seconds(
    tmp_path: Path, mode: ArmMode, broken: Callable[[SimulatedClock], Camera], after_s: float, words: str
) -> None:
    room = Room(tmp_path)
    why, lost_s = lost(broken(room.clock), room.clock)
    assert why == words
    assert lost_s == pytest.approx(after_s, abs=0.11)
    assert lost_s + seconds_until_told(room, why, mode) < WITHIN_S
    room.outbox.close()
