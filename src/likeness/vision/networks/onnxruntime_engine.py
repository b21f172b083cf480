"""Inference with ONNX Runtime, an optional extra: the way onto a GPU."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likeness.errors import EngineUnavailable
from likeness.opened_here import OpenedHere
from likeness.vision.networks.session import Precision, Session

# Best first; ONNX Runtime keeps to the processor where it was built for nothing else.
_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")


class OnnxRuntimeEngine:
    """Loads networks into ONNX Runtime, computed in f32; on a GPU where its build has one.

    `threads` is the number of processor threads, 0 for all.
    """

    precision = Precision.F32

    def __init__(self, precision: Precision = Precision.AUTO, *, threads: int = 0) -> None:
        if precision is Precision.BF16:
            raise EngineUnavailable(
                "ONNX Runtime computes these networks in f32 only, not in bf16. Use f32 or auto, or"
                " the engine openvino."
            )
        self._onnxruntime = _import_onnxruntime()
        self._providers = [
            name for name in _PROVIDERS if name in self._onnxruntime.get_available_providers()
        ]
        self._options = self._onnxruntime.SessionOptions()
        self._options.intra_op_num_threads = threads
        # Its warnings tell of graph optimisations, which are nobody's business.
        self._options.log_severity_level = 3

    @property
    def name(self) -> str:
        """ONNX Runtime, its version, and where it computes."""
        return f"ONNX Runtime {self._onnxruntime.__version__} ({self._providers[0]})"

    def load(self, network: Path) -> Session:
        """Load an ONNX file.

        Raises:
            EngineUnavailable: ONNX Runtime cannot run it.
        """
        try:
            session = self._onnxruntime.InferenceSession(
                str(network), self._options, providers=self._providers
            )
        except Exception as error:  # it raises a class of its own for every kind of trouble
            raise EngineUnavailable(
                f"ONNX Runtime cannot load {network.name} ({type(error).__name__}). Check the file"
                " with `likeness doctor`."
            ) from error
        return _OnnxRuntimeSession(session)


class _OnnxRuntimeSession:
    """A loaded network; ONNX Runtime lets any number of threads run one session."""

    precision = Precision.F32

    def __init__(self, session: Any) -> None:
        self._opened = OpenedHere()
        self._session = session
        self._input = session.get_inputs()[0].name

    def run(self, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float32], ...]:
        self._opened.require_here()
        try:
            return tuple(self._session.run(None, {self._input: np.ascontiguousarray(pictures)}))
        except Exception as error:  # see above
            raise EngineUnavailable(
                f"ONNX Runtime failed on pictures of shape {pictures.shape}"
                f" ({type(error).__name__}). Check the model with `likeness doctor`."
            ) from error


def _import_onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineUnavailable(
            "ONNX Runtime is not installed. Run pip install onnxruntime (or onnxruntime-gpu), or"
            " use the engine openvino."
        ) from error
    return onnxruntime
