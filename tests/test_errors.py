"""What every package may raise, and what it says of a thing that cannot be missing."""

import pytest

from likeness.errors import Fault, required


def test_what_is_there_is_given_back_though_it_is_empty() -> None:
    assert required("", "a text") == ""
    assert required(0, "a number") == 0


def test_what_cannot_be_missing_is_a_fault_that_names_it() -> None:
    with pytest.raises(Fault, match=r"^Missing: a watch's picture\. Please report this"):
        required(None, "a watch's picture")
