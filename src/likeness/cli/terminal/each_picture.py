"""Many pictures, one after the other: a bad one is reported and the others are still done."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from likeness.cli.terminal.exit_codes import report
from likeness.errors import LikenessError
from likeness.terms import in_parallel

Result = TypeVar("Result")


def each_picture(
    work: Callable[[Path], Result], pictures: Sequence[Path], workers: int
) -> Iterator[tuple[Path, Result | LikenessError]]:
    """Yield every picture with what `work` makes of it, in order.

    An error of ours is reported on stderr and yielded; whatever else is raised ends the work.
    """

    def attempt(picture: Path) -> Result | LikenessError:
        try:
            return work(picture)
        except LikenessError as error:
            return error

    for picture, result in zip(pictures, in_parallel(attempt, pictures, workers), strict=True):
        if isinstance(result, LikenessError):
            report(result, about=repr(str(picture)))
        yield picture, result
