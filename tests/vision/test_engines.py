"""One suite for every engine that a network may run in."""

import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from likeness.errors import EngineUnavailable
from likeness.vision.networks.conversion import take_pictures
from likeness.vision.networks.onnxruntime_engine import OnnxRuntimeEngine
from likeness.vision.networks.openvino_engine import (
    MOST_SHAPES,
    RECURRING,
    SMALL,
    OpenVinoEngine,
    OpenVinoSession,
    Shape,
)
from likeness.vision.networks.session import Engine, Precision, Preparation

ENGINES: list[Callable[[], Engine]] = [
    lambda: OpenVinoEngine(Precision.F32),
    lambda: OpenVinoEngine(Precision.F32, threads=2, streams=2),
    lambda: OnnxRuntimeEngine(threads=2),
]
IDS = ["openvino", "openvino-streams", "onnxruntime"]


@pytest.fixture(params=ENGINES, ids=IDS)
def engine(request: pytest.FixtureRequest) -> Engine:
    make: Callable[[], Engine] = request.param
    return make()


def network(folder: Path, preparation: Preparation) -> Path:
    """A graph that gives the prepared pixels back, and their mean for each channel."""
    graph = helper.make_graph(
        [
            helper.make_node("Identity", ["x"], ["same"]),
            helper.make_node("ReduceMean", ["x"], ["mean"], axes=[2, 3], keepdims=0),
        ],
        "echo",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [
            helper.make_tensor_value_info("same", TensorProto.FLOAT, ["n", 3, "h", "w"]),
            helper.make_tensor_value_info("mean", TensorProto.FLOAT, ["n", 3]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / "echo.onnx"
    onnx.save(take_pictures(model, preparation), path)
    return path


PREPARATIONS = [
    Preparation(),
    Preparation(mean=(1.0, 2.0, 3.0), scale=4.0),
    Preparation(mean=(1.0, 2.0, 3.0), scale=4.0, channels="BGR"),
]


@pytest.mark.parametrize("preparation", PREPARATIONS, ids=["plain", "scaled", "bgr"])
def test_pixels_reach_the_network_as_its_preparation_says(
    engine: Engine, preparation: Preparation, tmp_path: Path
) -> None:
    pictures = np.random.default_rng(1).integers(0, 256, (3, 8, 5, 3), np.uint8)
    same, mean = engine.load(network(tmp_path, preparation)).run(pictures)
    ordered = pictures[..., ::-1] if preparation.channels == "BGR" else pictures
    expected = (ordered - np.array(preparation.mean)) / preparation.scale
    np.testing.assert_allclose(same, expected.transpose(0, 3, 1, 2), rtol=1e-5)
    np.testing.assert_allclose(mean, expected.mean(axis=(1, 2)), rtol=1e-4)


def test_any_size_and_number_of_pictures_and_views_of_them(engine: Engine, tmp_path: Path) -> None:
    session = engine.load(network(tmp_path, Preparation()))
    for shape in [(1, 4, 4, 3), (5, 7, 9, 3), (2, 4, 4, 3)]:
        pictures = np.random.default_rng(2).integers(0, 256, shape, np.uint8)[:, ::-1, ::-1]
        np.testing.assert_array_equal(session.run(pictures)[0], pictures.transpose(0, 3, 1, 2))


def test_shapes_that_recur_are_computed_alike_even_once_the_file_is_gone(
    engine: Engine, tmp_path: Path
) -> None:
    path = network(tmp_path, Preparation())
    session = engine.load(path)
    pictures = [
        np.random.default_rng(n).integers(0, 256, shape, np.uint8)
        for n, shape in enumerate([(1, 4, 4, 3), (2, 6, 4, 3), (1, 300, 300, 3)])
    ]
    for run in range(40):
        for picture in pictures:
            np.testing.assert_array_equal(session.run(picture)[0], picture.transpose(0, 3, 1, 2))
        if run == 20:
            path.unlink()
            pictures.append(np.zeros((3, 5, 5, 3), np.uint8))


class _Compiled:
    """Stands for a compiled network that gives its pictures back."""

    outputs = ("same",)

    def create_infer_request(self) -> "_Compiled":
        return self

    def infer(self, pictures: list[NDArray[np.uint8]], share_inputs: bool) -> None:
        self.data = pictures[0]

    def get_output_tensor(self, _: int) -> "_Compiled":
        return self


class _Compiler:
    """Compiles nothing, and keeps the shapes that it was asked for; None is any."""

    def __init__(self, *, only_any: bool = False) -> None:
        self.shapes: list[Shape | None] = []
        self._only_any = only_any

    def __call__(self, shape: Shape | None) -> _Compiled:
        self.shapes.append(shape)
        if shape is not None and self._only_any:
            raise EngineUnavailable("cannot load gone.onnx")
        return _Compiled()


def run_often(compiler: _Compiler, shapes: list[Shape], runs: int) -> None:
    """Run pictures of each shape so many times in one session."""
    session = OpenVinoSession(compiler, Precision.F32, 1)
    for _ in range(runs):
        for shape in shapes:
            pictures = np.full(shape, 7, np.uint8)
            np.testing.assert_array_equal(session.run(pictures)[0], pictures)


def test_a_small_shape_is_compiled_once_when_it_recurs() -> None:
    shape, before, after = (1, 4, 4, 3), _Compiler(), _Compiler()
    run_often(before, [shape], RECURRING - 1)
    run_often(after, [shape], 3 * RECURRING)
    assert before.shapes == [None]
    assert after.shapes == [None, shape]


def test_pictures_that_are_not_small_are_never_compiled_for() -> None:
    side = math.isqrt(SMALL)
    compiler = _Compiler()
    run_often(compiler, [(1, side, side, 3), (2, side, side, 3)], 2 * RECURRING)
    assert compiler.shapes == [None, (1, side, side, 3)]


def test_only_so_many_shapes_are_compiled_for() -> None:
    compiler = _Compiler()
    run_often(compiler, [(1, 4, 4 + n, 3) for n in range(2 * MOST_SHAPES)], 2 * RECURRING)
    assert len(compiler.shapes) == 1 + MOST_SHAPES


def test_a_shape_that_cannot_be_compiled_is_tried_once_and_computed_all_the_same() -> None:
    compiler = _Compiler(only_any=True)
    run_often(compiler, [(1, 4, 4, 3)], 3 * RECURRING)
    assert compiler.shapes == [None, (1, 4, 4, 3)]


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_a_thread_that_gives_way_compiles_nothing_for_others() -> None:
    shape, compiler = (1, 4, 4, 3), _Compiler()
    session = OpenVinoSession(compiler, Precision.F32, 1)
    pictures = np.full(shape, 7, np.uint8)

    def give_way() -> None:
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + 1)
        for _ in range(2 * RECURRING):
            session.run(pictures)

    thread = threading.Thread(target=give_way)
    thread.start()
    thread.join()
    assert compiler.shapes == [None]
    session.run(pictures)
    assert compiler.shapes == [None, shape]


def test_results_are_the_callers_own(engine: Engine, tmp_path: Path) -> None:
    session = engine.load(network(tmp_path, Preparation()))
    first = session.run(np.full((1, 4, 4, 3), 7, np.uint8))[0]
    session.run(np.full((1, 4, 4, 3), 9, np.uint8))
    assert (first == 7).all()


def test_many_threads_share_one_session(engine: Engine, tmp_path: Path) -> None:
    session = engine.load(network(tmp_path, Preparation()))

    def right(value: int) -> bool:
        (same, _) = session.run(np.full((1, 32, 32, 3), value, np.uint8))
        return bool((same == value).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(right, range(200)))


@pytest.mark.slow
def test_threads_that_make_their_first_request_together_do_not_wait_for_ever(
    tmp_path: Path,
) -> None:
    path = network(tmp_path, Preparation())
    script = (
        "import sys, threading, numpy, pathlib\n"
        "from likeness.vision.networks.openvino_engine import OpenVinoEngine\n"
        "session = OpenVinoEngine(streams=8).load(pathlib.Path(sys.argv[1]))\n"
        "sys.setswitchinterval(1e-6)\n"
        "together = threading.Barrier(8)\n"
        "def ask():\n"
        "    together.wait()\n"
        "    session.run(numpy.zeros((1, 8, 8, 3), numpy.uint8))\n"
        "threads = [threading.Thread(target=ask) for _ in range(8)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
    )
    for _ in range(3):  # without care, one in three hangs
        subprocess.run([sys.executable, "-c", script, path], check=True, timeout=60)


def test_what_is_no_network_is_refused_in_one_line(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "not.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(EngineUnavailable, match=r"cannot load not\.onnx"):
        engine.load(path)


def test_onnx_runtime_does_not_offer_bf16() -> None:
    with pytest.raises(EngineUnavailable, match="Use f32 or auto"):
        OnnxRuntimeEngine(Precision.BF16)


def test_precision_in_use_is_said(engine: Engine, tmp_path: Path) -> None:
    assert engine.load(network(tmp_path, Preparation())).precision is Precision.F32


def test_openvino_is_loaded_without_what_calls_home() -> None:
    script = (
        "import sys; from likeness.vision.networks.openvino_engine import OpenVinoEngine;"
        "OpenVinoEngine();"
        "print([m for m in sys.modules if 'telemetry' in m or m.startswith('openvino.tools')])"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"
