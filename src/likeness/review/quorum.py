"""When have people decided about a candidate? When as many agree as are owed, or never will.

1. As many as are owed say the same: that is what they decided.
2. They differ, or cannot tell: one more person is asked, and no more than one.
3. Agreement is out of reach: undecided, and what is undecided stays withheld.
"""

from collections.abc import Sequence
from enum import StrEnum


class Verdict(StrEnum):
    """What a person says of a probe and a candidate."""

    SAME = "same"
    NOT_SAME = "not-same"
    CANNOT_TELL = "cannot-tell"


class Standing(StrEnum):
    """Where a candidate stands."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UNDECIDED = "undecided"


def standing(verdicts: Sequence[Verdict], owed: int) -> Standing:
    """Say where a candidate stands after these verdicts, each of another person."""
    if not owed:
        return Standing.CONFIRMED
    same, not_same = verdicts.count(Verdict.SAME), verdicts.count(Verdict.NOT_SAME)
    if not_same >= owed:
        return Standing.REJECTED
    if same >= owed:
        return Standing.CONFIRMED
    left = owed + 1 - len(verdicts)
    return Standing.OPEN if max(same, not_same) + left >= owed else Standing.UNDECIDED
