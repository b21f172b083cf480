"""Search a collection for whoever is most like the faces of a sample, or like somebody enrolled.

What doors ask differs, and is a `Demands`: of which faces, how alike candidates have to be, and
whether rates decide that a candidate is a match. What is done does not: every search finds its
candidates, has them released by the rules, and answers with what is left.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Protocol
from uuid import UUID

from likeness.errors import NotFound
from likeness.gallery import By, OpenCollection
from likeness.gallery import Candidate as FoundCandidate
from likeness.service.search.faces import FaceInPicture, QualityBar, ReadSample, faces_in, within
from likeness.service.search.naming import SIMILARITY, Expected, Naming, Verdict, expected_false
from likeness.service.uses import Caller, Home, NoSuchSubject, Outcome, Probe, Record
from likeness.terms import Action, Calibration, GroupWarning, Template, rate_of
from likeness.vision.decode import Sample
from likeness.vision.find import Located

# So many times more are looked for where rejected people have taken places.
_MORE = 4


class Faces(Enum):
    """Which faces of a sample are found, and which of those are searched for."""

    LARGEST = "the largest alone is found"
    LARGEST_OF_ALL = "all are found, the largest is searched for"
    ALL = "all are searched for"


@dataclass(frozen=True, slots=True)
class Demands:
    """Which candidates a search gives.

    They are found by `by`, are `limit` at most, and have a similarity of `threshold` at least.
    With `naming`, rates decide which of them are matches, those below the threshold are listed too
    where rules let them, and people are asked about those whom rates do not settle. A face that
    does not reach the `bar` is not searched for. Where all faces of a sample are found, those are
    the `most_faces` largest, if given.
    """

    by: By
    limit: int
    threshold: float = SIMILARITY
    faces: Faces = Faces.LARGEST
    bar: QualityBar | None = None
    naming: Naming | None = None
    most_faces: int | None = None

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """What makes another search of it, for the record."""
        if self.naming is not None:
            return (("by", self.by),)
        said = (("by", self.by), ("limit", str(self.limit)), ("threshold", str(self.threshold)))
        # Whose face is below the bar is not searched for: with another bar it is another search.
        return said if self.bar is None else (*said, self.bar.parameter)


@dataclass(frozen=True, slots=True)
class Match:
    """Somebody whom a search found, and how alike they are, 0 to 100.

    `verdict` says what rates make of it, where the search is to name somebody.
    """

    candidate: FoundCandidate
    similarity: float
    verdict: Verdict | None = None

    @property
    def reference_id(self) -> UUID | None:
        """Which reference; None where all of a subject's were fused."""
        reference = self.candidate.reference
        return None if reference is None else reference.id

    @property
    def subject_id(self) -> UUID | None:
        """Which subject; None where the reference is nobody's."""
        subject = self.candidate.subject
        return None if subject is None else subject.id

    @property
    def external_id(self) -> str | None:
        """What a client called the reference, if it did."""
        reference = self.candidate.reference
        return None if reference is None else reference.details.external_id

    def settled_by(self, confirmed_ids: Set[UUID | None]) -> "Match":
        """Give the match as people left it: if they confirmed it, it is one whatever rates say."""
        if self.verdict is None or not confirmed_ids & {self.reference_id, self.subject_id}:
            return self
        return replace(self, verdict=replace(self.verdict, match=True, unnamed_because=None))

    @property
    def is_unsettled(self) -> bool:
        """Whether any strangers hardly score as high, and it is no match nevertheless."""
        return self.verdict is not None and self.verdict.unnamed_because is not None


@dataclass(frozen=True, slots=True, eq=False)
class SearchedFace:
    """A face that was searched for, and whom it is like, most alike first."""

    face: FaceInPicture
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SampleSearch:
    """What came of the search for a sample's faces; largest first.

    `searched` is empty where there is no face, or the largest is below the bar. `case_ids` are of
    what people decide of it. `withheld` is whether nobody is named because they have not yet,
    `decided` whether they have. `expected` is how many false candidates such a search gives, and
    `group_warning` of groups whose strangers reach the threshold far more often than any.
    """

    collection: OpenCollection
    sample: Sample
    located: Located
    searched: tuple[SearchedFace, ...]
    expected: Expected
    case_ids: tuple[UUID, ...]
    withheld: bool
    decided: bool
    group_warning: GroupWarning | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EnrolledSearch:
    """Whom somebody enrolled is like, most alike first; see `SampleSearch`."""

    collection: OpenCollection
    matches: tuple[Match, ...]
    expected: Expected
    group_warning: GroupWarning | None = None


class NoSuchReference(NotFound):
    """The collection has no reference of that id."""


def search_sample(
    home: Home, caller: Caller, name: str, read: ReadSample, demands: Demands
) -> SampleSearch:
    """Search a collection for the faces of a sample.

    Where people have to look at the candidates of one face first, nobody is named in the whole
    sample until they have; the same search, done again, gives what they confirmed.

    Raises:
        NotFound: there is no such collection.
        Conflict: its model or cohort is not to be had here.
        Denied: it may not be done, or the answer not be given.
    """
    collection = home.collection(caller, Action.SEARCH, name)
    with home.record(caller, Action.SEARCH, collection) as record:
        finder, calibration = home.comparable_finder(collection), home.calibration_of(collection)
        sample = read()
        if demands.faces is Faces.LARGEST:
            located = finder.locate_largest(sample)
        else:
            located = finder.locate(sample, demands.most_faces)
        # Never another face in place of the largest: that may be somebody nobody asked about.
        chosen = located.faces if demands.faces is Faces.ALL else located.faces[:1]
        found = faces_in(sample, located, finder, within(demands.bar, chosen))
        search = _Search(record, collection, calibration, demands)
        searched = [
            search.of_face(sample, face, is_largest=number == 0)
            for number, face in enumerate(found)
        ]
        if withheld := record.withheld:  # of no face it is told whether somebody was found
            searched = [replace(one, matches=()) for one in searched]
        matches = [match for one in searched for match in one.matches]
        record.answered(_outcome(len(located.faces), matches))
    return SampleSearch(
        collection,
        sample,
        located,
        tuple(searched),
        _expected(collection, calibration, demands),
        tuple(dict.fromkeys(search.case_ids)),
        withheld,
        search.decided,
        _group_warning(home, calibration, demands),
    )


def search_enrolled(
    home: Home, caller: Caller, name: str, whom: UUID | str, demands: Demands
) -> EnrolledSearch:
    """Search a collection for a reference of it, by its id, or a subject of it, by its name.

    Who is searched for is left out of the answer.

    Raises:
        NotFound: there is no such collection, reference or subject.
        Denied: it may not be done, or the answer not be given.
    """
    collection = home.collection(caller, Action.SEARCH, name)
    with home.record(caller, Action.SEARCH, collection) as record:
        calibration = home.calibration_of(collection)
        search = _Search(record, collection, calibration, demands)
        matches = search.of_enrolled(whom)
        record.answered(_outcome(0, matches))
    return EnrolledSearch(
        collection,
        tuple(matches),
        _expected(collection, calibration, demands),
        _group_warning(home, calibration, demands),
    )


class _Find(Protocol):
    """Finds so many candidates, most alike first; `among` some references or subjects, if given."""

    def __call__(
        self, *, limit: int, among: Sequence[UUID] | None = None
    ) -> Sequence[FoundCandidate]:
        """Find them."""


@dataclass(slots=True)
class _Search:
    """The search that a record is of: of one face after the other."""

    record: Record
    collection: OpenCollection
    calibration: Calibration
    demands: Demands
    case_ids: list[UUID] = field(default_factory=list)
    decided: bool = False

    def of_face(self, sample: Sample, face: FaceInPicture, *, is_largest: bool) -> SearchedFace:
        """Search for a face of a sample."""
        probe = Probe(sample, face.face, parameters=self.demands.parameters, is_largest=is_largest)
        find = partial(self.collection.search, face.template, by=self.demands.by, seen=face.seen)
        return SearchedFace(face, tuple(self._released(probe, find, face.template)))

    def of_enrolled(self, whom: UUID | str) -> list[Match]:
        """Search for a reference by its id, or for a subject by its name."""
        return self._of_subject(whom) if isinstance(whom, str) else self._of_reference(whom)

    def _of_reference(self, reference_id: UUID) -> list[Match]:
        find = partial(self.collection.search_reference, reference_id, by=self.demands.by)
        try:
            return self._released(self._enrolled(reference_id), find)
        except NotFound as error:
            raise NoSuchReference(
                f"No such reference {reference_id}. `likeness collections references` shows what"
                " there is."
            ) from error

    def _of_subject(self, name: str) -> list[Match]:
        subject = self.collection.read(lambda rows: rows.subjects.find(name))
        if subject is None:
            raise NoSuchSubject(name)
        find = partial(self.collection.search_subject, subject.id)
        return self._released(self._enrolled(subject.id), find)

    def _enrolled(self, enrolled_id: UUID) -> Probe:
        return Probe(None, None, enrolled_id, self.demands.parameters)

    def _released(self, probe: Probe, find: _Find, template: Template | None = None) -> list[Match]:
        record, least, limit = self.record, self.demands.threshold, self.demands.limit

        def found(limit: int, among: Sequence[UUID] | None, least: float) -> list[Match]:
            matches = self._matches(find(limit=limit, among=among), template)
            return [one for one in matches if one.similarity >= least]

        # Where somebody is to be named, those who are less alike are listed beside.
        lists_from = least if self.demands.naming is None else 0.0
        wanted = limit
        while True:
            matches = found(wanted, None, lists_from)
            kept = record.not_told_apart(matches, probe)
            if len(kept) >= limit or len(matches) < wanted:
                break
            wanted *= _MORE
        released = record.release(
            kept[:limit],
            probe,
            lambda ids: found(len(ids), ids, least),
            least,
        )
        if record.confirmed:
            released = [one.settled_by(record.confirmed_ids) for one in released]
        elif not record.withheld:
            record.refer([one for one in released if one.is_unsettled], probe)
        self.decided |= record.confirmed
        if record.case_id is not None:
            self.case_ids.append(record.case_id)
        return released

    def _matches(
        self, found: Sequence[FoundCandidate], template: Template | None
    ) -> Sequence[Match]:
        calibration, naming = self.calibration, self.demands.naming
        matches = [Match(one, calibration.similarity(one.comparison.score)) for one in found]
        if naming is None or template is None:
            return matches
        own_scores: Sequence[float | None] | None = self.collection.own_scores(template, found)
        if own_scores is None:
            own_scores = [None] * len(found)
        return [
            replace(one, verdict=naming.verdict(one.candidate.comparison.score, own_score))
            for one, own_score in zip(matches, own_scores, strict=True)
        ]


def named_from(home: Home, collection: OpenCollection, *, fmr: float, fpir: float) -> Naming:
    """Say which scores name somebody of a collection as it is now; see `Naming.of`.

    Raises:
        NotFound: nobody has measured what its scores mean.
    """
    measured = collection.measured()
    own = None if measured is None else measured.own
    calibration, compared = home.calibration_of(collection), collection.size.references
    return Naming.of(calibration, own, compared, fmr=fmr, fpir=fpir, warn_from=home.warn_from)


def _outcome(faces: int, matches: Sequence[Match]) -> Outcome:
    ids = (one.reference_id for one in matches), (one.subject_id for one in matches)
    references, subjects = (tuple(dict.fromkeys(filter(None, some))) for some in ids)
    return Outcome(faces, len(matches), references, subjects)


def _expected(collection: OpenCollection, calibration: Calibration, demands: Demands) -> Expected:
    measured = collection.measured_then()
    return expected_false(
        calibration,
        None if measured is None else measured.plain,
        collection.size.references,
        demands.threshold,
    )


def _group_warning(home: Home, calibration: Calibration, demands: Demands) -> GroupWarning | None:
    if demands.naming is not None:
        return demands.naming.group_warning
    return calibration.group_warning(calibration.point(rate_of(demands.threshold)), home.warn_from)
