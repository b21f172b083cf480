"""Many pictures, one after the other: a bad one is reported and the others are still done."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from likeness.cli.terminal.answers import Json, error_json
from likeness.cli.terminal.exit_codes import ExitCode, code_of, report
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.words import several
from likeness.errors import LikenessError
from likeness.terms import in_parallel
from likeness.vision.decode import Sample

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


def answer_each(
    work: Callable[[Path], Result],
    pictures: Sequence[Path],
    workers: int,
    *,
    as_json: bool,
    document_of: Callable[[Result], Json],
    lines_of: Callable[[Path, Result], Iterable[str]],
) -> tuple[ExitCode, list[Json]]:
    """Print what `work` makes of every picture as it comes, or give documents of it for `--json`.

    The code is that of the worst error.
    """
    code, documents = ExitCode.DONE, list[Json]()
    for picture, result in each_picture(work, pictures, workers):
        if isinstance(result, LikenessError):
            code = max(code, code_of(result))
            said = {"error": error_json(result)}
        elif as_json:
            said = document_of(result)
        else:
            for line in lines_of(picture, result):
                print(line)
            continue
        documents.append({"picture": str(picture), **said})
    return code, documents


def picture_lines(picture: Path, sample: Sample, faces: int, *remarks: str) -> Iterator[str]:
    """Say how large a picture is, how many faces it has, and what there is to remark."""
    yield f"{plain(picture)}: {several(faces, 'face')} in {sample.width}x{sample.height} pixels"
    yield from (f"      {remark}" for remark in (*sample.remarks, *remarks))
