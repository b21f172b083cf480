"""AWS's SDK for JavaScript as it comes from npm, against a server on loopback."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cli.conftest import RED
from tests.rekognition.conftest import Running

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent / "javascript"


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, with the SDK that its lock file pins beside it."""
    for needed in ("node", "npm"):
        if shutil.which(needed) is None:
            pytest.skip(f"needs Debian's packages nodejs and npm, and {needed} is not installed")
    folder = tmp_path_factory.mktemp("javascript")
    shutil.copytree(PROGRAM, folder, dirs_exist_ok=True)
    npm = subprocess.run(
        # What the lock file says to the byte; nothing that comes is run.
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    # A registry that cannot be reached is one thing, one that gives other bytes another.
    assert not {"EINTEGRITY", "EUSAGE"} & set(npm.stderr.split()), npm.stderr
    if npm.returncode:
        pytest.skip(f"needs npm's registry: {' '.join(npm.stderr.split())[:200]}")
    return folder / "enrol.mjs"


@pytest.mark.services
def test_the_javascript_sdk_enrols(program: Path, discs: Running, tmp_path: Path) -> None:
    pixels = np.full((160, 160, 3), 128, np.uint8)
    cv2.circle(pixels, (80, 80), 53, RED[::-1], -1)
    cv2.imwrite(str(tmp_path / "one.png"), pixels)
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL_REKOGNITION": discs.url,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": discs.access_key_id,
        "AWS_SECRET_ACCESS_KEY": discs.secret,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    run = subprocess.run(
        ["node", program, "javascript", tmp_path / "one.png"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    answers = json.loads(run.stdout)
    (record,) = answers["indexed"]["FaceRecords"]
    assert answers["created"]["StatusCode"] == 200
    assert record["Face"]["ExternalImageId"] == "one.png"
    assert [face["FaceId"] for face in answers["listed"]["Faces"]] == [record["Face"]["FaceId"]]
    assert "javascript" in answers["collections"]
    assert answers["again"] == {
        "status": 400,
        "message": "The collection id: javascript already exists.",
    }
