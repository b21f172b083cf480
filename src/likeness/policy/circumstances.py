"""What is known of a use at the moment of asking, beside what its caller states."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from likeness.policy.words import Notice, known_footage
from likeness.terms import Footage, Use


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of a use at the moment of asking; the defaults are those of one just begun.

    `similarity` is the percent of the candidate least alike among those to be answered: 0 while
    there are no scores, 100 where there is no candidate. `separate_reviews` are those of `reviews`
    whose reviewers knew of no other's verdict. `uses_today` are the organisation's before this
    one. `footage` is what the collection declares; what the caller states is of the use.
    `authorised` is an authority's consent to this use, on record. `least_true_positives` is
    the percent of true positives in the group with the fewest, by NIST's test of the model in use,
    on an accepted report card: 0 without one.

    Raises:
        ValueError: a number is out of range.
    """

    similarity: float = 0.0
    reviews: int = 0
    separate_reviews: int = 0
    least_true_positives: Decimal = Decimal("0.0")
    authorised: bool = False
    since_use: timedelta = timedelta(0)
    notice_shown: bool = False
    uses_today: int = 0
    footage: Footage = Footage.UNDECLARED
    suspended: bool = False
    clock_set_back: bool = False

    def __post_init__(self) -> None:
        """Refuse what nobody can have counted."""
        if not 0 <= self.similarity <= 100:  # refuses NaN too
            raise ValueError(f"Not a similarity: {self.similarity}. Give 0 to 100 percent.")
        if not 0 <= self.least_true_positives <= 100:
            raise ValueError(
                f"Not true positives: {self.least_true_positives}. Give 0 to 100 percent."
            )
        if not 0 <= self.separate_reviews <= self.reviews or self.uses_today < 0:
            raise ValueError(
                f"No such counts: {self.separate_reviews} separate reviews of {self.reviews},"
                f" {self.uses_today} uses. Give counts from 0, separate reviews among reviews."
            )

    @classmethod
    def at_admission(cls, use: Use, uses_today: int) -> "Circumstances":
        """Give those of a use before anything of it is done, as its collection declares them."""
        return cls(
            notice_shown=use.collection.notice == Notice.SHOWN,
            uses_today=uses_today,
            footage=known_footage(use.collection.footage),
        )
