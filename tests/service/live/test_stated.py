"""What is stated of a live search, beside what an admin declared of its source."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from likeness.errors import InvalidRequest
from likeness.service.live.asked import LiveAsked
from likeness.service.live.start import as_live
from likeness.service.uses import Caller, Stated
from likeness.sources import Source, SourceKind
from likeness.terms import Action, LiveStatement, Principal, Role, Use

STATED = LiveStatement("the north gate", "the head of security", "staff")


def use(declared: str, kind: SourceKind = SourceKind.STREAM, **stated: object) -> Use:
    """Say what rules are asked about, where so much is declared of a source."""
    at = datetime(2027, 1, 1, tzinfo=UTC)
    source = Source(uuid4(), "gate", kind, "rtsp://camera.example", declared, None, at, "key:ada")
    caller = Caller(Principal("key:1", Role.CLIENT), "StartLiveSearch", Stated(**stated))  # type: ignore[arg-type]
    asked = LiveAsked(source="gate", collection="staff", statement=STATED)
    return as_live(caller, asked, source).use(Action.SEARCH)


def test_a_stream_is_of_this_moment_and_bears_what_was_stated() -> None:
    begun = use("undeclared")
    assert (begun.live, begun.live_search, begun.footage) == (True, STATED, "undeclared")


def test_a_file_is_of_another_moment_unless_the_caller_says_that_it_is_not() -> None:
    assert not use("undeclared", SourceKind.FILE).live
    assert use("undeclared", SourceKind.FILE, live=True).live


@pytest.mark.parametrize("stated", [None, "undeclared", "body-camera"])
def test_what_an_admin_declared_of_a_source_counts(stated: str | None) -> None:
    assert use("body-camera", footage=stated).footage == "body-camera"


def test_no_statement_takes_back_what_an_admin_declared() -> None:
    with pytest.raises(InvalidRequest, match="registered as body-camera"):
        use("body-camera", footage="upload")


def test_of_a_source_that_nobody_declared_the_callers_word_counts() -> None:
    assert use("undeclared", footage="drone").footage == "drone"
