"""Ages as people and systems write them."""

import pytest

from likeness.service.evaluate.ages import Years, are_ages, band_of, banded, in_order, years_of


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("34", 34, 34),
        (" 34.5 ", 34.5, 34.5),
        ("20-28", 20, 28),
        ("20 \u2013 28", 20, 28),
        ("20 to 28", 20, 28),
        ("\u0663\u0664", 34, 34),
        ("70+", 70, 150),
        ("more than 70", 70, 150),
        ("Under 3", 0, 3),
    ],
)
def test_ages_are_read(text: str, low: float, high: float) -> None:
    assert years_of(text) == (low, high)


@pytest.mark.parametrize("text", ["", "F", "20-", "-3", "28-20", "1999", "160", "1e5", "nan"])
def test_what_is_no_age_is_none(text: str) -> None:
    assert years_of(text) is None


def test_few_whole_numbers_are_codes() -> None:
    assert not are_ages(["0", "1", "1", "0"])
    assert are_ages(["0", "1", "17", "20", "33", "40"])
    assert are_ages(["0-2", "3-9"])
    assert not are_ages(["0-2", "3-9", "old"])
    assert not are_ages([])


def test_ages_go_into_bands_and_bands_stay() -> None:
    ages = ["2", "3", "9.5", "19", "20", "69", "70", "101", ""]
    bands = ("0-2", "3-9", "3-9", "10-19", "20-29", "60-69", "70+", "70+", "")
    assert banded(ages) == bands
    assert banded(["20-29", "more than 70", ""]) == ("20-29", "70+", "")
    assert banded(["1", "2", ""]) == ("1", "2", "")
    assert band_of(Years(0, 2)) == "0-2"


def test_ages_are_in_order_of_years() -> None:
    assert in_order(["10-19", "70+", "3-9", "dark", "0-2"]) == [
        *("0-2", "3-9", "10-19", "70+"),
        "dark",
    ]
