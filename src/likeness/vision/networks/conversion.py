"""From a model's published bytes to a network that an engine loads.

Every form becomes an ONNX graph that takes `pictures` as `onnx_graph` says, any number of them.
Detectors take any size in multiples of 32 (most of them one picture at a time);
recognisers take chips of their layout's size.
"""

import onnx

from likeness.errors import InvalidRequest
from likeness.vision.models.cards import ModelCard, two_files_refused
from likeness.vision.networks import dlib_resnet
from likeness.vision.networks.detectors import DetectorForm
from likeness.vision.networks.forms import DETECTORS, RECOGNISERS, Form
from likeness.vision.networks.onnx_graph import (
    declare_input,
    keep_batches_whole,
    output_shapes,
    read_graph,
    take_pictures,
)
from likeness.vision.networks.openvino_ir import write_recogniser

# A canvas that nobody exports at, to find out whether a graph is bound to another size.
_TRIAL_HEIGHT, _TRIAL_WIDTH = 96, 160
_TRIAL_COUNT = 2


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
