"""`[camera.sensor]`: how far a Raspberry Pi's or Jetson's camera may go in the dark, and against the light.

What of it a camera takes is `board.picamera_controls`' and `board.jetson_pipeline`'s. See design/wiring.md, infrared.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sealcam.wire.errors import ConfigError

NIGHT_GAIN = 6.0  # `sight.daynight.DARK_GAIN`; the post reads this file, too, and loads nothing of sight
LEAST_GAIN, MOST_GAIN = NIGHT_GAIN + 1, 64.0
LEAST_EXPOSURE_MS, MOST_EXPOSURE_MS = 20.0, 500.0


class Hdr(StrEnum):
    """How bright and dark parts are shown in one picture; not every board and sensor can."""

    OFF = "off"
    SINGLE = "single"
    """Several pictures of one, short exposure are laid over each other."""
    MULTI = "multi"
    """Short and long exposures are merged."""
    NIGHT = "night"
    """Several pictures are merged into one with less noise."""


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """Limits of the camera's own exposure, which 0 leaves as they are.

    Raises:
        ConfigError: a limit that no camera should have.
    """

    most_exposure_ms: float = 0.0
    """The longest exposure; otherwise the time between two pictures at `fps`. A short one blurs less who walks at
    night, and is noisier; one that is longer than that time makes pictures rarer in the dark."""
    most_gain: float = 0.0
    """The most by which the sensor amplifies; otherwise what its tuning allows. Less is darker, and less noisy."""
    hdr: Hdr = Hdr.OFF
    """High dynamic range, where board and sensor have it."""

    def __post_init__(self) -> None:
        if self.most_exposure_ms and not LEAST_EXPOSURE_MS <= self.most_exposure_ms <= MOST_EXPOSURE_MS:
            limits = f"lie between {LEAST_EXPOSURE_MS:g} and {MOST_EXPOSURE_MS:g}"
            raise ConfigError(f"most_exposure_ms must be 0 or {limits}, not {self.most_exposure_ms:g}")
        if self.most_gain and not LEAST_GAIN <= self.most_gain <= MOST_GAIN:
            limits = f"lie between {LEAST_GAIN:g} and {MOST_GAIN:g}"
            hint = f"night begins at a gain above {NIGHT_GAIN:g}: with less it would never come"
            raise ConfigError(f"most_gain must be 0 or {limits}, not {self.most_gain:g}", hint)


NO_LIMITS = SensorSettings()
