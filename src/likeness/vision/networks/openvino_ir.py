"""Write a recogniser that is published as OpenVINO's IR as an ONNX graph, so any engine can run it.

An IR is two files: the layers in XML, and the constants one after the other in binary, each found
by its offset and size (OpenVINO, "Representation of low-precision models", IR version 11). The
layers of Intel's recognisers are few kinds of operation, version opset1: constants stored in f16
and converted to f32, sums, products, convolutions, poolings and two activations. Another kind, or
a shape that does not follow from the layers before it, is refused by the layer's name.
"""

import math
import xml.etree.ElementTree as Xml
from collections.abc import Callable, Sequence
from typing import Any, Never
from xml.parsers import expat

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, shape_inference

from likeness.errors import InvalidRequest

_OPSET = 17
_IR_VERSION = "11"
_DTYPES: dict[str, np.dtype[Any]] = {"f16": np.dtype("<f2"), "f32": np.dtype("<f4")}

Floats = NDArray[np.float32]
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
    network = _Network(constants, side, what)
    for layer, sources in _in_order(layers, what):
        network.add(layer, sources)
    return network.finished()


def _in_order(layers: bytes, what: str) -> list[tuple[Xml.Element, list[str]]]:
    """Read the layers, each with the ids of those it takes its inputs from, in order of ports."""
    root = _parsed(layers, what)
    version = root.get("version", "none")
    if root.tag != "net" or version != _IR_VERSION:
        raise InvalidRequest(
            f"{what} was expected to be an OpenVINO IR of version {_IR_VERSION}, it is a"
            f" <{root.tag}> of version {version}: get the file again"
        )
    sources: dict[str, list[tuple[int, str]]] = {}
    for edge in root.iterfind("edges/edge"):
        port = _whole(edge.get("to-port"), f"an edge of {what}")
        sources.setdefault(edge.get("to-layer", ""), []).append((port, edge.get("from-layer", "")))
    return [
        (layer, [source for _, source in sorted(sources.get(layer.get("id", ""), []))])
        for layer in root.iterfind("layers/layer")
    ]


def _parsed(layers: bytes, what: str) -> Xml.Element:
    """Parse XML without document types, and so without entities."""

    def refuse(*_: object) -> Never:
        raise InvalidRequest(f"{what} has a document type, an IR has none: get the file again")

    scan = expat.ParserCreate()
    scan.StartDoctypeDeclHandler = refuse
    try:
        scan.Parse(layers, True)
        return Xml.fromstring(layers)  # noqa: S314  # without a document type: no entities
    except (expat.ExpatError, Xml.ParseError, ValueError) as error:
        raise InvalidRequest(
            f"{what} was expected to be XML and is not ({error}): get the file again"
        ) from error


class _Network:
    """Collects nodes, layer by layer; constants are worked out at once."""

    def __init__(self, constants: bytes, side: int, what: str) -> None:
        self._bytes = constants
        self._side = side
        self._what = what
        self._constants: dict[str, Constant] = {}
        # The tensor that each layer gives.
        self._tensors: dict[str, str] = {}
        self._declared: dict[str, tuple[str, Shape]] = {}
        self._nodes: list[onnx.NodeProto] = []
        self._initialisers: dict[str, onnx.TensorProto] = {}
        self._results = 0

    def add(self, layer: Xml.Element, sources: list[str]) -> None:
        kind = layer.get("type", "")
        writers: dict[str, Callable[[_Layer], None]] = {
            "Parameter": self._parameter,
            "Const": self._constant,
            "Convert": self._convert,
            "Add": self._sum_or_product,
            "Multiply": self._sum_or_product,
            "Convolution": self._convolution,
            "GroupConvolution": self._convolution,
            "PReLU": self._prelu,
            "AvgPool": self._average_pool,
            "Sigmoid": self._sigmoid,
            "Result": self._result,
        }
        read = _Layer(layer, sources, self._what)
        if kind not in writers or layer.get("version") != "opset1":
            raise read.refused(f"is a {kind or 'layer'} of {layer.get('version')}")
        for source in sources:
            if source not in self._tensors and source not in self._constants:
                raise read.refused(f"takes what comes from layer {source}, which is not before it")
        writers[kind](read)

    def finished(self) -> tuple[onnx.ModelProto, int]:
        if self._results != 1:
            raise InvalidRequest(
                f"{self._what} was expected to give one result, it gives {self._results}: get the"
                " file again"
            )
        model = self._model(1)
        inferred = self._inferred(model)
        for tensor, (layer, declared) in self._declared.items():
            if inferred.get(tensor) != declared:
                raise InvalidRequest(
                    f"Layer {layer} of {self._what} is said to give {declared} and gives"
                    f" {inferred.get(tensor)}: get the file again"
                )
        match inferred.get("features"):
            case (1, dimensions):
                return self._model("n"), dimensions
            case shape:
                raise InvalidRequest(
                    f"{self._what} was expected to give one row of numbers for a chip, it gives"
                    f" {shape}: get the file again"
                )

    def _model(self, count: int | str) -> onnx.ModelProto:
        graph = helper.make_graph(
            self._nodes,
            "openvino_ir",
            [
                helper.make_tensor_value_info(
                    "chips", TensorProto.FLOAT, [count, 3, self._side, self._side]
                )
            ],
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, [count, None])],
            list(self._initialisers.values()),
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8
        )
        try:
            onnx.checker.check_model(model)
            model = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        except Exception as error:  # ValidationError and InferenceError have no common class
            raise InvalidRequest(
                f"{self._what} does not fit together ({str(error).strip().splitlines()[0]}): get"
                " the file again"
            ) from error
        return model

    def _inferred(self, model: onnx.ModelProto) -> dict[str, Shape]:
        graph = model.graph
        return {
            value.name: tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim)
            for value in [*graph.input, *graph.value_info, *graph.output]
        }

    def _parameter(self, layer: "_Layer") -> None:
        shape, wanted = layer.sizes("shape"), (1, 3, self._side, self._side)
        if shape != wanted or "chips" in self._tensors.values():
            raise layer.refused(f"is an input of {shape}, where one of {wanted} is known")
        self._tensors[layer.id] = "chips"

    def _constant(self, layer: "_Layer") -> None:
        shape, offset, size = layer.sizes("shape"), layer.whole("offset"), layer.whole("size")
        dtype = _DTYPES.get(layer.word("element_type"))
        if dtype is None or math.prod(shape) * dtype.itemsize != size:
            raise layer.refused(f"holds {size} bytes for {layer.word('element_type')} of {shape}")
        if offset + size > len(self._bytes):
            raise layer.refused(
                f"lies at bytes {offset} to {offset + size} of a file of {len(self._bytes)}"
            )
        values = np.frombuffer(self._bytes, dtype, math.prod(shape), offset)
        self._constants[layer.id] = values.reshape(shape)

    def _convert(self, layer: "_Layer") -> None:
        (source,) = layer.inputs(1)
        if source not in self._constants or layer.word("destination_type") != "f32":
            raise layer.refused("converts something else than a constant to f32")
        self._constants[layer.id] = self._constants[source].astype(np.float32)

    def _sum_or_product(self, layer: "_Layer") -> None:
        kind = {"Add": "Add", "Multiply": "Mul"}[layer.kind]
        if layer.word("auto_broadcast") != "numpy":
            raise layer.refused("broadcasts in a way of its own")
        inputs = []
        for source in layer.inputs(2):
            values = self._constants.get(source)
            if values is not None and values.ndim == 4 and values.shape[0] != 1:
                raise layer.refused("is for a fixed number of chips")
            inputs.append(self._tensor(layer, source))
        self._node(layer, kind, inputs)

    def _convolution(self, layer: "_Layer") -> None:
        pictures, source = layer.inputs(2)
        filters = self._values(layer, source)
        groups = 1
        if layer.kind == "GroupConvolution" and filters.ndim == 5:
            groups = filters.shape[0]
            filters = filters.reshape(-1, *filters.shape[2:])
        if filters.ndim != 4 or layer.word("auto_pad") != "explicit":
            raise layer.refused(f"has filters of {filters.shape}, or pads by itself")
        name = self._initialiser(f"filters_{layer.id}", filters)
        self._node(
            layer,
            "Conv",
            [self._tensor(layer, pictures), name],
            group=groups,
            kernel_shape=list(filters.shape[2:]),
            strides=list(layer.sizes("strides")),
            dilations=list(layer.sizes("dilations")),
            pads=[*layer.sizes("pads_begin"), *layer.sizes("pads_end")],
        )

    def _prelu(self, layer: "_Layer") -> None:
        pictures, source = layer.inputs(2)
        slope = self._values(layer, source)
        if slope.ndim != 1:
            raise layer.refused(f"has slopes of {slope.shape}")
        name = self._initialiser(f"slopes_{layer.id}", slope.reshape(-1, 1, 1))
        self._node(layer, "PRelu", [self._tensor(layer, pictures), name])

    def _average_pool(self, layer: "_Layer") -> None:
        (pictures,) = layer.inputs(1)
        if (layer.word("auto_pad"), layer.word("rounding_type")) != ("explicit", "floor"):
            raise layer.refused("pads by itself, or rounds sizes up")
        self._node(
            layer,
            "AveragePool",
            [self._tensor(layer, pictures)],
            kernel_shape=list(layer.sizes("kernel")),
            strides=list(layer.sizes("strides")),
            pads=[*layer.sizes("pads_begin"), *layer.sizes("pads_end")],
            count_include_pad=int(layer.word("exclude-pad") != "true"),
        )

    def _sigmoid(self, layer: "_Layer") -> None:
        (source,) = layer.inputs(1)
        self._node(layer, "Sigmoid", [self._tensor(layer, source)])

    def _result(self, layer: "_Layer") -> None:
        (source,) = layer.inputs(1)
        self._results += 1
        if self._results == 1:
            inputs = [self._tensor(layer, source)]
            self._nodes.append(helper.make_node("Flatten", inputs, ["features"], axis=1))

    def _node(self, layer: "_Layer", kind: str, inputs: Sequence[str], **attributes: Any) -> None:
        name = f"layer_{layer.id}"
        self._nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        self._tensors[layer.id] = name
        self._declared[name] = (layer.id, layer.declared_shape())

    def _tensor(self, layer: "_Layer", source: str) -> str:
        if source in self._tensors:
            return self._tensors[source]
        return self._initialiser(f"constant_{source}", self._values(layer, source))

    def _values(self, layer: "_Layer", source: str) -> Floats:
        values = self._constants.get(source)
        if values is None or values.dtype != np.float32:
            raise layer.refused(f"was expected to take constants in f32 from layer {source}")
        return np.asarray(values, np.float32)

    def _initialiser(self, name: str, values: Floats) -> str:
        self._initialisers[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name


class _Layer:
    """One layer: its kind, its attributes, the ids of those it takes its inputs from."""

    def __init__(self, element: Xml.Element, sources: list[str], what: str) -> None:
        self._element = element
        data = element.find("data")
        self._data = {} if data is None else data.attrib
        self._sources = sources
        self._what = what
        self.id = str(_whole(element.get("id"), f"the id of a layer of {what}"))
        self.kind = element.get("type", "")

    def refused(self, why: str) -> InvalidRequest:
        name = (self._element.get("name") or "")[:80]
        return InvalidRequest(
            f"Layer {self.id} ({name!r}) of {self._what} {why}: that is not known here, get the"
            " file again"
        )

    def inputs(self, count: int) -> list[str]:
        if len(self._sources) != count:
            raise self.refused(f"takes {len(self._sources)} inputs in place of {count}")
        return self._sources

    def word(self, key: str) -> str:
        return self._data.get(key, "")

    def whole(self, key: str) -> int:
        return _whole(self._data.get(key), f"{key} of layer {self.id} of {self._what}")

    def sizes(self, key: str) -> Shape:
        where = f"{key} of layer {self.id} of {self._what}"
        return tuple(_whole(size, where) for size in self.word(key).split(","))

    def declared_shape(self) -> Shape:
        where = f"the output of layer {self.id} of {self._what}"
        return tuple(_whole(axis.text, where) for axis in self._element.iterfind("output/port/dim"))


def _whole(text: str | None, where: str) -> int:
    digits = (text or "").strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 12):
        raise InvalidRequest(
            f"{where} was expected to be a whole number, it is {digits[:40]!r}: get the file again"
        )
    return int(digits)
