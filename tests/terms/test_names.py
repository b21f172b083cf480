"""Names are kept in one spelling, and cost no more to read than they are worth."""

import time

import pytest

from likeness.errors import InvalidRequest
from likeness.terms import checked_name, composed, spellings


def test_a_name_has_as_many_spellings_as_it_can_be_written_in() -> None:
    assert spellings("Ulla") == ("Ulla",)
    assert spellings("Zo\u00eb") == ("Zo\u00eb", "Zoe\u0308")
    assert composed("Zoe\u0308") == "Zo\u00eb"


def test_the_marks_of_a_name_that_is_too_long_are_not_sorted() -> None:
    def cost(marks: int) -> float:
        begun = time.process_time()
        name = "a" + "\u0315\u0300" * marks
        with pytest.raises(InvalidRequest, match="not 1 to 255"):
            checked_name(name, "a name")
        assert spellings(name)[0] == name
        return time.process_time() - begun

    # To sort them takes 250,000 times as long for 500 times as many.
    assert cost(1_000_000) < 100 * max(cost(2000), 0.005)
