"""Checks that the rebuilt NanoDet-g computes what the package's own graph computes, before anything is converted."""

from __future__ import annotations

from typing import Any

import nanodet
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from packages import BuildError
from tfjs import GraphDef

Outputs = list[NDArray[np.float32]]

ORIGINAL_OUTPUTS = ["Identity:0", "Identity_1:0", "Identity_2:0", "Identity_3:0", "Identity_4:0", "Identity_5:0"]
# Sums in another order; scores are at most 1 and the sides' logits a few units.
TOLERANCE = 1e-4


def check(graph: GraphDef) -> float:
    """The largest difference of any output over a picture of noise, borders included.

    The original exists for 416 x 416 alone, so that is the size compared.

    Raises:
        BuildError: the two differ by more than rounding.
    """
    side = nanodet.TRAINED_SIZE
    picture = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    worst = max(
        float(np.abs(ours.reshape(theirs.shape) - theirs).max())
        for ours, theirs in zip(_rebuilt(graph, picture), _original(graph, picture), strict=True)
    )
    if worst > TOLERANCE:
        raise BuildError(f"the rebuilt graph differs from the package's by {worst:.2g}")
    return worst


def _rebuilt(graph: GraphDef, picture: NDArray[Any]) -> Outputs:
    with tf.Graph().as_default() as built:
        placeholder = tf.compat.v1.placeholder(tf.uint8, picture.shape)
        outputs = nanodet.rebuild(graph, placeholder, backbone_stride=None)
        with tf.compat.v1.Session(graph=built) as session:
            return list(session.run(outputs, {placeholder: picture}))


def _original(graph: GraphDef, picture: NDArray[Any]) -> Outputs:
    """The package's graph as it is: channels first, blue first, normalised by the caller."""
    normalised = (picture.astype(np.float32) - nanodet.MEAN_RGB) / nanodet.STD_RGB
    channels_first = normalised[..., ::-1].transpose(0, 3, 1, 2)
    with tf.Graph().as_default() as original:
        tf.import_graph_def(graph, name="")
        with tf.compat.v1.Session(graph=original) as session:
            return list(session.run(ORIGINAL_OUTPUTS, {"input_1:0": channels_first}))
