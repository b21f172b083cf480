"""Names whoever is followed through a clip, once several looks agree.

1. The best few shots, at least half a second apart, are fused into one template: their weighted
   mean, of length one and evened out anew. Candidates are found by it.
2. What its score means is known of tracks (`track_scores.py`).
3. Every candidate is compared with each of these shots. Whoever is named is alike in two of them at
   least, and in most of their weight: one good frame names nobody, and a look at somebody else who
   was followed by mistake takes a name away.
4. A head that is seen from behind or far from the side says nothing, whatever its template is like.
"""

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass, fields, replace
from typing import Generic, Protocol, TypeVar
from uuid import UUID

import numpy as np

from likeness.gallery import By, OpenCollection
from likeness.gallery import Candidate as FoundCandidate
from likeness.service.search.folder_gallery import FolderGallery, Found
from likeness.service.search.naming import Verdict
from likeness.service.video.seen import ClipMatch
from likeness.service.video.track_scores import TrackNaming, agreement_of, why_too_few
from likeness.terms import Cohort, CohortStatistics, Comparison, Template, compare
from likeness.video import Shot, best_of, goodness_of

# Shorter than this share of their weights, the mean of looks is noise.
_CANCELLED = 1e-3


class _Compared(Protocol):
    """Somebody who was found."""

    @property
    def comparison(self) -> Comparison:
        """How alike they are."""


C = TypeVar("C", bound=_Compared)


@dataclass(frozen=True, slots=True)
class Seen(Generic[C]):
    """Somebody whom a person seen in a clip is like, and how many looks agree.

    `similarity` is that of the fused template, 0 to 100, by the rate on a track. Of `looks` that
    were compared `agreeing` are alike enough by themselves; `agreement` is their share of the
    weight, 0 to 1.
    """

    candidate: C
    similarity: float
    verdict: Verdict
    looks: int
    agreeing: int
    agreement: float

    @property
    def looks_agree(self) -> bool:
        """Whether so many looks agree as a name needs."""
        return why_too_few(self.looks, self.agreeing, self.agreement) is None

    def as_match(
        self,
        subject: str | None,
        subject_id: UUID | None = None,
        reference_id: UUID | None = None,
        external_id: str | None = None,
    ) -> ClipMatch:
        """Say it of somebody of that name and these ids, for doors that speak of people."""
        verdict = self.verdict
        return ClipMatch(
            subject,
            subject_id,
            reference_id,
            self.similarity,
            verdict.fmr,
            verdict.fmr_interval,
            verdict.extrapolated,
            verdict.match,
            verdict.unnamed_because,
            self.looks,
            self.agreeing,
            self.agreement,
            external_id,
        )

    def is_candidate(self, threshold: float) -> bool:
        """Whether it is given to whoever asks for all from some similarity on."""
        return self.looks_agree and self.similarity >= threshold

    @property
    def is_unsettled(self) -> bool:
        """Whether any strangers hardly score as high, and it is no match nevertheless."""
        return self.verdict.unnamed_because is not None


@dataclass(frozen=True, slots=True)
class SeenMatch(Seen[FoundCandidate]):
    """Somebody of a collection whom a person seen in a clip is like."""

    @property
    def reference_id(self) -> UUID | None:
        """Which reference."""
        reference = self.candidate.reference
        return None if reference is None else reference.id

    @property
    def subject_id(self) -> UUID | None:
        """Which subject; None where the reference is nobody's."""
        subject = self.candidate.subject
        return None if subject is None else subject.id

    @property
    def as_told(self) -> ClipMatch:
        """The match as doors that speak of people have it."""
        subject, reference = self.candidate.subject, self.candidate.reference
        name = None if subject is None else subject.name
        external_id = None if reference is None else reference.details.external_id
        return self.as_match(name, self.subject_id, self.reference_id, external_id)

    def settled_by(self, confirmed_ids: Set[UUID | None]) -> "SeenMatch":
        """Give the match as people left it: if they confirmed it, it is one whatever rates say."""
        if not confirmed_ids & {self.reference_id, self.subject_id}:
            return self
        return replace(self, verdict=replace(self.verdict, match=True, unnamed_because=None))


def name_person(
    collection: OpenCollection,
    naming: TrackNaming,
    shots: Sequence[Shot],
    limit: int,
    among: Sequence[UUID] | None = None,
) -> list[SeenMatch]:
    """Find at most `limit` people of a collection whom a person seen is like, most alike first.

    Where `among` is given, only these references are compared with.

    Raises:
        NotFound: it is erased.
        ModelMismatch: the shots are of another model than the collection.
    """
    return [
        SeenMatch(*(getattr(one, each.name) for each in fields(one)))
        for one in _named(_InCollection(collection, among), naming, shots, limit)
    ]


def name_from_folder(
    gallery: FolderGallery, cohort: Cohort, naming: TrackNaming, shots: Sequence[Shot], limit: int
) -> list[Seen[Found]]:
    """Find at most `limit` people of a folder whom a person seen is like, most alike first.

    Raises:
        ModelMismatch: the shots are of another model or cohort than the gallery.
    """
    return _named(_InFolder(gallery, cohort), naming, shots, limit)


def best_shots(shots: Sequence[Shot]) -> list[Shot]:
    """Choose the shots that say most of who it is, at least half a second apart, best first.

    Those that say nothing are left out: of a head that is turned away, or of what is hardly a face.
    """
    # The earlier of two that are as good, so that the same clip gives the same answer.
    every = sorted(shots, key=lambda one: one.look.time_s)
    good = [(goodness, one) for one in every if (goodness := goodness_of(one.look.face)) > 0]
    return sorted(best_of(good), key=lambda one: -goodness_of(one.look.face))


def fuse(shots: Sequence[Shot]) -> Template:
    """Give the weighted mean of shots as one template, which wants to be evened out anew."""
    first = shots[0].template
    weights = np.array([goodness_of(one.look.face) for one in shots])
    mean = weights @ np.stack([one.template.vector for one in shots]).astype(np.float64)
    length = np.linalg.norm(mean)
    # Where looks cancel each other out, what is left is noise: the best stands for all.
    cancelled = length < _CANCELLED * weights.sum()
    vector = first.vector if cancelled else (mean / length).astype(np.float32)
    return replace(first, vector=vector)


class _Searched(Protocol[C]):
    """Whoever is searched."""

    def as_evened_out(self, template: Template) -> Template:
        """Give a template as those who are searched see it."""

    def find(self, probe: Template, limit: int) -> Sequence[C]:
        """Find at most so many, most alike first."""

    def own_scores(self, probe: Template, found: Sequence[C]) -> Sequence[float | None]:
        """Score them as one stranger with another, where strangers were measured."""

    def scores(self, probe: Template, found: Sequence[C]) -> Sequence[float]:
        """Compare a single look with each of them; who is gone is least alike of all."""


@dataclass(frozen=True, slots=True)
class _InCollection:
    collection: OpenCollection
    among: Sequence[UUID] | None

    def as_evened_out(self, template: Template) -> Template:
        (evened,) = self.collection.as_evened_out([template])
        return evened

    def find(self, probe: Template, limit: int) -> Sequence[FoundCandidate]:
        return self.collection.search(probe, limit, By.BEST, among=self.among)

    def own_scores(
        self, probe: Template, found: Sequence[FoundCandidate]
    ) -> Sequence[float | None]:
        return self.collection.own_scores(probe, found) or [None] * len(found)

    def scores(self, probe: Template, found: Sequence[FoundCandidate]) -> Sequence[float]:
        ids = [one.reference.id for one in found if one.reference is not None]
        compared = self.collection.search(probe, len(ids), By.REFERENCE, among=ids)
        by_id = {
            one.reference.id: one.comparison.score for one in compared if one.reference is not None
        }
        return [by_id.get(each, -math.inf) for each in ids]


@dataclass(frozen=True, slots=True)
class _InFolder:
    gallery: FolderGallery
    cohort: Cohort

    def as_evened_out(self, template: Template) -> Template:
        (mean,) = self.cohort.means(template.vector[None]).tolist()
        return replace(template, cohort=CohortStatistics(mean, self.cohort.version))

    def find(self, probe: Template, limit: int) -> Sequence[Found]:
        return self.gallery.search(probe, limit)

    def own_scores(self, probe: Template, found: Sequence[Found]) -> Sequence[float | None]:
        return [one.own_score for one in found]

    def scores(self, probe: Template, found: Sequence[Found]) -> Sequence[float]:
        best: dict[str, float] = {}
        for reference in self.gallery.references:
            score = compare(reference.template, probe).score
            best[reference.subject] = max(score, best.get(reference.subject, -math.inf))
        return [best[one.subject] for one in found]


def _named(
    searched: _Searched[C], naming: TrackNaming, shots: Sequence[Shot], limit: int
) -> list[Seen[C]]:
    looks = best_shots(shots)
    if not looks:
        return []
    probe = searched.as_evened_out(fuse(looks))
    found = searched.find(probe, limit)
    if not found:
        return []
    own_scores = searched.own_scores(probe, found)
    by_look = np.array([searched.scores(one.template, found) for one in looks])
    weights = np.array([goodness_of(one.look.face) for one in looks])
    counts, shares = agreement_of(by_look, weights, naming.agrees_from)
    return [
        _seen(naming, one, own_score, len(looks), agreeing, share)
        for one, own_score, agreeing, share in zip(
            found, own_scores, counts.tolist(), shares.tolist(), strict=True
        )
    ]


def _seen(
    naming: TrackNaming,
    found: C,
    own_score: float | None,
    looks: int,
    agreeing: int,
    agreement: float,
) -> Seen[C]:
    score = found.comparison.score
    verdict = naming.verdict(score, own_score, looks, agreeing, agreement)
    similarity = naming.naming.calibration.similarity(score)
    return Seen(found, similarity, verdict, looks, agreeing, agreement)
