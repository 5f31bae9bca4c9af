"""Rebuilds NanoDet-g for TensorFlow Lite: channels last, the plain picture as input, a backbone map as extra output.

The package's graph came from PyTorch by way of ONNX: channels first, with 83 transposes around every operation that
TensorFlow only has channels last, for one size, and for a picture that the caller has normalised. Here its nodes are
walked once and each is built again with channels last, so no transpose is left and the size is free.

Mean, scale and channel order are folded into the graph exactly, borders included: see `_pad_with_mean`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tfjs import Array, GraphDef, Node, base_name, constants

Tensor = Any

# RangiLyu/nanodet, config/nanodet-g.yml (data.val.pipeline.normalize), there in the order blue, green, red.
MEAN_RGB = np.float32([123.675, 116.28, 103.53])
STD_RGB = np.float32([58.395, 57.12, 57.375])
CLASSES = 80
SIDES_BY_BINS = 4 * 11
STRIDES = (8, 16, 32)
# The last concatenations of the backbone's three stages (upstream's custom_csp.py, out_stages 3, 4, 5), before the
# neck mixes them: 128, 256 and 512 channels.
STAGES = {
    8: "PartitionedCall/onnx_tf_prefix_Concat_27",
    16: "PartitionedCall/onnx_tf_prefix_Concat_42",
    32: "PartitionedCall/onnx_tf_prefix_Concat_62",
}
FIRST_CONVOLUTION = "PartitionedCall/convolution"
TRAINED_SIZE = 416
LAYOUT_CHANGES = ([0, 2, 3, 1], [0, 3, 1, 2])


def rebuild(graph: GraphDef, picture: Tensor, backbone_stride: int | None) -> list[Tensor]:
    """The outputs of NanoDet-g over `picture`, uint8 or float RGB 0 to 255 of shape (1, height, width, 3).

    Height and width are multiples of 32. In order: for each stride 8, 16, 32 the class scores (1, h, w, 80) after
    the sigmoid; for each stride the logits of the box sides' distributions (1, h, w, 44); then the backbone map.
    """
    height, width = int(picture.shape[1]), int(picture.shape[2])
    builder = _Builder(constants(graph), height, width)
    for node in graph.node:
        builder.add(node, picture)
    heads = builder.heads
    scores, sides = [score for score, _ in heads], [side for _, side in heads]
    backbone = [builder.values[STAGES[backbone_stride]]] if backbone_stride else []
    return [*scores, *sides, *backbone]


class _Builder:
    """Walks the nodes in their order, which is topological, and holds what each gives, channels last."""

    def __init__(self, weights: dict[str, Array], height: int, width: int) -> None:
        self.weights = weights
        self.values: dict[str, Tensor] = {}
        self.heads: list[tuple[Tensor, Tensor]] = []
        self._height = height
        self._width = width
        self._rules: dict[str, Callable[[Node], Tensor]] = {
            "Pad": self._pad,
            "PadV2": self._pad,
            "Conv2D": self._convolution,
            "Add": self._add,
            "LeakyRelu": lambda node: tf.nn.leaky_relu(self._input(node), node.attr["alpha"].f),
            "MaxPool": self._max_pool,
            "ConcatV2": lambda node: tf.concat([self._input(node, 0), self._input(node, 1)], axis=3),
            "ResizeBilinear": self._resize,
            "Transpose": self._transpose,
            "SplitV": self._split,
        }

    def add(self, node: Node, picture: Tensor) -> None:
        if node.op == "Placeholder":
            self.values[node.name] = tf.cast(picture, tf.float32)
        elif node.op in self._rules:
            self.values[node.name] = self._rules[node.op](node)
        elif node.op not in ("Const", "AddV2", "Sigmoid", "Reshape", "Identity"):
            # AddV2 computes the shapes of the final reshapes, and those the decoder does not need.
            raise ValueError(f"{node.name}: no rule for {node.op}")

    def _input(self, node: Node, index: int = 0) -> Tensor:
        return self.values[base_name(node.input[index])]

    def _constant(self, node: Node, index: int) -> NDArray[Any]:
        return self.weights[base_name(node.input[index])]

    def _pad(self, node: Node) -> Tensor:
        """The value as it is: what follows pads for itself, as far as it looks over the edge."""
        paddings = self._constant(node, 1).tolist()
        if paddings not in ([[0, 0], [0, 0], [1, 1], [1, 1]], [[0, 0]] * 4):
            raise ValueError(f"{node.name}: no rule for the padding {paddings}")
        return self._input(node)

    def _convolution(self, node: Node) -> Tensor:
        value, kernel = self._input(node), self._constant(node, 1)
        strides = list(node.attr["strides"].list.i)
        if node.name == FIRST_CONVOLUTION:
            kernel = kernel[:, :, ::-1, :] / STD_RGB[None, None, :, None]
            return tf.nn.conv2d(_pad_with_mean(value), kernel, strides, "VALID") - _mean_through(kernel)
        if strides[1] == 1:
            return tf.nn.conv2d(value, kernel, strides, "SAME")
        # Of an even size, a kernel of 3 in steps of 2 looks over the upper and left edge alone.
        return tf.nn.conv2d(tf.pad(value, [[0, 0], [1, 0], [1, 0], [0, 0]]), kernel, strides, "VALID")

    def _max_pool(self, node: Node) -> Tensor:
        """The stem's pooling, padded by its own first row and column, which a maximum does not mind."""
        value = self._input(node)
        value = tf.concat([value[:, :1], value], axis=1)
        value = tf.concat([value[:, :, :1], value], axis=2)
        return tf.nn.max_pool2d(value, 3, 2, "VALID")

    def _add(self, node: Node) -> Tensor:
        bias = self.weights.get(base_name(node.input[1]))
        return self._input(node) + (self._input(node, 1) if bias is None else bias.reshape(-1))

    def _resize(self, node: Node) -> Tensor:
        rows, columns = self._constant(node, 1).tolist()
        size = rows * self._height // TRAINED_SIZE, columns * self._width // TRAINED_SIZE
        return tf.raw_ops.ResizeBilinear(images=self._input(node), size=size, half_pixel_centers=True)

    def _transpose(self, node: Node) -> Tensor | None:
        if self._constant(node, 1).tolist() in LAYOUT_CHANGES:
            return self._input(node)
        return None  # of the final reshapes

    def _split(self, node: Node) -> Tensor:
        """The end of one head: scores and sides. The reshape that follows is left to the decoder."""
        scores, sides = tf.split(self._input(node), [CLASSES, SIDES_BY_BINS], axis=3)
        self.heads.append((tf.sigmoid(scores), sides))
        return None


def _pad_with_mean(picture: Tensor) -> Tensor:
    """The picture with a row above and a column to the left that hold the mean.

    Upstream pads the normalised picture with zero, and that is the mean of the plain one. A mean folded into the
    bias alone would be wrong along these edges; a subtraction over the whole picture costs 3 % of a run.
    """
    height, width = int(picture.shape[1]), int(picture.shape[2])
    above = np.broadcast_to(MEAN_RGB, (1, 1, width, 3))
    left = np.broadcast_to(MEAN_RGB, (1, height + 1, 1, 3))
    return tf.concat([left, tf.concat([above, picture], axis=1)], axis=2)


def _mean_through(kernel: Array) -> NDArray[np.float32]:
    """What a picture of nothing but the mean gives under `kernel`, to be taken off the bias."""
    through = (kernel.astype(np.float64) * MEAN_RGB[None, None, :, None]).sum(axis=(0, 1, 2))
    return np.asarray(through, dtype=np.float32)
