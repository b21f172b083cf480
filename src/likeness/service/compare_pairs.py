"""Compare many pairs of pictures, as an evaluation does; each picture is embedded once."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TextIO

from likeness.errors import LikenessError
from likeness.service.csv_cells import as_text
from likeness.service.csv_rows import inside, read_rows
from likeness.service.face_in_picture import ComparedPicture, compared_picture
from likeness.service.in_parallel import in_parallel
from likeness.terms.calibration import Calibration, rate_of_any
from likeness.terms.face import Box
from likeness.terms.template import Comparison
from likeness.vision.decode import DecodeLimits, read_sample
from likeness.vision.find import FaceFinder

COLUMNS_IN = ("path_a", "path_b")
COLUMNS_OUT = (
    *COLUMNS_IN,
    *("raw_score", "score", "similarity", "failure"),
    *("faces", "fmr_any", "left", "top", "right", "bottom"),
)


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
class BestFace:
    """The face of a second picture that is most like the person of the first.

    It was chosen among `faces`; any of so many strangers scores as high with the rate `fmr_any`.
    """

    comparison: Comparison
    similarity: float
    faces: int
    fmr_any: float
    box: Box


@dataclass(frozen=True, slots=True)
class PairScore:
    """What came of a pair: the best face, or the reason why there is none."""

    pair: Pair
    result: BestFace | str

    @property
    def failed(self) -> bool:
        """Whether there is no score."""
        return isinstance(self.result, str)

    def row(self) -> tuple[str, ...]:
        """The columns of `COLUMNS_OUT`; what is missing is empty."""
        names, best = (as_text(self.pair.path_a), as_text(self.pair.path_b)), self.result
        if isinstance(best, str):
            return (*names, "", "", "", as_text(best), "", "", "", "", "", "")
        numbers = (best.comparison.raw_score, best.comparison.score, best.similarity)
        sides = (f"{side:.1f}" for side in astuple(best.box))
        scores = (f"{number:.6f}" for number in numbers)
        return (*names, *scores, "", str(best.faces), f"{best.fmr_any:.3g}", *sides)


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
    foremost: bool = False,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[PairScore]:
    """Compare the largest face of each first picture with every face of the second, in order.

    Failures are results too.

    Args:
        pairs: what to compare; paths are relative to `root` and may not leave it.
        root: the folder of the pictures.
        finder: what finds the faces.
        calibration: what a score means.
        limits: what a picture may cost.
        workers: pictures worked on at a time.
        foremost: compare with the largest face of each second picture alone.
        tell: is told how many of how many pictures are done.
    """
    names = pictures_of(pairs)
    seconds = set() if foremost else {pair.path_b for pair in pairs}
    pictures: dict[str, ComparedPicture | str] = {}

    def embed(name: str) -> ComparedPicture | str:
        try:
            sample = read_sample(inside(root, name), limits)
            return compared_picture(sample, finder, every=name in seconds)
        except LikenessError as error:
            return str(error)

    for name, result in zip(names, in_parallel(embed, names, workers), strict=True):
        pictures[name] = result
        tell(len(pictures), len(names))
    return (_score(pair, pictures, calibration) for pair in pairs)


def write_scores(scores: Iterator[PairScore], file: TextIO) -> int:
    """Write the CSV file of scores; say how many pairs failed."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS_OUT)
    failures = 0
    for score in scores:
        writer.writerow(score.row())
        failures += score.failed
    return failures


def _score(
    pair: Pair, pictures: Mapping[str, ComparedPicture | str], calibration: Calibration
) -> PairScore:
    a, b = pictures[pair.path_a], pictures[pair.path_b]
    if isinstance(a, str) or isinstance(b, str):
        return PairScore(pair, "; ".join(one for one in (a, b) if isinstance(one, str)))
    compared = [(a.largest.compared(face), face) for face in b.faces]
    comparison, best = max(compared, key=lambda one: one[0].score)
    return PairScore(
        pair,
        BestFace(
            comparison,
            calibration.similarity(comparison.score),
            len(compared),
            rate_of_any(len(compared), calibration.fmr(comparison.score)),
            best.face.box,
        ),
    )
