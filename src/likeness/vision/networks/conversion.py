"""From a model's published bytes to a network that an engine loads.

Every form becomes an ONNX graph that takes `pictures` as `picture_input` says, any number of them.
Detectors take any size in multiples of 32 (those that users bring, one picture at a time);
recognisers take chips of their layout's size.
"""

import onnx

from likeness.errors import InvalidRequest
from likeness.vision.models.cards import LAYOUTS, Form, ModelCard, two_files_refused
from likeness.vision.networks import scrfd, yunet
from likeness.vision.networks.centerface_onnx import make_dynamic
from likeness.vision.networks.dlib_onnx import write_resnet
from likeness.vision.networks.dlib_weights import read_resnet_weights
from likeness.vision.networks.free_axes import (
    declare_input,
    keep_batches_whole,
    output_shapes,
    read_graph,
)
from likeness.vision.networks.openvino_ir import write_recogniser
from likeness.vision.networks.picture_input import take_pictures
from likeness.vision.networks.pyramid import Pyramid

_DLIB_DIMENSIONS = 128
# A canvas that nobody exports at, to find out whether a graph is bound to another size.
_TRIAL_HEIGHT, _TRIAL_WIDTH = 96, 160
_TRIAL_CHIPS = 2


def convert(card: ModelCard, published: bytes, graph: bytes | None = None) -> onnx.ModelProto:
    """Make the network of a card from the bytes of its source, and of its graph if it has one.

    Raises:
        InvalidRequest: the bytes are not of the card's form, or give other dimensions.
    """
    network, dimensions = read_network(published, card.form, card.name, graph)
    if dimensions != card.dimensions:
        raise InvalidRequest(
            f"the card of {card.name} promises templates of {card.dimensions} numbers, its graph"
            f" gives {dimensions}: correct the card"
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
    match form:
        case Form.CENTERFACE:
            return make_dynamic(published), None
        case Form.SCRFD:
            return _detector(published, scrfd.PYRAMID, what), None
        case Form.YUNET:
            return _detector(published, yunet.PYRAMID, what), None
        case Form.DLIB_RESNET:
            return write_resnet(read_resnet_weights(published)), _DLIB_DIMENSIONS
        case Form.ARCFACE | Form.SFACE:
            return _recogniser(published, LAYOUTS[form].side, what)
        case Form.OPENVINO_REID:
            if graph is None:
                raise InvalidRequest(two_files_refused(form))
            return write_recogniser(graph, published, LAYOUTS[form].side, what)


def _detector(published: bytes, pyramid: Pyramid, what: str) -> onnx.ModelProto:
    model = read_graph(published, what)
    shapes = output_shapes(model, (1, 3, _TRIAL_HEIGHT, _TRIAL_WIDTH), what)
    pyramid.check(shapes, _TRIAL_HEIGHT, _TRIAL_WIDTH)
    declare_input(model, (1, 3, "h", "w"))
    return model


def _recogniser(published: bytes, side: int, what: str) -> tuple[onnx.ModelProto, int]:
    model = read_graph(published, what)
    # Axes that are free count 0.
    declared = [
        [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in model.graph.output
    ]
    keep_batches_whole(model)
    shapes = output_shapes(model, (_TRIAL_CHIPS, 3, side, side), what)
    match shapes, declared:
        case [(rows, dimensions)], _ if rows == _TRIAL_CHIPS:
            pass
        # A graph that computes its shapes while it runs, of which only its word can be had.
        case [None], [[_, dimensions]] if dimensions > 0:
            pass
        case _:
            raise InvalidRequest(
                f"{what} was expected to give one output, a row of numbers for each of"
                f" {_TRIAL_CHIPS} chips of {side}x{side}; it gives {', '.join(map(str, shapes))}:"
                " give a recogniser of this form"
            )
    declare_input(model, ("n", 3, side, side))
    return model, dimensions
