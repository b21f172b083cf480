"""Both kinds of buckets, each with a way to put objects into it."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from likeness.buckets import Buckets, FolderBuckets, HeldBuckets, S3Buckets
from tests.services.moto import KEY_ID, REGION, SECRET, client, moto


@dataclass(frozen=True, slots=True)
class Storage:
    """Buckets, and what puts an object into one: its bucket, its key, its bytes."""

    buckets: Buckets
    put: Callable[[str, str, bytes], None]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    with moto() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def s3_client(s3_server: str) -> Any:
    return client("s3", s3_server)


@pytest.fixture
def s3(s3_client: Any) -> Iterator[Any]:
    """A client of the server, which holds nothing."""
    yield s3_client
    for bucket in s3_client.list_buckets()["Buckets"]:
        name = bucket["Name"]
        for one in s3_client.list_object_versions(Bucket=name).get("Versions", []):
            s3_client.delete_object(Bucket=name, Key=one["Key"], VersionId=one["VersionId"])
        s3_client.delete_bucket(Bucket=name)


@pytest.fixture(scope="session")
def s3_storage(s3_server: str, tmp_path_factory: pytest.TempPathFactory) -> S3Buckets:
    """What reads the server's buckets; it keeps nothing but its connections."""
    return s3_buckets(s3_server, tmp_path_factory.mktemp("s3") / "work")


def s3_buckets(endpoint: str, work: Path = Path("/nowhere")) -> S3Buckets:
    return S3Buckets(
        endpoint, region=REGION, access_key_id=KEY_ID, secret_access_key=SECRET, work=work
    )


@pytest.fixture(params=["folder", "held", pytest.param("s3", marks=pytest.mark.slow)])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    if request.param in ("folder", "held"):

        def put_file(bucket: str, key: str, content: bytes) -> None:
            path = tmp_path / "buckets" / bucket / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

        folder = FolderBuckets(tmp_path / "buckets")
        with HeldBuckets(folder) as held:
            yield Storage(held if request.param == "held" else folder, put_file)
        return

    s3 = request.getfixturevalue("s3")

    def put_object(bucket: str, key: str, content: bytes) -> None:
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key=key, Body=io.BytesIO(content))

    yield Storage(request.getfixturevalue("s3_storage"), put_object)
