"""Every form of detector finds the same planted face, through its own published signature.

The graphs are made here: a cell is a face where the picture is red, and what they say of its box
and points is constant. Names, shapes, strides and fixed axes are those of the published files.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from likeness.errors import InvalidRequest
from likeness.terms import Image
from likeness.vision.detect import Letterbox
from likeness.vision.detections import FaceNetwork, suppress_overlaps
from likeness.vision.models.cards import LicenceClass, Licences, LocalFile, ModelCard
from likeness.vision.networks.conversion import convert
from likeness.vision.networks.forms import DETECTORS, Form
from likeness.vision.networks.openvino_engine import OpenVinoEngine
from likeness.vision.networks.pyramid import SCRFD, YUNET
from likeness.vision.networks.session import Precision

# The planted face, in pixels of the canvas, from the top left corner of the red cell.
BOX = np.array([-20, -12, 36, 60], np.float32)
POINTS = np.array([[-6, 12], [20, 10], [8, 28], [-4, 44], [18, 42]], np.float32)
CELL_XY = np.array([96, 64], np.float32)
CONFIDENCE = 0.9
STRIDES = (8, 16, 32)


class GraphMaker:
    """Collects the nodes of a graph with one input, `x`."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def node(self, kind: str, *inputs: str, name: str | None = None, **attributes: object) -> str:
        output = name or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, values: object, dtype: type = np.float32) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def cells(self, stride: int, gain: NDArray[np.float32], bias: list[float], name: str) -> str:
        """One 1x1 convolution over the mean colour of every cell: gain * colour + bias."""
        pooled = self.node(
            "AveragePool", "x", kernel_shape=[stride, stride], strides=[stride, stride]
        )
        kernel = self.constant(gain[:, :, None, None])
        return self.node("Conv", pooled, kernel, self.constant(bias), name=name)

    def constants(self, stride: int, values: list[float], name: str) -> str:
        return self.cells(stride, np.zeros((len(values), 3), np.float32), values, name)

    def rows(self, maps: str, shape: list[int], name: str) -> str:
        moved = self.node("Transpose", maps, perm=[0, 2, 3, 1])
        return self.node("Reshape", moved, self.constant(shape, np.int64), name=name)

    def output(self, name: str, shape: list[int | str]) -> None:
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def publish(self, input_shape: list[int | str], weights_are_inputs: bool = False) -> bytes:
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, input_shape)]
        if weights_are_inputs:
            inputs += [
                helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
                for tensor in self.weights
            ]
        graph = helper.make_graph(self.nodes, "detector", inputs, self.outputs, self.weights)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", 11)],
            # The format's third version knew of no weights that are not inputs.
            ir_version=3 if weights_are_inputs else 6,
        )
        return model.SerializeToString()


def red_means(
    score: float, *, dark: float, lit: float, channel: int, anchors: int = 1
) -> tuple[NDArray[np.float32], list[float]]:
    """Gain and bias that score 0 for a dark cell and `score` for a red one, at the last anchor."""
    gain = np.zeros((anchors, 3), np.float32)
    gain[-1, channel] = score / (lit - dark)
    return gain, [*[0.0] * (anchors - 1), -dark * score / (lit - dark)]


def never(anchors: int = 1) -> tuple[NDArray[np.float32], list[float]]:
    return np.zeros((anchors, 3), np.float32), [0.0] * anchors


def centerface_graph() -> bytes:
    """The published signature: ten 32x32 pictures, and weights among the inputs."""
    make, stride = GraphMaker(), 4
    size_xy = BOX[2:] - BOX[:2]
    centre_xy = (BOX[:2] + BOX[2:]) / 2
    relative_xy = (POINTS - BOX[:2]) / size_xy
    make.cells(stride, *red_means(CONFIDENCE, dark=0, lit=255, channel=0), "537")
    make.constants(stride, np.log(size_xy / stride)[::-1].tolist(), "538")
    make.constants(stride, (centre_xy / stride - 0.5)[::-1].tolist(), "539")
    make.constants(stride, relative_xy[:, ::-1].reshape(-1).tolist(), "540")
    for name, channels in zip(("537", "538", "539", "540"), (1, 2, 2, 10), strict=True):
        make.output(name, [10, channels, 8, 8])
    return make.publish([10, 3, 32, 32], weights_are_inputs=True)


def scrfd_graph(
    planted_stride: int = 16, *, batched: bool = False, landmarks: bool = True
) -> bytes:
    """The published signature: free sides, two anchors, numbers for names, shapes of 640x640."""
    make, batch = GraphMaker(), [1] if batched else []
    red = {"dark": -127.5 / 128, "lit": 127.5 / 128, "channel": 0}
    kinds: list[tuple[int, Callable[[int, str], str]]] = [
        (
            1,
            lambda stride, name: make.cells(
                stride,
                *(
                    red_means(CONFIDENCE, anchors=2, **red)
                    if stride == planted_stride
                    else never(anchors=2)
                ),
                name,
            ),
        ),
        (
            4,
            lambda stride, name: make.constants(
                stride, 2 * (BOX * [-1, -1, 1, 1] / stride).tolist(), name
            ),
        ),
        (
            10,
            lambda stride, name: make.constants(
                stride, 2 * (POINTS / stride).reshape(-1).tolist(), name
            ),
        ),
    ]
    for channels, cells in kinds if landmarks else kinds[:2]:
        for stride in STRIDES:
            name = f"{440 + len(make.nodes)}"
            make.rows(cells(stride, f"{name}_maps"), [*batch, -1, channels], name)
            make.output(name, [*batch, 2 * (640 // stride) ** 2, channels])
    return make.publish([1, 3, "?", "?"])


def yunet_graph(planted_stride: int = 16) -> bytes:
    """The published signature: fixed to 640x640, outputs cls, obj, bbox and kps at each stride."""
    make = GraphMaker()
    centre, size = (BOX[:2] + BOX[2:]) / 2, BOX[2:] - BOX[:2]
    # A confidence is the root of two scores, each clipped at 1.
    face = red_means(CONFIDENCE**2, dark=0, lit=255, channel=2)
    for stride in STRIDES:
        make.cells(stride, *(face if stride == planted_stride else never()), f"c{stride}")
        make.constants(stride, [1.44], f"o{stride}")
        make.constants(stride, [*centre / stride, *np.log(size / stride)], f"b{stride}")
        make.constants(stride, (POINTS / stride).reshape(-1).tolist(), f"k{stride}")
    for kind, channels in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
        for stride in STRIDES:
            make.rows(f"{kind[0]}{stride}", [1, -1, channels], f"{kind}_{stride}")
            make.output(f"{kind}_{stride}", [1, (640 // stride) ** 2, channels])
    return make.publish([1, 3, 640, 640])


def card(form: Form) -> ModelCard:
    return ModelCard(
        name=f"test-{form}",
        form=form,
        source=LocalFile("test.onnx", 1, "0" * 64),
        licences=Licences("MIT", "MIT", LicenceClass.PERMISSIVE, "none: made by a test"),
        preparation=form.preparation,
        dimensions=None,
        description="made by a test",
        known_limits=(),
        credits="nobody",
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """One published signature of a form."""

    form: Form
    graph: bytes = field(repr=False)
    cell_side: int
    half_pixel: float = 0.5
    """What is added to points that name pixels, to reach these pixels' centres."""

    def load(self, openvino: OpenVinoEngine, folder: "pytest.TempPathFactory") -> FaceNetwork:
        path = folder.mktemp("network") / "network.onnx"
        onnx.save_model(convert(card(self.form), self.graph), path)
        return DETECTORS[self.form].network(openvino.load(path))


KINDS = {
    "centerface": Kind(Form.CENTERFACE, centerface_graph(), 4, half_pixel=0),
    **{
        f"scrfd-stride-{stride}": Kind(Form.SCRFD, scrfd_graph(stride), stride)
        for stride in STRIDES
    },
    "scrfd-batched": Kind(Form.SCRFD, scrfd_graph(batched=True), 16),
    **{
        f"yunet-stride-{stride}": Kind(Form.YUNET, yunet_graph(stride), stride)
        for stride in STRIDES
    },
}


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS.keys())
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture(scope="module")
def network(
    kind: Kind, openvino: OpenVinoEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaceNetwork]:
    return kind.load(openvino, tmp_path_factory)


def picture(width: int, height: int, cell_side: int, zoom: float) -> Image:
    """Black, with the one cell red that the network will see at `CELL_XY`."""
    pixels = np.zeros((height, width, 3), np.uint8)
    left, top = (CELL_XY / zoom).astype(int)
    side = int(cell_side / zoom)
    pixels[top : top + side, left : left + side, 0] = 255
    return Image.of(pixels)


@pytest.mark.parametrize(
    ("width", "height", "zoom"),
    [(640, 480, 1.0), (500, 333, 1.0), (190, 410, 1.0), (1280, 962, 0.5), (150, 202, 2.0)],
)
def test_planted_face_is_found_where_it_was_planted(
    kind: Kind, network: FaceNetwork, width: int, height: int, zoom: float
) -> None:
    shown = int(max(width, height) * zoom)
    letterbox = Letterbox.fit(picture(width, height, kind.cell_side, zoom), shown)

    found = letterbox.restore(suppress_overlaps(network.find(letterbox.canvas, 0.5), 0.3))

    assert len(found) == 1
    assert found.boxes_xyxy[0] == pytest.approx((np.tile(CELL_XY, 2) + BOX) / zoom, abs=1e-3)
    points = CELL_XY + POINTS + kind.half_pixel
    assert found.landmarks_xy[0] == pytest.approx(points / zoom, abs=1e-3)
    # Enlarging blurs the red cell's edges.
    assert found.confidences[0] == pytest.approx(CONFIDENCE, abs=1e-4 if zoom <= 1 else 0.25)
    assert found.boxes_xyxy.dtype == found.landmarks_xy.dtype == found.confidences.dtype
    assert found.boxes_xyxy.dtype == np.float32


def test_candidate_must_reach_the_threshold(kind: Kind, network: FaceNetwork) -> None:
    canvas = picture(640, 480, kind.cell_side, 1.0).pixels

    assert len(network.find(canvas, CONFIDENCE - 0.01)) == 1
    assert len(network.find(canvas, CONFIDENCE + 0.01)) == 0


def test_black_picture_holds_no_face(network: FaceNetwork) -> None:
    found = network.find(np.zeros((64, 32, 3), np.uint8), 0.5)

    assert found.boxes_xyxy.shape == (0, 4)
    assert found.landmarks_xy.shape == (0, 5, 2)
    assert found.confidences.shape == (0,)


def test_network_is_sound_by_the_standard(kind: Kind) -> None:
    network = convert(card(kind.form), kind.graph)

    onnx.checker.check_model(network, full_check=True)
    assert [value.name for value in network.graph.input] == ["pictures"]


def test_other_channel_order_would_not_find_the_face(
    kind: Kind, openvino: OpenVinoEngine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The suite's pictures do tell RGB from BGR."""
    network = kind.load(openvino, tmp_path_factory)
    canvas = picture(640, 480, kind.cell_side, 1.0).pixels

    assert len(network.find(canvas[:, :, ::-1].copy(), 0.5)) == 0


class Replay:
    """A session that gives the same outputs, whatever it is shown."""

    precision = Precision.F32

    def __init__(self, outputs: list[NDArray[np.float32]]) -> None:
        self._outputs = tuple(outputs)

    def run(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
        return self._outputs


def scrfd_outputs(height: int, width: int) -> list[NDArray[np.float32]]:
    return [
        np.full((2 * (height // stride) * (width // stride), channels), channels, np.float32)
        for channels in (1, 4, 10)
        for stride in STRIDES
    ]


def test_outputs_are_told_by_shape_whatever_their_order() -> None:
    canvas = np.zeros((64, 96, 3), np.uint8)
    outputs = scrfd_outputs(64, 96)

    usual, shuffled = (
        SCRFD.network(Replay(order)).find(canvas, 0.5) for order in (outputs, outputs[::-1])
    )

    assert np.array_equal(usual.boxes_xyxy, shuffled.boxes_xyxy)
    assert np.array_equal(usual.landmarks_xy, shuffled.landmarks_xy)
    assert len(usual) == 2 * (8 * 12 + 4 * 6 + 2 * 3)


def test_network_without_landmarks_is_refused_when_it_is_run() -> None:
    session = Replay(scrfd_outputs(64, 96)[:6])

    with pytest.raises(InvalidRequest, match=r"five landmarks.* 9 outputs .* has 6"):
        SCRFD.network(session).find(np.zeros((64, 96, 3), np.uint8), 0.5)


def test_graph_without_landmarks_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"five landmarks.* has 6.*keypoints"):
        convert(card(Form.SCRFD), scrfd_graph(landmarks=False))


@pytest.mark.parametrize(
    ("form", "graph"),
    [
        (Form.YUNET, scrfd_graph()),
        (Form.SCRFD, yunet_graph()),
        (Form.SCRFD, centerface_graph()),
        (Form.YUNET, centerface_graph()),
        (Form.CENTERFACE, scrfd_graph()),
        (Form.CENTERFACE, yunet_graph()),
    ],
)
def test_graph_of_another_form_is_refused(form: Form, graph: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"^Not "):
        convert(card(form), graph)


@pytest.mark.parametrize("form", [*DETECTORS])
@pytest.mark.parametrize("content", [b"", b"no ONNX at all", yunet_graph()[:-100]])
def test_bytes_that_are_no_graph_are_refused(form: Form, content: bytes) -> None:
    with pytest.raises(InvalidRequest):
        convert(card(form), content)


def test_graph_bound_to_one_size_is_refused() -> None:
    make = GraphMaker()
    for kind, channels in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
        for stride in STRIDES:
            maps = make.constants(stride, [0.0] * channels, f"{kind}{stride}")
            make.rows(maps, [1, (640 // stride) ** 2, channels], f"{kind}_{stride}")
            make.output(f"{kind}_{stride}", [1, (640 // stride) ** 2, channels])

    with pytest.raises(InvalidRequest, match=r"strides 8, 16 and 32 of 160x96.*free sides"):
        convert(card(Form.YUNET), make.publish([1, 3, 640, 640]))


def test_graph_that_resizes_to_one_size_inside_is_refused() -> None:
    make = GraphMaker()
    coarse = make.constants(16, [0.0], "coarse")
    sizes = make.constant([1, 1, 80, 80], np.int64)
    fine = make.node("Resize", coarse, "", "", sizes, mode="nearest")
    make.node("Add", make.constants(8, [0.0], "fine"), fine, name="sum")
    make.output("sum", [1, 1, 80, 80])

    with pytest.raises(InvalidRequest, match=r"\(1, 3, 96, 160\).*free axes"):
        convert(card(Form.YUNET), make.publish([1, 3, 640, 640]))


def changed(graph: bytes, change: Callable[[onnx.ModelProto], object]) -> bytes:
    model = onnx.load_model_from_string(graph)
    change(model)
    return model.SerializeToString()


def take_uint8(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8


def take_grey(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1


def take_two(model: onnx.ModelProto) -> None:
    model.graph.input.append(replace_name(model.graph.input[0], "y"))


def replace_name(value: onnx.ValueInfoProto, name: str) -> onnx.ValueInfoProto:
    copy = onnx.ValueInfoProto()
    copy.CopyFrom(value)
    copy.name = name
    return copy


def keep_weights_elsewhere(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].data_location = TensorProto.EXTERNAL


def keep_a_constant_elsewhere(model: onnx.ModelProto) -> None:
    elsewhere = TensorProto(data_location=TensorProto.EXTERNAL)
    model.graph.node.append(helper.make_node("Constant", [], ["w"], value=elsewhere))


def keep_a_branch_elsewhere(model: onnx.ModelProto) -> None:
    elsewhere = TensorProto(data_location=TensorProto.EXTERNAL)
    branch = helper.make_graph([], "branch", [], [], [elsewhere])
    model.graph.node.append(helper.make_node("If", ["x"], ["w"], then_branch=branch))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (take_uint8, r"takes .*uint8 .*, not one float32"),
        (take_grey, r"takes .*\(1, 1, .*, not one float32"),
        (take_two, r"takes x float .*y float .*, not one float32"),
        (keep_weights_elsewhere, "one whole file"),
        (keep_a_constant_elsewhere, "one whole file"),
        (keep_a_branch_elsewhere, "one whole file"),
    ],
)
def test_graph_that_takes_no_pictures_is_refused(
    change: Callable[[onnx.ModelProto], object], message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message):
        convert(card(Form.SCRFD), changed(scrfd_graph(), change))


def test_preparation_of_the_card_is_the_one_that_counts(
    openvino: OpenVinoEngine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    wrong = replace(card(Form.YUNET), preparation=Form.CENTERFACE.preparation)
    path = tmp_path_factory.mktemp("network") / "network.onnx"
    onnx.save_model(convert(wrong, yunet_graph()), path)
    canvas = picture(640, 480, 16, 1.0).pixels

    assert len(YUNET.network(openvino.load(path)).find(canvas, 0.5)) == 0
