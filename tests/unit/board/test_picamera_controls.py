"""What is asked of a Raspberry Pi's camera, from the settings and what it offers; and settings that no camera has."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam import config
from sealcam.board.picamera_controls import controls_for, refused, timing
from sealcam.sensor_settings import LEAST_GAIN, NIGHT_GAIN, NO_LIMITS, Hdr, SensorSettings
from sealcam.sight.daynight import DARK_GAIN
from sealcam.wire.errors import ConfigError

ALL = dict.fromkeys(("FrameDurationLimits", "AeExposureMode", "AnalogueGain", "AfMode", "HdrMode", "AeEnable"))


def test_only_what_a_camera_offers_is_set() -> None:
    assert controls_for({}, 10, SensorSettings(300.0, 8.0, Hdr.NIGHT)) == {}
    rate = {"FrameDurationLimits": (100_000, 100_000)}
    assert controls_for({"FrameDurationLimits": (), "AeEnable": ()}, 10, NO_LIMITS) == rate
    assert controls_for({"FrameDurationLimits": (), "AfMode": ()}, 20, NO_LIMITS) == {
        "FrameDurationLimits": (50_000, 50_000),
        "AfMode": 2,
    }


def test_nothing_but_rate_and_lens_is_touched_unless_somebody_asked() -> None:
    assert controls_for(ALL, 10, NO_LIMITS).keys() == {"FrameDurationLimits", "AfMode"}
    assert refused({}, NO_LIMITS) == ()


@pytest.mark.parametrize(("hdr", "number"), [(Hdr.MULTI, 2), (Hdr.SINGLE, 3), (Hdr.NIGHT, 4)])
def test_hdr_is_asked_for_by_libcameras_numbers(hdr: Hdr, number: int) -> None:
    assert controls_for(ALL, 10, SensorSettings(hdr=hdr))["HdrMode"] == number


@pytest.mark.parametrize(
    ("exposure_ms", "limits", "mode"),
    [
        (250.0, (100_000, 250_000), 2),
        (100.0, (100_000, 100_000), None),
        (60.0, (50_000, 50_000), None),
        (40.0, (33_333, 33_333), None),
        (20.0, (20_000, 20_000), None),
    ],
)
def test_the_longest_exposure_bounds_how_long_a_picture_takes(
    exposure_ms: float, limits: tuple[int, int], mode: int | None
) -> None:
    found = controls_for(ALL, 10, SensorSettings(most_exposure_ms=exposure_ms))
    assert found["FrameDurationLimits"] == limits
    assert found.get("AeExposureMode") == mode


@given(st.integers(1, 60), st.just(0.0) | st.floats(20.0, 500.0))
def test_no_exposure_is_longer_than_allowed_and_the_rate_by_day_is_the_one_asked_for(fps: int, most_ms: float) -> None:
    found = timing(fps, SensorSettings(most_exposure_ms=most_ms))
    frame_us = 1_000_000 / fps
    if most_ms:
        assert found.longest_us <= max(1000 * most_ms, frame_us) + 1
        assert found.picture_us <= 1000 * most_ms + 1 or found.picture_us == round(frame_us)
    times = round(frame_us / found.picture_us)
    assert (times - 1) * found.picture_us * 1000 <= found.soon_ns < times * found.picture_us * 1000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("most_exposure_ms = 5", "most_exposure_ms must be 0 or lie between 20 and 500, not 5"),
        ("most_exposure_ms = 2000", "most_exposure_ms must be 0 or lie between 20 and 500, not 2000"),
        ("most_gain = 4", "most_gain must be 0 or lie between 7 and 64, not 4"),
        ("most_gain = nan", "most_gain must be 0 or lie between 7 and 64, not nan"),
        ('hdr = "on"', "camera.sensor.hdr"),
        ("gain = 8", "unknown key camera.sensor.gain"),
    ],
)
def test_a_limit_that_no_camera_should_have_is_one_clear_error(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "sealcam.toml"
    path.write_text(f"[camera.sensor]\n{text}\n")
    with pytest.raises(ConfigError, match=r"camera\.sensor") as caught:
        config.load(path)
    assert words in caught.value.message


def test_limits_are_read(tmp_path: Path) -> None:
    path = tmp_path / "sealcam.toml"
    path.write_text('[camera]\nsource = "pi"\n[camera.sensor]\nmost_exposure_ms = 40\nmost_gain = 12\nhdr = "night"\n')
    assert config.load(path).camera.sensor == SensorSettings(40.0, 12.0, Hdr.NIGHT)


def test_the_least_limit_of_gain_lets_night_come() -> None:
    assert NIGHT_GAIN == DARK_GAIN < LEAST_GAIN
