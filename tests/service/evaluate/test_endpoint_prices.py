"""What calls cost, in words before they are made."""

import math

import pytest

from likeness.errors import InvalidRequest
from likeness.service.evaluate.systems.endpoint.prices import cost_of, is_aws, prices_of


@pytest.mark.parametrize(
    ("url", "aws"),
    [
        (None, True),
        ("https://rekognition.us-east-1.amazonaws.com", True),
        ("https://rekognition.cn-north-1.amazonaws.com.cn/", True),
        ("http://127.0.0.1:8020", False),
        ("https://amazonaws.com.example.org", False),
        ("https://notamazonaws.com", False),
    ],
)
def test_only_aws_has_the_prices_of_aws(url: str | None, aws: bool) -> None:
    assert is_aws(url) is aws
    assert bool(prices_of(url, None)[0]) is aws


@pytest.mark.parametrize("price", [-0.01, math.nan, math.inf])
def test_what_is_no_price_is_refused(price: float) -> None:
    with pytest.raises(InvalidRequest, match="A price is no amount"):
        prices_of(None, {"CompareFaces": price})


def question(calls: dict[str, int], most_more: int, prices: dict[str, float] | None = None) -> str:
    cost = cost_of(
        "Amazon Rekognition in us-east-1",
        calls,
        done=2000,
        most_more=most_more,
        prices=prices_of(None if prices is None else "http://x", prices),
        calls_per_second=5,
    )
    return cost.question


def test_the_cost_is_one_line_with_all_that_decides() -> None:
    assert question({"CompareFaces": 6000}, 500) == (
        "Ask Amazon Rekognition in us-east-1 for 6,000 calls of CompareFaces, and up to 500 of"
        " DetectFaces (2,000 were answered before)? It costs $6.00 to $6.50 (by AWS's list price"
        " for us-east-1 as known in 2026, before tax; check its page). It takes 20 minutes or more."
        " Pictures of people are sent there."
    )


def test_a_price_that_nobody_knows_is_not_made_up() -> None:
    assert "not known" in question({"CompareFaces": 10}, 0, {})
    assert "not known" in question({"CompareFaces": 10}, 5, {"CompareFaces": 1.0})
    assert "$10.00 (by the prices that you gave)" in question(
        {"CompareFaces": 10}, 0, {"CompareFaces": 1.0}
    )
