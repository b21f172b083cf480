"""A real engine, and a recogniser of three numbers as an exporter would publish it."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from likeness.vision.networks.openvino_engine import OpenVinoEngine
from likeness.vision.networks.session import Precision

SIDE = 112


@pytest.fixture(scope="session")
def openvino() -> OpenVinoEngine:
    return OpenVinoEngine(Precision.F32, threads=1)


@pytest.fixture(scope="session")
def recogniser_graph() -> Callable[..., bytes]:
    """Make a graph that gives the mean of each channel, `gain` times, fixed to one chip."""

    def make(gain: float = 1.0, side: int = SIDE, outputs: int = 1) -> bytes:
        pooled = helper.make_node("AveragePool", ["data"], ["pooled"], kernel_shape=[side, side])
        # As PyTorch writes `x.view(1, -1)` when it traces one chip.
        flat = helper.make_node("Reshape", ["pooled", "flat_shape"], ["flat"])
        results = [
            helper.make_node("MatMul", ["flat", "matrix"], [f"fc{number}"])
            for number in range(outputs)
        ]
        graph = helper.make_graph(
            [pooled, flat, *results],
            "recogniser",
            [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, side, side])],
            [
                helper.make_tensor_value_info(f"fc{number}", TensorProto.FLOAT, [1, 3])
                for number in range(outputs)
            ],
            [
                numpy_helper.from_array(np.array([1, -1], np.int64), "flat_shape"),
                numpy_helper.from_array(gain * np.eye(3, dtype=np.float32), "matrix"),
            ],
        )
        opset = helper.make_opsetid("", 13)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
        onnx.checker.check_model(model)
        return model.SerializeToString()

    return make
