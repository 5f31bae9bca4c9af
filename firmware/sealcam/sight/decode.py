"""Reads a detector's outputs: which cells show something of interest, how sure, and where.

One class a kind of head; each looks at the scores of the classes of interest alone, and works out boxes only for the
cells above the threshold. Boxes are in pixels of the model's input; `sealcam.sight.detect` does the rest. A cell with
a value that is not a number, or a score that can't be, is no detection, and all that was read is marked as unsound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sealcam.sight.spec import Head, InputSpec, ModelSpec
from sealcam.wire.errors import ModelError

# What no sigmoid needs: above, the score rounds to 1 in float32.
HIGHEST_LOGIT = 88.0

Floats = NDArray[np.float32]
Shapes = Sequence[tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Claims:
    """What cells claim: corners (n, 4) as x0, y0, x1, y1, float32; scores (n,), 0 to 1; classes (n,), the model's.

    `sound` is false where an output held what no working model says: nothing of it is to be relied on.
    """

    corners: Floats
    scores: Floats
    classes: NDArray[np.intp]
    sound: bool = True


def nothing(*, sound: bool) -> Claims:
    """No claim at all."""
    return Claims(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.intp), sound)


class Decoder(Protocol):
    """Reads the outputs of one kind of head."""

    def decode(self, outputs: Sequence[Floats], threshold: float) -> Claims:
        """The cells whose best class of interest scores at least `threshold`."""
        ...


def decoder_for(spec: ModelSpec, shapes: Shapes, classes: Sequence[int]) -> Decoder:
    """The decoder for a model with outputs of these shapes; `classes` are those of interest.

    Raises:
        ModelError: the outputs don't have the shapes that the specification gives.
    """
    wanted = np.array(classes, np.intp)
    match spec.decoding.head:
        case Head.NANODET:
            return NanoDetDecoder(spec, shapes, wanted)
        case Head.SSD:
            return SsdDecoder(spec, shapes, wanted)
        case Head.YOLOX:
            return YoloxDecoder(spec, shapes, wanted)


class NanoDetDecoder:
    """NanoDet: per stride the classes' scores, and each side of the box as a distribution over distances.

    The head of generalised focal loss (Li et al. 2020): a side lies at the expectation of its distribution, in
    strides from the cell's centre.
    """

    def __init__(self, spec: ModelSpec, shapes: Shapes, classes: NDArray[np.intp]) -> None:
        bins = spec.decoding.bins
        self._classes = classes
        # One product gives each distribution's weighted sum and its sum.
        self._expectation = np.stack([np.arange(bins), np.ones(bins)], axis=1).astype(np.float32)
        self._layers: list[tuple[int, int, slice]] = []
        start = 0
        for stride in spec.decoding.strides:
            height, width = spec.input.height // stride, spec.input.width // stride
            scores = _find(shapes, (1, height, width, len(spec.classes)))
            sides = _find(shapes, (1, height, width, 4 * bins))
            self._layers.append((scores, sides, slice(start, start + height * width)))
            start += height * width
        self._ends = [cells.stop for _, _, cells in self._layers]
        self._centres, self._strides = _grid(spec.input, spec.decoding.strides, offset=0.5)
        self._scores = np.zeros((len(classes), start), np.float32)

    def decode(self, outputs: Sequence[Floats], threshold: float) -> Claims:
        """Cells of all strides; only those above the threshold get a box."""
        for layer, _, cells in self._layers:
            rows = outputs[layer].reshape(-1, outputs[layer].shape[-1])
            self._scores[:, cells] = rows.T[self._classes]
        best, chosen, sound = _above(self._scores, threshold, 1.0)
        if not chosen.size:
            return nothing(sound=sound)
        parts, first = [], 0
        for (_, layer, cells), last in zip(self._layers, chosen.searchsorted(self._ends).tolist(), strict=True):
            if last > first:
                parts.append(outputs[layer].reshape(cells.stop - cells.start, -1)[chosen[first:last] - cells.start])
            first = last
        logits = np.concatenate(parts).reshape(chosen.size, 4, -1)
        with np.errstate(all="ignore"):  # what overflows gives no number, and is dropped as such
            sums = np.exp(logits) @ self._expectation
            distances = sums[:, :, 0] / sums[:, :, 1] * self._strides[chosen]
        centres = self._centres[chosen]
        corners = np.concatenate([centres - distances[:, :2], centres + distances[:, 2:]], axis=1)
        return _finite(corners, best[chosen], self._classes[self._scores[:, chosen].argmax(axis=0)], sound=sound)


class SsdDecoder:
    """SSD: 1,917 anchors of the TensorFlow Object Detection API, box corrections and class logits to each."""

    def __init__(self, spec: ModelSpec, shapes: Shapes, classes: NDArray[np.intp]) -> None:
        self._anchors = ssd_anchors()
        self._boxes = _find(shapes, (1, len(self._anchors), 4))
        self._logits = _find(shapes, (1, len(self._anchors), len(spec.classes)))
        self._classes = classes
        self._scales = np.array(spec.decoding.box_scales, np.float32)
        self._size = np.array([spec.input.width, spec.input.height], np.float32)

    def decode(self, outputs: Sequence[Floats], threshold: float) -> Claims:
        """Anchors above the threshold; the sigmoid is taken of those alone."""
        logits = outputs[self._logits][0].T[self._classes]
        best, chosen, sound = _above(logits, _logit(threshold), HIGHEST_LOGIT)
        if not chosen.size:
            return nothing(sound=sound)
        anchors = self._anchors[chosen]
        with np.errstate(all="ignore"):
            offsets = outputs[self._boxes][0][chosen] / self._scales
            centre_yx = offsets[:, :2] * anchors[:, 2:] + anchors[:, :2]
            half_hw = np.exp(offsets[:, 2:]) * anchors[:, 2:] / 2
            scores = np.float32(1) / (np.float32(1) + np.exp(-best[chosen]))
            low, high = (centre_yx - half_hw)[:, ::-1], (centre_yx + half_hw)[:, ::-1]
            corners = np.concatenate([low * self._size, high * self._size], axis=1)
        return _finite(corners, scores, self._classes[logits[:, chosen].argmax(axis=0)], sound=sound)


class YoloxDecoder:
    """YOLOX: per cell centre, size, objectness and class scores; the score is objectness times class."""

    def __init__(self, spec: ModelSpec, shapes: Shapes, classes: NDArray[np.intp]) -> None:
        self._corners, self._strides = _grid(spec.input, spec.decoding.strides, offset=0.0)
        self._cells = _find(shapes, (1, len(self._corners), 5 + len(spec.classes)))
        self._classes = classes

    def decode(self, outputs: Sequence[Floats], threshold: float) -> Claims:
        """Cells above the threshold; both factors already are probabilities."""
        cells = outputs[self._cells][0]
        scores = cells.T[5 + self._classes] * cells[:, 4]
        best, chosen, sound = _above(scores, threshold, 1.0)
        if not chosen.size:
            return nothing(sound=sound)
        raw, strides = cells[chosen, :4], self._strides[chosen]
        with np.errstate(all="ignore"):
            centre = (raw[:, :2] + self._corners[chosen] / strides) * strides
            half = np.exp(raw[:, 2:]) * strides / 2
            corners = np.concatenate([centre - half, centre + half], axis=1)
        return _finite(corners, best[chosen], self._classes[scores[:, chosen].argmax(axis=0)], sound=sound)


def ssd_anchors() -> Floats:
    """The 1,917 anchors as centre y, centre x, height, width, of a picture of 1 x 1; float32 (1917, 4).

    object_detection/anchor_generators/multiple_grid_anchor_generator.py, create_ssd_anchors, with six layers,
    scales 0.2 to 0.95 and a reduced lowest layer.
    """
    scales = [0.2 + 0.15 * layer for layer in range(6)] + [1.0]
    rows: list[tuple[float, float, float, float]] = []
    for layer, cells in enumerate((19, 10, 5, 3, 2, 1)):
        shapes = [(scales[layer], aspect) for aspect in (1.0, 2.0, 0.5, 3.0, 1 / 3)]
        shapes.append((math.sqrt(scales[layer] * scales[layer + 1]), 1.0))
        if layer == 0:
            shapes = [(0.1, 1.0), (0.2, 2.0), (0.2, 0.5)]
        rows += [
            ((row + 0.5) / cells, (column + 0.5) / cells, scale / math.sqrt(aspect), scale * math.sqrt(aspect))
            for row in range(cells)
            for column in range(cells)
            for scale, aspect in shapes
        ]
    return np.array(rows, np.float32)


def _find(shapes: Shapes, wanted: tuple[int, ...]) -> int:
    for index, shape in enumerate(shapes):
        if tuple(shape) == wanted:
            return index
    raise ModelError(f"the model has no output of shape {wanted}, only {', '.join(map(str, shapes))}")


def _grid(picture: InputSpec, strides: Sequence[int], offset: float) -> tuple[Floats, Floats]:
    """The cells of all strides in rows: their points (n, 2) as x, y in pixels, and their strides (n, 1)."""
    points, sizes = [], []
    for stride in strides:
        rows, columns = picture.height // stride, picture.width // stride
        y, x = np.mgrid[:rows, :columns].astype(np.float32)
        points.append((np.stack([x, y], axis=2).reshape(-1, 2) + np.float32(offset)) * np.float32(stride))
        sizes.append(np.full((rows * columns, 1), stride, np.float32))
    return np.concatenate(points), np.concatenate(sizes)


def _above(scores: Floats, threshold: float, highest: float) -> tuple[Floats, NDArray[np.intp], bool]:
    """The best score of each cell, the cells where it reaches the threshold, and whether all can be scores at all.

    One that is NaN or above the highest possible is no score. `scores` is (classes, cells): along that axis NumPy is
    50 times faster.
    """
    best: Floats = scores.max(axis=0)
    possible = best <= highest  # never so for NaN
    chosen: NDArray[np.intp] = ((best >= threshold) & possible).nonzero()[0]
    return best, chosen, bool(possible.all())


def _finite(corners: Floats, scores: Floats, classes: NDArray[np.intp], *, sound: bool) -> Claims:
    good = np.isfinite(corners)
    if good.all():
        return Claims(corners, scores, classes, sound)
    rows = good.all(axis=1)
    return Claims(corners[rows], scores[rows], classes[rows], sound=False)


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))
