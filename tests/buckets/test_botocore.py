"""The version of botocore whose connections are bounded, and what is private of it there.

botocore has no setting for how long an answer may take from its first byte to its last, nor for how
much an error may say. `bound_answers` swaps the classes of its connections, in a place without a
public name. With another version that place may be elsewhere, and the bounds would be gone without
an error. Whoever takes a new version runs tests/buckets and moves the pin in pyproject.toml.
"""

import tomllib
from importlib.metadata import version
from pathlib import Path

from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool
from botocore.session import Session

from likeness.bounded_answers import bound_answers

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_botocore_is_the_version_whose_connections_are_bounded() -> None:
    dependencies = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    (pin,) = [one for one in dependencies if one.startswith("botocore")]
    assert pin.startswith("botocore==")
    assert version("botocore").startswith(pin.removeprefix("botocore==").removesuffix("*"))


def test_the_connections_of_one_client_are_bounded_and_of_no_other() -> None:
    bounded, other = (
        Session().create_client(
            "s3",
            region_name="us-east-1",
            aws_access_key_id="id",
            aws_secret_access_key="secret",
        )
        for _ in range(2)
    )
    bound_answers(bounded)
    assert classes_of(other) == {"http": AWSHTTPConnectionPool, "https": AWSHTTPSConnectionPool}
    for scheme, kind in classes_of(bounded).items():
        assert issubclass(kind, classes_of(other)[scheme])
        assert kind is not classes_of(other)[scheme]


def classes_of(client: object) -> dict[str, type]:
    """What a client makes its connections of, for each scheme."""
    return client._endpoint.http_session._pool_classes_by_scheme  # type: ignore[attr-defined]
