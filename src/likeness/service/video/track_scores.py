"""Says what scores of tracks mean, and how many looks have to agree for a name.

A fused template scores otherwise than that of one picture, and many looks are more chances to be
wrong: so the rates of tracks are their own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from likeness.gallery import Collection, OpenCollection
from likeness.service.search.naming import Expected, Naming, Verdict, expected_false
from likeness.service.uses import Rows
from likeness.terms import Calibration, GroupWarning, rate_of
from likeness.video import MOST_SHOTS

FEWEST_AGREEING = 2
"""Looks that have to agree before there is a name."""
AGREEING_SHARE = 2 / 3
"""Of the weight of all looks, how much those that agree need."""
# A look agrees with a candidate whom a stranger's is as like in one of so many cases.
_AGREEING_FMR = 1e-2
# Scores that more strangers reach name nobody: how much more often tracks do tells nothing there.
_RARE = 0.1
_ROUNDING = 1e-9


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
        because = why_too_few(looks, agreeing, agreement)
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


def why_too_few(looks: int, agreeing: int, agreement: float) -> str | None:
    """Say why looks do not make a name; None where they do."""
    if looks < FEWEST_AGREEING:
        return (
            "Only one look is good enough to compare, and one names nobody. Ask for more of the"
            " clip, or for a review."
        )
    if agreeing < FEWEST_AGREEING:
        alone = (
            "is like this person by itself" if agreeing else "are like this person by themselves"
        )
        return (
            f"Too few looks agree: {agreeing} of {looks} looks {alone}, where {FEWEST_AGREEING} are"
            " needed."
        )
    if not is_agreed(np.array(agreeing), np.array(agreement)):
        return (
            f"Too few looks agree: {agreeing} of {looks} looks are like this person by"
            f" themselves, {agreement:.0%} of what all looks weigh, where {AGREEING_SHARE:.0%}"
            " are needed."
        )
    return None
