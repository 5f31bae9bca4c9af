"""One TOML file, one frozen value, validated once: `/etc/sealcam/sealcam.toml`, the same for eye and post.

An unknown key is an error that names the key, the file and the nearest known key. A missing file means the
defaults, except where the person named it. What each number of `[sight]` means stands with `SightSettings`.
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from sealcam.board_settings import BoardSettings
from sealcam.clip_settings import ClipSettings
from sealcam.pin_settings import PinSettings
from sealcam.scene_settings import SceneSettings
from sealcam.sensor_settings import SensorSettings
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode
from sealcam.wire.errors import ConfigError

DEFAULT_PATH = Path("/etc/sealcam/sealcam.toml")
Table = TypeVar("Table")
MOST_NAME_BYTES = 64  # a clip's sealed info has room for so many
_MOVED = {"camera.pir_pin": "pir under [pins]", "camera.led_pin": "led under [pins]"}


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """`[camera]`: where pictures come from."""

    source: str = "/dev/video0"
    """`pi`, `jetson:0`, a V4L2 device such as `/dev/video0`, or a recorded file, which plays in real time."""
    fps: int = 10
    """Pictures a second that a live camera is asked for."""
    repeat: bool = True
    """A recorded file begins again when it ends; otherwise the eye ends once everything is delivered."""
    name: str = ""
    """What the owner calls it: stands, sealed, in its clips."""
    reboot: bool = False
    """Whether the board is restarted for a camera that new processes don't bring back; `sealcam-reboot.path` must be
    enabled, too."""
    sensor: SensorSettings = field(default_factory=SensorSettings)
    """`[camera.sensor]`: how far a Raspberry Pi's or Jetson's camera may go in the dark; others take nothing of it."""

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 60:
            raise ConfigError(f"fps must lie between 1 and 60, not {self.fps}")
        if len(self.name.encode()) > MOST_NAME_BYTES or not self.name.isprintable():
            raise ConfigError(f"name has at most {MOST_NAME_BYTES} printable bytes", "such as: the front door")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """`[model]`: which detectors, and how many threads each may use."""

    name: str = "nanodet-g"
    """A name from the manifest of models; `make model` lists them."""
    first: str = "off"
    """A faster model that looks first, so that `name` looks only where that one leaves a doubt: `person-192` on the
    slowest boards. `off`: `name` looks each time."""
    second: str = "auto"
    """Another model that is asked where `name` leaves a doubt: a name, `off`, or `auto`: the default model's own, on
    boards with a gigabyte of memory or more."""
    second_hz: float = 2.0
    """How many further looks a second, of the second model and of tiles, may be spent over long."""
    tiles: bool = True
    """Look again, nearer, at what is small and moves."""
    threads: int = 1
    """More than one made inference slower on a busy board, not faster."""
    npu: str = "auto"
    """Which neural processor `name` runs on: the file of a TensorFlow Lite delegate, `off`, or `auto`, the first of
    the known ones that is here. It is tried first, and isn't used where it fails, gives other numbers than the
    processor, or is slower."""
    npu_options: str = ""
    """What the delegate's maker lets be set: `key:value; key:value`."""

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= 16:
            raise ConfigError(f"threads must lie between 1 and 16, not {self.threads}")
        if not 0 <= self.second_hz <= 30:
            raise ConfigError(f"second_hz must lie between 0 and 30, not {self.second_hz}")


class TrafficMode(StrEnum):
    """When the camera sends, and so what those learn who only see that it sends."""

    INSTANT = "instant"
    COVER = "cover"


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """`[outbox]`: what waits on the board for the hub, and how it goes there."""

    max_bytes: int = 64 << 20
    """Over this, the least urgent and oldest go, and the owner is told which."""
    traffic: TrafficMode = TrafficMode.INSTANT
    """`instant`: as things happen. `cover`: every two seconds something of one size, whatever happens."""

    def __post_init__(self) -> None:
        if self.max_bytes < 1 << 20:
            raise ConfigError(f"max_bytes must be at least {1 << 20} (1 MiB), not {self.max_bytes}")


@dataclass(frozen=True, slots=True)
class PathSettings:
    """`[paths]`: where state and the socket between eye and post are."""

    state: Path = Path("/var/lib/sealcam")
    """Holds `eye/` and `post/`, one for each process."""
    socket: Path = Path("/run/sealcam/eye.sock")
    """The eye listens here, the post connects."""


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration of one camera."""

    arm: ArmMode = ArmMode.AWAY
    """How watchful the camera is until the hub says otherwise."""
    camera: CameraSettings = field(default_factory=CameraSettings)
    board: BoardSettings = field(default_factory=BoardSettings)
    pins: PinSettings = field(default_factory=PinSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    sight: SightSettings = field(default_factory=SightSettings)
    scene: SceneSettings = field(default_factory=SceneSettings)
    clips: ClipSettings = field(default_factory=ClipSettings)
    outbox: OutboxSettings = field(default_factory=OutboxSettings)
    paths: PathSettings = field(default_factory=PathSettings)


_NAMES = {int: "a whole number", float: "a number", str: "text", bool: "true or false", Path: "text (a path)"}


def load(path: Path | None = None) -> Config:
    """The configuration in `path`, or in `/etc/sealcam/sealcam.toml` if that is there, or the defaults.

    Raises:
        ConfigError: the named file is missing or not TOML, a key is unknown, or a value has the wrong type or size.
    """
    where = path or DEFAULT_PATH
    try:
        text = where.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        if path is None:
            return Config()
        raise ConfigError(f"no configuration file {where}", "name another with --config") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"can't read {where}: {getattr(error, 'strerror', None) or 'not UTF-8 text'}") from error
    try:
        return _table(tomllib.loads(text), Config, where, "")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not TOML: {error}") from error


def _table(values: dict[str, Any], cls: type[Table], where: Path, prefix: str) -> Table:
    """`values` as a `cls`; `prefix` is the table's dotted name for messages. A field `from_` is the key `from`."""
    hints = {name.rstrip("_"): hint for name, hint in typing.get_type_hints(cls).items()}
    for key in values:
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1, cutoff=0.5)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"known here: {', '.join(hints)}"
            moved = _MOVED.get(prefix + key)
            raise ConfigError(f"unknown key {prefix}{key} in {where}", f"it is {moved}" if moved else hint)
    known = {one.name.rstrip("_"): one for one in dataclasses.fields(typing.cast("Any", cls))}
    for key, one in known.items():
        if key not in values and one.default is one.default_factory is dataclasses.MISSING:
            raise ConfigError(f"{prefix}{key} is missing in {where}", f"known here: {', '.join(hints)}")
    found = {known[key].name: _value(value, hints[key], where, prefix + key) for key, value in values.items()}
    try:
        return cls(**found)
    except ConfigError as error:
        raise ConfigError(f"in {where}, [{prefix[:-1]}]: {error.message}", error.hint) from error


def _value(value: Any, hint: Any, where: Path, name: str) -> Any:
    if isinstance(hint, types.UnionType):
        hint = next(arm for arm in hint.__args__ if arm is not type(None))
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{name} in {where} must be a list, not {value!r}")
        one = typing.get_args(hint)[0]
        return tuple(_value(item, one, where, f"{name}[{at}]") for at, item in enumerate(value))
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise ConfigError(f"{name} in {where} must be a table", f"write [{name}] on a line of its own")
        return _table(value, typing.cast("type[Any]", hint), where, f"{name}.")
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        if value not in set(hint):
            raise ConfigError(f"{name} in {where} must be one of {', '.join(hint)}, not {value!r}")
        return hint(value)
    wanted = str if hint is Path else hint
    if type(value) is int and wanted is float:
        value = float(value)
    if type(value) is not wanted:
        raise ConfigError(f"{name} in {where} must be {_NAMES[hint]}, not {value!r}")
    return Path(value) if hint is Path else value
