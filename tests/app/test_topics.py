"""Which topics settings stand for."""

from pathlib import Path

import pytest

from likeness.app.topics import topics_of
from likeness.config import Settings
from likeness.errors import InvalidRequest
from likeness.notify import SnsTopics


def test_nothing_is_told_where_no_endpoint_is_set(tmp_path: Path) -> None:
    assert topics_of(Settings(home=tmp_path)) is None


def test_an_endpoint_with_its_key_is_told(tmp_path: Path) -> None:
    chosen = {
        "sns_endpoint": "http://127.0.0.1:1",
        "sns_access_key_id": "id",
        "sns_secret_access_key": "secret",
    }
    assert isinstance(topics_of(Settings(home=tmp_path, **chosen)), SnsTopics)
    del chosen["sns_secret_access_key"]
    with pytest.raises(InvalidRequest, match="LIKENESS_SNS_SECRET_ACCESS_KEY"):
        topics_of(Settings(home=tmp_path, **chosen))
