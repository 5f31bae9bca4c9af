"""Writes the verdict model's TensorFlow Lite file: three fully connected layers and a softmax, float32.

The graph is fixed; only the weights differ from one training to the next, so every file is as long as the others and
equal to them outside the weights. `sealcam.verdict_file` holds the camera to that. The numbers of fields, operators
and types are TensorFlow Lite's schema, version 3.
"""

from __future__ import annotations

from sealcam.verdict_file import WIDTHS, Layer
from sealcam_verdict.flat import Blob, Ints, Scalar, Table, Tables, Writer

IDENTIFIER, SCHEMA_VERSION = b"TFL3", 3
FULLY_CONNECTED, SOFTMAX = 9, 25  # BuiltinOperator
FULLY_CONNECTED_OPTIONS, SOFTMAX_OPTIONS = 8, 9  # BuiltinOptions
NO_ACTIVATION, RELU = 0, 1  # ActivationFunctionType
DESCRIPTION = "sealcam verdict, features 1"


def write(layers: tuple[Layer, ...]) -> bytes:
    """The file of these layers, float32 each: weights (outputs, inputs) and biases (outputs)."""
    return _layout(layers)[0]


def places(layers: tuple[Layer, ...]) -> tuple[tuple[int, int], ...]:
    """Where the weights lie in the file, in the order of the layers: first byte, and the one after the last."""
    return tuple(_layout(layers)[1].values())


def _layout(layers: tuple[Layer, ...]) -> tuple[bytes, dict[str, tuple[int, int]]]:
    writer = Writer()
    content = writer.file(_model(layers), IDENTIFIER)
    return content, writer.blobs


def _model(layers: tuple[Layer, ...]) -> Table:
    weights = [array for layer in layers for array in (layer.weights, layer.biases)]
    # The schema wants the first buffer empty: tensors without content refer to it.
    buffers = [Table({})] + [
        Table({0: Blob(f"{index}", array.astype("<f4").tobytes())}) for index, array in enumerate(weights)
    ]
    return Table(
        {
            0: Scalar("I", SCHEMA_VERSION),
            1: Tables((_code(FULLY_CONNECTED), _code(SOFTMAX))),
            2: Tables((_graph(len(layers)),)),
            3: DESCRIPTION,
            4: Tables(tuple(buffers)),
        }
    )


def _code(operator: int) -> Table:
    return Table({0: Scalar("b", operator), 2: Scalar("i", 1), 3: Scalar("i", operator)})


def _graph(count: int) -> Table:
    """Tensors: 0 the input, then weights and biases of each layer, then what each layer gives, then the softmax's."""
    tensors = [_tensor("features", (1, WIDTHS[0]), 0)]
    for index in range(count):
        inputs, outputs = WIDTHS[index], WIDTHS[index + 1]
        tensors.append(_tensor(f"weights{index}", (outputs, inputs), 1 + 2 * index))
        tensors.append(_tensor(f"biases{index}", (outputs,), 2 + 2 * index))
    tensors += [_tensor(f"layer{index}", (1, WIDTHS[index + 1]), 0) for index in range(count)]
    tensors.append(_tensor("probabilities", (1, WIDTHS[-1]), 0))
    first = 1 + 2 * count
    operators = []
    for index in range(count):
        given = 0 if index == 0 else first + index - 1
        options = Table({} if index == count - 1 else {0: Scalar("b", RELU)})
        inputs_of = (given, 1 + 2 * index, 2 + 2 * index)
        operators.append(_operator(0, inputs_of, first + index, FULLY_CONNECTED_OPTIONS, options))
    last = Table({0: Scalar("f", 1.0)})
    operators.append(_operator(1, (first + count - 1,), first + count, SOFTMAX_OPTIONS, last))
    return Table(
        {
            0: Tables(tuple(tensors)),
            1: Ints((0,)),
            2: Ints((first + count,)),
            3: Tables(tuple(operators)),
            4: "verdict",
        }
    )


def _tensor(name: str, shape: tuple[int, ...], buffer: int) -> Table:
    return Table({0: Ints(shape), 1: Scalar("b", 0), 2: Scalar("I", buffer), 3: name})


def _operator(code: int, inputs: tuple[int, ...], output: int, kind: int, options: Table) -> Table:
    return Table({0: Scalar("I", code), 1: Ints(inputs), 2: Ints((output,)), 3: Scalar("B", kind), 4: options})
