"""A detector that finds nothing, in no time: what moves is motion alone, and that is recorded, too.

One look of the default model takes an emulated processor so many seconds that the eye, which waits ten for a sign of
life, ends itself. It finds this one where a checkout keeps fetched models. design/vm.md.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from sealcam_verdict.flat import Blob, Ints, Scalar, Table, Tables, Writer
from sealcam_verdict.tflite import FULLY_CONNECTED, FULLY_CONNECTED_OPTIONS, IDENTIFIER, SCHEMA_VERSION

_SIDE_PX, _COLOURS = 32, 3
_LAYERS = 1, 4  # a cell is a point of the picture; it has one class, and one bin for each side of its box
_MANIFEST = """
default = "nothing"
[classes]
person = ["person"]
[[model]]
name = "nothing"
classes = "person"
threshold = 0.4
[model.input]
height = {side}
width = {side}
layout = "NHWC"
dtype = "float32"
channels = "RGB"
placement = "stretch"
fill = 0
scale = 1.0
offset = 0.0
[model.decoding]
head = "nanodet"
iou = 0.5
strides = [1]
bins = 1
[[model.variant]]
file = "nothing.tflite"
runtimes = ["ai-edge-litert"]
bytes = {size}
sha256 = "{sha256}"
"""


def files(folder: Path) -> dict[str, Path]:
    """The model and its manifest, made in `folder`, by their places on the product's disk."""
    content = Writer().file(_model(), IDENTIFIER)
    model, manifest = folder / "nothing.tflite", folder / "models.toml"
    model.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    manifest.write_text(_MANIFEST.format(side=_SIDE_PX, size=len(content), sha256=sha256))
    return {"build/models/nothing.tflite": model, "build/models/MANIFEST.toml": manifest}


def _model() -> Table:
    """Two layers from each point's colour, with weights of nought: NanoDet's scores, and the sides of its boxes."""
    code = Table({0: Scalar("b", FULLY_CONNECTED), 2: Scalar("i", 1), 3: Scalar("i", FULLY_CONNECTED)})
    tensors = (
        _tensor("picture", (1, _SIDE_PX, _SIDE_PX, _COLOURS), 0),
        *(_tensor(f"weights{values}", (values, _COLOURS), number) for number, values in enumerate(_LAYERS, 1)),
        *(_tensor(f"cells{values}", (1, _SIDE_PX, _SIDE_PX, values), 0) for values in _LAYERS),
    )
    graph = {0: Tables(tensors), 1: Ints((0,)), 2: Ints((3, 4)), 3: Tables((_layer(1, 3), _layer(2, 4)))}
    weights = (Table({0: Blob(f"{values}", bytes(4 * values * _COLOURS))}) for values in _LAYERS)
    return Table(
        {
            0: Scalar("I", SCHEMA_VERSION),
            1: Tables((code,)),
            2: Tables((Table(graph),)),
            4: Tables((Table({}), *weights)),  # the schema wants the first one empty
        }
    )


def _tensor(name: str, shape: tuple[int, ...], buffer: int) -> Table:
    return Table({0: Ints(shape), 1: Scalar("b", 0), 2: Scalar("I", buffer), 3: name})


def _layer(weights: int, output: int) -> Table:
    options = Table({2: Scalar("?", True)})  # keep_num_dims: a layer for each point
    kind = Scalar("B", FULLY_CONNECTED_OPTIONS)
    return Table({0: Scalar("I", 0), 1: Ints((0, weights)), 2: Ints((output,)), 3: kind, 4: options})
