"""The AWS CLI as it comes, against a server on loopback."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Running

pytestmark = pytest.mark.slow


def aws(server: Running, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command of Rekognition's, with nothing of the developer's configuration."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": server.access_key_id,
        "AWS_SECRET_ACCESS_KEY": server.secret,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_REKOGNITION": server.url,
        "AWS_MAX_ATTEMPTS": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "awscli", "rekognition", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def answered(server: Running, home: Path, *arguments: str) -> Any:
    done = aws(server, home, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_cli_makes_and_lists_a_collection(discs: Running, tmp_path: Path) -> None:
    made = answered(discs, tmp_path, "create-collection", "--collection-id", "by-the-cli")
    assert made["StatusCode"] == 200
    listed = answered(discs, tmp_path, "list-collections")
    assert "by-the-cli" in listed["CollectionIds"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("create-collection", "--collection-id", "a b"),
            "An error occurred (ValidationException) when calling the CreateCollection operation:"
            " 1 validation error detected: Value 'a b' at 'collectionId'",
        ),
        (
            ("list-collections", "--no-sign-request"),
            "An error occurred (MissingAuthenticationTokenException) when calling the"
            " ListCollections operation: Missing Authentication Token",
        ),
        (
            ("list-stream-processors",),
            "An error occurred (UnknownOperationException) when calling the ListStreamProcessors"
            " operation: ListStreamProcessors is not offered by Likeness.",
        ),
    ],
)
def test_the_cli_is_told_what_is_wrong(
    discs: Running, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = aws(discs, tmp_path, *arguments)
    assert done.returncode != 0
    assert words in done.stderr
