"""Write a recogniser that is published as OpenVINO's IR as an ONNX graph, so any engine can run it.

An IR is two files: the layers in XML, and the constants in binary. OpenVINO itself reads and checks
them. The layers of Intel's recognisers are few kinds of operation, of the set opset1: constants
stored in f16 and converted to f32, sums, products, convolutions, poolings and two activations.
Another kind, or a shape that does not follow from the layers before it, is refused by the layer's
name.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, shape_inference

from likeness.errors import InvalidRequest, LikenessError
from likeness.vision.networks.openvino_engine import import_openvino, last_line

_OPSET = 17
_SAME_NAME = {"Add": "Add", "Multiply": "Mul", "Sigmoid": "Sigmoid", "PRelu": "PRelu"}
_CONVOLUTIONS = ("Convolution", "GroupConvolution")

Constant = NDArray[np.floating[Any]]
Shape = tuple[int, ...]


def write_recogniser(
    layers: bytes, constants: bytes, side: int, what: str
) -> tuple[onnx.ModelProto, int]:
    """Make the graph: `chips` (n, 3, side, side) float32 -> `features` (n, d) float32; and d.

    `what` names the model in messages.

    Raises:
        InvalidRequest: the bytes are no such IR, or hold what is not known here.
    """
    if b"<!DOCTYPE" in layers:
        raise InvalidRequest(f"{what} has a document type, an IR has none. Get the file again.")
    network = _Network(side, what)
    try:
        for operation in _read(layers, constants):
            network.add(_Layer(operation, what))
    except LikenessError:
        raise
    except Exception as error:  # OpenVINO raises nearly everything on hostile bytes
        raise InvalidRequest(
            f"Not an OpenVINO IR: {what} cannot be read ({last_line(error)}). Get the file again."
        ) from error
    return network.finished()


def _read(layers: bytes, constants: bytes) -> list[Any]:
    """Read the layers, each after those it takes its inputs from."""
    openvino = import_openvino()
    model = openvino.Core().read_model(layers, openvino.Tensor(np.frombuffer(constants, "u1")))
    return list(model.get_ordered_ops())


class _Layer:
    """One layer: its kind, its attributes, the names of those it takes its inputs from."""

    def __init__(self, operation: Any, what: str) -> None:
        self._operation = operation
        self._what = what
        self.name: str = operation.get_friendly_name()
        self.kind: str = operation.get_type_name()
        self.attributes: dict[str, Any] = operation.get_attributes()
        self.inputs: list[str] = [
            each.get_source_output().get_node().get_friendly_name() for each in operation.inputs()
        ]

    @property
    def shape(self) -> Shape:
        return tuple(self._operation.output(0).get_shape())

    def values(self) -> Constant:
        """Copy what a constant holds."""
        return np.array(self._operation.data)

    def require(self, known: bool, why: str) -> None:
        if not known:
            raise InvalidRequest(
                f"Layer {self.name!r:.80} of {self._what} {why}, which is not known here. Get the"
                " file again."
            )


class _Network:
    """Collects nodes, layer by layer; constants are worked out at once."""

    def __init__(self, side: int, what: str) -> None:
        self._side = side
        self._what = what
        self._constants: dict[str, Constant] = {}
        # By layer: the tensor that it gives, and the shape that OpenVINO says it has.
        self._given: dict[str, tuple[str, Shape]] = {}
        self._nodes: list[onnx.NodeProto] = []
        self._initialisers: dict[str, onnx.TensorProto] = {}

    def add(self, layer: _Layer) -> None:
        attributes = layer.attributes
        match layer.kind:
            case "Parameter":
                wanted = (1, 3, self._side, self._side)
                layer.require(layer.shape == wanted, f"is an input of {layer.shape}, not {wanted}")
                self._given[layer.name] = "chips", layer.shape
            case "Constant":
                self._constants[layer.name] = layer.values()
            case "Convert":
                layer.require(
                    layer.inputs[0] in self._constants and attributes["destination_type"] == "f32",
                    "converts something else than a constant to f32",
                )
                self._constants[layer.name] = self._constants[layer.inputs[0]].astype(np.float32)
            case kind if kind in _SAME_NAME:
                self._node(layer, _SAME_NAME[kind], [self._input(layer, i) for i in layer.inputs])
            case kind if kind in _CONVOLUTIONS:
                self._convolution(layer)
            case "AvgPool":
                layer.require(attributes["rounding_type"] == "floor", "rounds sizes up")
                self._node(
                    layer,
                    "AveragePool",
                    [self._input(layer, layer.inputs[0])],
                    kernel_shape=attributes["kernel"],
                    count_include_pad=int(not attributes["exclude-pad"]),
                )
            case "Result":
                source = self._input(layer, layer.inputs[0])
                self._nodes.append(helper.make_node("Flatten", [source], ["features"], axis=1))
            case kind:
                layer.require(False, f"is a {kind}")

    def finished(self) -> tuple[onnx.ModelProto, int]:
        graph = self._model(1).graph
        inferred = {
            value.name: tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim)
            for value in [*graph.input, *graph.value_info, *graph.output]
        }
        for layer, (tensor, shape) in self._given.items():
            if inferred.get(tensor) != shape:
                raise InvalidRequest(
                    f"Layer {layer!r:.80} of {self._what} gives {shape} in OpenVINO and"
                    f" {inferred.get(tensor)} in ONNX. Get the file again."
                )
        match inferred.get("features"):
            case (1, dimensions):
                return self._model("n"), dimensions
            case other:
                raise InvalidRequest(
                    f"Not a recogniser: {self._what} gives {other} for a chip, not one row of"
                    " numbers. Get the file again."
                )

    def _model(self, count: int | str) -> onnx.ModelProto:
        sides = [count, 3, self._side, self._side]
        graph = helper.make_graph(
            self._nodes,
            "openvino_ir",
            [helper.make_tensor_value_info("chips", TensorProto.FLOAT, sides)],
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, [count, None])],
            list(self._initialisers.values()),
        )
        opset = helper.make_opsetid("", _OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
        try:
            onnx.checker.check_model(model)
            return shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        except Exception as error:  # ValidationError and InferenceError have no common class
            raise InvalidRequest(
                f"{self._what} does not fit together ({str(error).strip().splitlines()[0]}). Get"
                " the file again."
            ) from error

    def _convolution(self, layer: _Layer) -> None:
        pictures, source = layer.inputs
        layer.require(source in self._constants, "has filters that are computed")
        filters, groups = self._constants[source], 1
        if layer.kind == "GroupConvolution":
            groups, filters = filters.shape[0], filters.reshape(-1, *filters.shape[2:])
        self._node(
            layer,
            "Conv",
            [self._input(layer, pictures), self._initialiser(source, filters)],
            group=groups,
            kernel_shape=list(filters.shape[2:]),
            dilations=layer.attributes["dilations"],
        )

    def _node(self, layer: _Layer, kind: str, inputs: list[str], **attributes: Any) -> None:
        known = layer.attributes
        layer.require(known.get("auto_pad", "explicit") == "explicit", "pads by itself")
        layer.require(known.get("auto_broadcast", "numpy") == "numpy", "broadcasts in its own way")
        if "strides" in known:
            pads = [*known["pads_begin"], *known["pads_end"]]
            attributes |= {"strides": known["strides"], "pads": pads}
        name = f"layer_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        self._given[layer.name] = name, layer.shape

    def _input(self, layer: _Layer, source: str) -> str:
        if source in self._given:
            return self._given[source][0]
        values = self._constants[source]
        if layer.kind == "PRelu":
            layer.require(values.ndim == 1, f"has slopes of {values.shape}")
            values = values.reshape(-1, 1, 1)
        layer.require(values.ndim < 4 or values.shape[0] == 1, "is for a fixed number of chips")
        return self._initialiser(source, values)

    def _initialiser(self, source: str, values: Constant) -> str:
        contiguous = np.ascontiguousarray(values, np.float32)
        self._initialisers[source] = numpy_helper.from_array(contiguous, source)
        return source
