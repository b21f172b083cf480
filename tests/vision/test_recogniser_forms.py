"""Recognisers that users bring become networks for any number of chips."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from likeness.errors import InvalidRequest
from likeness.vision.embed import ARCFACE_LAYOUT
from likeness.vision.models.cards import SFACE_2021DEC, ModelCard
from likeness.vision.networks.conversion import convert, read_network, take_pictures
from likeness.vision.networks.forms import Form
from likeness.vision.networks.openvino_engine import OpenVinoEngine
from likeness.vision.networks.session import Preparation

SIDE = ARCFACE_LAYOUT.side
CHIPS = np.random.default_rng(7).integers(0, 256, (5, SIDE, SIDE, 3), np.uint8)


def card(form: Form, preparation: Preparation | None = None, dimensions: int = 3) -> ModelCard:
    return replace(
        SFACE_2021DEC,
        form=form,
        preparation=preparation or form.preparation,
        dimensions=dimensions,
    )


def features(openvino: OpenVinoEngine, folder: Path, network: onnx.ModelProto) -> np.ndarray:
    onnx.save_model(network, folder / "network.onnx")
    (output,) = openvino.load(folder / "network.onnx").run(CHIPS)
    return output


@pytest.mark.parametrize(
    ("form", "preparation", "expected"),
    [
        (Form.ARCFACE, None, lambda mean: (mean - 127.5) / 127.5),
        (Form.SFACE, None, lambda mean: mean),
        (
            Form.ARCFACE,
            Preparation(mean=(1.0, 2.0, 3.0), scale=128.0, channels="BGR"),
            lambda mean: (mean[:, ::-1] - [1, 2, 3]) / 128,
        ),
    ],
    ids=["arcface", "sface", "as-the-card-says"],
)
def test_chips_are_prepared_and_each_has_its_own_features(
    openvino: OpenVinoEngine,
    recogniser_graph: Callable[..., bytes],
    tmp_path: Path,
    form: Form,
    preparation: Preparation | None,
    expected: Callable[[np.ndarray], np.ndarray],
) -> None:
    network = convert(card(form, preparation), recogniser_graph())

    output = features(openvino, tmp_path, network)

    assert output.shape == (len(CHIPS), 3)
    assert output == pytest.approx(expected(CHIPS.mean(axis=(1, 2))), abs=1e-3)


def test_target_shape_that_weights_share_keeps_its_meaning_for_them(
    openvino: OpenVinoEngine, recogniser_graph: Callable[..., bytes], tmp_path: Path
) -> None:
    """A bias reshaped to one row by the same constant still is added to every chip."""
    model = onnx.load_model_from_string(recogniser_graph())
    graph = model.graph
    bias = np.array([[10], [20], [30]], np.float32)
    graph.initializer.append(numpy_helper.from_array(bias, "bias"))
    graph.node.extend(
        [
            helper.make_node("Reshape", ["bias", "flat_shape"], ["row"]),
            helper.make_node("Add", ["fc0", "row"], ["sum"]),
        ]
    )
    graph.output[0].name = "sum"

    output = features(openvino, tmp_path, convert(card(Form.SFACE), model.SerializeToString()))

    assert output == pytest.approx(CHIPS.mean(axis=(1, 2)) + bias[:, 0], abs=1e-3)


def test_graph_that_computes_its_shapes_is_taken_at_its_word(
    openvino: OpenVinoEngine, recogniser_graph: Callable[..., bytes], tmp_path: Path
) -> None:
    """As PyTorch writes `x.view(x.size(0), -1)`, which shape inference cannot follow."""
    model = onnx.load_model_from_string(recogniser_graph())
    graph = model.graph
    pooled, reshape, *rest = graph.node
    computed = [
        helper.make_node("Shape", ["pooled"], ["pooled_shape"]),
        helper.make_node("Slice", ["pooled_shape", "zero", "one"], ["count"]),
        helper.make_node("Concat", ["count", "any"], ["target"], axis=0),
    ]
    reshape.input[1] = "target"
    nodes = [pooled, *computed, reshape, *rest]
    for name, value in (("zero", 0), ("one", 1), ("any", -1)):
        graph.initializer.append(numpy_helper.from_array(np.array([value], np.int64), name))
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    del graph.node[:]
    graph.node.extend(nodes)

    network, dimensions = read_network(model.SerializeToString(), Form.SFACE, "x")
    output = features(openvino, tmp_path, take_pictures(network, Form.SFACE.preparation))

    assert dimensions == 3
    assert output == pytest.approx(CHIPS.mean(axis=(1, 2)), abs=1e-3)


def test_dimensions_are_read_from_the_graph(recogniser_graph: Callable[..., bytes]) -> None:
    assert read_network(recogniser_graph(), Form.ARCFACE, "x")[1] == 3


def test_card_that_promises_other_dimensions_is_refused(
    recogniser_graph: Callable[..., bytes],
) -> None:
    with pytest.raises(InvalidRequest, match=r"promises templates of 512 numbers.* gives 3"):
        convert(card(Form.ARCFACE, dimensions=512), recogniser_graph())


def test_graph_of_two_outputs_is_no_recogniser(recogniser_graph: Callable[..., bytes]) -> None:
    with pytest.raises(InvalidRequest, match=r"Not a recogniser.* gives \(2, 3\), \(2, 3\)"):
        convert(card(Form.ARCFACE), recogniser_graph(outputs=2))


def test_graph_for_larger_chips_is_refused(recogniser_graph: Callable[..., bytes]) -> None:
    with pytest.raises(InvalidRequest, match=r"\(2, 3, 112, 112\)"):
        convert(card(Form.ARCFACE), recogniser_graph(side=128))


def test_graph_for_smaller_chips_is_refused(recogniser_graph: Callable[..., bytes]) -> None:
    with pytest.raises(InvalidRequest, match="112"):
        convert(card(Form.ARCFACE), recogniser_graph(side=50))
