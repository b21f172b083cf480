"""From a model's published bytes to a network that an engine loads.

Every form becomes an ONNX graph with one input: `pictures`, (n, h, w, 3) uint8 RGB, any number of
them. Detectors take any size in multiples of 32 (most of them one picture at a time); recognisers
take chips of their layout's size.

Exporters write down the size of their example picture, though convolutions do not depend on it, so
the axes are freed. Where a graph does depend on it, shape inference at another size finds out. What
a network was trained to expect (channel order, mean, scale) becomes its first few nodes, so that an
engine converts the pixels in its own threads and nothing above it knows the difference.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import Message
from onnx import TensorProto, helper, numpy_helper, shape_inference

from likeness.errors import InvalidRequest
from likeness.vision.detections import DetectorForm, Shape
from likeness.vision.models.cards import ModelCard, two_files_refused
from likeness.vision.networks import dlib_resnet
from likeness.vision.networks.forms import DETECTORS, RECOGNISERS, Form
from likeness.vision.networks.openvino_ir import write_recogniser
from likeness.vision.networks.session import Preparation

# A canvas that nobody exports at, to find out whether a graph is bound to another size.
_TRIAL_HEIGHT, _TRIAL_WIDTH = 96, 160
_TRIAL_COUNT = 2

INPUT = "pictures"


def convert(card: ModelCard, published: bytes, graph: bytes | None = None) -> onnx.ModelProto:
    """Make the network of a card from the bytes of its source, and of its graph if it has one.

    Raises:
        InvalidRequest: the bytes are not of the card's form, or give other dimensions.
    """
    network, dimensions = read_network(published, card.form, card.name, graph)
    if dimensions != card.dimensions:
        raise InvalidRequest(
            f"The card of {card.name} promises templates of {card.dimensions} numbers, and its"
            f" graph gives {dimensions}. Correct the card."
        )
    return take_pictures(network, card.preparation)


def read_network(
    published: bytes, form: Form, what: str, graph: bytes | None = None
) -> tuple[onnx.ModelProto, int | None]:
    """Read published bytes as a form says, and a recogniser's dimensions with it.

    The graph still wants its pixels prepared; `what` names it in messages.

    Raises:
        InvalidRequest: the bytes are not of this form.
    """
    if form in DETECTORS:
        return _detector(published, DETECTORS[form], what), None
    side = RECOGNISERS[form].layout.side
    match form:
        case Form.DLIB_RESNET:
            return dlib_resnet.write_resnet(published), dlib_resnet.DIMENSIONS
        case Form.OPENVINO_REID:
            if graph is None:
                raise InvalidRequest(two_files_refused(form))
            return write_recogniser(graph, published, side, what)
        case _:
            return _recogniser(published, side, what)


def _detector(published: bytes, form: DetectorForm, what: str) -> onnx.ModelProto:
    model = read_graph(published, what)
    count = _TRIAL_COUNT if form.takes_many else 1
    shapes = output_shapes(model, (count, 3, _TRIAL_HEIGHT, _TRIAL_WIDTH), what)
    form.check(shapes, count, _TRIAL_HEIGHT, _TRIAL_WIDTH)
    declare_input(model, ("n" if form.takes_many else 1, 3, "h", "w"))
    return model


def _recogniser(published: bytes, side: int, what: str) -> tuple[onnx.ModelProto, int]:
    model = read_graph(published, what)
    # Axes that are free count 0.
    declared = [
        [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in model.graph.output
    ]
    keep_batches_whole(model)
    shapes = output_shapes(model, (_TRIAL_COUNT, 3, side, side), what)
    match shapes, declared:
        case [(rows, dimensions)], _ if rows == _TRIAL_COUNT:
            pass
        # A graph that computes its shapes while it runs, of which only its word can be had.
        case [None], [[_, dimensions]] if dimensions > 0:
            pass
        case _:
            raise InvalidRequest(
                f"Not a recogniser of this form: {what} gives {', '.join(map(str, shapes))}, not a"
                f" row of numbers for each of {_TRIAL_COUNT} chips of {side}x{side}. Give another."
            )
    declare_input(model, ("n", 3, side, side))
    return model, dimensions


def read_graph(published: bytes, what: str) -> onnx.ModelProto:
    """Read a graph of one float32 input (n, 3, h, w); `what` names it in messages.

    Weights that are listed among the inputs, as exporters of 2019 did, are taken off that list.

    Raises:
        InvalidRequest: the bytes are no such graph, or keep their weights in another file.
    """
    try:
        model = onnx.load_model_from_string(published)
    except Exception as error:  # protobuf raises its own, undocumented kinds
        raise InvalidRequest(f"Not an ONNX graph: {what}. Get the file again.") from error
    graph = model.graph
    # What lies elsewhere has no part in the digest by which a model is known.
    if any(tensor.data_location == TensorProto.EXTERNAL for tensor in _tensors(model)):
        raise InvalidRequest(
            f"{what} keeps weights in another file. Save it as one whole file, with"
            " onnx.save_model(..., save_as_external_data=False)."
        )
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if len(inputs) != 1 or not _takes_pictures(inputs[0]):
        raise InvalidRequest(
            f"{what} takes {', '.join(map(_described, inputs)) or 'nothing'}, not one float32"
            " (n, 3, h, w). Give the graph as published."
        )
    del graph.input[:]
    graph.input.extend(inputs)
    # Older versions of the format demand that weights are inputs.
    model.ir_version = max(model.ir_version, 4)
    return model


def declare_input(model: onnx.ModelProto, dimensions: Sequence[str | int]) -> None:
    """Say what the one input's axes are, a name for a free one; those of the outputs follow."""
    _redeclare_input(model, dimensions)
    outputs = shape_inference.infer_shapes(model, data_prop=True).graph.output
    del model.graph.output[:]
    model.graph.output.extend(outputs)


def keep_batches_whole(model: onnx.ModelProto) -> None:
    """Let reshapes that were exported for one picture keep any number of them.

    A constant target shape that starts with 1 becomes one that starts with 0, which in ONNX
    copies the axis; reshapes of weights are left alone.
    """
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer} | {
        node.output[0]: attribute.t
        for node in graph.node
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.name == "value"
    }
    for number, node in enumerate(graph.node):
        if node.op_type != "Reshape" or node.input[0] in constants:
            continue
        target = constants.get(node.input[1])
        if target is None:
            continue
        shape = numpy_helper.to_array(target).copy()
        if len(shape) > 1 and shape[0] == 1:
            shape[0] = 0
            # A constant of its own: others may share the old one.
            name = f"kept_batch_{number}"
            graph.initializer.append(numpy_helper.from_array(shape, name))
            node.input[1] = name


def output_shapes(model: onnx.ModelProto, input_shape: Shape, what: str) -> list[Shape | None]:
    """Infer the shape of every output for one input shape; None where it cannot be told.

    The graph's declared axes are replaced: declare them afterwards.

    Raises:
        InvalidRequest: the graph is bound to another input shape, or an output is not float32.
    """
    _redeclare_input(model, input_shape)
    try:
        inferred = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except Exception as error:  # InferenceError is one of several
        raise InvalidRequest(
            f"{what} does not take input of shape {input_shape} ({_first_line(error)}). Give a"
            " graph of the right form, exported with free axes."
        ) from error
    tensors = [value.type.tensor_type for value in inferred.graph.output]
    if any(tensor.elem_type != TensorProto.FLOAT for tensor in tensors):
        raise InvalidRequest(f"{what} does not give float32. Export it in f32.")
    return [_known_shape(tensor) for tensor in tensors]


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


def _tensors(message: Message) -> Iterator[TensorProto]:
    """Give every tensor, wherever in a graph one can be: in attributes, subgraphs, functions."""
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in [value] if isinstance(value, Message) else value:
                if isinstance(inner, TensorProto):
                    yield inner
                yield from _tensors(inner)


def _redeclare_input(model: onnx.ModelProto, dimensions: Sequence[str | int]) -> None:
    """Replace the input's axes, and forget what was noted of shapes that follow from them."""
    shape = model.graph.input[0].type.tensor_type.shape
    del shape.dim[:]
    for dimension in dimensions:
        if isinstance(dimension, int):
            shape.dim.add().dim_value = dimension
        else:
            shape.dim.add().dim_param = dimension
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]


def _known_shape(tensor: onnx.TypeProto.Tensor) -> Shape | None:
    dimensions = tensor.shape.dim
    if not tensor.HasField("shape") or not all(dim.HasField("dim_value") for dim in dimensions):
        return None
    return tuple(dim.dim_value for dim in dimensions)


def _takes_pictures(value: onnx.ValueInfoProto) -> bool:
    tensor = value.type.tensor_type
    dimensions = tensor.shape.dim
    return (
        tensor.elem_type == TensorProto.FLOAT
        and len(dimensions) == 4
        # A free channel axis is as good: the weights know that there are three.
        and (dimensions[1].dim_value == 3 or not dimensions[1].HasField("dim_value"))
    )


def _described(value: onnx.ValueInfoProto) -> str:
    tensor = value.type.tensor_type
    axes = [str(dim.dim_value or dim.dim_param or "?") for dim in tensor.shape.dim]
    kind = TensorProto.DataType.Name(tensor.elem_type).lower()
    return f"{value.name} {kind} ({', '.join(axes)})"


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason")


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
