"""What every vector index promises: the nearest of many templates, found by raw score.

Rows are the truth and an index can always be made again from them. Its ids are the numbers of those
rows: chosen by the caller, never used again for another template.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest, ModelMismatch

NOBODY = -1
"""Stands in `Candidates.ids` where there are fewer candidates than asked for."""

_LENGTH_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What a search found: one line for each probe, best first, equal scores by id.

    `ids` is (m, limit) int64, padded with `NOBODY`; `scores` is (m, limit) float32, the raw
    cosines, padded with minus infinity.
    """

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]


class VectorIndex(Protocol):
    """Holds unit vectors of one model under ids; safe to call from many threads at a time.

    Whatever has returned holds for every search that starts later: what was added is found, what
    was removed is not.
    """

    @property
    def out_of_reach(self) -> tuple[str, ...]:
        """Where removed vectors may be found nevertheless, in words."""

    def __len__(self) -> int:
        """Count the vectors."""

    def ids(self) -> NDArray[np.int64]:
        """List the ids, (n,), ascending."""

    def contains(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say of each of (n,) ids whether it is here."""

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Hold (n, d) float32 unit vectors under (n,) ids; what an id held before is replaced.

        Raises:
            InvalidRequest: ids and vectors do not belong together, or a vector has not length one.
            ModelMismatch: the vectors have the dimensions of another model.
        """

    def remove(self, ids: NDArray[np.int64]) -> None:
        """Forget (n,) ids; those that are not here are passed over."""

    def search(self, probes: NDArray[np.float32], limit: int) -> Candidates:
        """Find the `limit` nearest to each of (m, d) float32 unit probes.

        Raises:
            InvalidRequest: the limit is below 1, or a probe is not of length one.
            ModelMismatch: the probes have the dimensions of another model.
        """

    def drop(self) -> None:
        """Forget everything, down to the place where a server has it; only `close` may follow."""

    def close(self) -> None:
        """End what runs in the background; nothing may be called after."""


def checked_ids(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give (n,) ids as int64.

    Raises:
        InvalidRequest: they are no row numbers, or one comes twice.
    """
    given = np.asarray(ids)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise InvalidRequest(
            f"Not (n,) whole numbers: ids are {given.shape} {given.dtype}. Give numbers of rows."
        )
    given = given.astype(np.int64, copy=False)
    if given.size and given.min() < 0:
        raise InvalidRequest(f"Not the number of a row: {given.min()}. Give 0 or more.")
    if np.unique(given).size != given.size:
        raise InvalidRequest("An id comes twice in one call. Give the last of it.")
    return given


def checked_vectors(
    vectors: NDArray[np.float32], model: str, dimensions: int
) -> NDArray[np.float32]:
    """Give (n, dimensions) unit vectors as contiguous float32.

    Raises:
        InvalidRequest: they are not (n, d), or one is not of length one.
        ModelMismatch: d is not that of the model.
    """
    given = np.ascontiguousarray(vectors, dtype=np.float32)
    if given.ndim != 2:
        raise InvalidRequest(f"Not vectors: the shape is {given.shape}. Give (n, {dimensions}).")
    if given.shape[1] != dimensions:
        raise ModelMismatch(
            f"Not vectors of {model}: these have {given.shape[1]} dimensions, its own {dimensions}."
            " Make them with that model."
        )
    lengths = np.sqrt(np.einsum("nd,nd->n", given, given))
    # Written so that a length that is not a number fails too.
    wrong = ~(np.abs(lengths - 1) <= _LENGTH_TOLERANCE)
    if wrong.any():
        raise InvalidRequest(
            f"Not of length one: vector {int(wrong.argmax())} has length"
            f" {lengths[wrong.argmax()]:.4g}. Divide each by its length."
        )
    return given


def checked_limit(limit: int) -> int:
    """Give a limit that can be searched with.

    Raises:
        InvalidRequest: it is below 1.
    """
    if limit < 1:
        raise InvalidRequest(f"A search cannot give {limit} candidates. Ask for 1 or more.")
    return limit


def checked_pairs(
    ids: NDArray[np.int64], vectors: NDArray[np.float32], model: str, dimensions: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Give ids and vectors that belong together.

    Raises:
        InvalidRequest: they differ in number, or one of them cannot be used.
        ModelMismatch: the vectors have the dimensions of another model.
    """
    ids, vectors = checked_ids(ids), checked_vectors(vectors, model, dimensions)
    if len(ids) != len(vectors):
        raise InvalidRequest(
            f"Not one vector for each id: {len(vectors)} for {len(ids)}. Give as many as ids."
        )
    return ids, vectors


def best_first(
    ids: NDArray[np.int64], scores: NDArray[np.float32], limit: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Order one probe's candidates by score, then id; cut or pad them to `limit`."""
    order = np.lexsort((ids, -scores))[:limit]
    missing = (0, limit - len(order))
    return (
        np.pad(ids[order], missing, constant_values=NOBODY),
        np.pad(scores[order], missing, constant_values=-np.inf),
    )


def gathered(lines: list[tuple[NDArray[np.int64], NDArray[np.float32]]], limit: int) -> Candidates:
    """Put the candidates of all probes together."""
    return Candidates(
        np.array([ids for ids, _ in lines], np.int64).reshape(len(lines), limit),
        np.array([scores for _, scores in lines], np.float32).reshape(len(lines), limit),
    )
