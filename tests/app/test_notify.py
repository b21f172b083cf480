"""Which topics and streams settings stand for, and which of them a live search tells."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from likeness.app.notify import frames_told_by, kinesis_of, topics_of
from likeness.config import Settings
from likeness.errors import InvalidRequest
from likeness.jobs import Job, JobState
from likeness.notify import KinesisOutput, KinesisStreams, SnsTopics
from likeness.service.live.asked import LIVE_SEARCH, LiveAsked, LiveRequest
from likeness.service.uses import Stated
from likeness.terms import LiveStatement, Principal, Role

Made = SnsTopics | KinesisStreams
BOTH = pytest.mark.parametrize(
    ("make", "name", "kind"),
    [(topics_of, "sns", SnsTopics), (kinesis_of, "kinesis", KinesisStreams)],
)


@BOTH
def test_nothing_is_told_where_no_endpoint_is_set(
    tmp_path: Path, make: Callable[[Settings], Made | None], name: str, kind: type[Made]
) -> None:
    assert make(Settings(home=tmp_path)) is None


@BOTH
def test_an_endpoint_with_its_key_is_told(
    tmp_path: Path, make: Callable[[Settings], Made | None], name: str, kind: type[Made]
) -> None:
    chosen = {
        f"{name}_endpoint": "http://127.0.0.1:1",
        f"{name}_access_key_id": "id",
        f"{name}_secret_access_key": "secret",
    }
    assert isinstance(make(Settings(home=tmp_path, **chosen)), kind)
    del chosen[f"{name}_secret_access_key"]
    with pytest.raises(InvalidRequest, match=f"LIKENESS_{name.upper()}_SECRET_ACCESS_KEY"):
        make(Settings(home=tmp_path, **chosen))


JOB = Job("0a" * 32, LIVE_SEARCH, JobState.RUNNING, "key:ada", None, datetime.now(UTC))


def request(**changed: str) -> LiveRequest:
    asked = LiveAsked(source="gate", collection="staff", statement=LiveStatement(), **changed)
    who = Principal("key:ada", Role.CLIENT)
    return LiveRequest(
        asked=asked,
        source_id=UUID(int=1),
        began_at=JOB.made_at,
        case_id=None,
        operation="Start",
        principal=who,
        stated=Stated(),
    )


def test_a_search_tells_the_stream_that_it_names_and_no_other() -> None:
    streams = KinesisStreams(
        "http://127.0.0.1:1", region="us-east-1", access_key_id="id", secret_access_key="secret"
    )
    make = frames_told_by(streams)
    assert make(JOB, request()) is None
    output = make(JOB, request(kinesis_arn="arn:aws:kinesis:eu-west-1:123456789012:stream/frames"))
    assert isinstance(output, KinesisOutput)
    output.close()


def test_a_stream_that_cannot_be_told_any_more_is_a_reason_to_fail() -> None:
    make = frames_told_by(None)
    assert make(JOB, request()) is None
    with pytest.raises(InvalidRequest, match="LIKENESS_KINESIS_ENDPOINT"):
        make(JOB, request(kinesis_arn="arn:aws:kinesis:eu-west-1:123456789012:stream/frames"))
