"""A system under test that speaks Rekognition's wire: AWS's own, Likeness's server, or any other.

Pairs are compared by CompareFaces, the reference as the source. Where every pair is to be compared
that would be a call for each of n (n - 1) / 2; instead each picture is enrolled in a collection of
our own by IndexFaces and searched for in it by SearchFacesByImage with a threshold of 0, which is
2 n calls and gives the similarities of all pairs. Galleries are searched in the same way. A
collection is deleted when all its answers are there.

Of a picture with several faces the largest counts, on both sides. A comparison that fails is asked
about by DetectFaces, once for each of its pictures, to learn which of them the endpoint cannot use:
that one failed to be acquired, and is not sent again. QualityFilter is NONE everywhere.

All answers are in a journal, so that an interrupted run goes on where it was. Pictures are sent as
they are where they can be, see `endpoint.sendable`.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from likeness.errors import InvalidRequest
from likeness.evaluation import FAILED, Comparisons, Searches
from likeness.service.evaluate.endpoint import collections
from likeness.service.evaluate.endpoint.asking import Asker, Progress, reason_of
from likeness.service.evaluate.endpoint.client import EndpointClient
from likeness.service.evaluate.endpoint.descriptions import FaceDescription, FaceDescriptions
from likeness.service.evaluate.endpoint.galleries import MOST_CANDIDATES, Gallery
from likeness.service.evaluate.endpoint.journal import Journal, Key
from likeness.service.evaluate.endpoint.pairs import PairComparison
from likeness.service.evaluate.endpoint.prices import Cost, cost_of, prices_of
from likeness.service.evaluate.endpoint.sendable import Pictures
from likeness.service.evaluate.findings import RowProblem, SystemFacts
from likeness.service.evaluate.trials import Plan, Scored, Tell, samples_of

Confirm = Callable[[Cost], None]
"""Is told what a run costs before it starts, and raises to stop it."""
_WORKERS = 8
_DEPTH = 50
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Described:
    """What an endpoint says of each sample's face, in the plan's order, and who said it."""

    system: SystemFacts
    samples: tuple[FaceDescription, ...]
    problems: tuple[RowProblem, ...]


class RekognitionSystem:
    """Tests `endpoint`, or AWS's own of `region` where it is None.

    `journal` is a folder for this endpoint's answers. `prices` are US dollars for a call of each
    operation; AWS's own where AWS is asked and none are given. `depth` is how many candidates a
    search of a gallery asks for (L).

    Raises:
        InvalidRequest: `depth` is more than an endpoint lists.
    """

    def __init__(
        self,
        endpoint: str | None,
        region: str,
        calls_per_second: float,
        journal: Path,
        confirm: Confirm,
        prices: Mapping[str, float] | None = None,
        *,
        depth: int = _DEPTH,
        workers: int = _WORKERS,
    ) -> None:
        if not 1 <= depth <= MOST_CANDIDATES:
            raise InvalidRequest(
                f"Lists of {depth} candidates cannot be had. Choose 1 to {MOST_CANDIDATES}."
            )
        self._endpoint, self._region = endpoint, region
        self._calls_per_second = calls_per_second
        self._journal, self._confirm = journal, confirm
        self._prices = prices_of(endpoint, prices)
        self._depth, self._workers = depth, workers

    def facts(self) -> SystemFacts:
        """Say what it is; which model it has, only its answers say."""
        return SystemFacts(
            name=self._endpoint or f"Amazon Rekognition in {self._region}",
            kind="rekognition",
            version=_UNKNOWN,
            score="similarity, 0 to 100",
            details={"region": self._region},
        )

    def score(self, plan: Plan, tell: Tell) -> Scored:
        """Ask what the journal does not know yet, and count all of it.

        Raises:
            InvalidRequest: the endpoint does not let us, or the journal cannot be used.
            Fault: the endpoint cannot be reached, throttles, or fails over and over.
        """
        with self._trial(plan) as trial:
            if len(plan.searches):
                return trial.search(self.facts(), self._depth, tell)
            if plan.pairs is None:
                return trial.compare_all(self.facts(), tell)
            return trial.compare(self.facts(), plan.pairs, tell)

    def answers_of(self, plan: Plan, tell: Tell) -> Described:
        """Have every picture described by DetectFaces: what is said of each face's sex and age.

        Which model says it, no answer tells. Raises what `score` raises.
        """
        with self._trial(plan) as trial:
            return trial.describe(self.facts(), tell)

    @contextmanager
    def _trial(self, plan: Plan) -> Iterator["_Trial"]:
        stop = threading.Event()
        with closing(Journal(self._journal, f"{self._endpoint or 'aws'} {self._region}")) as kept:
            client = EndpointClient(
                self._endpoint,
                self._region,
                self._calls_per_second,
                connections=self._workers,
                stop=stop,
            )
            yield _Trial(plan, Asker(client, kept, stop), self._agree, self._workers)

    def _agree(self, calls: Mapping[str, int], done: int, most_more: int) -> None:
        """Have the cost of calls agreed to, where there are any."""
        if any(calls.values()):
            cost = cost_of(
                self.facts().name,
                calls,
                done=done,
                most_more=most_more,
                prices=self._prices,
                calls_per_second=self._calls_per_second,
            )
            self._confirm(cost)


Agree = Callable[[Mapping[str, int], int, int], None]


class _Trial:
    """One plan, worked off at one endpoint."""

    def __init__(self, plan: Plan, asker: Asker, agree: Agree, workers: int) -> None:
        self._plan, self._asker = plan, asker
        self._agree, self._workers = agree, workers
        self._pictures = Pictures(plan)
        self._ids = self._pictures.ids
        self._problems: list[RowProblem] = []
        self._seconds: dict[str, list[float]] = {}

    def compare(self, facts: SystemFacts, pairs: NDArray[np.int32], tell: Tell) -> Scored:
        """Compare the pairs of a list by CompareFaces."""
        names = [(self._ids[a], self._ids[b]) for a, b in pairs.tolist()]
        comparison = PairComparison(self._asker, self._pictures, names)
        self._delete_leftovers()
        calls, done, most_more = comparison.calls()
        self._agree(calls, done, most_more)
        if any(calls.values()):
            collections.note_version(self._asker)
        comparison.ask(Progress(tell, len(set(names))), self._workers)
        if any(calls.values()):
            collections.note_version(self._asker)
        failures = {
            one: reason for one in self._ids if (reason := comparison.failure_of(one)) is not None
        }
        scores = np.full(len(pairs), FAILED)
        for place, (pair, numbers) in enumerate(zip(names, pairs.tolist(), strict=True)):
            if any(one in failures for one in pair):
                continue
            answer = comparison.answer(pair) or {}
            if (reason := reason_of(answer)) is not None:
                self._say_pair_failed(numbers, reason)
            else:
                scores[place] = answer["score"]
                self._seconds.setdefault(pair[1], []).append(answer.get("s", np.nan))
        return self._scored(
            facts,
            "CompareFaces",
            failures,
            list(comparison.keys()),
            comparisons=self._comparisons(scores, pairs[:, 0], pairs[:, 1]),
        )

    def compare_all(self, facts: SystemFacts, tell: Tell) -> Scored:
        """Compare every pair once, by enrolling and searching for each picture."""
        ids = list(dict.fromkeys(self._ids))
        places = {one: place for place, one in enumerate(ids)}
        starts = range(0, len(ids), MOST_CANDIDATES)
        galleries = [
            Gallery(
                self._asker,
                self._pictures,
                ids[start : start + MOST_CANDIDATES],
                MOST_CANDIDATES,
            )
            for start in starts
        ]
        # Each pair once: of two pictures the later one is searched for.
        work = [(gallery, ids[start:]) for gallery, start in zip(galleries, starts, strict=True)]
        self._work_off(work, tell)
        failures: dict[str, str] = {}
        alike = np.full((len(ids), len(ids)), np.nan, np.float32)
        for (gallery, probes), start in zip(work, starts, strict=True):
            self._add_failures(failures, gallery, probes)
            for probe in probes:
                for number, similarity in gallery.candidates(probe):
                    alike[places[probe], start + number] = similarity
        failed = np.array([one in failures for one in ids], np.bool_)
        m = len(self._ids)
        of_sample = np.array([places[one] for one in self._ids], np.int64)
        references = np.repeat(np.arange(m, dtype=np.int32), np.arange(m - 1, -1, -1))
        probes_of = [np.arange(first + 1, m, dtype=np.int32) for first in range(m)]
        probe_numbers = np.concatenate(probes_of) if m else np.empty(0, np.int32)
        one, other = of_sample[references], of_sample[probe_numbers]
        scores = alike[np.maximum(one, other), np.minimum(one, other)]
        missing = np.isnan(scores)
        scores[missing] = 0
        fails = failed[one] | failed[other]
        scores[fails] = FAILED
        if unlisted := int(np.count_nonzero(missing & ~fails)):
            self._problems.append(
                RowProblem(
                    facts.name,
                    f"{unlisted:,} pairs were not in the lists of candidates, though every"
                    " similarity was asked for. They count as similarity 0.",
                )
            )
        return self._scored(
            facts,
            "SearchFacesByImage",
            failures,
            [key for gallery, probes in work for key in gallery.keys(probes)],
            comparisons=self._comparisons(scores, references, probe_numbers),
        )

    def search(self, facts: SystemFacts, depth: int, tell: Tell) -> Scored:
        """Enrol the gallery of a plan and search it."""
        enrolled = [self._ids[number] for number in self._plan.gallery.tolist()]
        searched = [self._ids[number] for number in self._plan.searches.tolist()]
        gallery = Gallery(self._asker, self._pictures, list(dict.fromkeys(enrolled)), depth)
        probes = list(dict.fromkeys(searched))
        self._work_off([(gallery, probes)], tell)
        failures: dict[str, str] = {}
        self._add_failures(failures, gallery, probes)
        whose: dict[str, set[str]] = {}
        for number in self._plan.gallery.tolist():
            whose.setdefault(self._ids[number], set()).add(self._plan.samples[number].subject)
        subjects = {subject for one in whose.values() for subject in one}
        rows = [
            _mate_and_others(
                [(whose[gallery.ids[place]], score) for place, score in gallery.candidates(probe)],
                self._plan.samples[number].subject,
            )
            for probe, number in zip(searched, self._plan.searches.tolist(), strict=True)
        ]
        there = [one for one in enrolled if gallery.enrolment_failure(one) is None]
        searches = Searches(
            probes=self._plan.searches,
            mated=np.array(
                [self._plan.samples[n].subject in subjects for n in self._plan.searches.tolist()],
                np.bool_,
            ),
            mate_scores=np.array([row[0] for row in rows], np.float64),
            mate_ranks=np.array([row[1] for row in rows], np.int32),
            other_scores=np.array([row[2] for row in rows], np.float64),
            gallery=len(there),
            subjects=len({subject for one in set(there) for subject in whose[one]}),
            depth=depth,
        )
        return self._scored(
            facts,
            "SearchFacesByImage",
            failures,
            list(gallery.keys(probes)),
            searches=searches,
        )

    def describe(self, facts: SystemFacts, tell: Tell) -> Described:
        """Have every picture described."""
        descriptions = FaceDescriptions(self._asker, self._pictures, self._ids)
        left = descriptions.left()
        self._agree({"DetectFaces": left}, len(descriptions.ids) - left, 0)
        descriptions.ask(Progress(tell, len(descriptions.ids)), self._workers)
        self._say_what_was_changed_or_missed()
        return Described(
            replace(facts, score="", details={**facts.details, "operation": "DetectFaces"}),
            tuple(map(descriptions.of, self._ids)),
            tuple(self._problems),
        )

    def _work_off(self, work: Sequence[tuple[Gallery, Sequence[str]]], tell: Tell) -> None:
        for gallery, probes in work:
            gallery.find(probes)
        self._delete_leftovers(*(gallery.collection for gallery, _ in work))
        counts = [gallery.calls(probes) for gallery, probes in work]
        enrol, search = (sum(each) for each in zip(*counts, strict=True))
        total = sum(len(gallery.ids) + len(probes) for gallery, probes in work)
        self._agree({"IndexFaces": enrol, "SearchFacesByImage": search}, total - enrol - search, 0)
        progress = Progress(tell, total)
        for gallery, probes in work:
            if (problem := gallery.ask(probes, progress, self._workers)) is not None:
                self._problems.append(RowProblem(self._asker.client.name, problem))

    def _add_failures(
        self, failures: dict[str, str], gallery: Gallery, probes: Sequence[str]
    ) -> None:
        for one in gallery.ids:
            if (reason := gallery.enrolment_failure(one)) is not None:
                failures.setdefault(one, reason)
            elif (seconds := gallery.enrolment_seconds(one)) is not None:
                self._seconds.setdefault(one, []).append(seconds)
        for one in probes:
            if (reason := gallery.search_failure(one)) is not None:
                failures.setdefault(one, reason)
            elif (seconds := gallery.seconds(one)) is not None:
                self._seconds.setdefault(one, []).append(seconds)

    def _delete_leftovers(self, *keep: str | None) -> None:
        for name in collections.delete_leftovers(self._asker, set(filter(None, keep))):
            self._problems.append(
                RowProblem(
                    self._asker.client.name,
                    f"The collection {name} of an earlier run could not be deleted. Delete it.",
                )
            )

    def _say_pair_failed(self, numbers: Sequence[int], reason: str) -> None:
        first, second = (self._plan.samples[number].name for number in numbers)
        self._problems.append(
            RowProblem(f"{first} and {second}", f"Not compared, which counts as no match: {reason}")
        )

    def _comparisons(
        self,
        scores: NDArray[np.floating],
        references: NDArray[np.int32],
        probes: NDArray[np.int32],
    ) -> Comparisons:
        subjects = samples_of(self._plan, np.zeros(len(self._ids), np.bool_)).subjects
        return Comparisons(scores, references, probes, subjects[references] == subjects[probes])

    def _scored(
        self,
        facts: SystemFacts,
        operation: str,
        failures: Mapping[str, str],
        keys: Sequence[Key],
        *,
        comparisons: Comparisons | None = None,
        searches: Searches | None = None,
    ) -> Scored:
        self._say_what_was_changed_or_missed()
        version = self._version(set(keys))
        failed = np.array([one in failures for one in self._ids], np.bool_)
        seconds = [self._seconds.get(one) for one in self._ids]
        return Scored(
            system=replace(
                facts,
                version=version or _UNKNOWN,
                model=version,
                details={**facts.details, "operation": operation},
            ),
            plan=self._plan,
            samples=samples_of(self._plan, failed),
            comparisons=comparisons,
            searches=searches,
            failures=tuple(
                (number, failures[one]) for number, one in enumerate(self._ids) if one in failures
            ),
            seconds=np.array([np.mean(each) if each else np.nan for each in seconds], np.float64),
            problems=tuple(self._problems),
        )

    def _say_what_was_changed_or_missed(self) -> None:
        for number, one in enumerate(self._ids):
            if (change := self._pictures.changes.get(one)) is not None:
                self._problems.append(RowProblem(self._plan.samples[number].name, change))
        if faults := self._asker.trailing_faults:
            self._problems.append(
                RowProblem(
                    self._asker.client.name,
                    f"It answered none of the last {faults} calls. They count as failures; run the"
                    " same command again to ask them again.",
                )
            )

    def _version(self, keys: set[Key]) -> str:
        """Name the model that answered; a change is a problem that is said."""
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
            spread = ", ".join(f"{counts[version]:,} answers of {version}" for version in named)
            self._problems.append(
                RowProblem(
                    self._asker.client.name,
                    f"The model changed while it was tested ({spread}), so the figures mix both."
                    " Run again with another journal.",
                )
            )
        return ", ".join(named)


def _mate_and_others(
    candidates: Sequence[tuple[set[str], float]], subject: str
) -> tuple[float, int, float]:
    """Give the best mate's score and rank, and the best non-mate's score.

    A picture that two people share is a mate of both.
    """
    mates = [score for whose, score in candidates if subject in whose]
    others = [score for whose, score in candidates if subject not in whose]
    best_other = max(others, default=FAILED)
    if not mates:
        return FAILED, 0, best_other
    best = max(mates)
    return best, 1 + sum(score >= best for score in others), best_other
