"""Finds the nearest vectors; it knows ids and vectors, no SQL and no person.

Whoever chooses an index takes `ExactIndex`, `FaissIndex` or `MilvusIndex`; whoever uses one knows
it as a `VectorIndex`.
"""

from typing import TYPE_CHECKING

from likeness.index.exact_index import ExactIndex
from likeness.index.milvus_index import MilvusIndex
from likeness.index.snapshot import Manifest, Reached, SnapshotFolder
from likeness.index.vector_index import Candidates, VectorIndex, checked_limit, checked_vectors

if TYPE_CHECKING:
    from likeness.index.faiss_index import FaissIndex

__all__ = [
    "Candidates",
    "ExactIndex",
    "FaissIndex",
    "Manifest",
    "MilvusIndex",
    "Reached",
    "SnapshotFolder",
    "VectorIndex",
    "checked_limit",
    "checked_vectors",
]


def __getattr__(name: str) -> object:
    """Load FAISS, which takes a sixth of a second, where its index is used alone."""
    if name == "FaissIndex":
        from likeness.index.faiss_index import FaissIndex

        return FaissIndex
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
