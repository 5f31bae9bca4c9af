"""Turns a graph into the bytes of a TensorFlow Lite model: half-precision weights, or 8-bit ones."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Literal

import tensorflow as tf

Tensor = Any
Precision = Literal["fp32", "fp16", "dyn"]


def to_tflite(
    build: Callable[[Tensor], list[Tensor]],
    shape: tuple[int, ...],
    dtype: Any,
    precision: Precision,
) -> bytes:
    """The model that `build` makes over one input of `shape` and `dtype`; the outputs keep their order.

    `fp16` halves the weights and computes in float32; `dyn` stores weights as 8-bit integers and quantises
    activations as they come ("dynamic range").
    """
    with tf.Graph().as_default() as graph:
        picture = tf.compat.v1.placeholder(dtype, shape, name="picture")
        outputs = build(picture)
        with tf.compat.v1.Session(graph=graph) as session:
            converter = tf.compat.v1.lite.TFLiteConverter.from_session(session, [picture], outputs)
            if precision != "fp32":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if precision == "fp16":
                converter.target_spec.supported_types = [tf.float16]
            with _quietly():
                return bytes(converter.convert())


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep the converter's summaries, which C++ prints past Python, off the terminal; show them where it fails."""
    with tempfile.TemporaryFile() as log:
        kept = os.dup(1), os.dup(2)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            log.seek(0)
            os.write(kept[1], log.read())
            raise
        finally:
            for original, number in zip(kept, (1, 2), strict=True):
                os.dup2(original, number)
                os.close(original)
