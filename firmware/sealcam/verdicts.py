"""Makes the judge: the verdict model that is installed, or plain rules where it is missing, and then it is told.

The eye, replay and the evaluation all call `open_judge`, so what is measured is what runs. The file is found and
checked as `[verdict]` in `models/MANIFEST.toml` says, and its architecture as `verdict_file` does: a runtime is handed
nothing else. See design/sight.md, verdict.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from sealcam import models, verdict_file
from sealcam.board.litert import LiteRtNetwork
from sealcam.sight.judge import Rules, Trained
from sealcam.sight.verdict import Judge
from sealcam.wire.errors import ModelError

AGAIN = "install sealcam again, or train it: make verdict"


def open_judge(
    trouble: Callable[[str], None], *, content: bytes | None = None, folders: Sequence[Path] | None = None
) -> Judge:
    """The judge for one source: trained, or the rules. `trouble` hears, in a sentence, why it is the rules, now or
    once the model has failed.

    `content` is another model's file instead of the installed one (its architecture is checked, its hash isn't);
    `folders` are where the installed one lies, instead of the usual places.
    """
    try:
        model = load(folders) if content is None else content
        verdict_file.read(model, "the verdict model")
        return Trained(LiteRtNetwork(model), trouble)
    except ModelError as error:
        trouble(f"{error.message}; plain rules judge instead")
        return Rules()


def load(folders: Sequence[Path] | None = None) -> bytes:
    """The installed model's bytes, which are what the manifest says.

    Raises:
        ModelError: it isn't here, or it was changed.
    """
    places = models.default_folders() if folders is None else tuple(folders)
    entry = _entry(places)
    for folder in places:
        path = folder / str(entry["file"])
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ModelError(f"{path} can't be read: {error.strerror}", AGAIN) from error
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise ModelError(f"{path} has the wrong checksum: it was damaged or changed", AGAIN)
        return content
    raise ModelError(f"the verdict model isn't here: no {entry['file']} in {', '.join(map(str, places))}", AGAIN)


def _entry(places: Sequence[Path]) -> dict[str, object]:
    """What the first manifest that names a verdict model says of it."""
    for folder in (*places, *models.default_folders()):
        path = folder / models.MANIFEST
        try:
            entry = tomllib.loads(path.read_text(encoding="utf-8")).get("verdict")
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise ModelError(f"{path} can't be read: {error}", AGAIN) from error
        if isinstance(entry, dict) and isinstance(entry.get("file"), str) and isinstance(entry.get("sha256"), str):
            return entry
        raise ModelError(f"{path} names no verdict model", AGAIN)
    raise ModelError(f"no {models.MANIFEST} found", "it is installed with the package, under share/sealcam/models")
