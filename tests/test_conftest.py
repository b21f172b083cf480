"""The promise of .ci/run: what needs a system package runs, or the run fails."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SUITE = """
import pytest

@pytest.mark.services
def test_of_a_service():
    pytest.skip("no such service here")

def test_of_nothing_special():
    pytest.skip("for another reason")

@pytest.mark.services
def test_of_evaluation_data(shared_data):
    shared_data("of which there are none")
"""


@pytest.mark.parametrize(
    ("forbidden", "outcome"), [("", "3 skipped"), ("models,services", "1 failed, 2 skipped")]
)
def test_only_skips_that_are_forbidden_fail(tmp_path: Path, forbidden: str, outcome: str) -> None:
    (tmp_path / "conftest.py").write_text((Path(__file__).parent / "conftest.py").read_text())
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = services\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", tmp_path],
        env={"PYTHONPATH": ":".join(sys.path), "LIKENESS_FORBID_SKIPS": forbidden},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in run.stdout.splitlines()[-1], run.stdout + run.stderr
