"""Cuts the detector out of MediaPipe Objectron's packed assets: the model as it is, for it is TensorFlow Lite already.

The file is what Emscripten makes of a folder: its files one after the other. First the labels, one a line, then the
model; where each begins stands in the package's loader.
"""

from __future__ import annotations

from pathlib import Path

ASSETS = "objectron_solution_packed_assets.data"
FIRST_BYTE, END_BYTE = 184, 9_987_912
# A TensorFlow Lite file has this at its fifth byte.
IDENTIFIER = b"TFL3"


def extract(assets: Path) -> tuple[tuple[str, ...], bytes]:
    """The labels, the background's ("???") first, and the model's bytes.

    Raises:
        ValueError: there is no model where it should be.
    """
    with assets.open("rb") as file:
        labels = tuple(file.read(FIRST_BYTE).decode("ascii").splitlines())
        model = file.read(END_BYTE - FIRST_BYTE)
    if model[4:8] != IDENTIFIER:
        raise ValueError(f"{assets.name} has no TensorFlow Lite model at byte {FIRST_BYTE}")
    return labels, model
