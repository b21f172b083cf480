"""What an evaluation or audit found: the values that reports draw, cards sign and JSON holds.

Nothing here is computed. A figure that the data cannot carry has no value, and a note that says
why. All of it goes to JSON and back by `to_json` and `from_json`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from likeness.errors import InvalidRequest
from likeness.evaluation import Estimate

SCHEMA = "likeness-evaluation/1"
_NOT_GIVEN = Estimate(None)


@dataclass(frozen=True, slots=True)
class Rate:
    """Errors of trials, as a share with its 95% interval.

    `note` says what bounds it: the rule of 3 where no error was seen, the rule of 30 below 30.
    """

    errors: int
    trials: int
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SystemFacts:
    """The system that was tested.

    `kind` is `likeness`, `rekognition` or `scores`. `model` is what it says of its model, where it
    says any; `score` names the scale of its scores. `details` are more facts by name.
    """

    name: str
    kind: str
    version: str
    model: str = ""
    score: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataFacts:
    """The data that it was tested on, and who says so.

    `digest` is the SHA-256 of the list of files and their digests, with labels; `labelled_by` says
    who gave the labels, and on which scale.
    """

    name: str
    version: str
    provenance: str
    labelled_by: str
    digest: str
    images: int
    subjects: int
    has_identities: bool = True


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one row of what was given; `where` names file and line, or a sample."""

    where: str
    says: str


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Two samples that are one picture, or labelled wrongly as it seems.

    `kind` is `duplicate`, `one-person-twice` (strangers who score as one person does) or
    `two-people` (a mated pair that scores as strangers do).
    """

    kind: str
    first: str
    second: str
    score: float | None
    says: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of a curve with its 95% band; `lows` and `highs` may be empty."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    lows: tuple[float, ...] = ()
    highs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many scores lie between each two of the `edges`, as shares of all."""

    edges: tuple[float, ...]
    mated: tuple[float, ...]
    nonmated: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class OperatingRates:
    """What one threshold does to everybody.

    `target_fmr` is what it was chosen for; None for one that was given. `gfar` and `gfrr` count
    failures as ISO/IEC 19795-1 does; `fmr` and `fnmr` count a failed comparison as no match,
    `fnmr_without_failures` leaves it out.
    """

    target_fmr: float | None
    threshold: Estimate
    fmr: Rate
    fnmr: Rate
    fnmr_without_failures: Rate
    gfar: Estimate
    gfrr: Estimate
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Verification:
    """1:1 figures: NIST's headline, rates by threshold, the DET and error against threshold.

    `fold_accuracy` is LFW's figure, for lists of pairs with folds: the mean with two standard
    errors on both sides.
    """

    mated: int
    nonmated: int
    headline: OperatingRates
    points: tuple[OperatingRates, ...]
    equal_error: Estimate
    det: Curve
    fmr_by_threshold: Curve
    fnmr_by_threshold: Curve
    histogram: Histogram
    fold_accuracy: Estimate | None = None


@dataclass(frozen=True, slots=True)
class SearchRates:
    """What one threshold does to searches of a gallery of `Identification.gallery` references."""

    target_fpir: float | None
    threshold: Estimate
    fpir: Rate
    fnir: Rate


@dataclass(frozen=True, slots=True)
class Identification:
    """1:N figures: always with the size of the gallery and the length of candidate lists.

    `hit_rates` are the CMC: of rank 1 to `depth`, the share of mated searches whose mate is within
    that rank, whatever its score.
    """

    gallery: int
    enrolled: int
    depth: int
    mated: int
    nonmated: int
    headline: SearchRates | None
    points: tuple[SearchRates, ...]
    hit_rates: tuple[Rate, ...]
    tradeoff: Curve


@dataclass(frozen=True, slots=True)
class GroupFindings:
    """One group of an axis at the global threshold; `fmr` is of pairs within the group.

    `fte` is failure to enrol: subjects none of whose samples has a template. `mated_scores` and
    `nonmated_scores` are (5%, 25%, 50%, 75%, 95%) of its scores, `seconds` the median answer.
    """

    group: str
    subjects: int
    images: int
    fta: Rate
    fte: Rate
    fmr: Rate
    fnmr: Rate
    mated_scores: tuple[float, ...] = ()
    nonmated_scores: tuple[float, ...] = ()
    mated_shift: Estimate = _NOT_GIVEN
    nonmated_shift: Estimate = _NOT_GIVEN
    seconds: Estimate = _NOT_GIVEN


@dataclass(frozen=True, slots=True)
class Matrix:
    """FMR of references of one group (rows) with probes of another (columns), and NIST's counts."""

    labels: tuple[str, ...]
    rates: tuple[tuple[Rate, ...], ...]


@dataclass(frozen=True, slots=True)
class Inequity:
    """NIST's columns for one rate across groups (NISTIR 8429), each with its interval."""

    rate: str
    max_over_min: Estimate
    max_minus_min: Estimate
    max_over_mean: Estimate
    max_over_geomean: Estimate
    geomean_variation: Estimate
    gini: Estimate


@dataclass(frozen=True, slots=True)
class YieldPoint:
    """Yield lost beside evenness gained at one threshold (NPL reports so).

    `fmr` is over all pairs, `worst_fmr` that of the worst group, `true_positives` 1 - FNMR, and
    `yield_lost` how much less that is than at the first point. `carried_groups` is how many groups
    have the 30 false matches that a rate needs.
    """

    threshold: float
    fmr: float
    worst_group: str
    worst_fmr: float
    max_over_geomean: float | None
    true_positives: float | None
    yield_lost: float | None
    carried_groups: int = 0


@dataclass(frozen=True, slots=True)
class AxisFindings:
    """All groups of one axis, or of several axes crossed, at one global threshold.

    `same_group` is the FMR of all strangers of one group: the headline, for random pairs flatter.
    `worst_*` and `best_*` name groups among those that the data can carry. `warnings` are about
    groups whose FMR exceeds the set multiple of the target.
    """

    axis: str
    point: OperatingRates
    groups: tuple[GroupFindings, ...]
    matrix: Matrix | None
    inequity: tuple[Inequity, ...]
    garbe: Estimate
    fdr: Estimate
    worst_fmr: str
    best_fmr: str
    worst_fnmr: str
    best_fnmr: str
    yields: tuple[YieldPoint, ...]
    warnings: tuple[str, ...]
    unlabelled: int = 0
    same_group: Rate | None = None


@dataclass(frozen=True, slots=True)
class LikelihoodRatios:
    """How scores become evidence, and how good that evidence is.

    `knots` are (score, log10 LR). `cllr` and `cllr_min` as Bruemmer and du Preez (2006) define
    them, cross-validated by subject.
    """

    method: str
    knots: tuple[tuple[float, float], ...]
    cllr: Estimate
    cllr_min: Estimate
    least_log10: float
    most_log10: float


@dataclass(frozen=True, slots=True)
class ThresholdAdvice:
    """The threshold for a rate that somebody wants; `gallery` 1 is a comparison of two."""

    gallery: int
    target: float
    threshold: Estimate
    note: str = ""


@dataclass(frozen=True, slots=True)
class CalibrationFindings:
    """What scores mean on these data: rates by score, likelihood ratios, thresholds.

    `limits` say what of it the data cannot carry.
    """

    scores: tuple[float, ...]
    fmrs: tuple[float, ...]
    likelihood_ratios: LikelihoodRatios | None
    thresholds: tuple[ThresholdAdvice, ...]
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failures:
    """What failed, of all samples, and why: (reason, count), most first."""

    fta: Rate
    fte: Rate
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found of one system on one set of data."""

    system: SystemFacts
    data: DataFacts
    failures: Failures
    verification: Verification | None
    identification: Identification | None
    axes: tuple[AxisFindings, ...]
    calibration: CalibrationFindings | None
    seconds: Estimate
    problems: tuple[RowProblem, ...]
    suspicions: tuple[Suspicion, ...]
    limits: tuple[str, ...]
    """What the data cannot support, and what else a reader has to know, in sentences."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How two systems differ on the same trials: B less A, with a paired test.

    `p_value` is two-sided, by resampling subjects; None where the data carry none.
    """

    figure: str
    a: Estimate
    b: Estimate
    difference: Estimate
    p_value: float | None


# Of what it holds, too.
@with_config(ConfigDict(allow_inf_nan=False))
@dataclass(frozen=True, slots=True)
class Report:
    """One report: the findings of one system, or of two side by side, and how they were made."""

    title: str
    made_at: datetime
    made_by: str
    processor: str
    method: Mapping[str, str]
    findings: tuple[Findings, ...]
    differences: tuple[Difference, ...] = ()
    equitability: tuple[str, ...] = ()
    """The statement of equitability, and what it means for procurement (ISO/IEC 19795-10)."""
    schema: str = SCHEMA


_ADAPTER = TypeAdapter(Report)


def to_json(report: Report) -> bytes:
    """Give a report as JSON, numbers as they are."""
    return json.dumps(asdict(report), indent=1, default=str, allow_nan=False).encode()


def from_json(text: bytes, where: str) -> Report:
    """Read what `to_json` gave; `where` names the file.

    Raises:
        InvalidRequest: it is no such report, or of another version of the format.
    """
    try:
        report = _ADAPTER.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InvalidRequest(
            f"Not a report of Likeness: {where} ({place}: {first['msg']}). Name the JSON that"
            " `likeness evaluate` or `audit` wrote."
        ) from error
    if report.schema != SCHEMA:
        raise InvalidRequest(
            f"A report of the format {report.schema[:40]!r}: {where}. This version reads {SCHEMA}."
        )
    return report
