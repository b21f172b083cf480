"""Decide who somebody is who is followed through a clip: several looks have to agree.

1. The best few shots, at least half a second apart, are fused into one template: their weighted
   mean, of length one and evened out anew. Candidates are found by it.
2. What its score means is known of tracks (`TrackNaming`): a fused template scores otherwise than
   that of one picture, and many looks are more chances to be wrong.
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
from numpy.typing import NDArray

from likeness.gallery import By, Collection, OpenCollection
from likeness.gallery import Candidate as FoundCandidate
from likeness.service.search.folder_gallery import FolderGallery, Found
from likeness.service.search.naming import Expected, Naming, Verdict, expected_false
from likeness.service.uses import Rows
from likeness.service.video.seen import ClipMatch
from likeness.terms import (
    Calibration,
    Cohort,
    CohortStatistics,
    Comparison,
    GroupWarning,
    Template,
    compare,
    rate_of,
)
from likeness.video import MOST_SHOTS, Shot, best_of, goodness_of

FEWEST_AGREEING = 2
"""Looks that have to agree before there is a name."""
AGREEING_SHARE = 2 / 3
"""Of the weight of all looks, how much those that agree need."""
# A look agrees with a candidate whom a stranger's is as like in one of so many cases.
_AGREEING_FMR = 1e-2
_CANCELLED = 1e-3
_RARE = 0.1
_ROUNDING = 1e-9


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
        return _why_too_few(self.looks, self.agreeing, self.agreement) is None

    def as_match(
        self, subject: str | None, subject_id: UUID | None = None, reference_id: UUID | None = None
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

    def settled_by(self, confirmed_ids: Set[UUID | None]) -> "SeenMatch":
        """Give the match as people left it: if they confirmed it, it is one whatever rates say."""
        if not confirmed_ids & {self.reference_id, self.subject_id}:
            return self
        return replace(self, verdict=replace(self.verdict, match=True, unnamed_because=None))


@dataclass(frozen=True, slots=True)
class TrackNaming:
    """Which scores of a track name somebody, and from which score on a look agrees.

    `naming` is of fused templates, `agrees_from` of single looks.
    """

    naming: Naming
    agrees_from: float

    @classmethod
    def of(
        cls,
        one_look: Calibration,
        tracks: Calibration | None,
        own: Calibration | None,
        compared: int,
        *,
        fmr: float,
        fpir: float,
        warn_from: float = 0.0,
    ) -> "TrackNaming":
        """Choose thresholds for searches for people who are seen in clips.

        Args:
            one_look: what scores of one look mean.
            tracks: what those of a track mean; None where nobody measured it: then they count as
                the best of many looks.
            own: what own scores mean among the collection's strangers, None where unmeasured.
            compared: how many references a track is compared with.
            fmr: false match rate at which two are called the same, at most, by any strangers.
            fpir: share of strangers seen in clips who may be named.
            warn_from: at which multiple of the rate asked for a group's is warned of; 0 never.
        """
        known = known_of_tracks(one_look, tracks)
        if own is not None:  # measured of single pictures
            own = best_of_many(own, _times_as_often(one_look, known))
        naming = Naming.of(known, own, compared, fmr=fmr, fpir=fpir, warn_from=warn_from)
        return cls(naming, cls.agreeing_from(one_look))

    @staticmethod
    def agreeing_from(one_look: Calibration) -> float:
        """Give the score from which a look agrees, by what scores of one look mean."""
        return one_look.point(_AGREEING_FMR).threshold

    def verdict(
        self, score: float, own_score: float | None, looks: int, agreeing: int, agreement: float
    ) -> Verdict:
        """Say what a track's score means, once it is known how many looks agree."""
        verdict = self.naming.verdict(score, own_score)
        because = _why_too_few(looks, agreeing, agreement)
        if because is None or not (verdict.match or verdict.unnamed_because):
            return verdict
        return replace(verdict, match=False, unnamed_because=because)


def known_of_tracks(one_look: Calibration, tracks: Calibration | None) -> Calibration:
    """Choose what scores of tracks mean: as measured, else as the best of many looks."""
    return best_of_many(one_look, MOST_SHOTS) if tracks is None else tracks


def best_of_many(one_look: Calibration, looks: float) -> Calibration:
    """Bound the rates of tracks by those of the best of so many looks, each by itself."""

    def bound(rates: Sequence[float]) -> list[float]:
        return [1.0 if rate >= 1 else -math.expm1(looks * math.log1p(-rate)) for rate in rates]

    # Where nearly every stranger reaches a score, the bound no longer descends.
    knots: dict[float, float] = {}
    for score, rate in zip(one_look.scores, bound(one_look.fmrs), strict=True):
        knots = {known: at for known, at in knots.items() if at > rate}
        knots[score] = rate
    tail = one_look.tail
    return replace(
        one_look,
        scores=tuple(knots),
        fmrs=tuple(knots.values()),
        measured_on=f"{one_look.measured_on}, as the best of {looks:.2g} looks",
        tail=None
        if tail is None
        else replace(
            tail,
            **{
                name: tuple(bound(getattr(tail, name)))
                for name in ("fmrs", "lows", "estimates", "highs")
            },
        ),
        alike=None if one_look.alike is None else best_of_many(one_look.alike, looks),
    )


def _times_as_often(one_look: Calibration, tracks: Calibration) -> float:
    """Say how often tracks of strangers reach a score for once that a look does; 1 at least."""
    counted = (
        score
        for score, rate in zip(one_look.scores, one_look.fmrs, strict=True)
        if tracks.least_counted <= rate <= _RARE
    )
    return max([1.0, *(tracks.fmr(score) / one_look.fmr(score) for score in counted)])


def tracks_named_from(
    rows: Rows, collection: Collection, *, fmr: float, fpir: float
) -> TrackNaming:
    """Say which tracks name somebody of a collection as it is now; see `TrackNaming.of`.

    Raises:
        NotFound: nobody has measured what its scores mean.
    """
    measured = collection.measured()
    return TrackNaming.of(
        rows.calibration_of(collection),
        rows.standards.track_calibration(collection.model, collection.cohort_version),
        None if measured is None else measured.own,
        collection.size.references,
        fmr=fmr,
        fpir=fpir,
        warn_from=rows.warn_from,
    )


def expected_of_person(
    rows: Rows, collection: OpenCollection, similarity: float
) -> tuple[Expected, GroupWarning | None]:
    """Say how many false candidates of a similarity or more each stranger seen in a clip has.

    And of which groups' strangers reach it far more often than any.

    Raises:
        NotFound: nobody has measured what scores mean.
    """
    known = known_of_tracks(
        rows.calibration_of(collection),
        rows.standards.track_calibration(collection.model, collection.cohort_version),
    )
    measured = collection.measured_then()
    own = None if measured is None else measured.plain
    return (
        expected_false(known, own, collection.size.references, similarity),
        known.group_warning(known.point(rate_of(similarity)), rows.warn_from),
    )


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


def agreement_of(
    scores: NDArray[np.floating], weights: NDArray[np.float64], agrees_from: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Count the looks that agree with each candidate, and say what share of the weight they have.

    Args:
        scores: (looks, candidates), of each look by itself with each candidate.
        weights: (looks,), how much each look tells.
        agrees_from: the score from which a look agrees.
    """
    agree = scores >= agrees_from
    return agree.sum(axis=0), weights @ agree / weights.sum()


def is_agreed(agreeing: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether so many looks, with such a share of the weight, are enough for a name."""
    enough = shares >= AGREEING_SHARE - _ROUNDING
    return np.asarray((agreeing >= FEWEST_AGREEING) & enough, np.bool_)


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


def _why_too_few(looks: int, agreeing: int, agreement: float) -> str | None:
    """Say why looks do not make a name; None where they do."""
    if looks < FEWEST_AGREEING:
        return (
            "Only one look is good enough to compare, and one names nobody. Ask for more of the"
            " clip, or for a review."
        )
    if not is_agreed(np.array(agreeing), np.array(agreement)):
        are = "is" if agreeing == 1 else "are"
        return (
            f"Too few looks agree: {agreeing} of {looks} looks {are} like this person by"
            f" themselves, {agreement:.0%} of what all looks weigh, where {AGREEING_SHARE:.0%}"
            " are needed."
        )
    return None
