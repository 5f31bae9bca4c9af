"""What a Jetson's camera is asked for, as GStreamer's text of a pipeline. Pure; who runs it is `gst_camera`.

Written against the properties of NVIDIA's `nvarguscamerasrc`; *not run on a board*, design/bringup.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sealcam.sensor_settings import Hdr, SensorSettings
from sealcam.wire.errors import ConfigError

PREFIX = "jetson"
# Sensors know no shorter exposure and no smaller gain than these; NVIDIA's own least ones.
_LEAST_EXPOSURE_NS, _LEAST_GAIN = 34_000, 1
_ANY_MODE = -1


@dataclass(frozen=True, slots=True)
class Asked:
    """A camera by its number (`sensor`), the size and rate of its pictures, and the limits of its exposure; `mode` is
    one of the sensor's own, otherwise NVIDIA's source takes the one that fits best."""

    sensor: int
    fps: int
    width_px: int = 1920
    height_px: int = 1080
    most_exposure_ms: float = 0.0
    most_gain: float = 0.0
    mode: int | None = None


# The pipeline's beginning, up to pictures in a form that a converter takes.
Source = Callable[[Asked], str]


def sensor_of(source: str) -> int | None:
    """Which of a Jetson's cameras `[camera] source` names (`jetson` is `jetson:0`); none where it names another kind.

    Raises:
        ConfigError: it names a Jetson's camera by anything but a number.
    """
    if source != PREFIX and not source.startswith(f"{PREFIX}:"):
        return None
    found = re.fullmatch(r"jetson(?::([0-9]{1,2}))?", source)
    if found is None:
        raise ConfigError(f"{source} names no camera", "a Jetson's are jetson:0, jetson:1 and so on")
    return int(found[1] or 0)


def asked(sensor: int, fps: int, limits: SensorSettings) -> Asked:
    """What is asked of camera `sensor` at so many pictures a second, within the owner's limits.

    An exposure has no more time than a picture: nothing makes pictures rarer here.
    """
    exposure_ms = min(limits.most_exposure_ms, 1000 / fps)
    return Asked(sensor, fps, most_exposure_ms=exposure_ms, most_gain=limits.most_gain)


def refused(limits: SensorSettings) -> tuple[str, ...]:
    """What the owner asked for and isn't to be had here, in words."""
    return () if limits.hdr is Hdr.OFF else ("hdr",)


def argus(camera: Asked) -> str:
    """NVIDIA's camera source; its pictures stay in the memory of its own units until they are converted."""
    mode = _ANY_MODE if camera.mode is None else camera.mode
    text = f"nvarguscamerasrc name=source sensor-id={camera.sensor} sensor-mode={mode}"
    if camera.most_exposure_ms:
        text += f' exposuretimerange="{_LEAST_EXPOSURE_NS} {round(1_000_000 * camera.most_exposure_ms)}"'
    if camera.most_gain:
        text += f' gainrange="{_LEAST_GAIN} {camera.most_gain:g}"'
    return f"{text} ! video/x-raw(memory:NVMM),format=NV12,{_size(camera)} ! nvvidconv"


def pipeline(source: Source, camera: Asked) -> str:
    """The whole text: pictures as NV12 in memory that can be read, one waiting at most, the newest always."""
    return (
        f"{source(camera)} ! video/x-raw,format=NV12,{_size(camera)}"
        " ! appsink name=pictures sync=false max-buffers=1 drop=true"
    )


def _size(camera: Asked) -> str:
    return f"width={camera.width_px},height={camera.height_px},framerate={camera.fps}/1"
