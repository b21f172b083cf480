"""Compare many pairs of pictures, as an evaluation does; each picture is embedded once."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TextIO

from likeness.errors import LikenessError
from likeness.service.enrol.csv_rows import as_text, inside, read_rows
from likeness.service.search.faces import ComparedPicture, compared_picture
from likeness.service.search.verify import Verification, verify_pictures
from likeness.terms import Calibration, in_parallel
from likeness.vision.decode import DecodeLimits, read_sample
from likeness.vision.find import FaceFinder

COLUMNS_IN = ("path_a", "path_b")
COLUMNS_OUT = (
    *COLUMNS_IN,
    *("raw_score", "score", "similarity", "failure"),
    *("faces", "fmr_any", "left", "top", "right", "bottom"),
    "extrapolated",
    *("failure_a", "failure_b"),
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures, as the file of pairs names them."""

    path_a: str
    path_b: str


@dataclass(frozen=True, slots=True)
class PairCounts:
    """How many pairs there were, of how many pictures, and how many pairs have no score.

    `errors` say why, one of each kind.
    """

    pairs: int
    pictures: int
    failures: int
    errors: tuple[LikenessError, ...]


@dataclass(frozen=True, slots=True)
class PairFailure:
    """Why a pair has no score: what is wrong with its first picture, its second, or both."""

    a: LikenessError | None
    b: LikenessError | None

    @property
    def errors(self) -> tuple[LikenessError, ...]:
        """The one or both."""
        return tuple(error for error in (self.a, self.b) if error is not None)


@dataclass(frozen=True, slots=True)
class PairScore:
    """What came of a pair: a verification, or the reasons why there is none."""

    pair: Pair
    result: Verification | PairFailure

    @property
    def errors(self) -> tuple[LikenessError, ...]:
        """Why there is no score; empty where there is one."""
        return self.result.errors if isinstance(self.result, PairFailure) else ()

    def row(self) -> tuple[str, ...]:
        """The columns of `COLUMNS_OUT`; what is missing is empty."""
        names, best = (as_text(self.pair.path_a), as_text(self.pair.path_b)), self.result
        if isinstance(best, PairFailure):
            failure = as_text("; ".join(str(error) for error in best.errors))
            sides = ("" if error is None else as_text(str(error)) for error in (best.a, best.b))
            return (*names, "", "", "", failure, *[""] * 7, *sides)
        numbers = (best.comparison.raw_score, best.comparison.score, best.similarity)
        scores = (f"{number:.6f}" for number in numbers)
        box = (f"{side:.1f}" for side in astuple(best.probe.box))
        extrapolated = "false" if best.fmr_interval is None else "true"
        any_of = (str(best.gate.faces), f"{best.fmr_any:.3g}")
        return (*names, *scores, "", *any_of, *box, extrapolated, "", "")


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
    fmr: float,
    fnmr: float,
    limits: DecodeLimits,
    workers: int,
    foremost: bool = False,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[PairScore]:
    """Compare the foremost face of each first picture with every face of the second, in order.

    Failures are results too. The best of several faces is that of `verify_pictures`.

    Args:
        pairs: what to compare; paths are relative to `root` and may not leave it.
        root: the folder of the pictures.
        finder: what finds the faces.
        calibration: what a score means.
        fmr: how often a second picture of strangers may pass.
        fnmr: how often one of the person may be answered with no.
        limits: what a picture may cost.
        workers: pictures worked on at a time.
        foremost: compare with the foremost face of each second picture alone.
        tell: is told how many of how many pictures are done.
    """
    names = pictures_of(pairs)
    seconds = set() if foremost else {pair.path_b for pair in pairs}
    pictures: dict[str, ComparedPicture | LikenessError] = {}

    def embed(name: str) -> ComparedPicture | LikenessError:
        try:
            sample = read_sample(inside(root, name), limits)
            return compared_picture(sample, finder, every=name in seconds)
        except LikenessError as error:
            return error

    for name, result in zip(names, in_parallel(embed, names, workers), strict=True):
        pictures[name] = result
        tell(len(pictures), len(names))

    def score(pair: Pair) -> PairScore:
        a, b = pictures[pair.path_a], pictures[pair.path_b]
        if isinstance(a, LikenessError) or isinstance(b, LikenessError):
            wrong = (one if isinstance(one, LikenessError) else None for one in (a, b))
            return PairScore(pair, PairFailure(*wrong))
        return PairScore(pair, verify_pictures(a, b, calibration, fmr=fmr, fnmr=fnmr))

    return (score(pair) for pair in pairs)


def write_scores(
    scores: Iterator[PairScore], file: TextIO
) -> tuple[int, tuple[LikenessError, ...]]:
    """Write the CSV file of scores; say how many pairs failed, and give an error of each kind."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS_OUT)
    failures, kinds = 0, dict[type[LikenessError], LikenessError]()
    for score in scores:
        writer.writerow(score.row())
        failures += bool(score.errors)
        kinds |= {type(error): error for error in score.errors}
    return failures, tuple(kinds.values())
