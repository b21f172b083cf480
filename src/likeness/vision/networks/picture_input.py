"""Give every network one input: `pictures`, (n, h, w, 3) uint8 RGB.

What a network was trained to expect (channel order, mean, scale) becomes its first few nodes, so
that an engine converts the pixels in its own threads and nothing above it knows the difference.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from likeness.vision.networks.preparation import Preparation

INPUT = "pictures"


def take_pictures(model: onnx.ModelProto, preparation: Preparation) -> onnx.ModelProto:
    """Put the preparation in front of a graph whose one input is (n, 3, h, w) float32.

    Axes that the graph leaves free stay free.
    """
    graph = model.graph
    (inner,) = graph.input
    n, _, h, w = (_dimension(dim) for dim in inner.type.tensor_type.shape.dim)
    nodes, constants = _nodes(preparation, inner.name)
    outer = helper.make_tensor_value_info(INPUT, TensorProto.UINT8, [n, h, w, 3])
    prepared = helper.make_graph(
        [*nodes, *graph.node],
        graph.name or "network",
        [outer],
        list(graph.output),
        [*constants, *graph.initializer],
    )
    return helper.make_model(
        prepared, opset_imports=list(model.opset_import), ir_version=model.ir_version
    )


def _nodes(
    preparation: Preparation, target: str
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    steps: list[tuple[str, Sequence[str], dict[str, Any]]] = [("Cast", (), {"to": 1})]
    constants: list[onnx.TensorProto] = []

    def constant(name: str, values: object, dtype: type) -> str:
        constants.append(numpy_helper.from_array(np.array(values, dtype), f"{INPUT}_{name}"))
        return constants[-1].name

    if preparation.channels == "BGR":
        steps.append(("Gather", (constant("order", [2, 1, 0], np.int64),), {"axis": 3}))
    steps.append(("Transpose", (), {"perm": [0, 3, 1, 2]}))
    if any(preparation.mean):
        mean = np.reshape(preparation.mean, (1, 3, 1, 1))
        steps.append(("Sub", (constant("mean", mean, np.float32),), {}))
    if preparation.scale != 1.0:
        steps.append(("Mul", (constant("scale", [1 / preparation.scale], np.float32),), {}))
    names = [f"{INPUT}_{kind.lower()}" for kind, _, _ in steps[:-1]] + [target]
    sources = [INPUT, *names[:-1]]
    nodes = [
        helper.make_node(kind, [source, *extra], [name], name=f"prepare_{kind.lower()}", **attrs)
        for (kind, extra, attrs), source, name in zip(steps, sources, names, strict=True)
    ]
    return nodes, constants


def _dimension(dim: onnx.TensorShapeProto.Dimension) -> int | str:
    return dim.dim_value if dim.HasField("dim_value") else dim.dim_param
