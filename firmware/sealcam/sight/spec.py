"""What sight must know of a model to feed and read it: values from `models/MANIFEST.toml`, read by `sealcam.models`.

A specification says nothing of files and hashes; those stay with the reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Placement(StrEnum):
    """How a frame is brought to the input's size."""

    LETTERBOX = "letterbox"  # keeps its shape, at the top left; the rest is filled
    STRETCH = "stretch"  # fills the input, whatever its shape


class Head(StrEnum):
    """How the outputs are read (`sealcam.sight.decode`)."""

    NANODET = "nanodet"
    SSD = "ssd"
    YOLOX = "yolox"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The picture a model takes: value = pixel (0 to 255) x `scale` + `offset`.

    `channels` is `RGB` or `BGR`; `layout` is `NHWC` or `NCHW`; `dtype` is numpy's name. `fill` is the pixel value
    beside a letterboxed picture. `calm`: it sees more in a grainy picture that was smoothed.
    """

    height: int
    width: int
    layout: str
    dtype: str
    channels: str
    placement: Placement
    fill: int
    scale: float
    offset: float
    calm: bool = False


@dataclass(frozen=True, slots=True)
class DecodingSpec:
    """How outputs become boxes. `iou` is the overlap from which the weaker of two boxes of a subject is dropped.

    `strides` are NanoDet's and YOLOX's; `bins` NanoDet's. For SSD: `box_scales` divides (y, x, height, width);
    `background` is the number of leading classes that mean nothing.
    """

    head: Head
    iou: float
    strides: tuple[int, ...] = ()
    bins: int = 0
    box_scales: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    background: int = 0


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A detector as sight sees it. `classes[i]` labels the model's class i, "" where it has none.

    `threshold` is the score from which a detection counts, unless the caller says otherwise. `embedding_stride` is
    set where the last output is a backbone map (1, height / stride, width / stride, channels) to pool from.
    """

    name: str
    input: InputSpec
    decoding: DecodingSpec
    classes: tuple[str, ...]
    threshold: float
    embedding_stride: int | None = None
