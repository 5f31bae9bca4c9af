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
from pathlib import Path
from typing import Any, TypeVar

from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode
from sealcam.wire.errors import ConfigError

DEFAULT_PATH = Path("/etc/sealcam/sealcam.toml")
Table = TypeVar("Table")
_LAST_PIN = 27  # of the 40-pin header, BCM numbering


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """`[camera]`: where pictures come from, and the pins beside it."""

    source: str = "/dev/video0"
    """`pi`, a V4L2 device such as `/dev/video0`, or a recorded file, which plays in real time."""
    fps: int = 10
    """Pictures a second that a live camera is asked for."""
    repeat: bool = True
    """A recorded file begins again when it ends; otherwise the eye ends once everything is delivered."""
    pir_pin: int | None = None
    """GPIO number of the motion sensor, BCM numbering."""
    led_pin: int | None = None
    """GPIO number of the status light, BCM numbering."""

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 60:
            raise ConfigError(f"fps must lie between 1 and 60, not {self.fps}")
        for name, pin in (("pir_pin", self.pir_pin), ("led_pin", self.led_pin)):
            if pin is not None and not 0 <= pin <= _LAST_PIN:
                raise ConfigError(f"{name} must be a GPIO number from 0 to {_LAST_PIN}, not {pin}")
        if self.pir_pin is not None and self.pir_pin == self.led_pin:
            raise ConfigError(f"pir_pin and led_pin are both {self.pir_pin}", "give each its own GPIO number")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """`[model]`: which detector, and how many threads it may use."""

    name: str = "nanodet-g"
    """A name from the manifest of models; `make model` lists them."""
    threads: int = 1
    """More than one made inference slower on a busy board, not faster."""

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= 16:
            raise ConfigError(f"threads must lie between 1 and 16, not {self.threads}")


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """`[outbox]`: what waits on the board for the hub."""

    max_bytes: int = 64 << 20
    """Over this, the least urgent and oldest go, and the owner is told which."""

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
    model: ModelSettings = field(default_factory=ModelSettings)
    sight: SightSettings = field(default_factory=SightSettings)
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
    """`values` as a `cls`; `prefix` is the table's dotted name for messages."""
    hints = typing.get_type_hints(cls)
    for key in values:
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1, cutoff=0.5)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"known here: {', '.join(hints)}"
            raise ConfigError(f"unknown key {prefix}{key} in {where}", hint)
    found = {key: _value(value, hints[key], where, prefix + key) for key, value in values.items()}
    try:
        return cls(**found)
    except ConfigError as error:
        raise ConfigError(f"in {where}, [{prefix[:-1]}]: {error.message}", error.hint) from error


def _value(value: Any, hint: Any, where: Path, name: str) -> Any:
    if isinstance(hint, types.UnionType):
        hint = next(arm for arm in hint.__args__ if arm is not type(None))
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise ConfigError(f"{name} in {where} must be a table", f"write [{name}] on a line of its own")
        return _table(value, typing.cast("type[Any]", hint), where, f"{name}.")
    if hint is ArmMode:
        if value not in set(ArmMode):
            raise ConfigError(f"{name} in {where} must be one of {', '.join(ArmMode)}, not {value!r}")
        return ArmMode(value)
    wanted = str if hint is Path else hint
    if type(value) is int and wanted is float:
        value = float(value)
    if type(value) is not wanted:
        raise ConfigError(f"{name} in {where} must be {_NAMES[hint]}, not {value!r}")
    return Path(value) if hint is Path else value
