"""Fits the verdict model: a small rectifier network, by Adam, in float64 and numpy alone; then its temperature.

The same examples and seed give the same bytes: everything is one thread and one order, and weights are rounded to
multiples of `GRID` at the end, so that the last bits, which differ between processors' linear algebra, are gone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sealcam.verdict_file import WIDTHS, Layer

Array = NDArray[np.float64]

EPOCHS, BATCH, RATE, DECAY = 30, 512, 4e-3, 2e-4
# Adam's own constants, as its authors give them (Kingma and Ba, 2015).
FIRST, SECOND, TINY = 0.9, 0.999, 1e-8
GRID = 2.0**-12
TEMPERATURES = (0.25, 4.0)


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows of features (N, 18) in 0 to 1, their classes (N,) as indices into `CLASSES`, how much each counts (N,), and
    the incident each belongs to (N,): moments of one incident never stand on both sides of a split."""

    inputs: Array
    classes: NDArray[np.int64]
    counts: Array
    incidents: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.classes)

    def where(self, chosen: NDArray[np.bool_]) -> Examples:
        """Those rows alone."""
        return Examples(self.inputs[chosen], self.classes[chosen], self.counts[chosen], self.incidents[chosen])

    def counting(self, factor: float) -> Examples:
        """The same, each row counting so many times as much."""
        return Examples(self.inputs, self.classes, self.counts * factor, self.incidents)

    def plus(self, other: Examples) -> Examples:
        """Both, one after the other; incidents keep their numbers, so the two must not share any."""
        return Examples(
            np.concatenate([self.inputs, other.inputs]),
            np.concatenate([self.classes, other.classes]),
            np.concatenate([self.counts, other.counts]),
            np.concatenate([self.incidents, other.incidents]),
        )


def fit(examples: Examples, seed: int) -> tuple[Layer, ...]:
    """The layers that suit the examples best, not yet calibrated; float64."""
    random = np.random.default_rng(seed)
    layers = [
        (random.normal(0.0, math.sqrt(2.0 / given), (wanted, given)), np.zeros(wanted))
        for given, wanted in pairwise(WIDTHS)
    ]
    parameters = [array for layer in layers for array in layer]
    first, second = [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters]
    steps = EPOCHS * math.ceil(len(examples) / BATCH)
    step = 0
    for _ in range(EPOCHS):
        order = random.permutation(len(examples))
        for begin in range(0, len(order), BATCH):
            chosen = order[begin : begin + BATCH]
            step += 1
            rate = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
            gradients = _gradients(parameters, examples, chosen)
            for index, gradient in enumerate(gradients):
                first[index] = FIRST * first[index] + (1 - FIRST) * gradient
                second[index] = SECOND * second[index] + (1 - SECOND) * gradient**2
                mean, spread = first[index] / (1 - FIRST**step), second[index] / (1 - SECOND**step)
                parameters[index] -= rate * (mean / (np.sqrt(spread) + TINY) + DECAY * parameters[index])
    return tuple(Layer(parameters[2 * i], parameters[2 * i + 1]) for i in range(len(WIDTHS) - 1))


def calibrated(layers: tuple[Layer, ...], held_out: Examples) -> tuple[Layer, ...]:
    """The same with its temperature, fitted to examples it was not trained on, in the last layer; float32 on the grid.

    A temperature keeps the order of the classes and shares out the certainty anew (Guo et al., 2017).
    """
    scores = logits(layers, held_out.inputs)
    low, high = (math.log(bound) for bound in TEMPERATURES)
    for _ in range(60):  # the loss is convex in the inverse temperature: thirds narrow it down
        third = (high - low) / 3
        if _loss(scores / math.exp(low + third), held_out) < _loss(scores / math.exp(high - third), held_out):
            high -= third
        else:
            low += third
    temperature = math.exp((low + high) / 2)
    last = Layer(layers[-1].weights / temperature, layers[-1].biases / temperature)
    return tuple(_on_grid(layer) for layer in (*layers[:-1], last))


def logits(layers: tuple[Layer, ...], inputs: NDArray[np.floating]) -> Array:
    """The three classes' scores before the softmax, (N, 3)."""
    values = inputs.astype(np.float64)
    for index, layer in enumerate(layers):
        values = values @ layer.weights.T + layer.biases
        if index < len(layers) - 1:
            values = np.maximum(values, 0.0)
    return values


def softmax(scores: Array) -> Array:
    """Probabilities, (N, 3)."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Array = powers / powers.sum(axis=1, keepdims=True)
    return result


def probabilities(layers: tuple[Layer, ...], inputs: NDArray[np.floating]) -> Array:
    """What the model says, (N, 3): threat, benign, false alarm."""
    return softmax(logits(layers, inputs))


def _loss(scores: Array, examples: Examples) -> float:
    rows = np.arange(len(examples))
    likely = softmax(scores)[rows, examples.classes]
    return float(-(examples.counts * np.log(np.maximum(likely, 1e-12))).sum() / examples.counts.sum())


def _gradients(parameters: list[Array], examples: Examples, chosen: NDArray[np.int64]) -> list[Array]:
    """Of the mean cross-entropy of these rows, for every parameter."""
    values = [examples.inputs[chosen]]
    count = len(parameters) // 2
    for index in range(count):
        given = values[-1] @ parameters[2 * index].T + parameters[2 * index + 1]
        values.append(np.maximum(given, 0.0) if index < count - 1 else given)
    error = softmax(values[-1])
    error[np.arange(len(chosen)), examples.classes[chosen]] -= 1.0
    error *= (examples.counts[chosen] / examples.counts[chosen].sum())[:, None]
    gradients: list[Array] = []
    for index in reversed(range(count)):
        gradients = [error.T @ values[index], error.sum(axis=0), *gradients]
        error = (error @ parameters[2 * index]) * (values[index] > 0)
    return gradients


def _on_grid(layer: Layer) -> Layer:
    weights, biases = ((np.round(array / GRID) * GRID).astype(np.float32) for array in (layer.weights, layer.biases))
    return Layer(weights, biases)
