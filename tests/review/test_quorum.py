"""When people have decided: every case written out."""

from itertools import product

import pytest

from likeness.review import Standing, Verdict
from likeness.review.case import standing

LETTERS = {"s": Verdict.SAME, "n": Verdict.NOT_SAME, "?": Verdict.CANNOT_TELL}

# (what is owed, what was said in turn, where it stands)
TRUTH = [
    (0, "", Standing.CONFIRMED),
    (1, "", Standing.OPEN),
    (1, "s", Standing.CONFIRMED),
    (1, "n", Standing.REJECTED),
    (1, "?", Standing.OPEN),
    (1, "?s", Standing.CONFIRMED),
    (1, "?n", Standing.REJECTED),
    (1, "??", Standing.UNDECIDED),
    (2, "", Standing.OPEN),
    (2, "s", Standing.OPEN),
    (2, "n", Standing.OPEN),
    (2, "?", Standing.OPEN),
    (2, "ss", Standing.CONFIRMED),
    (2, "nn", Standing.REJECTED),
    (2, "sn", Standing.OPEN),
    (2, "ns", Standing.OPEN),
    (2, "s?", Standing.OPEN),
    (2, "?n", Standing.OPEN),
    (2, "??", Standing.UNDECIDED),
    (2, "sns", Standing.CONFIRMED),
    (2, "snn", Standing.REJECTED),
    (2, "nss", Standing.CONFIRMED),
    (2, "sn?", Standing.UNDECIDED),
    (2, "s?s", Standing.CONFIRMED),
    (2, "s?n", Standing.UNDECIDED),
    (2, "?nn", Standing.REJECTED),
    (3, "ss", Standing.OPEN),
    (3, "sss", Standing.CONFIRMED),
    (3, "ssn", Standing.OPEN),
    (3, "ssns", Standing.CONFIRMED),
    (3, "ssnn", Standing.UNDECIDED),
    (3, "s??", Standing.UNDECIDED),
]


@pytest.mark.parametrize(("owed", "said", "expected"), TRUTH)
def test_people_have_decided_when_as_many_agree_as_are_owed(
    owed: int, said: str, expected: Standing
) -> None:
    assert standing([LETTERS[letter] for letter in said], owed) is expected


@pytest.mark.parametrize("owed", [1, 2, 3])
def test_nobody_is_asked_after_one_more_than_are_owed(owed: int) -> None:
    for said in product(Verdict, repeat=owed + 1):
        assert standing(said, owed) is not Standing.OPEN


@pytest.mark.parametrize("owed", [1, 2, 3])
def test_who_spoke_first_makes_no_difference_while_people_are_asked(owed: int) -> None:
    for said in product(Verdict, repeat=owed):
        assert standing(said, owed) is standing(said[::-1], owed)
