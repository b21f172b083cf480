"""An IR becomes an ONNX graph that gives the same, or is refused by the layer's name."""

from pathlib import Path

import numpy as np
import openvino
import pytest

from likeness.errors import InvalidRequest
from likeness.vision.embed import RETAIL_LAYOUT
from likeness.vision.models.cards import RETAIL_0095
from likeness.vision.networks.conversion import convert
from likeness.vision.networks.onnxruntime_engine import OnnxRuntimeEngine
from likeness.vision.networks.openvino_engine import OpenVinoEngine
from likeness.vision.networks.openvino_ir import write_recogniser
from likeness.vision.networks.session import Precision

SIDE = 8
GAIN, FILTERS = np.full((1, 3, 1, 1), 2, "<f2"), np.arange(12, dtype="<f2").reshape(4, 3, 1, 1)
CONSTANTS = GAIN.tobytes() + FILTERS.tobytes()


def layer(number: int, kind: str, data: str = "", shape: str = "") -> str:
    dims = "".join(f"<dim>{size}</dim>" for size in shape.split(",") if size)
    inputs = "".join(f'<port id="{port}"/>' for _, target, port in EDGES if target == number)
    output = "" if kind == "Result" else f'<port id="9" precision="FP32">{dims}</port>'
    return (
        f'<layer id="{number}" name="l{number}" type="{kind}" version="opset1"><data {data}/>'
        f"<input>{inputs}</input><output>{output}</output></layer>"
    )


EDGES = ((0, 3, 0), (1, 2, 0), (2, 3, 1), (3, 6, 0), (4, 5, 0), (5, 6, 1), (6, 7, 0), (7, 8, 0))
LAYERS = {
    "input": layer(0, "Parameter", f'shape="1,3,{SIDE},{SIDE}" element_type="f32"'),
    "gain": layer(1, "Const", 'element_type="f16" shape="1,3,1,1" offset="0" size="6"'),
    "gain f32": layer(2, "Convert", 'destination_type="f32"'),
    "product": layer(3, "Multiply", 'auto_broadcast="numpy"', f"1,3,{SIDE},{SIDE}"),
    "filters": layer(4, "Const", 'element_type="f16" shape="4,3,1,1" offset="6" size="24"'),
    "filters f32": layer(5, "Convert", 'destination_type="f32"'),
    "convolution": layer(
        6,
        "Convolution",
        'strides="1, 1" dilations="1, 1" pads_begin="0, 0" pads_end="0, 0" auto_pad="explicit"',
        f"1,4,{SIDE},{SIDE}",
    ),
    "pool": layer(
        7,
        "AvgPool",
        f'kernel="{SIDE}, {SIDE}" strides="1, 1" pads_begin="0, 0" pads_end="0, 0"'
        ' exclude-pad="true" auto_pad="explicit" rounding_type="floor"',
        "1,4,1,1",
    ),
    "result": layer(8, "Result"),
}


def ir(**changed: str) -> bytes:
    layers = "".join({**LAYERS, **changed}.values())
    edges = "".join(
        f'<edge from-layer="{source}" from-port="9" to-layer="{target}" to-port="{port}"/>'
        for source, target, port in EDGES
    )
    return (
        f'<?xml version="1.0"?><net name="n" version="11"><layers>{layers}</layers>'
        f"<edges>{edges}</edges></net>"
    ).encode()


def test_every_layer_is_computed_for_any_number_of_chips(tmp_path: Path) -> None:
    model, dimensions = write_recogniser(ir(), CONSTANTS, SIDE, "tiny")
    (tmp_path / "tiny.onnx").write_bytes(model.SerializeToString())
    chips = np.random.default_rng(0).normal(size=(5, 3, SIDE, SIDE)).astype(np.float32)

    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(str(tmp_path / "tiny.onnx"), "CPU", exact)
    features = compiled(chips)[0]

    assert dimensions == 4
    expected = 2 * chips.mean((2, 3)) @ FILTERS[:, :, 0, 0].astype(np.float32).T
    assert features == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (b"no xml", "Not an OpenVINO IR"),
        (b"<net", "Not an OpenVINO IR"),
        (b'<!DOCTYPE net [<!ENTITY a "b">]>' + ir()[21:], "has a document type"),
        (b"<html><body>log in</body></html>", "Not an OpenVINO IR"),
        (ir(pool=layer(7, "Exp", shape="1,4,8,8")), "Layer 'l7' of tiny is a Exp"),
        (ir(input=layer(0, "Parameter", 'shape="1,3,9,9" element_type="f32"')), "is an input of"),
        (
            ir(gain=layer(1, "Const", 'element_type="f16" shape="1,3,1,1" offset="26" size="6"')),
            "Not an OpenVINO IR",
        ),
        (
            ir(gain=layer(1, "Const", 'element_type="f16" shape="2,3,1,1" offset="0" size="12"')),
            "fixed number of chips",
        ),
        (
            ir(**{"gain f32": layer(2, "Convert", 'destination_type="f16"')}),
            "something else than|Not an OpenVINO IR",
        ),
        (ir(filters=layer(4, "Result"), **{"filters f32": ""}), "Not an OpenVINO IR"),
        (ir(filters=""), "Not an OpenVINO IR"),
        (
            ir(input=layer(0, "Parameter", f'shape="-1,3,{SIDE},{SIDE}" element_type="f32"')),
            "Not an OpenVINO IR",
        ),
        (
            ir(
                gain=layer(1, "Const", 'element_type="dynamic" shape="1,3,1,1" offset="0" size="6"')
            ),
            "Not an OpenVINO IR",
        ),
    ],
)
def test_what_is_not_known_is_refused_by_name(layers: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message) as refused:
        write_recogniser(layers, CONSTANTS, SIDE, "tiny")
    assert "\n" not in str(refused.value)


@pytest.mark.models
def test_the_better_recogniser_gives_what_openvino_makes_of_its_own_format(
    better_recogniser: list[Path], tmp_path: Path
) -> None:
    weights, graph = better_recogniser
    network = tmp_path / "network.onnx"
    model = convert(RETAIL_0095, weights.read_bytes(), graph.read_bytes())
    network.write_bytes(model.SerializeToString())
    side = RETAIL_LAYOUT.side
    pictures = np.random.default_rng(0).integers(0, 256, (3, side, side, 3), np.uint8)

    core = openvino.Core()
    published = core.compile_model(
        core.read_model(graph, weights), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    bgr = pictures[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)
    expected = np.concatenate([published(chip[None])[0].reshape(1, -1) for chip in bgr])

    for engine in (OpenVinoEngine(Precision.F32, threads=1), OnnxRuntimeEngine(threads=1)):
        (features,) = engine.load(network).run(pictures)
        assert features.shape == (3, 256)
        assert np.abs(features - expected).max() < 1e-3
