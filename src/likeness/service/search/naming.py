"""Decide whether a search names somebody: by any strangers, and by those at hand.

1. Among *any* strangers a score is so rare that a search of this size names a stranger with the
   rate asked for, and two are never called the same more often than another rate asked for.
2. Among the strangers *at hand* it is as rare: those of the collection itself where they were
   measured, else strangers who are alike.
3. Where the rate needed is not known, nobody is named; but a picture always matches itself.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from likeness.terms import (
    FEWEST_SUBJECTS,
    IDENTICAL,
    Calibration,
    GroupWarning,
    OperatingPoint,
    one_in,
    rate_for_search,
)

SIMILARITY = 80.0
"""How alike candidates have to be where nobody says otherwise, 0 to 100."""

_ACCEPT = "accept that more strangers are named (a higher LIKENESS_FPIR)."
_REMEDY = f"Look at the candidates yourself, or {_ACCEPT}"


class Strangers(StrEnum):
    """Whose rate decides."""

    ANY = "any"
    ALIKE = "alike"
    OWN = "own"

    @property
    def in_words(self) -> str:
        """Say who they are."""
        return {
            Strangers.ANY: "strangers",
            Strangers.ALIKE: "strangers of one sex, race and age",
            Strangers.OWN: "different people here",
        }[self]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a score means in a search.

    `fmr` is how often any two strangers score as high, `fmr_at_hand` how often those at hand do,
    None where nobody knows. `decided_by` is the stricter of the two. `unnamed_because` says why a
    score that any strangers hardly reach names nobody. `fmr_interval` is the 95% interval of `fmr`
    where that is too rare to have been counted.
    """

    fmr: float
    fmr_at_hand: float | None
    decided_by: Strangers
    match: bool
    extrapolated: bool
    unnamed_because: str | None = None
    fmr_interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Naming:
    """Rates and thresholds of searches among `compared` references.

    `at_hand` says what scores mean among the strangers at hand, who are `whose`; None where nobody
    measured that. A group is warned of from `warn_from` times the rate asked for on; 0 never warns.
    """

    calibration: Calibration
    point: OperatingPoint
    at_hand: Calibration | None
    point_at_hand: OperatingPoint | None
    whose: Strangers
    compared: int
    fpir: float
    warn_from: float = 0.0

    @classmethod
    def of(
        cls,
        calibration: Calibration,
        own: Calibration | None,
        compared: int,
        *,
        fmr: float,
        fpir: float,
        warn_from: float = 0.0,
    ) -> "Naming":
        """Choose thresholds for a search.

        Args:
            calibration: what scores mean among any strangers, and among those who are alike.
            own: what own scores mean among the collection's strangers; None where they were not
                measured.
            compared: how many references a probe is compared with.
            fmr: false match rate at which two are called the same, at most, by any strangers.
            fpir: share of searches for a stranger that may name somebody.
            warn_from: at which multiple of the rate asked for a group's is warned of; 0 never.
        """
        at_hand = own or calibration.alike
        return cls(
            calibration,
            calibration.point_for_gallery(compared, fpir, at_most=fmr),
            at_hand,
            None if at_hand is None else at_hand.point(rate_for_search(compared, fpir)),
            Strangers.OWN if own is not None else Strangers.ALIKE,
            compared,
            fpir,
            warn_from,
        )

    def verdict(self, score: float, own_score: float | None) -> Verdict:
        """Say what a score means; `own_score` where the collection's strangers were measured."""
        fmr = self.calibration.fmr(score)
        # Own scores and plain ones are never held against each other's rates.
        score_at_hand = score if self.whose is Strangers.ALIKE else own_score
        reached, reached_at_hand = self.point.is_reached(score), True
        fmr_at_hand, decided_by = None, Strangers.ANY
        extrapolated = self.calibration.is_extrapolated(score)
        if score_at_hand is None:  # an erasure has just taken what was measured
            reached_at_hand = score >= IDENTICAL
        elif self.at_hand is not None and self.point_at_hand is not None:
            fmr_at_hand = self.at_hand.fmr(score_at_hand)
            reached_at_hand = self.point_at_hand.is_reached(score_at_hand)
            if fmr_at_hand > fmr:
                decided_by = self.whose
                extrapolated = self.at_hand.is_extrapolated(score_at_hand)
        match = reached and reached_at_hand
        return Verdict(
            fmr,
            fmr_at_hand,
            decided_by,
            match,
            extrapolated,
            None if match else self._why_unnamed(score, fmr_at_hand),
            self.calibration.interval(score),
        )

    @property
    def rate(self) -> float:
        """The false match rate that a search of this size needs."""
        return rate_for_search(self.compared, self.fpir)

    @property
    def group_warning(self) -> GroupWarning | None:
        """What groups' strangers make of the threshold in force; None where there is no warning.

        Own strangers are measured by other scores than groups are, so theirs is left out of it.
        """
        if self.whose is Strangers.OWN or self.point_at_hand is None:
            return self.calibration.group_warning(self.point, self.warn_from)
        threshold = max(self.point.threshold, self.point_at_hand.threshold)
        calibrated = self.point.calibrated and self.point_at_hand.calibrated
        point = replace(self.point, threshold=threshold, calibrated=calibrated)
        return self.calibration.group_warning(point, self.warn_from)

    @property
    def expected_false(self) -> float:
        """How many false candidates a search for a stranger names, by any strangers."""
        return self.calibration.fmr(self.point.threshold) * self.compared

    @property
    def least_similarity(self) -> float:
        """How alike candidates have to be at least, 0 to 100: as on the wire, or to be matches."""
        return min(SIMILARITY, self.calibration.similarity(self.point.threshold))

    def expected_of(self, verdict: Verdict) -> float:
        """Say how many of the references score as high for a stranger, by the rate that decides."""
        return max(verdict.fmr, verdict.fmr_at_hand or 0.0) * self.compared

    def _why_unnamed(self, score: float, fmr_at_hand: float | None) -> str | None:
        """Say why somebody whom any strangers hardly reach is not named; None for others."""
        if score >= IDENTICAL or score < self.point.threshold:
            return None
        if not self.point.calibrated:
            return (
                f"The rate that a search of {self.compared:,} references needs is not known for"
                f" this model. {_REMEDY}"
            )
        if fmr_at_hand is None:
            return (
                "Somebody was erased, and the collection's people are measured anew: search again."
            )
        whose, needed = self.whose.in_words, one_in(self.rate)
        if self.point_at_hand is not None and not self.point_at_hand.calibrated:
            said = f"The rate needed, {needed}, is not known among {whose}."
        else:
            said = (
                f"Too many {whose} score as high: {one_in(fmr_at_hand)}, where {needed} is needed."
            )
        return f"{said} {self._remedy}"

    @property
    def _remedy(self) -> str:
        """Say what helps where those at hand are too much alike."""
        if self.whose is Strangers.OWN:
            return _REMEDY
        return (
            f"They stand for the people here until {FEWEST_SUBJECTS} of these are enrolled by name"
            " and measured. Enrol more people by name, look at the candidates yourself, or"
            f" {_ACCEPT}"
        )


@dataclass(frozen=True, slots=True)
class Expected:
    """How many false candidates a search for a stranger gives, from some similarity on.

    By any strangers, and by those at hand, who are `whose`: None where nobody measured that.
    `extrapolated` is whether one of the rates is too low to have been counted.
    """

    by_any: float
    by_those_at_hand: float | None
    whose: Strangers
    extrapolated: bool


def expected_false(
    calibration: Calibration, own: Calibration | None, references: int, similarity: float
) -> Expected:
    """Say how many false candidates a search gives that asks for a similarity, 0 to 100.

    `own` says what the scores of every comparison mean among the collection's strangers; those who
    are alike stand for them where they were not measured.
    """
    at_hand = own or calibration.alike
    by_any, by_those, extrapolated = calibration.rates_at(similarity, at_hand)
    return Expected(
        by_any * references,
        None if by_those is None else by_those * references,
        Strangers.ALIKE if own is None else Strangers.OWN,
        extrapolated,
    )
