"""Inference on the processor with OpenVINO."""

import math
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likeness.errors import EngineUnavailable
from likeness.opened_here import OpenedHere
from likeness.vision.networks.session import Precision, Session

Shape = tuple[int, ...]

_DEVICE = "CPU"
SMALL = 1 << 16
"""Pixels that pictures have in all, at most, to be small: chips, and small copies of pictures."""
RECURRING = 16
"""Runs from which on a shape recurs; before, compiling costs more than it saves."""
MOST_SHAPES = 8
"""Shapes that a network is compiled for, at most."""


class OpenVinoEngine:
    """Loads networks into OpenVINO.

    `threads` is the number of processor threads, 0 for all. With `streams` above one, that many
    requests are computed side by side, each on its share of the threads: more throughput, more
    latency.
    `cache_dir` keeps compiled networks, so that the next start is fast.
    """

    def __init__(
        self,
        precision: Precision = Precision.AUTO,
        *,
        threads: int = 0,
        streams: int = 1,
        cache_dir: Path | None = None,
    ) -> None:
        self._openvino = import_openvino()
        self._core = self._openvino.Core()
        self.precision = self._available(precision)
        self._streams = streams
        self._settings = {
            "INFERENCE_PRECISION_HINT": self.precision.value,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
        }
        if streams > 1:
            # Whatever else runs would hold up the stream that is bound to its processor.
            self._settings["ENABLE_CPU_PINNING"] = False
        if cache_dir is not None:
            self._settings["CACHE_DIR"] = str(cache_dir)

    @property
    def name(self) -> str:
        """OpenVINO and its version."""
        return f"OpenVINO {self._openvino.__version__.split('-')[0]}"

    @property
    def processor(self) -> str:
        """The processor's name, as OpenVINO reads it."""
        return str(self._core.get_property(_DEVICE, "FULL_DEVICE_NAME")).strip()

    @property
    def capabilities(self) -> tuple[str, ...]:
        """In what the processor computes natively, such as `BF16` and `INT8`."""
        return tuple(self._core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES"))

    def load(self, network: Path) -> Session:
        """Load an ONNX file."""
        return OpenVinoSession(partial(self._compiled, network), self.precision, self._streams)

    def _compiled(self, network: Path, shape: Shape | None) -> Any:
        """Compile a network, for pictures of one shape or, with None, of any."""
        try:
            model = self._core.read_model(str(network))
            if shape is not None:
                model.reshape(list(shape))
            return self._core.compile_model(model, _DEVICE, self._settings)
        except RuntimeError as error:
            raise EngineUnavailable(
                f"OpenVINO cannot load {network.name} ({last_line(error)}). Check the file with"
                " `likeness doctor`."
            ) from error

    def _available(self, wanted: Precision) -> Precision:
        has_bf16 = "BF16" in self.capabilities
        if wanted is Precision.AUTO:
            return Precision.BF16 if has_bf16 else Precision.F32
        if wanted is Precision.BF16 and not has_bf16:
            raise EngineUnavailable(
                f"This processor ({self.processor}) computes f32 only, not bf16. Use f32 or auto."
            )
        return wanted


class OpenVinoSession:
    """A network, compiled for pictures of any shape, and for small ones of shapes that recur.

    Each change of shape makes a network that takes any work out again how to compute it, which
    takes as long as a chip itself. The outputs are the same. `compiled` compiles the network for
    one shape, or with None for any.
    """

    def __init__(
        self, compiled: Callable[[Shape | None], Any], precision: Precision, requests: int
    ) -> None:
        self._opened = OpenedHere()
        self._compiled = compiled
        self._count = requests
        self._any = _Requests(compiled(None), requests)
        self._own: dict[Shape, _Requests] = {}
        self._runs: Counter[Shape] = Counter()
        self._compiling = threading.Lock()
        self._niceness = _niceness()
        self.precision = precision

    def run(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
        """Compute the outputs for (n, h, w, 3) pictures.

        Raises:
            EngineUnavailable: OpenVINO failed.
            Conflict: this process was forked since.
        """
        self._opened.require_here()
        try:
            return self._requests_for(pictures.shape).run(pictures)
        except RuntimeError as error:
            raise EngineUnavailable(
                f"OpenVINO failed on pictures of shape {pictures.shape} ({last_line(error)}). Check"
                " the model with `likeness doctor`."
            ) from error

    def _requests_for(self, shape: Shape) -> "_Requests":
        own = self._own.get(shape)
        if own is None and math.prod(shape[:3]) <= SMALL and len(self._own) < MOST_SHAPES:
            self._runs[shape] += 1
            # Whoever comes while one is compiled does not wait for it.
            if (
                self._runs[shape] >= RECURRING
                and _niceness() <= self._niceness
                and self._compiling.acquire(blocking=False)
            ):
                try:
                    own = self._own[shape] = self._own.get(shape) or self._compiled_for(shape)
                finally:
                    self._compiling.release()
        return own or self._any

    def _compiled_for(self, shape: Shape) -> "_Requests":
        try:
            return _Requests(self._compiled(shape), self._count)
        except EngineUnavailable:  # its file is gone, or its graph takes no shape but its own
            return self._any


def _niceness() -> int:
    """Say how far this thread gives way to others: threads that it makes do so for good, too."""
    if sys.platform != "linux":  # it is the whole process's elsewhere
        return 0
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


class _Requests:
    """A compiled network and the requests that wait to run it."""

    def __init__(self, compiled: Any, count: int) -> None:
        self._outputs = range(len(compiled.outputs))
        self._idle: SimpleQueue[Any] = SimpleQueue()
        for _ in range(count):
            self._idle.put(compiled.create_infer_request())

    def run(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
        request = self._idle.get()
        try:
            request.infer([np.ascontiguousarray(pictures)], share_inputs=True)
            # The request's own buffers are overwritten by its next run.
            return tuple(request.get_output_tensor(i).data.copy() for i in self._outputs)
        finally:
            self._idle.put(request)


def import_openvino() -> Any:
    """Import OpenVINO without its converter, which reports every import to its makers.

    Nothing calls out: `openvino.tools.ovc` sends an event when it is imported, and OpenVINO gets
    along without it.
    """
    converter = "openvino.tools.ovc"
    blocked = converter not in sys.modules
    if blocked:
        sys.modules[converter] = None  # type: ignore[assignment]  # how Python blocks an import
    try:
        import openvino
    except ImportError as error:
        raise EngineUnavailable(
            "OpenVINO cannot be imported. Install Likeness again with its locked dependencies"
            " (`make install`)."
        ) from error
    finally:
        if blocked:
            del sys.modules[converter]
    # The first call fills a table while it lets go of Python's lock: two threads that made it at
    # once, in their first `infer`, would wait for each other for ever.
    openvino.Type.u8.to_dtype()
    return openvino


def last_line(error: Exception) -> str:
    """Give what OpenVINO says of an error; the lines before tell where in its sources it was."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
