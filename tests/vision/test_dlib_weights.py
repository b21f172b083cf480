"""dlib's weights, read by us and run by OpenVINO, against dlib itself."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from likeness.artifacts import PinnedFile, catalogue
from likeness.errors import InvalidRequest
from likeness.vision.decode import read_sample
from likeness.vision.detect import Detector, DetectorSettings
from likeness.vision.embed import DLIB_LAYOUT, Chips, cut_chips
from likeness.vision.models.cards import CENTERFACE
from likeness.vision.networks.centerface import CenterFace
from likeness.vision.networks.conversion import convert, take_pictures
from likeness.vision.networks.dlib_resnet import write_resnet
from likeness.vision.networks.forms import Form
from likeness.vision.networks.onnxruntime_engine import OnnxRuntimeEngine
from likeness.vision.networks.openvino_engine import OpenVinoEngine
from likeness.vision.networks.session import Engine, Precision


def test_what_is_no_network_is_refused_in_one_line() -> None:
    for wrong in (b"", b"\x01\x01" * 5000, b"PK\x03\x04" + bytes(10_000)):
        with pytest.raises(InvalidRequest, match=r"dlib_face_recognition_resnet_model_v1\.dat"):
            write_resnet(wrong)


@pytest.fixture(scope="module")
def published(artifact: Callable[[PinnedFile], Path]) -> Path:
    return artifact(catalogue.DLIB_RESNET)


@pytest.fixture(scope="module")
def chips(
    artifact: Callable[[PinnedFile], Path], tmp_path_factory: pytest.TempPathFactory
) -> NDArray[np.uint8]:
    """Chips of every face in the sample photographs, cut as we cut them."""
    network = tmp_path_factory.mktemp("networks") / "centerface.onnx"
    published = artifact(catalogue.CENTERFACE).read_bytes()
    onnx.save(convert(CENTERFACE, published), network)
    detector = Detector(
        CenterFace(OpenVinoEngine(Precision.F32).load(network)), DetectorSettings(threshold=0.6)
    )
    return np.concatenate(
        [
            cut_chips(image, detector.detect(image).landmarks_xy, DLIB_LAYOUT, Chips.SIX).reshape(
                -1, 150, 150, 3
            )
            for image in (read_sample(artifact(sample)).decode() for sample in catalogue.SAMPLES)
        ]
    )


@pytest.mark.models
def test_every_layer_has_the_shape_of_the_network(published: Path) -> None:
    constants = write_resnet(published.read_bytes()).graph.initializer
    shapes = [tuple(each.dims) for each in constants if len(each.dims) in (2, 4)]
    levels = [(32, 32, 6), (32, 64, 1), (64, 64, 7), (64, 128, 1), (128, 128, 5)]
    levels += [(128, 256, 1), (256, 256, 7)]
    convolutions = [(out, into, 3, 3) for into, out, count in levels for _ in range(count)]
    assert shapes == [(32, 3, 7, 7), *convolutions, (256, 128)]


@pytest.mark.models
def test_truncated_weights_are_refused(published: Path) -> None:
    stream = published.read_bytes()
    for kept in (300, 20_000, len(stream) // 2, len(stream) - 200_000):
        with pytest.raises(InvalidRequest, match="Fetch"):
            write_resnet(stream[:kept])


@pytest.mark.models
@pytest.mark.parametrize(
    "engine",
    [OpenVinoEngine(Precision.F32), OnnxRuntimeEngine()],
    ids=["openvino", "onnxruntime"],
)
def test_features_agree_with_dlib_to_1e_5_on_real_faces(
    engine: Engine, published: Path, chips: NDArray[np.uint8], tmp_path: Path
) -> None:
    dlib = pytest.importorskip("dlib", reason="dlib-bin is needed to compare with dlib itself")
    graph = write_resnet(published.read_bytes())
    onnx.save(take_pictures(graph, Form.DLIB_RESNET.preparation), tmp_path / "resnet.onnx")
    (ours,) = engine.load(tmp_path / "resnet.onnx").run(chips)
    network = dlib.face_recognition_model_v1(str(published))
    theirs = np.array([network.compute_face_descriptor(chip) for chip in chips])
    assert len(chips) >= 30
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.models
def test_bf16_gives_nearly_the_same_template(
    published: Path, chips: NDArray[np.uint8], tmp_path: Path
) -> None:
    exact = OpenVinoEngine(Precision.F32)
    fast = OpenVinoEngine(Precision.AUTO)
    graph = write_resnet(published.read_bytes())
    onnx.save(take_pictures(graph, Form.DLIB_RESNET.preparation), tmp_path / "resnet.onnx")
    a, b = (engine.load(tmp_path / "resnet.onnx").run(chips)[0] for engine in (exact, fast))
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert cosines.min() > 0.999
