"""The AWS CLI as it comes, against a server on loopback."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.rekognition.operations.discs import RED, disc
from tests.rekognition.operations.moving_discs import clip_of

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


def test_the_cli_searches_a_clip_and_turns_pages(discs: Running, tmp_path: Path) -> None:
    bucket = discs.home / "buckets" / "clips"
    bucket.mkdir(parents=True)
    clip_of(bucket / "one.mp4", (RED, 60, 0, 20), frames=20)
    (tmp_path / "red.png").write_bytes(disc(RED))
    staff = ("--collection-id", "seen-by-the-cli")
    answered(discs, tmp_path, "create-collection", *staff)
    red = f"fileb://{tmp_path / 'red.png'}"
    answered(discs, tmp_path, "index-faces", *staff, "--image-bytes", red)
    video = '{"S3Object":{"Bucket":"clips","Name":"one.mp4"}}'
    job = answered(discs, tmp_path, "start-face-search", *staff, "--video", video)["JobId"]
    ends = time.monotonic() + 60
    asked = ("get-face-search", "--job-id", job, "--max-results", "2", "--sort-by", "INDEX")
    while (page := answered(discs, tmp_path, *asked))["JobStatus"] == "IN_PROGRESS":
        assert time.monotonic() < ends
    assert page["JobStatus"] == "SUCCEEDED", page
    token = page["NextToken"]
    rest = answered(discs, tmp_path, *asked, "--next-token", token)
    assert [one["Timestamp"] for one in page["Persons"] + rest["Persons"]] == [0, 500, 1000, 1500]
    for one in page["Persons"]:
        assert one["FaceMatches"][0]["Similarity"] > 99


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
            ("list-media-analysis-jobs",),
            "An error occurred (UnknownOperationException) when calling the"
            " ListMediaAnalysisJobs operation: ListMediaAnalysisJobs is not offered by Likeness.",
        ),
    ],
)
def test_the_cli_is_told_what_is_wrong(
    discs: Running, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = aws(discs, tmp_path, *arguments)
    assert done.returncode != 0
    assert words in done.stderr
