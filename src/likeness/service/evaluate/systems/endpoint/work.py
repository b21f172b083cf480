"""What an endpoint is to do for a plan, in parts that are asked for together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from likeness.service.evaluate.systems.endpoint.asking import Progress
from likeness.service.evaluate.systems.endpoint.journal import Key


@dataclass(frozen=True, slots=True)
class CallsLeft:
    """How many calls of each operation are left, how many were answered, and how many may come.

    `most_more` are those that only what others answer makes necessary.
    """

    calls: Mapping[str, int]
    answered: int
    most_more: int = 0

    @property
    def size(self) -> int:
        """How many calls there are, but for those that may come."""
        return self.answered + sum(self.calls.values())


class Work(Protocol):
    """One part; pictures are named by their ids."""

    def find(self) -> None:
        """Look what an earlier run left at the endpoint."""

    def collections(self) -> Sequence[str]:
        """Name the collections that it left, and that are still needed."""

    def left(self) -> CallsLeft:
        """Count what is left to ask."""

    def ask(self, progress: Progress, workers: int) -> Sequence[str]:
        """Ask it; gives what is wrong although all is answered.

        Raises:
            LikenessError: nothing more can be asked.
        """

    def failures(self) -> Mapping[str, str]:
        """Give the pictures that the endpoint cannot use, and why."""

    def seconds(self) -> Iterator[tuple[str, float]]:
        """Give pictures with how long an answer to them took."""

    def call_keys(self) -> Iterator[Key]:
        """Give the keys of all calls."""
