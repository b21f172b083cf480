"""Name the faces of a sample from a collection: what `likeness identify` and the pages ask for.

Every face is searched for, and rates decide who is named; see `naming.py`.
"""

from dataclasses import dataclass

from likeness.errors import required
from likeness.gallery import By
from likeness.service.search.faces import ReadSample
from likeness.service.search.identify import Candidate, Identification, Identified
from likeness.service.search.naming import Naming
from likeness.service.search.search import (
    Demands,
    Faces,
    Match,
    SampleSearch,
    named_from,
    search_sample,
)
from likeness.service.uses import Caller, Home
from likeness.terms import Action

MOST_CANDIDATES = 3
"""Whom a face may be, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """The search for a sample's faces, by which rates it named them, and whom."""

    search: SampleSearch
    naming: Naming
    identified: Identified


def name_faces(home: Home, caller: Caller, name: str, read: ReadSample) -> Named:
    """Name every face of a sample from a collection, at the rates of the home.

    Raises:
        NoSuchCollection: there is none.
        NotFound: nobody has measured what its scores mean.
        Conflict: its model or cohort is not to be had here.
        Denied: it may not be done, or the answer not be given.
    """
    collection = home.collection(caller, Action.SEARCH, name)
    naming = named_from(home, collection, fmr=home.fmr, fpir=home.fpir)
    found = search_sample(home, caller, name, read, demands_of(naming))
    return Named(found, naming, identified(found, naming))


def demands_of(naming: Naming, by: By = By.BEST) -> Demands:
    """Give what is asked of a search that names every face."""
    return Demands(by, MOST_CANDIDATES, naming.least_similarity, Faces.ALL, None, naming)


def identified(found: SampleSearch, naming: Naming) -> Identified:
    """Give what a search found as what naming gives, whatever was searched."""
    faces = tuple(
        Identification(
            one.face.face,
            one.face.template,
            tuple(_candidate(match, naming) for match in one.matches),
        )
        for one in found.searched
    )
    return Identified(found.sample, faces, found.case_ids, found.withheld, found.decided)


def _candidate(match: Match, naming: Naming) -> Candidate:
    verdict, subject = required(match.verdict, "what rates say"), match.candidate.subject
    return Candidate(
        None if subject is None else subject.name,
        match.reference_id,
        match.candidate.comparison,
        verdict,
        match.similarity,
        naming.expected_of(verdict),
        match.subject_id,
        match.external_id,
    )
