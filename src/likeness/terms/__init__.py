"""What everything is called: frozen values and pure functions that all packages share."""

from likeness.terms.calibration import (
    Calibration,
    OperatingPoint,
    TailRates,
    rate_for_search,
    rate_of,
    rate_of_any,
    similarity,
)
from likeness.terms.closing import Closing
from likeness.terms.crowding import FEWEST_SUBJECTS, MOST_SUBJECTS, Cohort, Joining
from likeness.terms.decision import Decision, Duty, Obligation, Rule
from likeness.terms.group_rates import (
    WARN_FROM,
    GroupPoint,
    GroupRates,
    GroupWarning,
    MeasuredGroups,
)
from likeness.terms.moments import clock, moment
from likeness.terms.names import checked_name, checked_text, composed, spellings
from likeness.terms.picture import (
    Box,
    Face,
    Image,
    Landmarks,
    Point,
    Pose,
    Quality,
    QualityReason,
    SeenFace,
)
from likeness.terms.rate_tables import one_in
from likeness.terms.streams import in_batches, in_parallel
from likeness.terms.template import (
    IDENTICAL,
    LEAST_UNIT,
    SAME_PICTURE,
    CohortStatistics,
    Comparison,
    Template,
    compare,
    relative_scores,
)
from likeness.terms.use import (
    UNDECLARED,
    Action,
    CollectionFacts,
    Footage,
    LiveStatement,
    Principal,
    Role,
    Use,
)

__all__ = [
    "FEWEST_SUBJECTS",
    "IDENTICAL",
    "LEAST_UNIT",
    "MOST_SUBJECTS",
    "SAME_PICTURE",
    "UNDECLARED",
    "WARN_FROM",
    "Action",
    "Box",
    "Calibration",
    "Closing",
    "Cohort",
    "CohortStatistics",
    "CollectionFacts",
    "Comparison",
    "Decision",
    "Duty",
    "Face",
    "Footage",
    "GroupPoint",
    "GroupRates",
    "GroupWarning",
    "Image",
    "Joining",
    "Landmarks",
    "LiveStatement",
    "MeasuredGroups",
    "Obligation",
    "OperatingPoint",
    "Point",
    "Pose",
    "Principal",
    "Quality",
    "QualityReason",
    "Role",
    "Rule",
    "SeenFace",
    "TailRates",
    "Template",
    "Use",
    "checked_name",
    "checked_text",
    "clock",
    "compare",
    "composed",
    "in_batches",
    "in_parallel",
    "moment",
    "one_in",
    "rate_for_search",
    "rate_of",
    "rate_of_any",
    "relative_scores",
    "similarity",
    "spellings",
]
