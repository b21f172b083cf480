"""Every backend, made small enough that a test reaches all that it does."""

import hashlib
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
from numpy.typing import NDArray

from likeness.errors import KeyUnusable
from likeness.index.exact_index import ExactIndex
from likeness.index.faiss_index import FaissIndex
from likeness.index.vector_index import VectorIndex

MODEL = "a-model"
DIMENSIONS = 16

MakeIndex = Callable[[], VectorIndex]


def exact() -> ExactIndex:
    return ExactIndex(MODEL, DIMENSIONS, segment_rows=32)


def small_faiss() -> FaissIndex:
    return FaissIndex(MODEL, DIMENSIONS, segment_rows=32)


def listed_faiss() -> FaissIndex:
    """Go over to lists early; looking into all of them, it has to find what is nearest."""
    return FaissIndex(MODEL, DIMENSIONS, train_at=48, effort=9.0, shortlist=60, segment_rows=32)


def milvus() -> VectorIndex:
    pytest.importorskip("pymilvus", reason="pymilvus is not installed: see the milvus extra")
    from likeness.index.milvus_index import MilvusIndex

    return MilvusIndex(milvus_server().address, f"c{uuid.uuid4().hex}", MODEL, DIMENSIONS)


_FIRST_CONNECTION_S = 120


class MilvusServer:
    """A Milvus server that can go away and come back, at the same address with what it held."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        pymilvus = pytest.importorskip("pymilvus", reason="pymilvus is not installed")
        server = pytest.importorskip(
            "milvus_lite.adapter.grpc.server", reason="milvus-lite is not installed"
        )
        started = server.start_server_in_thread(str(self._folder), port=self._port)
        self._server, self._database, self._port = started
        # The first to connect waits for what the server has yet to load, on a busy machine long.
        pymilvus.MilvusClient(self.address, timeout=_FIRST_CONNECTION_S).close()

    def stop(self) -> None:
        self._server.stop(grace=None).wait()
        self._database.close()

    def forget(self) -> None:
        """Lose everything, as a server that is set up anew; it has to be stopped."""
        shutil.rmtree(self._folder)


@cache
def milvus_server() -> MilvusServer:
    """Start a server for the whole run."""
    return MilvusServer(Path(mkdtemp(prefix="milvus-lite-")))


IN_MEMORY = [exact, small_faiss, listed_faiss]
ALL = [*IN_MEMORY, pytest.param(milvus, marks=pytest.mark.slow)]


@contextmanager
def opened(make_index: MakeIndex) -> Iterator[VectorIndex]:
    index = make_index()
    try:
        yield index
    finally:
        if hasattr(index, "drop"):
            index.drop()
        index.close()


def settled(index: VectorIndex) -> None:
    """Wait for work in the background, where there is any."""
    if isinstance(index, FaissIndex):
        index.settle()


def faces(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Unit vectors that crowd around one direction, as templates do; (count, DIMENSIONS)."""
    draw = np.random.default_rng(seed)
    vectors = draw.normal(0.0, 0.3, (count, DIMENSIONS)) + np.linspace(0.1, 0.5, DIMENSIONS)
    return unit(vectors)


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / lengths).astype(np.float32)


def ids_of(*numbers: int) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)


class PlainSealer:
    """Authenticates and does not hide: enough to see what an index does with a sealer."""

    def __init__(self, key: bytes = b"a key") -> None:
        self._key = key

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        return self._tag(plaintext, context) + bytes(255 - byte for byte in plaintext)

    def unseal(self, sealed: bytes, context: bytes) -> bytes:
        plaintext = bytes(255 - byte for byte in sealed[32:])
        if self._tag(plaintext, context) != sealed[:32]:
            raise KeyUnusable(
                "not sealed with this key, or changed: use the key it was sealed with"
            )
        return plaintext

    def _tag(self, plaintext: bytes, context: bytes) -> bytes:
        parts = (self._key, context, plaintext)
        return hashlib.sha256(b"".join(len(part).to_bytes(8) + part for part in parts)).digest()
