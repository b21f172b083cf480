"""How much more crowded a place is, once people of one's own join the cohort there.

A cohort of strangers says how crowded a place usually is; the people of a collection say how
crowded it is among them. Whoever joins raises the mean of a template's highest raw scores where
they are nearer than the cohort is, and changes nothing elsewhere.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from likeness.terms.template import relative_scores

OWN_NEAREST = 20
"""Of the cohort and those who join it, so many of the highest scores count."""
LEFT_OUT = -2.0
"""In place of a raw score, that of somebody who does not count."""

Scores = NDArray[np.floating]


FEWEST_SUBJECTS = 30
"""With fewer, their pairs say too little: strangers who are alike stand for them."""
MOST_SUBJECTS = 1_000


class Cohort(Protocol):
    """What templates of one model are held against."""

    @property
    def version(self) -> str:
        """The cohort's version, as `CohortStatistics.version` names it."""

    @property
    def followed(self) -> float:
        """How far a change in the mean of a template's highest scores is followed."""

    def means(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give what `CohortStatistics.mean` is for (n, d) unit vectors: (n,)."""

    def highest(self, vectors: NDArray[np.float32], count: int) -> NDArray[np.float32]:
        """Give the `count` highest scores of (n, d) unit vectors: (n, count), descending."""


@dataclass(frozen=True, slots=True, eq=False)
class Joining:
    """Those who join a cohort: (n,) numbers of references and of their subjects, (n, d) vectors.

    Of two whose raw score reaches `one_person`, both may be one person's, and neither counts for
    the other.
    """

    numbers: NDArray[np.int64]
    subjects: NDArray[np.int64]
    vectors: NDArray[np.float32]
    one_person: float

    def pair_scores(self, cohort: Cohort) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score all pairs of those who join: (n, n) own scores and plain ones.

        Neither of a pair counts for the other, as in a search for a stranger. Who may be one person
        has the lowest score of all.
        """
        raw = self.vectors @ self.vectors.T
        same = raw >= self.one_person
        np.fill_diagonal(same, True)
        means, highest = cohort.means(self.vectors), cohort.highest(self.vectors, OWN_NEAREST)
        lifted = means[:, None] + cohort.followed * lift_without_each(
            highest, np.where(same, LEFT_OUT, raw)
        )
        own = relative_scores(raw, lifted, lifted.T)
        plain = relative_scores(raw, means[:, None], means)
        return np.where(same, -np.inf, own), np.where(same, -np.inf, plain)

    def own_scores(
        self,
        cohort: Cohort,
        probe: NDArray[np.float32],
        vectors: NDArray[np.float32],
        subjects: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Score (n, d) vectors of (n,) subjects with a probe; a subject is 0 where it has no name.

        Who joins of the candidate's own subject does not count, nor who may be the same person as
        one of the two: copies of a picture do not crowd whom it shows.
        """
        both = np.vstack([probe[None], vectors])
        means, highest = cohort.means(both), cohort.highest(both, OWN_NEAREST)
        raw = both @ self.vectors.T
        theirs = subjects[:, None] == self.subjects
        against = np.where(theirs | (raw[1:] >= self.one_person), LEFT_OUT, raw[1:])
        lifted = means[1:] + cohort.followed * lift(highest[1:], against)
        probed = np.where(theirs | (raw[:1] >= self.one_person), LEFT_OUT, raw[:1])
        lifted_probe = means[0] + cohort.followed * lift(
            np.repeat(highest[:1], len(vectors), axis=0), probed
        )
        return relative_scores(vectors @ probe, lifted, lifted_probe)


def lift(cohort_highest: Scores, joining: Scores) -> NDArray[np.float64]:
    """Say by how much the mean of the highest scores rises, (n,).

    Args:
        cohort_highest: (n, `OWN_NEAREST`) highest scores of n templates against the cohort.
        joining: (n, m) their scores with those who join; `LEFT_OUT` for who does not count.
    """
    risen = _highest(cohort_highest, joining, OWN_NEAREST).mean(axis=1)
    return np.asarray(risen - _mean(cohort_highest), np.float64)


def lift_without_each(cohort_highest: Scores, joining: Scores) -> NDArray[np.float64]:
    """Say the same with each of those who join left out in turn: (n, m)."""
    highest = _highest(cohort_highest, joining, OWN_NEAREST + 1)
    sums = highest[:, :-1].sum(axis=1)
    last, next_one = highest[:, -2], highest[:, -1]
    # Whoever is among the highest makes place for the next one.
    gone = np.where(joining >= last[:, None], joining - next_one[:, None], 0.0)
    means = (sums[:, None] - gone) / (highest.shape[1] - 1)
    return np.asarray(means - _mean(cohort_highest)[:, None], np.float64)


def _highest(cohort_highest: Scores, joining: Scores, count: int) -> NDArray[np.float64]:
    """Give the highest of both, (n, count) at most, descending."""
    both = np.concatenate([cohort_highest, joining], axis=1).astype(np.float64)
    count = min(count, both.shape[1])
    return -np.sort(-np.partition(both, -count, axis=1)[:, -count:], axis=1)


def _mean(cohort_highest: Scores) -> NDArray[np.float64]:
    return np.asarray(cohort_highest.mean(axis=1, dtype=np.float64), np.float64)
