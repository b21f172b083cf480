"""Write dlib's face recognition ResNet as an ONNX graph, so that any engine can run it.

The network (King, dlib `dnn_face_recognition_ex.cpp`; after He et al., Deep Residual Learning,
2016) takes a 150x150 chip and gives 128 features:

    7x7/2 convolution, 3x3/2 max pool, residual levels of 32x3, 64x4, 128x3, 256x3 and 256x1 blocks,
    global average pool, 256x128 matrix.

The first block of each level but the first halves the picture: its first convolution has stride 2
and no padding, its shortcut is a 2x2/2 average pool with zero channels added. dlib adds pictures
of unequal sides by padding the smaller with zeros at its bottom and right. The affine layers are
folded into the convolutions.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from likeness.vision.networks.dlib_weights import Convolution, ResNetWeights

CHIP_SIDE = 150
OPSET = 17
# (blocks, whether the first of them halves the picture) for each residual level.
_LEVELS = ((3, False), (4, True), (3, True), (3, True), (1, True))


def write_resnet(weights: ResNetWeights) -> onnx.ModelProto:
    """Make the graph: `chips` (n, 3, 150, 150) float32, prepared -> `features` (n, 128) float32.

    The features are dlib's own, not of unit length. `cards.PREPARATIONS` says how chips are
    prepared.
    """
    graph = _Graph(weights.convolutions)
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
    graph.node("MatMul", x, graph.constant(weights.matrix), output="features")
    return graph.model()


class _Graph:
    """Collects nodes; convolutions are taken in forward order."""

    def __init__(self, convolutions: Sequence[Convolution]) -> None:
        self._convolutions = iter(convolutions)
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
        layer = next(self._convolutions)
        filters = layer.filters * layer.gain[:, None, None, None]
        bias = layer.bias * layer.gain + layer.shift
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
                    "chips", TensorProto.FLOAT, ["n", 3, CHIP_SIDE, CHIP_SIDE]
                )
            ],
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 128])],
            self._initialisers,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8
        )
        onnx.checker.check_model(model)
        return model
