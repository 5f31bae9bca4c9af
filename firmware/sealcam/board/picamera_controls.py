"""What is asked of a Raspberry Pi's camera, by what it offers; and what it says of the light. Pure.

Names and numbers are libcamera's (`control_ids_core.yaml`). Exposure is bounded by the time that a picture takes, since
libcamera has no other limit for it that can be set, and none at all for gain: `GainLimit` holds that fixed for a while.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealcam.board.protocols import Exposure
from sealcam.sensor_settings import Hdr, SensorSettings

_AF_CONTINUOUS = 2  # AfModeContinuous
_AE_LONG = 2  # ExposureLong: up to 120 ms where the usual mode ends at 66
_HDR_MODES = {Hdr.MULTI: 2, Hdr.SINGLE: 3, Hdr.NIGHT: 4}  # HdrModeMultiExposure, -SingleExposure, -Night
# A source that takes no rate gives more pictures than were asked for: one that comes sooner than in so much of the time
# between two is given back uncopied.
_SOON = 0.75
# A gain that is held fixed is let go of once exposure has come down to so much of the longest.
_RELEASE = 0.5
_ROUNDING = 1.02  # sensors know gain in steps
_AUTOMATIC = 0.0  # to picamera2 a gain of nothing is the camera's own again


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one picture of the sensor's takes, by day and at most, and how much later the next is one for us."""

    picture_us: int
    longest_us: int
    soon_ns: int


def timing(fps: int, sensor: SensorSettings) -> Timing:
    """A shorter exposure than a picture has time for takes a multiple of the rate, all but each n-th of which is given
    back; a longer one lets the rate fall in the dark."""
    frame_us, exposure_us = round(1_000_000 / fps), round(1000 * sensor.most_exposure_ms)
    times = math.ceil(frame_us / exposure_us) if exposure_us else 1
    picture_us = frame_us // times
    soon = max(_SOON, 1 - 0.5 / times)
    return Timing(picture_us, max(picture_us, exposure_us if times == 1 else 0), round(soon * 1000 * frame_us))


def controls_for(there: Mapping[str, object], fps: int, sensor: SensorSettings) -> dict[str, Any]:
    """What is set of what can be set here: the rate, which bounds the exposure at night too; HDR; and a lens that has a
    motor follows the scene."""
    time = timing(fps, sensor)
    wanted: dict[str, Any] = {"FrameDurationLimits": (time.picture_us, time.longest_us), "AfMode": _AF_CONTINUOUS}
    if time.longest_us > time.picture_us:
        wanted["AeExposureMode"] = _AE_LONG
    if sensor.hdr is not Hdr.OFF:
        wanted["HdrMode"] = _HDR_MODES[sensor.hdr]
    return {name: value for name, value in wanted.items() if name in there}


def refused(there: Mapping[str, object], sensor: SensorSettings) -> tuple[str, ...]:
    """What was asked for and can't be had of this camera, in words."""
    asked = (
        ("FrameDurationLimits", bool(sensor.most_exposure_ms), "most_exposure_ms"),
        ("AnalogueGain", bool(sensor.most_gain), "most_gain"),
        ("HdrMode", sensor.hdr is not Hdr.OFF, "hdr"),
    )
    return tuple(word for name, wanted, word in asked if wanted and name not in there)


class GainLimit:
    """Holds the analogue gain at its limit, where there is one, while the scene is too dark for less; exposure stays
    the camera's own."""

    def __init__(self, there: Mapping[str, object], fps: int, sensor: SensorSettings) -> None:
        limited = bool(sensor.most_gain) and "AnalogueGain" in there
        self._most = sensor.most_gain if limited else math.inf
        self._release_us = _RELEASE * timing(fps, sensor).longest_us
        self._held = False

    def take(self, metadata: Mapping[str, Any]) -> dict[str, Any] | None:
        """What to set now that a picture has come with this; most often nothing."""
        gain, exposure_us = metadata.get("AnalogueGain"), metadata.get("ExposureTime")
        if not self._held and gain is not None and gain > self._most * _ROUNDING:
            self._held = True
            return {"AnalogueGain": self._most}
        if self._held and exposure_us is not None and exposure_us < self._release_us:
            self._held = False
            return {"AnalogueGain": _AUTOMATIC}
        return None


def exposure_of(metadata: Mapping[str, Any]) -> Exposure | None:
    """What the sensor says of the light (libcamera: Lux, AnalogueGain, DigitalGain); none where it says nothing."""
    lux, analogue = metadata.get("Lux"), metadata.get("AnalogueGain")
    if lux is None and analogue is None:
        return None
    gain = None if analogue is None else float(analogue) * float(metadata.get("DigitalGain", 1.0))
    return Exposure(None if lux is None else float(lux), gain)
