"""One plan that is worked off at an endpoint: what is asked, and what its answers come to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation import FAILED, Comparisons, Samples, Searches
from likeness.service.evaluate.findings import RowProblem, SystemFacts
from likeness.service.evaluate.readers.problems import Problems
from likeness.service.evaluate.statement import first_of
from likeness.service.evaluate.systems.endpoint import collections
from likeness.service.evaluate.systems.endpoint.asking import Asker, reason_of
from likeness.service.evaluate.systems.endpoint.descriptions import (
    FaceDescription,
    FaceDescriptions,
)
from likeness.service.evaluate.systems.endpoint.galleries import MOST_CANDIDATES, Gallery
from likeness.service.evaluate.systems.endpoint.pairs import PairComparison
from likeness.service.evaluate.systems.endpoint.sendable import Pictures
from likeness.service.evaluate.systems.endpoint.work import Work
from likeness.service.evaluate.systems.pair_scores import pairs_of
from likeness.service.evaluate.trials import Plan, Scored, Tell

UNKNOWN_VERSION = "unknown"


@dataclass(frozen=True, slots=True)
class Described:
    """What an endpoint says of each sample's face, in the plan's order, and who said it."""

    system: SystemFacts
    samples: tuple[FaceDescription, ...]
    problems: tuple[RowProblem, ...]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a plan asks of an endpoint: listed pairs or all of them, and a gallery."""

    pairs: PairComparison | None
    blocks: Sequence[Gallery]
    gallery: Gallery | None

    @property
    def works(self) -> list[Work]:
        galleries = [*self.blocks, *([] if self.gallery is None else [self.gallery])]
        return [*([] if self.pairs is None else [self.pairs]), *galleries]


WorkOff = Callable[[Asker, Sequence[Work], Tell], list[str]]


class Trial:
    """One plan, worked off at one endpoint."""

    def __init__(
        self, plan: Plan, facts: SystemFacts, asker: Asker, work_off: WorkOff, tell: Tell
    ) -> None:
        self._plan, self._facts, self._asker = plan, facts, asker
        self._pictures = Pictures(plan, asker.journal)
        self._ids = self._pictures.ids
        self._work_off, self._tell = work_off, tell
        self._problems = Problems(facts.name)

    def parts(self, depth: int) -> tuple[Asker, Sequence[Work]]:
        """Give what is to be asked for a score, and who asks it."""
        return self._asker, self._parts(depth).works

    def _parts(self, depth: int) -> "_Parts":
        plan = self._plan
        return _Parts(
            None if plan.pairs is None else self._listed_pairs(plan.pairs),
            self._blocks() if plan.pairs is None else [],
            self._gallery(depth) if len(plan.searches) else None,
        )

    def score(self, depth: int) -> Scored:
        """Compare the pairs of the plan, and search its gallery where it has one."""
        plan = self._plan
        parts = self._parts(depth)
        pairs, blocks, gallery, works = parts.pairs, parts.blocks, parts.gallery, parts.works
        failures, seconds = self._worked_off(works)
        failed = np.array([one in failures for one in self._ids], np.bool_)
        samples = plan.counted(failed)
        if plan.pairs is not None and pairs is not None:
            comparisons = self._of_list(pairs, plan.pairs, samples)
        else:
            comparisons = self._of_every_pair(blocks, samples)
        searches = None if gallery is None else self._of_searches(gallery, samples, depth)
        version = self._version(works)
        ways = (["CompareFaces"] if pairs else []) + (
            ["SearchFacesByImage"] if blocks or gallery else []
        )
        return Scored(
            system=replace(
                self._facts,
                version=version or UNKNOWN_VERSION,
                model=version,
                details={**self._facts.details, "operation": ", ".join(ways)},
            ),
            plan=plan,
            samples=samples,
            comparisons=comparisons,
            searches=searches,
            failures=tuple(
                (number, failures[one]) for number, one in enumerate(self._ids) if one in failures
            ),
            seconds=seconds,
            problems=self._problems.all(),
        )

    def describe(self) -> Described:
        """Have every picture described."""
        descriptions = FaceDescriptions(self._asker, self._pictures, self._ids)
        self._worked_off([descriptions])
        details = {**self._facts.details, "operation": "DetectFaces"}
        return Described(
            replace(self._facts, score="", details=details),
            tuple(map(descriptions.of, self._ids)),
            self._problems.all(),
        )

    def _listed_pairs(self, pairs: NDArray[np.int32]) -> PairComparison:
        names = [(self._ids[a], self._ids[b]) for a, b in pairs.tolist()]
        return PairComparison(self._asker, self._pictures, names)

    def _blocks(self) -> list[Gallery]:
        """Make galleries of all pictures, each as large as a list of candidates can be.

        Each is searched for its own pictures and all later ones, which is each pair once.
        """
        pairs_of(len(self._ids))
        ids = list(dict.fromkeys(self._ids))
        return [
            Gallery(
                self._asker,
                self._pictures,
                ids[start : start + MOST_CANDIDATES],
                ids[start:],
                MOST_CANDIDATES,
            )
            for start in range(0, len(ids), MOST_CANDIDATES)
        ]

    def _gallery(self, depth: int) -> Gallery:
        enrolled, searched = (
            list(dict.fromkeys(self._ids[number] for number in numbers.tolist()))
            for numbers in (self._plan.gallery, self._plan.searches)
        )
        return Gallery(self._asker, self._pictures, enrolled, searched, depth)

    def _worked_off(self, works: Sequence[Work]) -> tuple[dict[str, str], NDArray[np.float64]]:
        """Ask all; gives failures of pictures, and the mean time of answers to each sample."""
        for problem in self._work_off(self._asker, works, self._tell):
            self._problems.add_about_all(problem)
        for number, one in enumerate(self._ids):
            if change := self._pictures.change(one):
                self._problems.add("pictures were changed", self._plan.samples[number].name, change)
        if faults := self._asker.trailing_faults:
            self._problems.add_about_all(
                f"It answered none of the last {faults} calls. They count as failures; run the same"
                " command again to ask them again."
            )
        failures = {one: reason for work in works for one, reason in work.failures().items()}
        took: dict[str, list[float]] = {}
        for work in works:
            for one, seconds in work.seconds():
                took.setdefault(one, []).append(seconds)
        means = {one: float(np.mean(each)) for one, each in took.items()}
        return failures, np.array([means.get(one, np.nan) for one in self._ids], np.float64)

    def _of_list(
        self, comparison: PairComparison, pairs: NDArray[np.int32], samples: Samples
    ) -> Comparisons:
        scores = np.full(len(pairs), FAILED)
        for place, (first, second) in enumerate(pairs.tolist()):
            if samples.failed[first] or samples.failed[second]:
                continue
            answer = comparison.answer((self._ids[first], self._ids[second])) or {}
            if (reason := reason_of(answer)) is None:
                scores[place] = answer.get("score", FAILED)
            else:
                names = (self._plan.samples[number].name for number in (first, second))
                self._problems.add(
                    "pairs were not compared",
                    " and ".join(names),
                    f"Not compared, which counts as no match: {reason}",
                )
        return _comparisons(scores, pairs[:, 0], pairs[:, 1], samples)

    def _of_every_pair(self, blocks: Sequence[Gallery], samples: Samples) -> Comparisons:
        places = {one: place for place, one in enumerate(dict.fromkeys(self._ids))}
        # Similarities of pictures: the row is searched for, the column enrolled, and before it.
        alike = np.full((len(places), len(places)), np.nan, np.float32)
        for block in blocks:
            for probe in block.probes:
                numbers, similarities = block.candidates(probe)
                alike[places[probe], places[block.ids[0]] + numbers] = similarities
        of_sample = np.array([places[one] for one in self._ids], np.intp)
        count = len(self._ids)
        total = pairs_of(count)
        scores = np.empty(total, np.float32)
        references, probes = np.empty(total, np.int32), np.empty(total, np.int32)
        end = 0
        for number, one in enumerate(of_sample):
            place = slice(end, end := end + count - number - 1)
            others = of_sample[number + 1 :]
            scores[place] = alike[np.maximum(one, others), np.minimum(one, others)]
            scores[place][samples.failed[number + 1 :] | samples.failed[number]] = FAILED
            references[place] = number
            probes[place] = np.arange(number + 1, count, dtype=np.int32)
        unlisted = np.isnan(scores)
        scores[unlisted] = 0
        if missing := int(np.count_nonzero(unlisted)):
            self._problems.add_about_all(
                f"{missing:,} pairs were not in the lists of candidates, though every similarity"
                " was asked for. They count as similarity 0."
            )
        return _comparisons(scores, references, probes, samples)

    def _of_searches(self, gallery: Gallery, samples: Samples, depth: int) -> Searches:
        plan = self._plan
        whose: dict[str, set[int]] = {}
        for number in plan.gallery.tolist():
            whose.setdefault(self._ids[number], set()).add(int(samples.subjects[number]))
        enrolled = [n for n in plan.gallery.tolist() if not samples.failed[n]]
        mate_scores = np.full(len(plan.searches), FAILED)
        other_scores = np.full(len(plan.searches), FAILED)
        mate_ranks = np.zeros(len(plan.searches), np.int32)
        for place, number in enumerate(plan.searches.tolist()):
            if samples.failed[number]:
                continue
            best: dict[int, float] = {}
            numbers, similarities = gallery.candidates(self._ids[number])
            for candidate, score in zip(numbers.tolist(), similarities.tolist(), strict=True):
                for person in whose[gallery.ids[candidate]]:
                    best[person] = max(score, best.get(person, FAILED))
            mate = best.pop(int(samples.subjects[number]), None)
            other_scores[place] = max(best.values(), default=FAILED)
            if mate is not None:
                mate_scores[place] = mate
                mate_ranks[place] = 1 + sum(score >= mate for score in best.values())
        return Searches(
            probes=plan.searches,
            mated=np.isin(samples.subjects[plan.searches], samples.subjects[plan.gallery]),
            mate_scores=mate_scores,
            mate_ranks=mate_ranks,
            other_scores=other_scores,
            gallery=len(enrolled),
            subjects=len({int(samples.subjects[number]) for number in enrolled}),
            depth=depth,
        )

    def _version(self, works: Sequence[Work]) -> str:
        """Name the model that answered; a change is a problem that is said."""
        keys = {key for work in works for key in work.call_keys()}
        counts: dict[str, int] = {}
        answered = False
        for key, version in collections.versions(self._asker):
            if key in keys:
                counts[version] = counts.get(version, 0) + 1
                answered = True
            elif key[0] == collections.VERSION and answered:
                # What is said right after the answers is of them, too.
                counts.setdefault(version, 0)
                answered = False
        named = [version for version in counts if version]
        if len(named) > 1:
            spread = first_of([f"{counts[one]:,} answers of {one}" for one in named])
            self._problems.add_about_all(
                f"The model changed while it was tested ({spread}), so the figures mix them. Run"
                " again without the journal."
            )
        return first_of(named)


def _comparisons(
    scores: NDArray[np.floating],
    references: NDArray[np.int32],
    probes: NDArray[np.int32],
    samples: Samples,
) -> Comparisons:
    references, probes = (np.ascontiguousarray(side, np.int32) for side in (references, probes))
    mated = samples.subjects[references] == samples.subjects[probes]
    return Comparisons(scores, references, probes, mated)
