"""Take items so many at a time, as they come."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of `size` items each, the last of what is left."""
    coming = iter(items)
    while batch := list(islice(coming, size)):
        yield batch
