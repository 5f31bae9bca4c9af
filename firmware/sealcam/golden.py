"""What every verdict model must say before a camera judges by it: what arithmetic says, and nothing upside down.

A model comes from the owner's hub, but a damaged or poisoned one would call a burglar harmless. So the runtime's word
on golden inputs must be that of plain arithmetic over the weights, and golden incidents must lie on the right side: who
plainly stands at the house is likelier a threat than not, moving leaves are not. design/wire.md section 5.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sealcam import verdict_file
from sealcam.board.protocols import Network
from sealcam.sight import judge_features
from sealcam.sight.types import Subject
from sealcam.sight.verdict import IncidentFeatures
from sealcam.verdict_file import CLASSES, Layer
from sealcam.wire.errors import ModelError

SLACK = 1e-3  # between the runtime and arithmetic; they differ by 1e-6
SOME = 16  # inputs by chance, always the same
THREAT: Final = CLASSES.index("threat")

SOMEBODY: Final = IncidentFeatures(
    subject=Subject.PERSON,
    confidence=0.8,
    seen_s=8.0,
    motion_s=8.0,
    people=1,
    pir=True,
    light=False,
    hits=60,
    looks=64,
    height=0.5,
    path=3.0,
    dwell_s=3.0,
    approach=1.5,
    spread=0.04,
    inside=0.7,
    bursts=1,
)
LEAVES: Final = IncidentFeatures(
    subject=Subject.NONE,
    confidence=0.0,
    seen_s=0.0,
    motion_s=12.0,
    people=0,
    pir=False,
    light=False,
    spread=0.02,
    bursts=6,
)


def checked(content: bytes, load: Callable[[bytes], Network], name: str) -> Network:
    """The model in `content`, loaded and checked; `name` is what the reasons call it.

    Raises:
        ModelError: it is of another size or architecture, its weights are none, or it fails a golden check.
    """
    layers = verdict_file.read(content, name)
    network = load(content)
    chance = np.random.default_rng(1).random((SOME, judge_features.COUNT)).astype(np.float32)
    somebody, leaves = (judge_features.vector(one) for one in (SOMEBODY, LEAVES))
    for inputs in (somebody, leaves, *(row[None] for row in chance)):
        given = network.invoke(inputs)[0]
        if not np.abs(given - arithmetic(layers, inputs)).max() <= SLACK:
            raise ModelError(f"{name} doesn't say here what its weights say")
    if arithmetic(layers, somebody)[0, THREAT] < 0.5:
        raise ModelError(f"{name} takes somebody who plainly stands at the house for harmless")
    if arithmetic(layers, leaves)[0, THREAT] > 0.5:
        raise ModelError(f"{name} takes moving leaves for a threat")
    return network


def arithmetic(layers: tuple[Layer, ...], inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """What these layers give for inputs (N, 18): probabilities (N, 3)."""
    values = inputs.astype(np.float64)
    for index, layer in enumerate(layers):
        values = values @ layer.weights.T.astype(np.float64) + layer.biases
        if index < len(layers) - 1:
            values = np.maximum(values, 0.0)
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return result
