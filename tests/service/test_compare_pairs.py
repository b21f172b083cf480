"""What is written about pairs is text, whatever their pictures are called."""

from likeness.errors import InvalidRequest
from likeness.service.search.compare_pairs import COLUMNS_OUT, Pair, PairFailure, PairScore


def test_no_spreadsheet_computes_the_name_of_a_picture() -> None:
    failure = PairFailure(None, InvalidRequest("@SUM(A1)"))
    row = PairScore(Pair("=1+1.jpg", "b.jpg"), failure).row()
    assert row[:2] == ("'=1+1.jpg", "b.jpg")
    assert row[5] == "'@SUM(A1)"
    assert dict(zip(COLUMNS_OUT, row, strict=True))["failure_b"] == "'@SUM(A1)"
