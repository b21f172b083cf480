"""What an audit of answers found: the values that reports draw and JSON holds.

Nothing here is computed.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from likeness.evaluation import Estimate
from likeness.service.evaluate.findings import DataFacts, Rate, RowProblem, SystemFacts

SCHEMA = "likeness-attributes/1"
LIKELY_CHANCE = 0.05
"""Above this, chance may well have set groups so far apart: no worst group is pointed at."""


@dataclass(frozen=True, slots=True)
class AttributeGroup:
    """One group: `failed` of all its pictures, `wrong` of those answered, and both of all.

    `years_off` is the mean of how many years answers lie above the truth (below: negative), and
    `years_apart` how far either way; for ages alone.
    """

    group: str
    subjects: int
    images: int
    failed: Rate
    wrong: Rate
    wrong_or_failed: Rate
    years_off: Estimate | None = None
    years_apart: Estimate | None = None


@dataclass(frozen=True, slots=True)
class AttributeAxis:
    """All groups of one column, or of several crossed.

    `ratio` and `difference` are the worst group's rate of wrong answers by, and less, the best
    one's. `chance` is how likely chance alone sets groups so far apart.
    """

    axis: str
    groups: tuple[AttributeGroup, ...]
    worst: str
    best: str
    ratio: Estimate
    difference: Estimate
    chance: float | None
    unlabelled: int


@dataclass(frozen=True, slots=True)
class ConfidencePoint:
    """What is left where answers that the system is less sure of are not used.

    `least` is percent; `worst_group` is of the finest axis.
    """

    least: float
    answered: Rate
    wrong: Rate
    worst_group: str
    worst: Rate | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each label (rows) was answered with what (columns); the last column is failures."""

    labels: tuple[str, ...]
    answers: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class AttributeFindings:
    """What was found of one system's answers about one attribute."""

    system: SystemFacts
    rule: str
    overall: AttributeGroup
    axes: tuple[AttributeAxis, ...]
    confusion: Confusion | None
    confidences: tuple[ConfidencePoint, ...]
    reasons: tuple[tuple[str, int], ...]
    problems: tuple[RowProblem, ...]
    limits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """How two systems differ in one group: B less A, of pictures that are wrong or unanswered.

    `chance` is how likely chance alone sets them as far apart: a paired, two-sided test by person.
    """

    axis: str
    group: str
    a: Rate
    b: Rate
    difference: Estimate
    chance: float | None


@dataclass(frozen=True, slots=True)
class AttributeReport:
    """An audit of answers about one attribute: of one system, or of two on the same pictures."""

    title: str
    made_at: datetime
    made_by: str
    data: DataFacts
    attribute: str
    findings: tuple[AttributeFindings, ...]
    differences: tuple[GroupDifference, ...]
    problems: tuple[RowProblem, ...]
    schema: str = SCHEMA


def to_json(report: AttributeReport) -> bytes:
    """Give a report as JSON, numbers as they are."""
    return json.dumps(asdict(report), indent=1, default=str, allow_nan=False).encode()
