"""Search: who in a collection is most like a face, or like somebody who is enrolled?"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from uuid import UUID

from likeness.gallery import By, Candidate, Collection, OpenCollection
from likeness.service.search.comparable import require_comparable
from likeness.service.search.detect_faces import ReadSample, largest
from likeness.service.search.quality_bar import QualityBar
from likeness.service.uses.record import Outcome, Record
from likeness.service.uses.withhold import Probe
from likeness.terms import Calibration, SeenFace
from likeness.vision.decode import Sample
from likeness.vision.find import FaceFinder, Located


class Search(Protocol):
    """Finds so many candidates, most alike first; `among` some references or subjects, if given."""

    def __call__(self, *, limit: int, among: Sequence[UUID] | None = None) -> Sequence[Candidate]:
        """Find them."""


@dataclass(frozen=True, slots=True)
class Match:
    """Somebody whom a search found, and how alike they are, 0 to 100."""

    candidate: Candidate
    similarity: float

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


@dataclass(frozen=True, slots=True)
class Demands:
    """Whom a search may give: by what, how many at most, and from which similarity, 0 to 100."""

    by: By
    limit: int
    threshold: float

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The same, for the record."""
        return (
            ("by", self.by),
            ("limit", str(self.limit)),
            ("threshold", str(self.threshold)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class SampleSearch:
    """Faces of a sample, largest first, and whom the largest is like, most alike first.

    `matches` is None where nothing was searched: there is no face, or the largest is below the bar.
    """

    located: Located
    matches: tuple[Match, ...] | None


def search_sample(
    record: Record,
    collection: OpenCollection,
    calibration_of: Callable[[Collection], Calibration],
    finder: FaceFinder,
    locate: Callable[[Sample], Located],
    read: ReadSample,
    demands: Demands,
    bar: QualityBar | None,
) -> SampleSearch:
    """Search a collection for the largest face of a sample.

    Args:
        record: of this use.
        collection: which.
        calibration_of: says what its scores mean.
        finder: finds and embeds faces with the collection's model.
        locate: of `finder`, what finds the largest face at least.
        read: gives the sample.
        demands: whom to give.
        bar: what the face has to reach; any is searched for without.

    Raises:
        Conflict: the collection is of another cohort than the finder.
        NotFound: the collection was erased meanwhile.
        Denied: the answer may not be given.
    """
    require_comparable(collection, finder)
    sample = read()
    located = locate(sample)
    found = largest(finder, located, bar)
    if found is None:
        record.answered(Outcome(faces=len(located.faces)))
        return SampleSearch(located, None)
    face, template = found
    seen = SeenFace(hashlib.sha256(sample.data).digest(), face.box)
    # Whose face is below the bar is not searched for: with another bar it is another search.
    parameters = (*demands.parameters, *(() if bar is None else (bar.parameter,)))
    matches = _released(
        record,
        partial(collection.search, template, by=demands.by, seen=seen),
        calibration_of(collection),
        demands,
        Probe(sample, face, parameters=parameters),
        faces=len(located.faces),
    )
    return SampleSearch(located, matches)


def search_enrolled(
    record: Record,
    search: Search,
    enrolled_id: UUID,
    calibration: Calibration,
    demands: Demands,
) -> tuple[Match, ...]:
    """Search a collection for a reference or a subject of it, who is left out of the answer.

    Args:
        record: of this use.
        search: finds candidates; raises what it raises.
        enrolled_id: of the reference or subject.
        calibration: what the collection's scores mean.
        demands: whom to give.

    Raises:
        Denied: the answer may not be given.
    """
    probe = Probe(None, None, enrolled_id, demands.parameters)
    return _released(record, search, calibration, demands, probe, faces=0)


def _released(
    record: Record,
    search: Search,
    calibration: Calibration,
    demands: Demands,
    probe: Probe,
    faces: int,
) -> tuple[Match, ...]:
    def alike(limit: int, among: Sequence[UUID] | None) -> list[Match]:
        found = search(limit=limit, among=among)
        matches = [Match(one, calibration.similarity(one.comparison.score)) for one in found]
        return [match for match in matches if match.similarity >= demands.threshold]

    released = record.release(alike(demands.limit, None), probe, lambda ids: alike(len(ids), ids))
    ids = [one.reference_id for one in released], [one.subject_id for one in released]
    references, subjects = (tuple(one for one in some if one is not None) for some in ids)
    record.answered(Outcome(faces, len(released), references, subjects))
    return tuple(released)
