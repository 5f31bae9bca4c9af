"""Reads a TensorFlow.js graph model (topology as JSON, weights as binary shards) into a TensorFlow GraphDef.

The topology is a GraphDef in proto-JSON already. What is left to do: fill the weights into its constants, expand
quantised ones, and split the operations that TensorFlow.js fused for itself back into plain ones. Needs nothing but
TensorFlow. The file format: https://github.com/tensorflow/tfjs, tfjs-core/src/io/types.ts.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from numpy.typing import NDArray

Array = NDArray[np.generic]
Node = Any  # tf.compat.v1.NodeDef, which has no types
GraphDef = Any

UNFUSED = {
    "_FusedConv2D": "Conv2D",
    "FusedConv2D": "Conv2D",
    "_FusedDepthwiseConv2dNative": "DepthwiseConv2dNative",
    "FusedDepthwiseConv2dNative": "DepthwiseConv2dNative",
}
KEPT_ATTRIBUTES = ("T", "strides", "padding", "data_format", "dilations", "explicit_paddings")
ACTIVATIONS = ("Relu", "Relu6", "Elu", "Sigmoid")


def read_graph(model_json: Path) -> GraphDef:
    """The graph of `model_json` with its weights in it; the shards lie beside the file."""
    model = json.loads(model_json.read_text())
    weights = _read_weights(model_json.parent, model["weightsManifest"])
    topology = {key: value for key, value in model["modelTopology"].items() if key != "versions"}
    for node in topology["node"]:
        _decode_byte_lists(node.get("attr", {}))
    source = json_format.ParseDict(topology, tf.compat.v1.GraphDef(), ignore_unknown_fields=True)
    graph = tf.compat.v1.GraphDef()
    for node in source.node:
        if node.op == "Const":
            add_constant(graph, node.name, weights[node.name].astype(_dtype_of(node, "dtype")))
        elif node.op == "SparseToDense":
            add_constant(graph, node.name, _densify(node, weights))
        elif node.op in UNFUSED:
            _add_unfused(graph, node)
        else:
            graph.node.append(node)
    return graph


def add_constant(graph: GraphDef, name: str, value: Array) -> None:
    """Put a constant node of that name and value into the graph."""
    node = graph.node.add(name=name, op="Const")
    node.attr["dtype"].type = tf.as_dtype(value.dtype).as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))


def constants(graph: GraphDef) -> dict[str, Array]:
    """The values of the graph's constants by the name of their node."""
    return {node.name: tf.make_ndarray(node.attr["value"].tensor) for node in graph.node if node.op == "Const"}


def base_name(edge: str) -> str:
    """The node an input comes from: `split:1` is output 1 of `split`."""
    return edge.split(":")[0]


def _read_weights(folder: Path, manifest: list[dict[str, Any]]) -> dict[str, Array]:
    weights: dict[str, Array] = {}
    for group in manifest:
        blob = b"".join((folder / shard).read_bytes() for shard in group["paths"])
        offset = 0
        for entry in group["weights"]:
            quantised = entry.get("quantization")
            stored = np.dtype(quantised["dtype"] if quantised else entry["dtype"])
            count = int(np.prod(entry["shape"], dtype=np.int64))
            values: Array = np.frombuffer(blob, stored, count, offset)
            offset += values.nbytes
            if quantised and stored != np.float16:
                values = values.astype(np.float64) * quantised["scale"] + quantised["min"]
            weights[entry["name"]] = values.astype(entry["dtype"]).reshape(entry["shape"])
        if offset != len(blob):
            raise ValueError(f"{group['paths']}: {len(blob) - offset} bytes too many")
    return weights


def _decode_byte_lists(attributes: dict[str, Any]) -> None:
    """Old exports write bytes as lists of character codes, where proto-JSON wants base64."""

    def encode(value: Any) -> Any:
        return base64.b64encode(bytes(value)).decode() if isinstance(value, list) else value

    for attribute in attributes.values():
        if "s" in attribute:
            attribute["s"] = encode(attribute["s"])
        if isinstance(attribute.get("list"), dict) and attribute["list"].get("s"):
            attribute["list"]["s"] = [encode(value) for value in attribute["list"]["s"]]


def _dtype_of(node: Node, attribute: str) -> np.dtype[np.generic]:
    """The type a node declares: TensorFlow.js stores int64 as int32, so the weight's own type isn't enough."""
    return np.dtype(tf.as_dtype(node.attr[attribute].type).as_numpy_dtype)


def _densify(node: Node, weights: dict[str, Array]) -> Array:
    """The value of a SparseToDense: in these exports it only ever is a constant shape."""
    indices, shape, values, default = (weights[base_name(edge)] for edge in node.input[:4])
    dense = np.full(shape, default, _dtype_of(node, "T"))
    dense[tuple(np.atleast_2d(indices).reshape(-1, len(shape)).T)] = values
    return dense


def _add_unfused(graph: GraphDef, node: Node) -> None:
    """Write a fused convolution as convolution, bias and activation; the last keeps the fused node's name."""
    steps = [step.decode() for step in node.attr["fused_ops"].list.s]
    names = [f"{node.name}/step{index}" for index in range(len(steps))] + [node.name]
    convolution = graph.node.add(name=names[0], op=UNFUSED[node.op], input=node.input[:2])
    for key in KEPT_ATTRIBUTES:
        if key in node.attr:
            convolution.attr[key].CopyFrom(node.attr[key])
    arguments = list(node.input[2:])
    for step, before, name in zip(steps, names[:-1], names[1:], strict=True):
        if step == "BiasAdd":
            added = graph.node.add(name=name, op=step, input=[before, arguments.pop(0)])
        elif step in ACTIVATIONS:
            added = graph.node.add(name=name, op=step, input=[before])
        else:
            raise ValueError(f"{node.name}: no rule for the fused step {step}")
        added.attr["T"].CopyFrom(node.attr["T"])
