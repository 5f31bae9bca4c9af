"""Cuts SSDLite-MobileNetV2 out of its TensorFlow.js graph: the plain picture in, raw boxes and class logits out.

The package's graph also resizes the picture in a loop, decodes the boxes and ends where non-maximum suppression
begins. TensorFlow Lite needs none of that: our decoder does it for the few boxes above a threshold.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tfjs import GraphDef, base_name

Tensor = Any

SIZE = 300
FIRST_NODE_AFTER_PREPROCESSING = "Preprocessor/sub"
BOXES, CLASS_LOGITS = "Squeeze", "concat_1"


def rebuild(graph: GraphDef, picture: Tensor) -> list[Tensor]:
    """Boxes (1, 1917, 4) and class logits (1, 1917, 91) over `picture`, RGB 0 to 255 of shape (1, 300, 300, 3).

    The picture is scaled to -1 to 1 as a step of its own, so that the first convolution's zero padding stays exact.
    """
    scaled = tf.cast(picture, tf.float32) * (1 / 127.5) - 1.0
    needed = _needed(graph, [BOXES, CLASS_LOGITS])
    cut = tf.compat.v1.GraphDef()
    cut.node.extend(node for node in graph.node if node.name in needed)
    replaced = {FIRST_NODE_AFTER_PREPROCESSING: scaled}
    outputs = [f"{BOXES}:0", f"{CLASS_LOGITS}:0"]
    return list(tf.import_graph_def(cut, input_map=replaced, return_elements=outputs, name="ssdlite"))


def _needed(graph: GraphDef, outputs: list[str]) -> set[str]:
    """The names of the nodes that the outputs depend on, up to the preprocessing."""
    inputs = {node.name: [base_name(edge) for edge in node.input] for node in graph.node}
    needed: set[str] = set()
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        if name not in needed and name != FIRST_NODE_AFTER_PREPROCESSING:
            needed.add(name)
            waiting.extend(inputs[name])
    return needed
