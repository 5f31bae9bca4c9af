"""Finds a detection model by name, checks it against `models/MANIFEST.toml`, and hands over its bytes.

Nothing here touches the network: `sealcam-provision model NAME` fetches. The bytes that were checked are the bytes
that are handed over; the file is read once.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealcam.headroom import most_bytes
from sealcam.sight.spec import DecodingSpec, Head, InputSpec, ModelSpec, Placement
from sealcam.wire.errors import ModelError

MANIFEST = "MANIFEST.toml"
# What a model takes in memory: its file, the runtime, a first inference; resident size of a process before and after.
# Eight of 1.9 to 10 MB took 13 to 68 MB, most with tflite-runtime (3.9 MB: 31, 7.6 MB: 61, 10 MB: 68).
TIMES, BESIDE_BYTES = 5, 25 << 20


@dataclass(frozen=True, slots=True)
class Variant:
    """One file of a model: for which runtimes it is the fastest, and what it must be."""

    file: str
    runtimes: tuple[str, ...]
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the manifest, with its files."""

    spec: ModelSpec
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All models that have a name, the one that is taken where none is named, and who is asked where it doubts."""

    default: str
    entries: tuple[Entry, ...]
    second: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The models' names, in the manifest's order."""
        return tuple(entry.spec.name for entry in self.entries)

    def entry(self, name: str) -> Entry:
        """The model of that name.

        Raises:
            ModelError: there is none; the message gives the nearest name.
        """
        for entry in self.entries:
            if entry.spec.name == name:
                return entry
        near = difflib.get_close_matches(name, self.names, 1, 0.4)
        guess = f"; did you mean {near[0]}?" if near else ""
        raise ModelError(f"there is no model named {name}{guess}", f"known models: {', '.join(self.names)}")


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model whose file was found and has the right checksum."""

    spec: ModelSpec
    file: str
    content: bytes


def load(
    name: str | None = None,
    runtime_preference: str | None = None,
    folders: Sequence[Path] | None = None,
    room_bytes: int | None = None,
) -> LoadedModel:
    """The model `name` (none: the default one), its bytes verified.

    `runtime_preference` is what `board.litert.runtime_name()` says: of a model's variants the one that is fastest on
    it is taken. `folders` are searched in their order instead of `default_folders()`; `room_bytes` is what it must fit
    into, otherwise what `headroom` finds.

    Raises:
        ModelError: no such model, no file of it, a file that isn't what the manifest says, or one that doesn't fit into
            memory.
    """
    places = default_folders() if folders is None else tuple(folders)
    known = manifest(places)
    entry = known.entry(name or known.default)
    variant = _choose(entry.variants, runtime_preference)
    again = f"get it again with: make model NAME={entry.spec.name}"
    for folder in places:
        path = folder / variant.file
        try:
            content = _read(path, variant, most_bytes() if room_bytes is None else room_bytes, again)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ModelError(f"{path} can't be read: {error.strerror}", again) from error
        if hashlib.sha256(content).hexdigest() != variant.sha256:
            raise ModelError(f"{path} has the wrong checksum: it was damaged or changed", again)
        return LoadedModel(entry.spec, variant.file, content)
    searched = ", ".join(str(folder) for folder in places)
    raise ModelError(
        f"the model {entry.spec.name} isn't here: no {variant.file} in {searched}",
        f"get it with: make model NAME={entry.spec.name}",
    )


def manifest(folders: Sequence[Path] | None = None) -> Manifest:
    """The manifest in the first of the folders that has one, or of the project's own.

    Raises:
        ModelError: there is none, or it isn't one.
    """
    return read_manifest(_find_manifest((*(folders or ()), *default_folders())))


def is_here(name: str, runtime_preference: str | None = None, folders: Sequence[Path] | None = None) -> bool:
    """Whether a file for this model lies here; whether it is the right one is found out when it is loaded.

    Raises:
        ModelError: no model has that name.
    """
    places = default_folders() if folders is None else tuple(folders)
    variant = _choose(manifest(folders).entry(name).variants, runtime_preference)
    return any((folder / variant.file).is_file() for folder in places)


def default_folders() -> tuple[Path, ...]:
    """Where models lie: fetched ones of a checkout, those installed with the package, those of the checkout itself."""
    checkout = Path(__file__).resolve().parents[2]
    return (
        checkout / "build" / "models",
        Path(sys.prefix) / "share" / "sealcam" / "models",
        checkout / "models",
    )


def read_manifest(path: Path) -> Manifest:
    """The manifest in `path`.

    Raises:
        ModelError: it can't be read, or something in it is missing or of the wrong type.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        class_sets = {key: tuple(labels) for key, labels in document["classes"].items()}
        entries = tuple(_entry(model, class_sets) for model in document["model"])
        return Manifest(default=document["default"], entries=entries, second=document.get("second"))
    except OSError as error:
        raise ModelError(f"{path} can't be read: {error.strerror}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path} isn't a model manifest: {type(error).__name__}: {error}") from error


def _find_manifest(folders: Sequence[Path]) -> Path:
    for folder in folders:
        if (folder / MANIFEST).is_file():
            return folder / MANIFEST
    raise ModelError(f"no {MANIFEST} found", "it is installed with the package, under share/sealcam/models")


def _entry(model: dict[str, Any], class_sets: dict[str, tuple[str, ...]]) -> Entry:
    picture, decoding = model["input"], model["decoding"]
    spec = ModelSpec(
        name=model["name"],
        input=InputSpec(**{**picture, "placement": Placement(picture["placement"])}),
        decoding=DecodingSpec(
            **{
                **decoding,
                "head": Head(decoding["head"]),
                "strides": tuple(decoding.get("strides", ())),
                "box_scales": tuple(decoding.get("box_scales", (1.0, 1.0, 1.0, 1.0))),
            }
        ),
        classes=class_sets[model["classes"]],
        threshold=float(model["threshold"]),
        embedding_stride=model.get("embedding_stride"),
    )
    variants = tuple(
        Variant(variant["file"], tuple(variant["runtimes"]), variant["bytes"], variant["sha256"])
        for variant in model["variant"]
    )
    return Entry(spec, variants)


def _choose(variants: Sequence[Variant], runtime: str | None) -> Variant:
    for variant in variants:
        if runtime in variant.runtimes:
            return variant
    return variants[0]


def _read(path: Path, variant: Variant, room_bytes: int | None, hint: str) -> bytes:
    """The file's bytes, once its size is known to be right and to fit."""
    with path.open("rb") as file:
        size_bytes = os.fstat(file.fileno()).st_size
        if size_bytes != variant.size_bytes:
            raise ModelError(f"{path} has {size_bytes} bytes, and {variant.size_bytes} were expected", hint)
        takes = TIMES * size_bytes + BESIDE_BYTES
        if room_bytes is not None and takes > room_bytes:
            words = f"{path} doesn't fit: it takes {takes >> 20} MiB of memory, and there are {room_bytes >> 20}"
            raise ModelError(words, "choose a smaller model (make model lists them), or end what else runs here")
        try:
            return file.read(size_bytes)
        except MemoryError as error:
            raise ModelError(
                f"{path} doesn't fit into memory", "choose a smaller model: make model lists them"
            ) from error
