"""Which topics and streams settings stand for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from likeness.app.notify import kinesis_of, topics_of
from likeness.config import Settings
from likeness.errors import InvalidRequest
from likeness.notify import KinesisStreams, SnsTopics

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
