"""Compare many pairs of pictures, as an evaluation does; each picture is embedded once."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from likeness.errors import LikenessError
from likeness.service.csv_rows import inside, read_rows
from likeness.service.in_parallel import in_parallel
from likeness.terms.calibration import Calibration
from likeness.terms.template import Template, compare
from likeness.vision.decode import DecodeLimits, read_sample
from likeness.vision.find import FaceFinder

COLUMNS_IN = ("path_a", "path_b")
COLUMNS_OUT = (*COLUMNS_IN, "raw_score", "score", "similarity", "failure")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures, as the file of pairs names them."""

    path_a: str
    path_b: str


@dataclass(frozen=True, slots=True)
class PairCounts:
    """How many pairs there were, of how many pictures, and how many pairs have no score."""

    pairs: int
    pictures: int
    failures: int


@dataclass(frozen=True, slots=True)
class PairScore:
    """What came of a pair: scores, or the reason why there are none."""

    pair: Pair
    raw_score: float | None
    score: float | None
    similarity: float | None
    failure: str

    def row(self) -> tuple[str, ...]:
        """The columns of `COLUMNS_OUT`; numbers that are missing are empty."""
        numbers = (self.raw_score, self.score, self.similarity)
        shown = tuple("" if number is None else f"{number:.6f}" for number in numbers)
        return (self.pair.path_a, self.pair.path_b, *shown, self.failure)


def read_pairs(path: Path) -> list[Pair]:
    """Read a CSV file of pairs, with a header that names `path_a` and `path_b`.

    Raises:
        InvalidRequest: the file cannot be read, or a row is not as it must be.
    """
    return [Pair(*(row[column] for column in COLUMNS_IN)) for _, row in read_rows(path, COLUMNS_IN)]


def pictures_of(pairs: Sequence[Pair]) -> list[str]:
    """Name every picture of the pairs once, sorted."""
    return sorted({name for pair in pairs for name in (pair.path_a, pair.path_b)})


def compare_pairs(
    pairs: Sequence[Pair],
    root: Path,
    finder: FaceFinder,
    calibration: Calibration,
    *,
    limits: DecodeLimits,
    workers: int,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[PairScore]:
    """Compare the foremost faces of each pair, in order; failures are results too.

    Args:
        pairs: what to compare; paths are relative to `root` and may not leave it.
        root: the folder of the pictures.
        finder: what finds the faces.
        calibration: what a score means.
        limits: what a picture may cost.
        workers: pictures worked on at a time.
        tell: is told how many of how many pictures are done.
    """
    names = pictures_of(pairs)
    templates: dict[str, Template | str] = {}

    def embed(name: str) -> Template | str:
        try:
            return finder.foremost(read_sample(inside(root, name), limits))[1]
        except LikenessError as error:
            return str(error)

    for name, result in zip(names, in_parallel(embed, names, workers), strict=True):
        templates[name] = result
        tell(len(templates), len(names))
    return (_score(pair, templates, calibration) for pair in pairs)


def write_scores(scores: Iterator[PairScore], file: TextIO) -> int:
    """Write the CSV file of scores; say how many pairs failed."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS_OUT)
    failures = 0
    for score in scores:
        writer.writerow(score.row())
        failures += bool(score.failure)
    return failures


def _score(
    pair: Pair, templates: Mapping[str, Template | str], calibration: Calibration
) -> PairScore:
    a, b = templates[pair.path_a], templates[pair.path_b]
    failure = "; ".join(template for template in (a, b) if isinstance(template, str))
    if isinstance(a, str) or isinstance(b, str):
        return PairScore(pair, None, None, None, failure)
    comparison = compare(a, b)
    return PairScore(
        pair,
        comparison.raw_score,
        comparison.score,
        calibration.similarity(comparison.score),
        failure,
    )
