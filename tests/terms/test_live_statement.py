"""What is stated of a live search is said in words, and when it ends in a moment."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from likeness.errors import InvalidRequest
from likeness.terms import LiveStatement


@pytest.mark.parametrize("field", ["place", "authority", "criteria"])
@pytest.mark.parametrize("text", ["", " ", "two\nlines", "a\x00b", "x" * 1001])
def test_a_statement_that_says_nothing_or_cannot_be_kept_is_refused(field: str, text: str) -> None:
    with pytest.raises(InvalidRequest, match=f"Not the {field} of a live search"):
        LiveStatement(**{field: text})


@pytest.mark.parametrize(
    "ends_at",
    [
        datetime(2027, 5, 1),
        datetime.max.replace(
            tzinfo=timezone(timedelta(hours=-1))
        ),  # in UTC there is no such moment
        datetime(999, 1, 1, tzinfo=UTC),
    ],
)
def test_an_end_that_is_no_moment_or_too_far_off_is_refused(ends_at: datetime) -> None:
    with pytest.raises(InvalidRequest, match="has no time zone, or lies too far off"):
        LiveStatement(ends_at=ends_at)


def test_whatever_is_stated_in_words_is_taken() -> None:
    ends_at = datetime(2027, 5, 1, tzinfo=UTC)
    stated = LiveStatement("Gare de l'Est, hall 1", "Tribunal, nº 12", "x" * 1000, ends_at)
    assert stated.ends_at == ends_at
    assert LiveStatement() == LiveStatement(None, None, None, None)
