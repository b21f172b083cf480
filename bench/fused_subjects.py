"""Subjects searched by the mean of their references against by the best of them, on LFW View 1.

In each round one picture of everybody who has two or more, drawn at random, is a probe, and the
others are enrolled; everybody with a single picture is a stranger, who is searched for too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.embedded import Embedded, Scores
from bench.figure import Beside, Figure, Measurement
from bench.lfw import LABEL_ERRORS, embedded, pictures_of_lfw
from bench.workplace import installation
from likeness.evaluation import fnmr_at, threshold_at_fmr

_ROUNDS = 20
_FPIR, _LOOSE_FPIR = 1e-2, 1e-1
_REFERENCES = ((1, 1), (2, 4), (5, None))
"""People are told apart by how many references they have: from the first number to the last."""

Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What one way to search gives in one round.

    `mates` is (subjects,), the score of each probe with its own subject; `strangers` is
    (strangers,), the best score that each stranger has with anybody.
    """

    mates: Scores
    strangers: Scores

    def threshold(self, fpir: float) -> float:
        """The threshold that this share of the strangers reaches, and no more."""
        return threshold_at_fmr(self.strangers, fpir)


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """Who is enrolled and who is searched for, by numbers of pictures.

    `references` is (references,), `subjects` says whose each of them is, ascending from 0;
    `probes` is (subjects,), `strangers` (strangers,).
    """

    references: Numbers
    subjects: Numbers
    probes: Numbers
    strangers: Numbers

    @property
    def reference_counts(self) -> Numbers:
        """How many references each subject has."""
        return np.bincount(self.subjects)


def _measure(full: bool) -> Measurement:
    rounds = _rounds()
    best = [_by_best(each, embedded().scores()) for each in rounds]
    mean = [_by_mean(each, embedded()) for each in rounds]
    ways = {"mean": mean, "best": best}
    beside = [
        Beside(
            f"{way}-of-{first}{'' if first == last else f'-{last}' if last else '-or-more'}",
            fnir,
            "FNIR",
            f"subjects with so many references, {probes / _ROUNDS:.0f} in a round",
        )
        for first, last in _REFERENCES
        for way, found in ways.items()
        for fnir, probes in [_fnir(rounds, found, first, last)]
    ]
    one = rounds[0]
    return Measurement(
        _fnir(rounds, mean)[0],
        f"by the mean, at FPIR {_FPIR:g}: N = {len(one.probes):,} subjects with"
        f" {len(one.references):,} references, a probe each; {len(one.strangers):,} strangers;"
        f" LFW View 1, {_ROUNDS} rounds, deciding score",
        (
            Beside("best", _fnir(rounds, best)[0], "FNIR", "by the best reference"),
            *(
                Beside(
                    f"{way}-loose",
                    _fnir(rounds, found, fpir=_LOOSE_FPIR)[0],
                    "FNIR",
                    f"at FPIR {_LOOSE_FPIR:g}",
                )
                for way, found in ways.items()
            ),
            *beside,
        ),
    )


FIGURES = (Figure("fused-subjects", "FNIR", None, _measure),)


def _rounds() -> list[Round]:
    others = {other for _, other in LABEL_ERRORS}
    names = np.array([path.parent.name for path in pictures_of_lfw()])
    pictures = np.flatnonzero(~np.isin(names, list(others)))
    _, people, counts = np.unique(names[pictures], return_inverse=True, return_counts=True)
    strangers, known = pictures[counts[people] == 1], counts[people] > 1
    pictures, subjects = pictures[known], np.unique(people[known], return_inverse=True)[1]
    return [
        _drawn(pictures, subjects, strangers, np.random.default_rng(seed))
        for seed in range(_ROUNDS)
    ]


def _drawn(
    pictures: Numbers, subjects: Numbers, strangers: Numbers, draw: np.random.Generator
) -> Round:
    order = np.lexsort((draw.random(len(pictures)), subjects))
    pictures, subjects = pictures[order], subjects[order]
    first = np.diff(subjects, prepend=-1) > 0
    return Round(pictures[~first], subjects[~first], pictures[first], strangers)


def _by_best(each: Round, scores: Scores) -> Found:
    starts = np.searchsorted(each.subjects, np.arange(len(each.probes)))
    return _found(each, np.maximum.reduceat(scores[each.references], starts))


def _by_mean(each: Round, templates: Embedded) -> Found:
    # Where there is no template the vector is all zero, and adds nothing to a mean.
    sums = np.zeros((len(each.probes), templates.vectors.shape[1]), np.float32)
    np.add.at(sums, each.subjects, templates.vectors[each.references])
    lengths = np.linalg.norm(sums, axis=1)
    failed = lengths == 0
    means = sums / np.where(failed, 1, lengths)[:, None]
    cohort = installation().standards.cohort(installation().model)
    subjects = Embedded(means, cohort.means(means), failed)
    return _found(each, subjects.scores_with(templates))


def _found(each: Round, scores: Scores) -> Found:
    """Take what counts from the scores of subjects with every picture, (subjects, pictures)."""
    return Found(np.diagonal(scores[:, each.probes]), scores[:, each.strangers].max(axis=0))


def _fnir(
    rounds: list[Round],
    found: list[Found],
    first: int = 1,
    last: int | None = None,
    fpir: float = _FPIR,
) -> tuple[float, int]:
    """The share of probes not found, over all rounds, and how many these are.

    Only of subjects with `first` to `last` references.
    """
    missed, probes = 0.0, 0
    for each, way in zip(rounds, found, strict=True):
        counts = each.reference_counts
        mates = way.mates[(counts >= first) & (counts <= (last or counts.max()))]
        missed += len(mates) * fnmr_at(way.threshold(fpir), mates)
        probes += len(mates)
    return missed / probes, probes
