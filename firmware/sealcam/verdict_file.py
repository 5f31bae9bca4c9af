"""The verdict model's file: one fixed graph, of which only the weights may differ.

Everything outside the weights is the same in every file, byte for byte, so that a file is told to be of the right
architecture without reading the format: a runtime that crashes on half a model never sees one. Where the weights lie
is settled by `sealcam_verdict.tflite`, which writes such files. See design/sight.md, verdict.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealcam.sight import judge_features
from sealcam.wire.errors import ModelError

# Features, two hidden layers with rectifiers, three classes with a softmax (in this order).
WIDTHS = (judge_features.COUNT, 24, 12, 3)
CLASSES = ("threat", "benign", "false_alarm")
# A trained weight is of the order of one; beyond this a file is damaged or made to harm.
LARGEST = 1e3

SIZE_BYTES = 4640
# Where weights and biases of each layer lie: the first byte, and the one after the last.
PLACES = ((1296, 3024), (3056, 3152), (3184, 4336), (4368, 4416), (4448, 4592), (4624, 4636))
# Of the file with zeros for weights.
SKELETON_SHA256 = "c9c0e430c55b5852826e8fbf32314699f1d6e508d9a2f98e0f2996eea3450dba"


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer's weights, (outputs, inputs), and biases, (outputs,)."""

    weights: NDArray[np.floating]
    biases: NDArray[np.floating]


def read(content: bytes, name: str) -> tuple[Layer, ...]:
    """The layers of a verdict model's file; float32.

    Raises:
        ModelError: the bytes are not a verdict model of this architecture, or a weight is none; `name` says whose.
    """
    hint = "install sealcam again, or train it: make verdict"
    if len(content) != SIZE_BYTES:
        raise ModelError(f"{name} has {len(content)} bytes, and a verdict model has {SIZE_BYTES}", hint)
    skeleton = bytearray(content)
    for first, end in PLACES:
        skeleton[first:end] = bytes(end - first)
    if hashlib.sha256(skeleton).hexdigest() != SKELETON_SHA256:
        raise ModelError(f"{name} is damaged, or a model of another architecture", hint)
    arrays = [np.frombuffer(content[first:end], "<f4") for first, end in PLACES]
    if not all(np.isfinite(array).all() and (np.abs(array) <= LARGEST).all() for array in arrays):
        raise ModelError(f"{name} holds weights that are no numbers, or far too large", hint)
    return tuple(
        Layer(arrays[2 * index].reshape(WIDTHS[index + 1], WIDTHS[index]), arrays[2 * index + 1])
        for index in range(len(WIDTHS) - 1)
    )
