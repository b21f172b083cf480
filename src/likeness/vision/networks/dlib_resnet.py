"""Read dlib's face recognition ResNet from its `.dat` stream, and write it as an ONNX graph.

The network (King, dlib `dnn_face_recognition_ex.cpp`; after He et al., Deep Residual Learning,
2016) takes a 150x150 chip and gives 128 features:

    7x7/2 convolution, 3x3/2 max pool, residual levels of 32x3, 64x4, 128x3, 256x3 and 256x1 blocks,
    global average pool, 256x128 matrix.

The first block of each level but the first halves the picture: its first convolution has stride 2
and no padding, its shortcut is a 2x2/2 average pool with zero channels added. dlib adds pictures
of unequal sides by padding the smaller with zeros at its bottom and right. The affine layers are
folded into the convolutions.

The format is dlib's own serialisation (`dlib/serialize.h`), of which only what this one network
needs is read: an integer is a length byte (low nibble: bytes, bit 7: sign) and little-endian
bytes; a string is its length and its bytes; a tensor is its version, four dimensions, then raw
little-endian float32. In forward order the stream holds 29 convolutions, each followed by an
affine layer (a frozen batch normalisation), then one 256x128 matrix. Between them lie settings and
empty tensors that inference does not need; they are passed over.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from likeness.errors import InvalidRequest

Floats = NDArray[np.float32]

_CHIP_SIDE = 150
DIMENSIONS = 128
_OPSET = 17
# (blocks, whether the first of them halves the picture) for each residual level.
_LEVELS = ((3, False), (4, True), (3, True), (3, True), (1, True))
_CONVOLUTION = b"\x01\x05con_4"
_AFFINE = b"\x01\x07affine_"
_MATRIX = b"\x01\x04fc_2"
_TENSOR_VERSION = 2
# Settings between two layers take a few hundred bytes; a marker farther off belongs to another net.
_REACH = 4096
_MATRIX_SHAPE = (256, DIMENSIONS)
# (filters, side of the kernel, channels in) of every convolution, in forward order.
_CONVOLUTIONS = (
    (32, 7, 3),
    *[(32, 3, 32)] * 6,
    (64, 3, 32),
    *[(64, 3, 64)] * 7,
    (128, 3, 64),
    *[(128, 3, 128)] * 5,
    (256, 3, 128),
    *[(256, 3, 256)] * 7,
)


def write_resnet(stream: bytes) -> onnx.ModelProto:
    """Make the graph: `chips` (n, 3, 150, 150) float32, prepared -> `features` (n, 128) float32.

    The features are dlib's own, not of unit length. `stream` is an uncompressed
    `dlib_face_recognition_resnet_model_v1.dat`.

    Raises:
        InvalidRequest: the bytes are not that network.
    """
    reader = _Reader(stream)
    graph = _Graph(reader.convolutions())
    x = graph.convolve("chips", stride=2, padding=0, relu=True)
    x = graph.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    # 150 pixels have become 72, then 35; the levels go on to 17, 8 and 4 (3, padded).
    side, channels = 35, 32
    for blocks, halves in _LEVELS:
        for block in range(blocks):
            if halves and block == 0:
                x, side, channels = graph.halving_block(x, side, channels)
            else:
                x = graph.block(x)
    x = graph.node("GlobalAveragePool", x)
    x = graph.node("Flatten", x)
    graph.node("MatMul", x, graph.constant(reader.matrix()), output="features")
    return graph.model()


class _Graph:
    """Collects nodes; convolutions, filters and bias of each, are taken in forward order."""

    def __init__(self, convolutions: Iterator[tuple[Floats, Floats]]) -> None:
        self._convolutions = convolutions
        self._nodes: list[onnx.NodeProto] = []
        self._initialisers: list[onnx.TensorProto] = []

    def node(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, values: NDArray[np.generic]) -> str:
        name = f"constant_{len(self._initialisers)}"
        self._initialisers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def convolve(self, x: str, *, stride: int, padding: int, relu: bool) -> str:
        filters, bias = next(self._convolutions)
        y = self.node(
            "Conv",
            x,
            self.constant(filters),
            self.constant(bias),
            kernel_shape=list(filters.shape[2:]),
            strides=[stride, stride],
            pads=[padding] * 4,
        )
        return self.node("Relu", y) if relu else y

    def block(self, x: str) -> str:
        y = self.convolve(x, stride=1, padding=1, relu=True)
        y = self.convolve(y, stride=1, padding=1, relu=False)
        return self.node("Relu", self.node("Add", y, x))

    def halving_block(self, x: str, side: int, channels: int) -> tuple[str, int, int]:
        y = self.convolve(x, stride=2, padding=0, relu=True)
        y = self.convolve(y, stride=1, padding=1, relu=False)
        shortcut = self.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        side_y, side_shortcut = (side - 3) // 2 + 1, (side - 2) // 2 + 1
        channels_y = self._initialisers[-1].dims[0]
        side_sum = max(side_y, side_shortcut)
        y = self._padded(y, 0, side_sum - side_y)
        shortcut = self._padded(shortcut, channels_y - channels, side_sum - side_shortcut)
        return self.node("Relu", self.node("Add", y, shortcut)), side_sum, channels_y

    def _padded(self, x: str, channels: int, pixels: int) -> str:
        if not channels and not pixels:
            return x
        ends = np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)
        return self.node("Pad", x, self.constant(ends))

    def model(self) -> onnx.ModelProto:
        graph = helper.make_graph(
            self._nodes,
            "dlib_face_recognition_resnet_v1",
            [
                helper.make_tensor_value_info(
                    "chips", TensorProto.FLOAT, ["n", 3, _CHIP_SIDE, _CHIP_SIDE]
                )
            ],
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", DIMENSIONS])],
            self._initialisers,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8
        )
        onnx.checker.check_model(model)
        return model


class _Reader:
    """Walks a dlib stream from front to back."""

    def __init__(self, stream: bytes) -> None:
        self._stream = stream
        self._at = 0

    def convolutions(self) -> Iterator[tuple[Floats, Floats]]:
        """Give filters (out, in, k, k) and bias (out,) of each, its affine layer folded in."""
        for filters, side, channels in _CONVOLUTIONS:
            self._seek(_CONVOLUTION)
            values = self._tensor(filters * channels * side * side + filters)
            self._seek(_AFFINE)
            gain, shift = np.split(self._tensor(2 * filters), 2)
            folded = values[:-filters].reshape(filters, channels, side, side)
            yield folded * gain[:, None, None, None], values[-filters:] * gain + shift

    def matrix(self) -> Floats:
        self._seek(_MATRIX)
        self._integer()  # outputs
        self._integer()  # inputs
        return self._tensor(math.prod(_MATRIX_SHAPE)).reshape(_MATRIX_SHAPE)

    def _seek(self, marker: bytes) -> None:
        """Move behind the next layer's name."""
        found = self._stream.find(marker, self._at, self._at + _REACH)
        if found < 0:
            raise InvalidRequest(
                "Not the weights of dlib_face_recognition_resnet_model_v1.dat: no layer"
                f" {marker[2:].decode()} follows byte {self._at}. Fetch the file again."
            )
        self._at = found + len(marker)

    def _integer(self) -> int:
        head = self._take(1)[0]
        value = int.from_bytes(self._take(head & 0x0F), "little")
        return -value if head & 0x80 else value

    def _tensor(self, expected_values: int) -> Floats:
        version = self._integer()
        dimensions = [self._integer() for _ in range(4)]
        if version != _TENSOR_VERSION or math.prod(dimensions) != expected_values:
            raise InvalidRequest(
                "Not the weights of dlib_face_recognition_resnet_model_v1.dat: the tensor before"
                f" byte {self._at} has version {version} and dimensions {dimensions}, not"
                f" {expected_values} values. Fetch the file again."
            )
        return np.frombuffer(self._take(4 * expected_values), "<f4").astype(np.float32)

    def _take(self, count: int) -> bytes:
        taken = self._stream[self._at : self._at + count]
        if len(taken) < count:
            raise InvalidRequest(
                f"Truncated: the weights end at byte {len(self._stream)}, within what begins at"
                f" {self._at}. Fetch the file again."
            )
        self._at += count
        return taken
