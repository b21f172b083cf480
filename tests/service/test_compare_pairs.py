"""What is written about pairs is text, whatever their pictures are called."""

from likeness.errors import InvalidRequest
from likeness.service.search.compare_pairs import Pair, PairScore


def test_no_spreadsheet_computes_the_name_of_a_picture() -> None:
    row = PairScore(Pair("=1+1.jpg", "b.jpg"), (InvalidRequest("@SUM(A1)"),)).row()
    assert row[:2] == ("'=1+1.jpg", "b.jpg")
    assert row[5] == "'@SUM(A1)"
