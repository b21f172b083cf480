"""What is a use for, when its caller may state it? One of the purposes that they were granted."""

from likeness.policy import known, vocabulary
from likeness.terms import UNDECLARED, Principal


def stated_purpose(principal: Principal, stated: str | None) -> tuple[str, bool]:
    """Give the purpose of a use, and whether it was granted; the first granted where none is said.

    One that was not granted is given in a word that rules know: no entry holds another's words.
    """
    if stated is None:
        return (*principal.purposes, UNDECLARED)[0], True
    if stated in principal.purposes:
        return stated, True
    return known(vocabulary().purposes, stated), False
