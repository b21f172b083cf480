"""Groups templates that are likely one person's, by average linkage.

Every face begins as a group of its own. The two groups whose faces score highest with each other
on average are joined, again and again, until no two reach the threshold (UPGMA: Sokal and Michener
1958). Two faces in one picture are two people, so groups that share a picture are never joined.

Scores here are products of what both templates bring along (`_rows`), so the mean score of two
groups is that of their means: no table of all pairs is kept. And as no join brings a group nearer
to others than its nearer part was, all pairs of groups that are each other's nearest can be joined
at once, which comes to the same (reciprocal agglomerative clustering: Sumengen et al. 2021).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from likeness.errors import ModelMismatch
from likeness.terms import LEAST_UNIT, Template

_ROWS_AT_ONCE = 512

Rows = NDArray[np.float32]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Faces that are likely one person's, by their indices, and how well each of them fits in.

    `fits` are mean scores with all others of the cluster; they descend, and `members` with them.
    """

    members: tuple[int, ...]
    fits: tuple[float, ...]

    @property
    def cohesion(self) -> float:
        """The mean score of all pairs of its faces."""
        return sum(self.fits) / len(self.fits)


@dataclass(frozen=True, slots=True)
class Grouping:
    """Clusters, the largest first, and the faces that are in none."""

    clusters: tuple[Cluster, ...]
    alone: tuple[int, ...]


def group(templates: Sequence[Template], pictures: Sequence[int], threshold: float) -> Grouping:
    """Group faces whose scores reach the threshold on average.

    The work grows with the square of the number of faces, memory with the number.

    Args:
        templates: of the faces, from one model and one cohort.
        pictures: a number for each face: that of the picture it is in.
        threshold: the least mean score of two groups that are joined.

    Raises:
        ModelMismatch: the templates come from different models or cohorts.
    """
    kinds = {(template.model, template.cohort.version) for template in templates}
    if len(kinds) > 1:
        raise ModelMismatch(
            f"Templates of {len(kinds)} models or cohorts cannot be grouped. Make all of them with"
            " the same."
        )
    if not templates:
        return Grouping((), ())
    rows = _rows(templates)
    joining = _Joining(rows, _copies(templates, pictures), pictures, threshold)
    clusters, alone = [], []
    for members in joining.finished():
        if len(members) == 1:
            alone += members
        else:
            clusters.append(_cluster(rows, members))
    clusters.sort(key=lambda cluster: (-len(cluster.members), min(cluster.members)))
    return Grouping(tuple(clusters), tuple(sorted(alone)))


def _rows(templates: Sequence[Template]) -> Rows:
    """Lay out what the scores of n templates of d numbers are products of: (n, d + 1).

    A relative distance is (1 - a b) over a unit. The unit here is the geometric mean of what both
    bring along, in place of the arithmetic one, so that with u = 1 / sqrt(1 - m) a score is
    (u a)(w b) - u w. It is never higher than that of a comparison, and lower by little.
    """
    vectors = np.stack([template.vector for template in templates])
    means = np.array([[template.cohort.mean] for template in templates], np.float32)
    units = 1 / np.sqrt(np.maximum(1 - means, LEAST_UNIT))
    return np.asarray(np.hstack([vectors * units, units]), np.float32)


def _facing(rows: Rows) -> Rows:
    """Turn rows into those that a product with other rows gives scores with."""
    return np.hstack([rows[:, :-1], -rows[:, -1:]], dtype=rows.dtype)


def _copies(templates: Sequence[Template], pictures: Sequence[int]) -> list[list[int]]:
    """Group faces with the very same template: they come from copies of one picture.

    A template that is in one picture twice is two people, in each of its copies.
    """
    groups: dict[tuple[bytes, int], list[int]] = defaultdict(list)
    seen: Counter[tuple[bytes, int]] = Counter()
    for face, (template, picture) in enumerate(zip(templates, pictures, strict=True)):
        content = template.vector.tobytes()
        groups[content, seen[content, picture]].append(face)
        seen[content, picture] += 1
    return list(groups.values())


def _cluster(rows: Rows, members: Sequence[int]) -> Cluster:
    """Order the members of a cluster by how well they fit into it."""
    chosen = rows[np.sort(members)].astype(np.float64)
    facing = _facing(chosen)
    with_all, with_themselves = chosen @ facing.sum(axis=0), (chosen * facing).sum(axis=1)
    fits = (with_all - with_themselves) / (len(members) - 1)
    order = np.argsort(-fits, kind="stable")
    return Cluster(tuple(np.sort(members)[order].tolist()), tuple(fits[order].tolist()))


class _Joining:
    """Groups that may still grow, each with its nearest and their score."""

    def __init__(
        self,
        rows: Rows,
        groups: list[list[int]],
        pictures: Sequence[int],
        threshold: float,
    ) -> None:
        self._threshold = threshold
        self._groups = groups
        self._means = np.stack([rows[members].mean(axis=0) for members in groups])
        self._group_of = np.empty(len(rows), np.intp)  # of each face; -1 where it is finished
        for number, members in enumerate(groups):
            self._group_of[members] = number
        together = defaultdict(list)
        for face, picture in enumerate(pictures):
            together[picture].append(face)
        # Of each group, the faces in its pictures: those of other people, and its own.
        self._barred = [
            np.concatenate([together[pictures[face]] for face in members]) for members in groups
        ]
        self._nearest = np.full(len(groups), -1)  # -1 where it is to be found
        self._scores = np.empty(len(groups), np.float32)

    def finished(self) -> Iterator[list[int]]:
        """Join what belongs together; give each group, by its faces, when it grows no more."""
        while self._groups:
            self._find_nearest()
            near = self._scores >= self._threshold
            for number in np.flatnonzero(~near):
                yield self._groups[number]
            first = self._nearest_of_each_other(near)
            second = self._nearest[first]
            for a, b in zip(first, second, strict=True):
                self._join(a, b)
            near[second] = False
            self._keep(near, joined=first)

    def _find_nearest(self) -> None:
        sought = np.flatnonzero(self._nearest < 0)
        facing = _facing(self._means).T
        for start in range(0, len(sought), _ROWS_AT_ONCE):
            some = sought[start : start + _ROWS_AT_ONCE]
            scores = self._means[some] @ facing
            for row, number in zip(scores, some, strict=True):
                barred = self._group_of[self._barred[number]]
                row[barred[barred >= 0]] = -np.inf
            self._nearest[some] = scores.argmax(axis=1)
            self._scores[some] = scores.max(axis=1)

    def _nearest_of_each_other(self, near: NDArray[np.bool_]) -> Indices:
        """Give the first of each pair of groups that are to be joined."""
        # The nearest of all are each other's, which rounding and ties may hide.
        best = self._scores.argmax()
        self._nearest[self._nearest[best]] = best
        numbers = np.arange(len(near))
        mutual = self._nearest[self._nearest] == numbers
        return np.flatnonzero(mutual & near & near[self._nearest] & (numbers < self._nearest))

    def _join(self, a: int, b: int) -> None:
        sizes = len(self._groups[a]), len(self._groups[b])
        self._means[a] = np.average(self._means[[a, b]], axis=0, weights=sizes)
        self._group_of[self._groups[b]] = a
        self._groups[a] = self._groups[a] + self._groups[b]
        self._barred[a] = np.concatenate([self._barred[a], self._barred[b]])

    def _keep(self, kept: NDArray[np.bool_], joined: Indices) -> None:
        """Let go of the other groups; seek again the nearest of who lost theirs."""
        # The last is what -1 finds.
        number = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)
        self._group_of = number[self._group_of]
        self._nearest[joined] = -1
        number[joined] = -1
        self._nearest = number[self._nearest][kept]
        self._scores = self._scores[kept]
        self._means = self._means[kept]
        self._groups = list(compress(self._groups, kept))
        self._barred = list(compress(self._barred, kept))
