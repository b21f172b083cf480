"""An endpoint that fails, throttles, lies, or is not there: one clear line, and nothing lost."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from likeness.errors import Fault, InvalidRequest
from likeness.service.evaluate.measure import failures_of
from likeness.service.evaluate.systems.endpoint import asking as asking_module
from likeness.service.evaluate.systems.endpoint import client as client_module
from likeness.service.evaluate.systems.rekognition_system import RekognitionSystem
from tests.service.evaluate.endpoint_trials import PAIRS, PEOPLE, Agreed, plan_of, score
from tests.service.evaluate.fake_endpoint import (
    BOX,
    FakeEndpoint,
    Refusal,
    person_in,
)

pytestmark = pytest.mark.slow

FACE = {"BoundingBox": BOX}


def test_a_third_of_pictures_that_make_the_endpoint_fail_are_failures(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    people = [f"bad{n}" if n % 3 == 0 else f"p{n}" for n in range(12)]

    def trouble(operation: str, pictures: list[bytes]) -> None:
        if any(person_in(one).startswith("bad") for one in pictures):
            raise Refusal("InternalServerError", 500)

    endpoint.trouble = trouble
    pairs = [(a, b) for a in range(12) for b in range(a + 1, 12)]
    scored = score(endpoint, plan_of(tmp_path / "d", people, pairs), tmp_path)
    assert [number for number, _ in scored.failures] == [0, 3, 6, 9]
    assert "InternalServerError" in scored.failures[0][1]
    assert scored.comparisons is not None
    assert int(np.isneginf(scored.comparisons.scores).sum()) == 66 - 28


def test_an_endpoint_that_is_down_ends_the_run_which_goes_on_later(
    endpoint: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_module, "MOST_FAULTS", 10)
    people = [f"p{n}" for n in range(40)]
    plan = plan_of(tmp_path / "d", people, [(n, n + 1) for n in range(39)])

    def trouble(operation: str, pictures: list[bytes]) -> None:
        if endpoint.count("CompareFaces") > 10:
            raise Refusal("InternalServerError", 500)

    endpoint.trouble = trouble
    with pytest.raises(Fault, match="Run the same command again"):
        score(endpoint, plan, tmp_path, workers=1)
    endpoint.trouble = lambda operation, pictures: None
    asked = endpoint.asked.copy()
    scored = score(endpoint, plan, tmp_path, workers=1)
    assert scored.failures == () and scored.comparisons is not None
    assert np.isfinite(scored.comparisons.scores).all()
    again = endpoint.asked - asked
    assert sum(count for key, count in again.items() if key[0] == "CompareFaces") == 29


def test_many_pictures_in_a_row_that_make_the_endpoint_fail_do_not_end_the_run(
    endpoint: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_module, "MOST_FAULTS", 5)

    def trouble(operation: str, pictures: list[bytes]) -> None:
        if any(person_in(one).startswith("bad") for one in pictures):
            raise Refusal("InternalServerError", 500)

    endpoint.trouble = trouble
    people = ["anna", "anna", *(f"bad{n}" for n in range(20)), "carla"]
    plan = plan_of(tmp_path / "d", people, None)
    scored = score(endpoint, plan, tmp_path)
    assert [number for number, _ in scored.failures] == list(range(2, 22))
    asked = endpoint.asked.copy()
    assert score(endpoint, plan, tmp_path).failures == scored.failures
    assert endpoint.asked == asked


def test_throttling_is_waited_out(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    refused: list[int] = []

    def trouble(operation: str, pictures: list[bytes]) -> None:
        if operation == "CompareFaces" and len(refused) < 8:
            refused.append(1)
            raise Refusal("ProvisionedThroughputExceededException")

    endpoint.trouble = trouble
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS), tmp_path)
    assert scored.failures == () and scored.comparisons is not None
    assert np.isfinite(scored.comparisons.scores).all()


def test_throttling_without_end_ends_the_run(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> None:
        raise Refusal("ThrottlingException")

    endpoint.trouble = trouble
    with pytest.raises(Fault, match="throttles"):
        score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS), tmp_path)


@pytest.mark.parametrize(
    "code",
    ["AccessDeniedException", "UnrecognizedClientException", "UnknownOperationException"],
)
def test_credentials_that_are_refused_end_the_run(
    endpoint: FakeEndpoint, tmp_path: Path, code: str
) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> None:
        raise Refusal(code)

    endpoint.trouble = trouble
    with pytest.raises(InvalidRequest, match=code) as error:
        score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS), tmp_path)
    assert "\n" not in str(error.value)


def test_what_an_endpoint_says_is_made_fit_for_a_terminal(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> Any:
        if operation == "CreateCollection":
            return {"FaceModelVersion": "7\x1b[31m.0\ud800\n"}
        if operation == "DeleteCollection":
            return {}
        raise Refusal("Odd\x1b[2J\ud800" + "x" * 10_000)

    endpoint.trouble = trouble
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS[:1]), tmp_path)
    assert scored.system.version == "7 [31m.0"
    for _, reason in scored.failures:
        assert reason.isprintable() and len(reason) <= 200
    assert len(scored.failures) == 2


@pytest.mark.parametrize(
    "lie",
    [
        {"FaceMatches": [{"Similarity": float("nan"), "Face": FACE}]},
        {"FaceMatches": [{"Similarity": float("inf"), "Face": FACE}]},
        {"FaceMatches": [{"Similarity": 10**400, "Face": FACE}]},
        {"FaceMatches": [{"Similarity": 170.0, "Face": FACE}]},
        {"FaceMatches": [{"Similarity": "99", "Face": FACE}]},
        {"FaceMatches": [{"Similarity": True, "Face": FACE}]},
        {"FaceMatches": [{"Face": FACE}]},
        {"FaceMatches": [{"Similarity": 99.0}]},
        {"FaceMatches": [{"Similarity": 99.0, "Face": {}}]},
        {"FaceMatches": [None]},
        {"FaceMatches": {"Similarity": 3}},
        {},
        [],
        b"",
        b"<html>",
        b"\xff\xfe{",
        b'{"FaceMatches": ' + b"[" * 100_000,
    ],
    ids=range(17),
)
def test_an_answer_that_makes_no_sense_is_a_failure_in_one_line(
    endpoint: FakeEndpoint, tmp_path: Path, lie: Any
) -> None:
    endpoint.trouble = lambda operation, pictures: lie if operation == "CompareFaces" else None
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS), tmp_path)
    assert scored.comparisons is not None
    assert np.isneginf(scored.comparisons.scores).all()
    assert scored.failures == ()
    says = [problem.says for problem in scored.problems]
    assert len(says) == 3
    assert all("\n" not in one and len(one) < 300 for one in says)


def test_an_answer_without_end_is_cut_off(
    endpoint: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_MOST_BYTES", 10_000)
    endpoint.trouble = lambda operation, pictures: b" " * 20_000
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS[:1]), tmp_path)
    assert [number for number, _ in scored.failures] == [0, 1]


def test_a_model_that_changes_half_way_is_said(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> None:
        if endpoint.count("CompareFaces") == 2:
            endpoint.version = "8.0"

    endpoint.trouble = trouble
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS), tmp_path)
    assert scored.system.version == "7.0, 8.0"
    assert any("model changed" in problem.says for problem in scored.problems)


def test_a_model_that_changes_between_searches_is_said_with_counts(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> None:
        if endpoint.count("SearchFacesByImage") == 3:
            endpoint.version = "8.0"

    endpoint.trouble = trouble
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, None), tmp_path, workers=1)
    (problem,) = scored.problems
    assert "6 answers of 7.0, 2 answers of 8.0" in problem.says


def test_of_very_many_versions_and_reasons_the_first_are_said(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> None:
        endpoint.version = f"{len(endpoint.asked)}.0"
        if operation == "SearchFacesByImage" and endpoint.count(operation) % 2:
            raise Refusal(f"Reason{len(endpoint.asked)}")

    endpoint.trouble = trouble
    plan = plan_of(tmp_path / "d", [f"p{n}" for n in range(120)], None)
    scored = score(endpoint, plan, tmp_path, workers=1)
    assert scored.system.version.endswith("more") and len(scored.system.version) < 60
    reasons = failures_of(scored).reasons
    assert len(reasons) == 51 and reasons[-1] == ("other reasons", 10)


def test_an_endpoint_without_collections_compares_all_the_same(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> None:
        if operation == "CreateCollection":
            raise Refusal("UnknownOperationException")

    endpoint.trouble = trouble
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS), tmp_path)
    assert scored.system.version == "unknown" and scored.problems == ()


def test_an_endpoint_that_is_not_there_is_said(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    system = RekognitionSystem("http://127.0.0.1:1", "us-east-1", 99, tmp_path / "j", Agreed())
    with pytest.raises(Fault, match="cannot be reached"):
        system.score(plan_of(tmp_path / "d", PEOPLE, PAIRS), lambda done, total: None)


def test_without_credentials_it_says_which_to_set(
    tmp_path: Path, endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(InvalidRequest, match="AWS_ACCESS_KEY_ID"):
        score(endpoint, plan_of(tmp_path / "d", PEOPLE, PAIRS), tmp_path)
