"""What rules say of a use: allowed, refused, or allowed once something is done."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that decided; `id` is unique among all packs, `source` says where it is written."""

    id: str
    pack: str
    source: str


class Duty(StrEnum):
    """What has to be done before an answer, or a part of it, may be used."""

    SIMILARITY = "similarity"
    """Candidates below `amount` percent of similarity are withheld."""
    REVIEW = "review"
    """`amount` people have to look, and to agree."""
    SEPARATE_REVIEW = "separate-review"
    """`amount` people have to look, none of whom knows what the others said."""
    AUTHORISATION = "authorisation"
    """An authority's consent within `amount` hours, or the result is deleted."""
    QUOTA = "quota"
    """At most `amount` uses a day."""
    NOTICE = "notice"
    """People have been told that they are looked for; the operator states so."""


@dataclass(frozen=True, slots=True)
class Obligation:
    """A duty, how much of it, and the rule that demands it."""

    duty: Duty
    amount: float
    rule: Rule


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules in force say of one use at one moment.

    `refused_by` is empty where the use is allowed; `obligations` are those not met yet, the
    strictest of each duty. `allowed_by` are the permits that were satisfied. `rules_digest` names
    the rule set, to the byte. `true_positives` is the fact of that name that rules went by.
    """

    allowed_by: tuple[Rule, ...]
    refused_by: tuple[Rule, ...]
    obligations: tuple[Obligation, ...]
    rules_digest: str
    true_positives: Decimal = Decimal(0)

    @property
    def allowed(self) -> bool:
        """Whether some rule permits the use and none refuses it."""
        return bool(self.allowed_by) and not self.refused_by

    def amount_of(self, duty: Duty) -> float | None:
        """How much of a duty is owed; None where it is not."""
        return next((one.amount for one in self.obligations if one.duty is duty), None)
