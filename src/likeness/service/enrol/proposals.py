"""Proposes which unnamed faces of a collection are one person's, and whose.

It compares many who are enrolled with one another, as a search does, and is admitted as
one: where people have to look at what searches find, nothing is compared. Nobody is named by it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from uuid import UUID

import numpy as np

from likeness import review
from likeness.gallery import (
    Collection,
    CollectionRows,
    OpenCollection,
    Subject,
    UnnamedReference,
)
from likeness.service.enrol.subjects import require_nobody_to_look
from likeness.service.search.clusters import group
from likeness.service.uses import Caller, Home, Outcome, Record, Rows
from likeness.terms import Action, Calibration, CohortStatistics, Duty, OperatingPoint, Template

Tell = Callable[[int, int], None]

MOST_COMPARED = 3_000
"""So many faces are grouped at a time: the work grows with the square of their number."""
_PROBES_AT_ONCE = 250
_NEAREST = 10
_MOST_OWN = 100
_SHORTEST = 1e-6


@dataclass(frozen=True, slots=True)
class ProposedPerson:
    """Unnamed faces that are likely one person's, best fitting first; ids alone.

    `similarity` is what the mean score of all pairs of them stands for, None of a single face.
    `like_id` is the subject whom they look like, with `like_similarity`; None where nobody is.
    """

    reference_ids: tuple[UUID, ...]
    similarity: float | None
    like_id: UUID | None = None
    like_similarity: float | None = None

    @property
    def key(self) -> str:
        """Words by which it is known for just these faces."""
        return sha256(b"".join(one.bytes for one in self.reference_ids)).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who unnamed faces may be, the largest groups first.

    `compared` faces were looked at, of which `alone` are like no other and like nobody. `after` is
    where to look on, None at the end. Groups were joined at `point`.
    """

    people: tuple[ProposedPerson, ...]
    alone: int
    compared: int
    after: int | None
    point: OperatingPoint


def propose_people(
    home: Home,
    caller: Caller,
    name: str,
    *,
    after: int = 0,
    tell: Tell = lambda done, total: None,
) -> Proposal:
    """Propose which unnamed faces are one person's, and whose of those who have a name.

    Args:
        home: what has the collection.
        caller: who asks.
        name: the collection's.
        after: the number of the reference behind which to look on.
        tell: is told how many of how many groups and single faces are compared with who has a name.

    Raises:
        NoSuchCollection: there is none.
        NotFound: nobody has measured what its scores mean.
        Denied: people would have to look before anybody is compared.
    """
    of = home.collection(caller, Action.SEARCH, name)
    with home.record(caller, Action.SEARCH, of) as record:
        require_nobody_to_look(record)
        calibration = home.calibration_of(of)
        floor = record.decision.amount_of(Duty.SIMILARITY) or 0.0
        some, end = of.read(partial(_unnamed, after=after))
        faces = _templates(of, some)
        point = calibration.point(min(home.fmr, 1 / max(1, len(faces))))
        groups = _grouped(faces, calibration, point)
        named = list(_with_names(home, of, record, groups, faces, calibration, tell))
        people = [
            one
            for one in named
            if (one.like_id is not None or len(one.reference_ids) > 1)
            and (one.similarity is None or one.similarity >= floor)
            and (one.like_similarity is None or one.like_similarity >= floor)
        ]
        record.answered(
            Outcome(
                faces=len(faces),
                candidates=len(people),
                reference_ids=tuple(each for one in people for each in one.reference_ids),
                subject_ids=tuple(
                    dict.fromkeys(one.like_id for one in people if one.like_id is not None)
                ),
            )
        )
    told = sum(len(one.reference_ids) for one in people)
    return Proposal(tuple(people), len(faces) - told, len(faces), end, point)


@dataclass(frozen=True, slots=True, eq=False)
class _Face:
    """An unnamed face; `picture` is a number that no other face of another person has."""

    id: UUID
    template: Template
    picture: int


@dataclass(frozen=True, slots=True)
class _Group:
    """Faces that are likely one person's, by their places in the list, and their similarity."""

    members: tuple[int, ...]
    similarity: float | None


def _unnamed(
    its: CollectionRows, after: int
) -> tuple[list[tuple[UnnamedReference, Template]], int | None]:
    """Read unnamed faces behind one, and where the next are."""
    found = its.unnamed.page(after=after, limit=MOST_COMPARED + 1)
    some = found[:MOST_COMPARED]
    read = its.references.templates([one.number for one in some])
    end = some[-1].number if len(found) > len(some) else None
    return [(one, read[one.number]) for one in some if one.number in read], end


def _templates(of: Collection, some: Sequence[tuple[UnnamedReference, Template]]) -> list[_Face]:
    """Even faces out, and tell the pictures apart in which they are.

    A face that was enrolled twice from one picture is in two: it is no other person.
    """
    if not some:
        return []
    evened = of.as_evened_out([template for _, template in some])
    pictures, seen = dict[tuple[UUID, int], int](), Counter[tuple[UUID, bytes]]()
    faces = []
    for (one, _), template in zip(some, evened, strict=True):
        same = one.sample_id, template.vector.tobytes()
        place = one.sample_id, seen[same]
        seen[same] += 1
        faces.append(_Face(one.id, template, pictures.setdefault(place, len(pictures))))
    return faces


def _grouped(
    faces: Sequence[_Face], calibration: Calibration, point: OperatingPoint
) -> list[_Group]:
    """Group faces, the largest groups first, then those that are like no other."""
    grouping = group(
        [one.template for one in faces], [one.picture for one in faces], point.threshold
    )
    clusters = [
        _Group(one.members, calibration.similarity(one.cohesion)) for one in grouping.clusters
    ]
    return [*clusters, *(_Group((one,), None) for one in grouping.alone)]


def _with_names(
    home: Home,
    of: OpenCollection,
    record: Record,
    groups: Sequence[_Group],
    faces: Sequence[_Face],
    calibration: Calibration,
    tell: Tell,
) -> Iterator[ProposedPerson]:
    """Say of each group whom of those who have a name it looks like."""
    point = calibration.point_for_gallery(of.size.references, home.fpir, at_most=home.fmr)
    for start in range(0, len(groups), _PROBES_AT_ONCE):
        record.require_still_admitted(of)
        some = groups[start : start + _PROBES_AT_ONCE]
        ids = [tuple(faces[each].id for each in one.members) for one in some]
        best = _best(of, some, faces, point.threshold)
        known = of.read(partial(_subjects, numbers={number for number, _ in best.values()}))
        for place, (one, theirs) in enumerate(zip(some, ids, strict=True)):
            number, score = best.get(place, (0, 0.0))
            like = known.get(number)
            if like is not None and of.read(
                partial(_are_told_apart, rows=home, reference_ids=theirs, subject=like)
            ):
                like = None
            yield ProposedPerson(
                theirs,
                one.similarity,
                None if like is None else like.id,
                None if like is None else calibration.similarity(score),
            )
        tell(start + len(some), len(groups))


def _best(
    of: OpenCollection, groups: Sequence[_Group], faces: Sequence[_Face], threshold: float
) -> dict[int, tuple[int, float]]:
    """Give the subject's number and the score of who is most like each group, by its place."""
    means = []
    for one in groups:
        total = np.sum([faces[each].template.vector for each in one.members], axis=0)
        means.append((total / max(float(np.linalg.norm(total)), _SHORTEST)).astype(np.float32))
    evened = of.cohort().means(np.stack(means)).tolist()
    probes = [
        Template(mean, of.model, CohortStatistics(one, of.cohort_version))
        for mean, one in zip(means, evened, strict=True)
    ]
    # Each is nearest to its own faces.
    most = min(max(len(one.members) for one in groups), _MOST_OWN) + _NEAREST
    best = dict[int, tuple[int, float]]()
    for place, found in enumerate(of.nearest(probes, most)):
        scores = np.where(found.groups > 0, found.even, -np.inf)
        if len(scores) and (score := float(scores.max())) >= threshold:
            best[place] = int(found.groups[scores.argmax()]), score
    return best


def _subjects(its: CollectionRows, numbers: set[int]) -> dict[int, Subject]:
    return its.subjects.by_numbers(numbers)


def _are_told_apart(
    its: CollectionRows, rows: Rows, reference_ids: Sequence[UUID], subject: Subject
) -> bool:
    """Say whether people told one of some faces apart from a subject, in a review."""
    if not review.is_anything_kept_of(its.connection, its.collection.id):
        return False
    theirs = {one.id for one in its.references.known_of_subject(subject.id)}
    others = {subject.id, *theirs}
    return review.are_told_apart(
        its.connection, rows.keyring, its.collection.id, set(reference_ids), others
    )
