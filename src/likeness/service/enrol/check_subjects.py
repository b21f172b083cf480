"""Looks through a collection for people under one name, one under several, and who is missed.

Each reference is compared with its subject's others, and each subject, by the mean of their
references, with the references that the index says are nearest. Those that stray from their
subject count for neither. Whose pictures are all too poor to enrol, or none of whose pictures
would find another, is likely missed. The time grows with the number of references; what is held
does not, but for what is found.

That is a search, and whoever is told of is found. Where people have to look at what searches find,
nothing is compared.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from likeness.gallery import (
    Collection,
    CollectionRows,
    OpenCollection,
    Reference,
    Subject,
    SubjectVectors,
)
from likeness.service.enrol.enrolled_looks import alike_from, are_told_apart
from likeness.service.enrol.subjects import require_nobody_to_look
from likeness.service.enrol.unlike import strays
from likeness.service.search.naming import Expected, expected_false
from likeness.service.uses import Caller, Home, Outcome, Rows
from likeness.terms import (
    Action,
    Calibration,
    CohortStatistics,
    Duty,
    OperatingPoint,
    QualityReason,
    Template,
    relative_scores,
)

Tell = Callable[[int, int], None]
Beat = Callable[[], None]
"""Is called now and then while nobody is done yet: what it raises ends the work."""

_Pair = tuple[int, int]

_SUBJECTS_AT_ONCE = 250
_NEAREST = 10
# So many references of one's own may stand before those of others.
_MOST_OWN = 100
# The mean of vectors that point away from each other has no direction.
_SHORTEST = 1e-6
# Of one person, so many templates are held against each other.
_MOST_OF_ONE = 2000
_REFERENCES_AT_ONCE = 1000
SIMILARITIES = (80.0, 90.0, 95.0, 99.0)
"""For which similarities to say how many false candidates to expect."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A reference that looks like none of its subject's others."""

    subject: Subject
    reference: Reference


@dataclass(frozen=True, slots=True)
class AlikePair:
    """Two subjects who look like one person; strangers look as much alike with a rate of `fmr`.

    `extrapolated` is whether that is too low to have been counted.
    """

    one: Subject
    other: Subject
    similarity: float
    fmr: float
    extrapolated: bool


@dataclass(frozen=True, slots=True)
class Missed:
    """A subject whom searches likely miss, and why.

    `reasons` speak against all of their references; none where their pictures are fit to enrol and
    no two of them are alike enough to find one another.
    """

    subject: Subject
    reasons: tuple[QualityReason, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """What to look at: the first references that stray, the most alike pairs, who is missed.

    There are so many in all. Pairs score as high as `point` says, and of strangers `expected_false`
    pairs are to be expected among them. Of `tried` references whose subject has others, `found`
    are as alike as `point` says to one of those. `expected` says how many false candidates a search
    for a stranger gives, from some similarities on.
    """

    collection: Collection
    subjects: int
    references: int
    strays: tuple[Stray, ...]
    all_strays: int
    pairs: tuple[AlikePair, ...]
    all_pairs: int
    missed: tuple[Missed, ...]
    all_missed: int
    point: OperatingPoint
    expected_false: float
    tried: int
    found: int
    expected: tuple[tuple[float, Expected], ...]


def check_subjects(
    home: Home,
    caller: Caller,
    name: str,
    *,
    fmr: float | None = None,
    limit: int = 100,
    tell: Tell = lambda done, total: None,
) -> Checked:
    """List whose references do not look alike, who has two names, and who is missed.

    Args:
        home: what has the collection.
        caller: who asks.
        name: the collection's.
        fmr: the false match rate from which on two subjects look like one person; without, the one
            at which a search for a stranger names somebody as often as the home allows.
        limit: how many of each to give.
        tell: is told how many of how many subjects are done, and what it raises ends the work.

    Raises:
        NoSuchCollection: there is none.
        NotFound: nobody has measured what its scores mean.
        Denied: people would have to look before anybody is compared.
    """
    of = home.collection(caller, Action.SEARCH, name)
    with home.record(caller, Action.SEARCH, of) as record:
        require_nobody_to_look(record)
        calibration = home.calibration_of(of)
        point = (
            calibration.point_for_gallery(of.size.references, home.fpir, at_most=home.fmr)
            if fmr is None
            else calibration.point(fmr)
        )
        floor = record.decision.amount_of(Duty.SIMILARITY) or 0.0
        beat = partial(tell, 0, of.size.subjects)
        looks = _looks(home, of, point.threshold, beat)
        stray_numbers = looks.strays
        scores, done = dict[_Pair, float](), 0
        for vectors in _portions(of):
            record.require_still_admitted(of)
            for pair, score in _alike(of, vectors, stray_numbers, point.threshold):
                scores[pair] = max(score, scores.get(pair, score))
            done += len(np.unique(vectors.subject_numbers))
            tell(done, of.size.subjects)
        best = heapq.nlargest(limit, scores.items(), key=lambda one: one[1])
        named = of.read(partial(_named_pairs, rows=home, scores=best, calibration=calibration))
        told = [one for one in named if one.similarity >= floor]
        odd = of.read(partial(_named_strays, numbers=sorted(stray_numbers)[:limit]))
        poor = {number: frozenset[QualityReason]() for number in looks.unfound} | _poor(of, beat)
        missed = of.read(partial(_named_missed, poor=poor, limit=limit))
        ids = [each.id for one in told for each in (one.one, one.other)]
        ids += [one.subject.id for one in missed]
        record.answered(
            Outcome(
                faces=of.size.references,
                candidates=len(told),
                reference_ids=tuple(one.reference.id for one in odd),
                subject_ids=tuple(dict.fromkeys([*ids, *(one.subject.id for one in odd)])),
            )
        )
    return Checked(
        of,
        of.size.subjects,
        of.size.references,
        tuple(odd),
        len(stray_numbers),
        tuple(told),
        len(scores),
        tuple(missed),
        len(poor),
        point,
        calibration.fmr(point.threshold) * of.size.subjects * of.size.references,
        looks.tried,
        looks.found,
        tuple((one, _expected(of, calibration, one)) for one in SIMILARITIES),
    )


def count_strays(rows: Rows, of: Collection) -> int:
    """Count the references of a collection that look like none of their subject's others.

    0 where nobody has measured what its scores mean.
    """
    return len(_looks(rows, of).strays)


def _portions(of: Collection) -> Iterator[SubjectVectors]:
    """Read everybody's vectors, some subjects at a time, each whole."""

    def read(its: CollectionRows, after: int) -> tuple[int, SubjectVectors]:
        numbers = its.subjects.numbers(after=after, limit=_SUBJECTS_AT_ONCE)
        return (numbers[-1] if numbers else 0), its.references.vectors_of_subjects(numbers)

    last, vectors = of.read(partial(read, after=0))
    while last:
        if len(vectors.vectors):
            yield vectors
        last, vectors = of.read(partial(read, after=last))


@dataclass(slots=True)
class _Looks:
    """What came of comparing references with their subjects' others.

    `strays` are references, `unfound` subjects without any, of whose references none finds another,
    by number; of `tried` references `found` find another.
    """

    strays: set[int] = field(default_factory=set)
    unfound: set[int] = field(default_factory=set)
    tried: int = 0
    found: int = 0


def _looks(
    rows: Rows,
    of: Collection,
    finds_from: float | None = None,
    beat: Beat = lambda: None,
) -> _Looks:
    """Compare everybody's references with one another; they find each other from a score on."""
    looks, alike = _Looks(), alike_from(rows, of)
    if alike is None:
        return looks
    cohort = of.cohort()
    for vectors in _portions(of):
        beat()
        for these in _of_each(vectors):
            theirs = vectors.vectors[these]
            if len(theirs) < 2:
                continue
            means = np.asarray(cohort.means(theirs), np.float64)
            scores = relative_scores(theirs @ theirs.T, means[:, None], means)
            astray = strays(scores >= alike)
            looks.strays.update(vectors.reference_numbers[these][astray].tolist())
            if finds_from is not None:
                np.fill_diagonal(scores, -np.inf)
                found = int((scores.max(axis=1) >= finds_from).sum())
                looks.tried, looks.found = looks.tried + len(theirs), looks.found + found
                if not (found or astray.any()):
                    looks.unfound.add(int(vectors.subject_numbers[these.start]))
    return looks


def _poor(of: Collection, beat: Beat) -> dict[int, frozenset[QualityReason]]:
    """Say of subjects, by number, what speaks against all of their references, if something does.

    One fit to enrol is enough to be found by.
    """
    fit, poor = set[int](), dict[int, frozenset[QualityReason]]()

    def read(its: CollectionRows, after: int) -> int | None:
        page = its.references.page(after=after, limit=_REFERENCES_AT_ONCE)
        for one in page:
            number, quality = one.subject_number, one.details.face.quality
            if number is not None and quality.fit_to_enrol:
                fit.add(number)
                poor.pop(number, None)
            elif number is not None and number not in fit:
                poor[number] = poor.get(number, frozenset()) | set(quality.reasons)
        return page[-1].number if len(page) == _REFERENCES_AT_ONCE else None

    after: int | None = 0
    while after is not None:
        beat()
        after = of.read(partial(read, after=after))
    return poor


def _expected(of: OpenCollection, calibration: Calibration, similarity: float) -> Expected:
    measured = of.measured_then()
    own = None if measured is None else measured.plain
    return expected_false(calibration, own, of.size.references, similarity)


def _of_each(vectors: SubjectVectors) -> Iterator[slice]:
    """Say where each subject's vectors are; of very many, the first."""
    _, first = np.unique(vectors.subject_numbers, return_index=True)
    for begin, end in pairwise([*first.tolist(), len(vectors.vectors)]):
        yield slice(begin, min(end, begin + _MOST_OF_ONE))


def _alike(
    of: OpenCollection, vectors: SubjectVectors, stray_numbers: set[int], threshold: float
) -> Iterator[tuple[_Pair, float]]:
    """Give pairs of subjects, by number, of whom one is like a reference of the other."""
    is_stray = np.isin(vectors.reference_numbers, np.fromiter(stray_numbers, np.int64))
    numbers, means, most = list[int](), list[NDArray[np.float32]](), 1
    for these in _of_each(vectors):
        kept = vectors.vectors[these][~is_stray[these]]
        mean = kept.sum(axis=0)
        numbers.append(int(vectors.subject_numbers[these.start]))
        means.append(mean / max(float(np.linalg.norm(mean)), _SHORTEST))
        most = max(most, min(len(kept), _MOST_OWN))
    # Each is nearest to their own references.
    evened = of.cohort().means(np.stack(means)).tolist()
    probes = [
        Template(mean, of.model, CohortStatistics(one, of.cohort_version))
        for mean, one in zip(means, evened, strict=True)
    ]
    for number, found in zip(numbers, of.nearest(probes, most + _NEAREST), strict=True):
        for reference, other, score in zip(
            found.numbers.tolist(), found.groups.tolist(), found.even.tolist(), strict=True
        ):
            is_another = other > 0 and other != number and reference not in stray_numbers
            if is_another and score >= threshold:
                yield (min(number, other), max(number, other)), score


def _named_pairs(
    its: CollectionRows,
    rows: Rows,
    scores: Sequence[tuple[_Pair, float]],
    calibration: Calibration,
) -> list[AlikePair]:
    """Read who pairs are, in their order; those whom people told apart are left out."""
    known = its.subjects.by_numbers({number for pair, _ in scores for number in pair})
    return [
        AlikePair(
            known[one],
            known[other],
            calibration.similarity(score),
            calibration.fmr(score),
            calibration.is_extrapolated(score),
        )
        for (one, other), score in scores
        if one in known
        and other in known
        and not are_told_apart(rows, its, known[one], known[other])
    ]


def _named_strays(its: CollectionRows, numbers: Sequence[int]) -> list[Stray]:
    found = its.references.by_numbers(numbers)
    known = its.subjects.of(found.values())
    return [
        Stray(known[one.subject_number], one)
        for one in found.values()
        if one.subject_number in known
    ]


def _named_missed(
    its: CollectionRows, poor: Mapping[int, frozenset[QualityReason]], limit: int
) -> list[Missed]:
    known = its.subjects.by_numbers(sorted(poor)[:limit])
    return [
        Missed(one, tuple(reason for reason in QualityReason if reason in poor[number]))
        for number, one in sorted(known.items())
    ]
