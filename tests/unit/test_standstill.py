"""A standstill: one and the same picture for ever is told by its bytes, whatever its times say."""

from __future__ import annotations

import numpy as np
import pytest

from sealcam.board.protocols import Camera, Frame
from sealcam.board.scripted import ScriptedCamera, grey_frame
from sealcam.clocks import SimulatedClock
from sealcam.standstill import FROZEN_S, LiveCamera, Standstill
from sealcam.wire.errors import ClipError, HardwareError

SECOND = 1_000_000_000
SCENE = np.tile(np.arange(160, dtype=np.uint8), (90, 1))


def first_told_s(pictures: list[np.ndarray], per_s: int = 10) -> float | None:
    standstill = Standstill()
    for index, picture in enumerate(pictures):
        if standstill.step(picture, index * SECOND // per_s):
            return index / per_s
    return None


def test_a_sensor_that_repeats_its_first_picture_is_told_within_ten_seconds() -> None:
    told_s = first_told_s([SCENE] * 200)
    assert told_s == FROZEN_S
    assert FROZEN_S < 10


def test_noise_in_a_single_pixel_of_a_compared_row_is_life() -> None:
    pictures = []
    for index in range(300):
        picture = SCENE.copy()
        picture[0, index % 160] ^= 1
        pictures.append(picture)
    assert first_told_s(pictures) is None


def test_a_covered_lens_at_night_may_repeat() -> None:
    assert first_told_s([np.full((90, 160), 16, np.uint8)] * 300) is None


def test_it_is_told_of_a_picture_that_froze_after_it_had_lived() -> None:
    living = [np.roll(SCENE, index, axis=1) for index in range(50)]
    assert first_told_s([*living, *[living[-1]] * 200]) == pytest.approx(4.9 + FROZEN_S)


def test_a_live_camera_that_stands_still_is_lost_and_another_error_stays_what_it_is() -> None:
    clock = SimulatedClock()

    def frozen() -> list[Frame]:
        return [grey_frame(SCENE, 7, 0) for _ in range(200)]  # not even its times go on

    class Slow(ScriptedCamera):
        def frames(self):  # type: ignore[no-untyped-def]
            for frame in super().frames():
                clock.advance(0.1)
                yield frame

    camera: Camera = LiveCamera(Slow(frozen()), clock)
    with pytest.raises(HardwareError, match="one and the same picture for 7 s"):
        list(camera.frames())
    other = LiveCamera(Slow([], ClipError("cut short")), clock)
    with pytest.raises(ClipError):
        list(other.frames())
    other.close()
    assert other.name == "script"
