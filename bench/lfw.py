"""LFW deep-funneled, View 1: all pairs, against face_recognition on the same pictures.

Both sides compare the face that a picture is of, the large one near the middle: LFW is aligned on
the person named. A picture without a face is a false non-match in every mated pair of it and no
match in every other.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.embedded import Embedded, Scores, embed_files, likeness
from bench.figure import Beside, Figure, Measurement, at_most
from bench.their_descriptors import their_scores
from bench.workplace import data, pictures_in
from likeness.evaluation import fmr_at, fnmr_at, threshold_at_fmr

Mask = NDArray[np.bool_]

# One person under two names each, found among the highest scores of non-mated pairs and looked at.
LABEL_ERRORS = (
    ("Andrew_Caldecott", "Andrew_Gilligan"),
    ("Choi_Sung-hong", "Sung_Hong_Choi"),
    ("Hasan_Wirayuda", "Hassan_Wirajuda"),
    ("Joseph_Blatter", "Sepp_Blatter"),
)
# Two pictures that appear to be of one man, and one that shows somebody else than its name says.
ERRONEOUS_PAIRS = (("Jason_Kapono_0001", "Ray_Young_0001"),)
ERRONEOUS_PICTURES = ("Recep_Tayyip_Erdogan_0004",)


@dataclass(frozen=True, slots=True, eq=False)
class PairScores:
    """The scores of all mated and of all non-mated pairs."""

    mated: Scores
    non_mated: Scores

    def fnmr(self, threshold: float) -> float:
        """The share of mated pairs below a threshold."""
        return fnmr_at(threshold, self.mated)

    def fmr(self, threshold: float) -> float:
        """The share of non-mated pairs that reach a threshold."""
        return fmr_at(threshold, self.non_mated)

    def fnmr_at(self, fmr: float) -> float:
        """The share of mated pairs below the threshold for a false match rate."""
        return self.fnmr(threshold_at_fmr(self.non_mated, fmr))


@dataclass(frozen=True, slots=True, eq=False)
class OfficialPairs:
    """Pairs of a published list: picture numbers and whether they are mated, (n,) each."""

    ones: NDArray[np.intp]
    others: NDArray[np.intp]
    mated: Mask

    def share_wrong(self, scores: Scores, threshold: float) -> float:
        """How many are called what they are not."""
        called_mated = scores[self.ones, self.others] >= threshold
        return float((called_mated != self.mated).mean())

    def best_threshold(self, scores: Scores) -> float:
        """The observed score at which the fewest are called wrong."""
        observed = np.unique(scores[self.ones, self.others])
        return float(min(observed, key=lambda score: self.share_wrong(scores, score)))


def _fnmr(exponent: int, target: float) -> Figure:
    fmr = 10.0**-exponent

    def measure(full: bool) -> Measurement:
        ours, deciding, theirs = raw_pairs(), deciding_pairs(), _their_pairs()
        fnmr, theirs_fnmr, deciding_fnmr = (each.fnmr_at(fmr) for each in (ours, theirs, deciding))
        against = (
            f"FNMR at FMR {fmr:g}, raw score {fnmr:.4f}, face_recognition {theirs_fnmr:.4f};"
            f" {len(ours.mated):,} mated and {len(ours.non_mated):,} non-mated pairs of LFW"
            f" deep-funneled View 1, without face in {embedded().failed.sum()} pictures (theirs:"
            f" {_their_failures()}), failures counted; {len(LABEL_ERRORS)} people under two names,"
            f" {len(ERRONEOUS_PAIRS)} pair and {len(ERRONEOUS_PICTURES)} picture left out as label"
            " errors"
        )
        return Measurement(
            fnmr / theirs_fnmr,
            against,
            (
                Beside("raw", fnmr, "FNMR", "the raw score alone"),
                Beside("theirs", theirs_fnmr, "FNMR", "face_recognition, HOG and L2"),
                Beside("deciding", deciding_fnmr, "FNMR", "the cohort-normalised score"),
                Beside(
                    "deciding-ratio",
                    deciding_fnmr / theirs_fnmr,
                    "of theirs",
                    "the cohort-normalised score",
                ),
            ),
        )

    return Figure(f"lfw-fnmr-1e-{exponent}", "of theirs", at_most(target), measure)


def _deciding(name: str, fmr: float, target: float) -> Figure:
    def measure(full: bool) -> Measurement:
        pairs = deciding_pairs()
        return Measurement(
            pairs.fnmr_at(fmr),
            f"FNMR at FMR {fmr:g}, deciding score of {likeness().installation.recogniser.name};"
            f" {len(pairs.mated):,} mated and {len(pairs.non_mated):,} non-mated pairs of LFW"
            " deep-funneled View 1, label errors left out",
            (Beside("raw", raw_pairs().fnmr_at(fmr), "FNMR", "the raw score alone"),),
        )

    return Figure(f"view1-fnmr-{name}", "FNMR", at_most(target), measure)


def _errors(full: bool) -> Measurement:
    pictures = {path.stem: number for number, path in enumerate(pictures_of_lfw())}
    train, test = (_read_pairs(f"pairs{part}.txt", pictures) for part in ("DevTrain", "DevTest"))
    matrices = {
        "deciding": embedded().scores(),
        "raw": embedded().raw_scores(),
        "theirs": _their_matrix(),
    }
    rows = tuple(
        Beside(
            f"{part}-{name}",
            pairs.share_wrong(scores, others.best_threshold(scores)),
            "share wrong",
            f"{len(pairs.mated):,} pairs, threshold with the fewest errors on {other}",
        )
        for name, scores in matrices.items()
        for part, pairs, other, others in (
            ("DevTest", test, "DevTrain", train),
            ("DevTrain", train, "DevTest", test),
        )
    )
    return Measurement(rows[0].value, f"DevTest, deciding score; {rows[0].against}", rows)


FIGURES = (
    _deciding("1e-3", 1e-3, 0.009),
    _deciding("1e-4", 1e-4, 0.022),
    _deciding("1e-5", 1e-5, 0.048),
    _deciding("2.4e-6", 2.4e-6, 0.08),
    _fnmr(3, 0.6),
    _fnmr(4, 0.55),
    Figure("lfw-view1-errors", "share wrong", None, _errors),
)


@cache
def pictures_of_lfw() -> tuple[Path, ...]:
    """Every picture of View 1."""
    return tuple(pictures_in(data("lfw_view1") / "images"))


@cache
def embedded(recogniser: str = "auto") -> Embedded:
    """Our templates of every picture."""
    return embed_files(pictures_of_lfw(), recogniser)


@cache
def raw_pairs() -> PairScores:
    """All pairs by raw score."""
    return _pairs(embedded().raw_scores())


@cache
def deciding_pairs() -> PairScores:
    """All pairs by the score that decides."""
    return _pairs(embedded().scores())


@cache
def _their_matrix() -> Scores:
    return their_scores(pictures_of_lfw())


@cache
def _their_pairs() -> PairScores:
    return _pairs(_their_matrix())


def _their_failures() -> int:
    """In how many pictures they find no face: those score lowest with themselves too."""
    return int(np.isneginf(np.diagonal(_their_matrix())).sum())


def _pairs(scores: Scores) -> PairScores:
    mated, non_mated = masks()
    return PairScores(scores[mated], scores[non_mated])


@cache
def masks() -> tuple[Mask, Mask]:
    """Which of all pairs, (n, n) with the first picture before the second, are of which kind."""
    names = np.array([path.parent.name for path in pictures_of_lfw()])
    _, people = np.unique(names, return_inverse=True)
    same = people[:, None] == people[None]
    errors = np.zeros_like(same)
    for one, other in LABEL_ERRORS:
        errors |= (names == one)[:, None] & (names == other)[None]
    stems = np.array([path.stem for path in pictures_of_lfw()])
    for one, other in ERRONEOUS_PAIRS:
        errors |= (stems == one)[:, None] & (stems == other)[None]
    wrong = np.isin(stems, ERRONEOUS_PICTURES)
    errors |= wrong[:, None] | wrong[None]
    errors |= errors.T
    return np.triu(same & ~errors, 1), np.triu(~same & ~errors, 1)


def _read_pairs(name: str, pictures: dict[str, int]) -> OfficialPairs:
    """Read the official pairs of a part."""
    lines = (data("lfw_view1") / name).read_text().splitlines()[1:]
    pairs, mated = [], []
    for row in (line.split("\t") for line in lines):
        one, i, other, j = row if len(row) == 4 else (row[0], row[1], row[0], row[2])
        pairs.append([pictures[f"{one}_{int(i):04}"], pictures[f"{other}_{int(j):04}"]])
        mated.append(one == other)
    ones, others = np.array(pairs).T
    return OfficialPairs(ones, others, np.array(mated))
