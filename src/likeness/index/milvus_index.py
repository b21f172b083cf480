"""Vectors in a Milvus server: for galleries beyond one machine.

Milvus keeps vectors in the clear; their encryption on disk is its operator's. Every search asks for
strong consistency, so that what was added or removed before it holds.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likeness.errors import IndexUnavailable, ModelMismatch
from likeness.index.vector_index import (
    Candidates,
    best_first,
    checked_ids,
    checked_limit,
    checked_pairs,
    checked_vectors,
    gathered,
)

# What one message of 64 MiB holds of any model's vectors, with room to spare.
_ROWS_A_CALL = 4_096
_PROBES_A_CALL = 256
# Milvus gives no more candidates than that.
_MOST_CANDIDATES = 16_384
_STRONG = "Strong"
# A server that has gone away must not keep a search, or a start, waiting for the minutes in which
# pymilvus would try again.
_ANSWER_S = 60.0
_CHANNEL = {
    # Otherwise gRPC does not even look for up to two minutes whether a server is back.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    # pymilvus asks every 10 s whether the server is there, and gRPC itself, with data, how much the
    # way holds. A server that keeps to gRPC's own limits counts both, and hangs up ("too many
    # pings"). Every call of ours has a time-out instead.
    "grpc.keepalive_time_ms": 2**31 - 1,
    "grpc.http2.bdp_probe": 0,
    "grpc.keepalive_permit_without_calls": 0,
}
_READ = {"consistency_level": _STRONG, "timeout": _ANSWER_S}
_HNSW = {"M": 32, "efConstruction": 256}
_SHORTEST_SEARCH = 512


class MilvusIndex:
    """One Milvus collection; `address` is that of the server, such as `http://127.0.0.1:19530`."""

    # Milvus marks what is deleted, and drops it from its files when it compacts them.
    out_of_reach: tuple[str, ...] = (
        "Milvus's files and log, in the clear, until it compacts them and collects the garbage",
        "backups of Milvus",
    )

    def __init__(
        self, address: str, collection: str, model: str, dimensions: int, token: str = ""
    ) -> None:
        """Name the server and its collection, which is made by the first use if there is none.

        Every use raises `IndexUnavailable` where pymilvus is not installed or the server does not
        answer, and `ModelMismatch` where the collection holds vectors of another model.
        """
        self._address = address
        self._token = token
        self._collection = collection
        self.model = model
        self.dimensions = dimensions
        # A collection knows its model by the name of its field, which every server keeps.
        self._field = f"of_{hashlib.sha256(model.encode()).hexdigest()[:16]}"
        self._client: Any = None
        self._connecting = threading.Lock()

    def __len__(self) -> int:
        """Count the vectors."""
        with self._server() as client:
            counted = client.query(self._collection, output_fields=["count(*)"], **_READ)
        return int(counted[0]["count(*)"])

    def ids(self) -> NDArray[np.int64]:
        """List the ids, (n,), ascending."""
        found: list[int] = []
        with self._server() as client:
            pages = client.query_iterator(
                self._collection, batch_size=_ROWS_A_CALL, output_fields=["id"], **_READ
            )
            while page := pages.next():
                found += [row["id"] for row in page]
            pages.close()
        return np.sort(np.array(found, np.int64))

    def contains(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say of each of (n,) ids whether it is here."""
        found: list[int] = []
        with self._server() as client:
            for step in _steps(len(ids), _ROWS_A_CALL):
                rows = client.get(
                    self._collection,
                    np.asarray(ids[step]).tolist(),
                    output_fields=["id"],
                    **_READ,
                )
                found += [row["id"] for row in rows]
        return np.isin(ids, found)

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Hold (n, d) unit vectors under (n,) ids, see `VectorIndex.add`."""
        ids, vectors = checked_pairs(ids, vectors, self.model, self.dimensions)
        with self._server() as client:
            for step in _steps(len(ids), _ROWS_A_CALL):
                rows = [
                    {"id": one, self._field: vector}
                    for one, vector in zip(ids[step].tolist(), vectors[step], strict=True)
                ]
                client.upsert(self._collection, rows, timeout=_ANSWER_S)

    def remove(self, ids: NDArray[np.int64]) -> None:
        """Forget (n,) ids, see `VectorIndex.remove`."""
        ids = checked_ids(ids)
        with self._server() as client:
            for step in _steps(len(ids), _ROWS_A_CALL):
                client.delete(self._collection, ids=ids[step].tolist(), timeout=_ANSWER_S)

    def search(self, probes: NDArray[np.float32], limit: int) -> Candidates:
        """Find the nearest to each of (m, d) unit probes, see `VectorIndex.search`."""
        limit = checked_limit(limit)
        probes = checked_vectors(probes, self.model, self.dimensions)
        asked = min(limit, _MOST_CANDIDATES)
        lines = []
        with self._server() as client:
            for step in _steps(len(probes), _PROBES_A_CALL):
                answers = client.search(
                    self._collection,
                    probes[step].tolist(),
                    anns_field=self._field,
                    limit=asked,
                    search_params={"params": {"ef": max(_SHORTEST_SEARCH, 2 * asked)}},
                    **_READ,
                )
                lines += [
                    best_first(
                        np.array([one["id"] for one in answer], np.int64),
                        np.array([one["distance"] for one in answer], np.float32),
                        limit,
                    )
                    for answer in answers
                ]
        return gathered(lines, limit)

    def drop(self) -> None:
        """Forget everything, and delete the collection from the server."""
        with self._server() as client:
            client.drop_collection(self._collection)

    def close(self) -> None:
        """Leave the server."""
        if self._client is not None:
            self._client.close()

    @contextmanager
    def _server(self) -> Iterator[Any]:
        """Give a client of the server, ready to use; what it raises becomes `IndexUnavailable`."""
        try:
            from grpc import RpcError
            from pymilvus.exceptions import MilvusException
        except ImportError as error:
            raise IndexUnavailable(
                "pymilvus is not installed, and Milvus needs it. Run `pip install pymilvus`."
            ) from error
        try:
            yield self._connected()
        except (MilvusException, RpcError) as error:
            # A server that comes back may have let go of the collection, or have lost it.
            self._client = None
            raise IndexUnavailable(
                f"Milvus at {self._address} did not answer ({' '.join(str(error).split())[:200]})."
                " Start it or mend its address, then retry."
            ) from error

    def _connected(self) -> Any:
        with self._connecting:
            if self._client is None:
                client = _client(self._address, self._token)
                if not client.has_collection(self._collection, timeout=_ANSWER_S):
                    self._make_collection(client)
                self._require_own(client.describe_collection(self._collection, timeout=_ANSWER_S))
                client.load_collection(self._collection)
                self._client = client
            return self._client

    def _require_own(self, described: dict[str, Any]) -> None:
        held = {field["name"]: field["params"].get("dim") for field in described["fields"]}
        if held.get(self._field) != self.dimensions:
            raise ModelMismatch(
                f"Milvus's collection {self._collection} does not hold {self.dimensions} numbers of"
                f" {self.model} for each id. Name another collection."
            )

    def _make_collection(self, client: Any) -> None:
        from pymilvus import DataType

        schema = client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field(self._field, DataType.FLOAT_VECTOR, dim=self.dimensions)
        indexes = client.prepare_index_params()
        indexes.add_index(self._field, index_type="HNSW", metric_type="COSINE", params=_HNSW)
        client.create_collection(
            self._collection, schema=schema, index_params=indexes, consistency_level=_STRONG
        )


def _client(address: str, token: str) -> Any:
    # pymilvus takes half a second to import, and most installations have none.
    from pymilvus import MilvusClient

    return MilvusClient(uri=address, token=token, grpc_options=_CHANNEL)


def _steps(count: int, size: int) -> Iterator[slice]:
    for start in range(0, count, size):
        yield slice(start, start + size)
