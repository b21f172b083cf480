"""What a set of pictures covers: the values that reports draw and JSON holds.

Nothing here is computed.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from likeness.service.evaluate.findings import DataFacts, RowProblem, Suspicion

SCHEMA = "likeness-coverage/1"


@dataclass(frozen=True, slots=True)
class CoveredGroup:
    """One group: pictures, people, pairs, and the lowest rates that it could carry.

    `fmr` and `fnmr` are those of which 30 errors could be seen if every pair counted as independent
    (the best case), `fmr_surely` and `fnmr_surely` if no two pairs may share a person. `*_bound` is
    what no error at all would bound the rate by, by pairs of different people alone. None where it
    carries none.
    """

    group: str
    images: int
    subjects: int
    mated: int
    nonmated: int
    fmr: float | None
    fmr_surely: float | None
    fmr_bound: float | None
    fnmr: float | None
    fnmr_surely: float | None
    fnmr_bound: float | None
    fta: float | None


@dataclass(frozen=True, slots=True)
class CoveredAxis:
    """All groups of a column, of two crossed, or of what is measured.

    `kind` is `whole`, `labelled`, `crossed` or `measured`. `shannon` and `simpson` are how even
    they are, 1 where all have as many pictures. `missing` are groups that nobody is in.
    """

    axis: str
    kind: str
    groups: tuple[CoveredGroup, ...]
    shannon: float | None
    simpson: float | None
    unknown: int
    missing: tuple[str, ...] = ()
    missing_count: int = 0


@dataclass(frozen=True, slots=True)
class MeasuredGroup:
    """What is measured of one group: medians, and the share of pictures that are fit to enrol."""

    axis: str
    group: str
    images: int
    sharpness: float | None
    brightness: float | None
    size: float | None
    yaw: float | None
    fit: float | None
    no_face: int


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """What a set covers."""

    title: str
    made_at: datetime
    made_by: str
    data: DataFacts
    axes: tuple[CoveredAxis, ...]
    measured: tuple[MeasuredGroup, ...]
    failures: tuple[tuple[str, int], ...]
    spans: tuple[tuple[float, int], ...]
    """(years, people whose first and last pictures are at least so far apart)."""
    span: float | None
    """The median of years between the first and the last picture of people with two dates."""
    needed: tuple[tuple[float, int, int], ...]
    """(FMR, people whom it needs in each group at least, and surely)."""
    problems: tuple[RowProblem, ...]
    suspicions: tuple[Suspicion, ...]
    limits: tuple[str, ...]
    schema: str = SCHEMA


def to_json(report: CoverageReport) -> bytes:
    """Give a report as JSON, numbers as they are."""
    return json.dumps(asdict(report), indent=1, default=str, allow_nan=False).encode()
