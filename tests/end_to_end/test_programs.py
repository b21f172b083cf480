"""Programs that were written for Amazon Rekognition, run as they are in processes of their own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.rekognition.operations.discs import BLUE, GREEN, RED, disc

from .conftest import Served

PROGRAMS = Path(__file__).parent / "programs"


def test_a_program_that_indexes_a_folder_and_makes_users(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    server = serve()
    folder, probe = tmp_path / "photos", tmp_path / "probe.png"
    folder.mkdir()
    for name, colour in (("ada", RED), ("ben", GREEN), ("cem", BLUE)):
        (folder / f"{name}.png").write_bytes(disc(colour))
    probe.write_bytes(disc(GREEN, side=128))
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL_REKOGNITION": server.url,
        "AWS_ACCESS_KEY_ID": server.admin.access_key_id,
        "AWS_SECRET_ACCESS_KEY": server.admin.secret,
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    command = [sys.executable, PROGRAMS / "folder_and_users.py", "family", folder, probe]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "ARN aws:rekognition:eu-central-1:000000000000:collection/family",
        "indexed ada",
        "indexed ben",
        "indexed cem",
        "listed ['ada', 'ben', 'cem']",
        "found ['ben']",
        "status UPDATING 1",
        "users ['somebody']",
        "ResourceNotFoundException - The collection id: nowhere does not exist",
        "UnknownOperationException",
        "deleted 200",
    ]
