"""A system under test that is a file of scores, whatever made them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation import FAILED, Comparisons, Samples, Searches
from likeness.service.evaluate.findings import RowProblem, SystemFacts
from likeness.service.evaluate.readers import PairRows
from likeness.service.evaluate.readers.labels import key_of
from likeness.service.evaluate.systems.own_system import DEPTH
from likeness.service.evaluate.systems.pair_scores import pairs_of, searches_by
from likeness.service.evaluate.trials import Plan, Scored, Tell

# Of what is planned: a file that has less is of other pictures, or of other pairs.
_LEAST_SHARE = 0.5
_TOLD = 20


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """Scores by pair, in order: `keys` (n,) int64, lower number first, of `count` samples."""

    count: int
    keys: NDArray[np.int64]
    scores: NDArray[np.float64]

    def of(self, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.float64]:
        """Give the scores of pairs, NaN where there is none."""
        keys = self._keys(a, b)
        if not len(self.keys):
            return np.full(keys.shape, np.nan)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, self.scores[places], np.nan)

    def _keys(self, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.int64]:
        low, high = np.minimum(a, b).astype(np.int64), np.maximum(a, b).astype(np.int64)
        return np.asarray(low * self.count + high, np.int64)


class ScoreFile:
    """What `read_scores` read, as a system; of every pair that is planned it gives the score.

    Pairs are found in either order. A planned pair without a row counts as a failed comparison.
    """

    def __init__(
        self,
        rows: PairRows,
        *,
        name: str = "",
        version: str = "not stated",
        model: str = "",
        score: str = "as given",
        depth: int = DEPTH,
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Make one; without a name it has the file's."""
        self._rows = rows
        self._depth = depth
        said = {"file": rows.source, **(details or {})}
        self._facts = SystemFacts(name or rows.source, "scores", version, model, score, said)

    def facts(self) -> SystemFacts:
        """Say what it is."""
        return self._facts

    def score(self, plan: Plan, tell: Tell) -> Scored:
        """Look up the score of every planned pair.

        Raises:
            InvalidRequest: the file has less than half of what is planned.
        """
        known, numbers = self._known(plan)
        problems: list[RowProblem] = []
        comparisons = self._comparisons(plan, known, problems)
        failures = self._failures(plan, numbers)
        failed = np.zeros(len(plan.samples), np.bool_)
        failed[[number for number, _ in failures]] = True
        samples = plan.counted(failed)
        mated = samples.subjects[comparisons.references] == samples.subjects[comparisons.probes]
        comparisons = Comparisons(
            comparisons.scores, comparisons.references, comparisons.probes, mated
        )
        self._check_direction(comparisons, problems)
        searches = self._searches(plan, known, samples) if len(plan.searches) else None
        tell(len(plan.samples), len(plan.samples))
        return Scored(
            self._facts,
            plan,
            samples,
            comparisons,
            searches,
            failures,
            np.full(len(plan.samples), np.nan),
            tuple(problems),
        )

    def _check_direction(self, comparisons: Comparisons, problems: list[RowProblem]) -> None:
        """Notice scores of which lower ones are more alike."""
        finite = np.isfinite(comparisons.scores)
        mated = comparisons.scores[finite & comparisons.mated]
        others = comparisons.scores[finite & ~comparisons.mated]
        if len(mated) and len(others) and np.median(mated) < np.median(others):
            problems.append(
                RowProblem(
                    self._rows.source,
                    f"Pairs of one person score lower ({np.median(mated):g} in the middle) than"
                    f" others ({np.median(others):g}). If these are distances, say so with"
                    " --distances: scores are then turned round.",
                )
            )

    def _known(self, plan: Plan) -> tuple[_Known, NDArray[np.int64]]:
        """Sort the scores by the plan's numbers; gives these for the file's names, too."""
        planned = {key_of(sample.name): number for number, sample in enumerate(plan.samples)}
        numbers = np.array(
            [planned.get(key_of(name), -1) for name in self._rows.names], np.int64
        ).reshape(-1)
        scores = self._rows.scores
        if scores is None:
            raise InvalidRequest(f"'{self._rows.source}' has no scores. Name a file with scores.")
        pairs = numbers[self._rows.pairs]
        there = (pairs >= 0).all(axis=1)
        low, high = pairs[there].min(axis=1), pairs[there].max(axis=1)
        keys = low * len(plan.samples) + high
        order = np.argsort(keys)
        return _Known(len(plan.samples), keys[order], scores[there][order]), numbers

    def _comparisons(self, plan: Plan, known: _Known, problems: list[RowProblem]) -> Comparisons:
        """Give all that is planned, not yet told mated from others."""
        if plan.pairs is None:
            pairs_of(len(plan.samples))
            first, second = np.triu_indices(len(plan.samples), 1)
            references, probes = first.astype(np.int32), second.astype(np.int32)
        else:
            references, probes = (np.ascontiguousarray(side) for side in plan.pairs.T)
        scores = known.of(references, probes)
        missing = np.isnan(scores)
        lacking = int(missing.sum())
        if lacking > (1 - _LEAST_SHARE) * len(scores):
            raise InvalidRequest(
                f"'{self._rows.source}' has scores of {len(scores) - lacking:,} of the"
                f" {len(scores):,} pairs to compare, with names such as"
                f" '{self._rows.names[0]}'; the pictures are such as '{plan.samples[0].name}'. Name"
                " them alike and score the same pairs, or evaluate the file alone."
            )
        for row in np.flatnonzero(missing)[:_TOLD].tolist():
            a, b = plan.samples[references[row]].name, plan.samples[probes[row]].name
            problems.append(
                RowProblem(
                    self._rows.source,
                    f"No score of '{a}' and '{b}'. The comparison counts as failed.",
                )
            )
        if lacking > _TOLD:
            problems.append(
                RowProblem(
                    self._rows.source,
                    f"{lacking - _TOLD:,} more comparisons have no score and count as failed.",
                )
            )
        used = len(scores) - lacking
        if plan.pairs is None or len(plan.searches) == 0:
            beyond = len(self._rows.pairs) - used
            if beyond:
                problems.append(
                    RowProblem(
                        self._rows.source, f"{beyond:,} rows are of pairs that are not planned."
                    )
                )
        scores[missing] = FAILED
        none = np.zeros(len(scores), np.bool_)
        return Comparisons(scores, references, probes, none)

    def _failures(self, plan: Plan, numbers: NDArray[np.int64]) -> tuple[tuple[int, str], ...]:
        """Give the pictures that failed by what the file says, and those it does not have."""
        failures = {
            int(numbers[number]): reason
            for number, reason in self._rows.failures
            if numbers[number] >= 0
        }
        named = np.zeros(len(plan.samples), np.bool_)
        rows = numbers[np.unique(self._rows.pairs)]
        named[rows[rows >= 0]] = True
        planned = np.ones(len(plan.samples), np.bool_)
        if plan.pairs is not None:
            planned = np.zeros(len(plan.samples), np.bool_)
            planned[plan.pairs.ravel()] = True
        for number in np.flatnonzero(planned & ~named).tolist():
            failures.setdefault(number, "not in the file of scores")
        return tuple(sorted(failures.items()))

    def _searches(self, plan: Plan, known: _Known, samples: Samples) -> Searches:
        lacking, asked = 0, 0

        def scores(some: NDArray[np.int32], references: NDArray[np.int32]) -> NDArray[np.floating]:
            nonlocal lacking, asked
            found = known.of(some[:, None], references[None])
            missing = np.isnan(found)
            lacking, asked = lacking + int(missing.sum()), asked + missing.size
            return np.where(missing, FAILED, found)

        searches = searches_by(scores, samples, plan.gallery, plan.searches, self._depth)
        if lacking > (1 - _LEAST_SHARE) * asked:
            raise InvalidRequest(
                f"'{self._rows.source}' has scores of {asked - lacking:,} of the {asked:,} pairs of"
                " searches with references. Score all of them, or evaluate 1:1 alone."
            )
        return searches
