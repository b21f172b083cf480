"""Any Rekognition endpoint as the system under test, however it behaves."""

import hashlib
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from likeness.errors import InvalidRequest
from likeness.service.evaluate.systems.endpoint.client import Pace
from likeness.service.evaluate.systems.endpoint.prices import Cost
from likeness.service.evaluate.systems.rekognition_system import RekognitionSystem
from tests.service.evaluate.endpoint_trials import PAIRS, PEOPLE, Agreed, plan_of, score
from tests.service.evaluate.fake_endpoint import (
    FakeEndpoint,
    picture,
    serving,
    similarity,
)

pytestmark = pytest.mark.slow


def test_pairs_have_the_similarities_of_the_endpoint(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path / "d", PEOPLE, PAIRS)
    told: list[tuple[int, int]] = []
    agreed = Agreed()
    system = RekognitionSystem(endpoint.url, "us-east-1", 1000, tmp_path / "journal", agreed)
    scored = system.score(plan, lambda done, total: told.append((done, total)))
    assert scored.comparisons is not None
    expected = [similarity(*(picture(PEOPLE[n], n) for n in pair)) for pair in PAIRS]
    assert scored.comparisons.scores.tolist() == expected
    assert scored.comparisons.mated.tolist() == [True, False, False]
    assert scored.failures == () and not scored.samples.failed.any()
    assert scored.samples.axis("sex").labels == ("f",)
    assert scored.system.version == "7.0" and scored.system.name == endpoint.url
    assert np.isfinite(scored.seconds[[1, 2, 3]]).all() and np.isnan(scored.seconds[0])
    assert told[-1] == (3, 3)
    assert endpoint.collections == {}
    (cost,) = agreed.costs
    assert dict(cost.calls) == {"CompareFaces": 3} and cost.dollars is None


def test_a_second_run_asks_nothing(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "d", (*PEOPLE, "nobody"), (*PAIRS, (0, 4)))
    first = score(endpoint, plan, tmp_path)
    asked = endpoint.asked.copy()
    agreed = Agreed()
    second = score(endpoint, plan, tmp_path, confirm=agreed)
    assert endpoint.asked == asked and agreed.costs == []
    assert first.comparisons is not None and second.comparisons is not None
    assert first.comparisons.scores.tolist() == second.comparisons.scores.tolist()
    assert first.failures == second.failures
    assert first.system == second.system


def test_of_a_pair_that_fails_the_picture_without_a_face_is_found_and_not_sent_again(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    people = ("anna", "nobody", "berta", "carla")
    plan = plan_of(tmp_path / "d", people, [(0, 1), (1, 2), (3, 1), (0, 2)])
    scored = score(endpoint, plan, tmp_path, workers=1)
    assert scored.failures == ((1, "no face found"),)
    assert scored.samples.failed.tolist() == [False, True, False, False]
    assert scored.comparisons is not None
    assert np.isneginf(scored.comparisons.scores).tolist() == [True, True, True, False]
    assert endpoint.count("CompareFaces") == 2
    assert endpoint.count("DetectFaces") == 2


def test_pictures_that_are_the_same_are_sent_once(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "d", PEOPLE, None)
    plan.samples[1].path.write_bytes(plan.samples[0].path.read_bytes())
    plan = replace(plan, digests=(plan.digests[0], plan.digests[0], *plan.digests[2:]))
    scored = score(endpoint, plan, tmp_path)
    assert endpoint.count("IndexFaces") == 3
    assert scored.comparisons is not None
    assert scored.comparisons.scores[0] == 99


def test_pairs_that_are_not_in_a_list_are_said(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    def trouble(operation: str, pictures: list[bytes]) -> Any:
        return {"FaceMatches": []} if operation == "SearchFacesByImage" else None

    endpoint.trouble = trouble
    scored = score(endpoint, plan_of(tmp_path / "d", PEOPLE, None), tmp_path)
    assert scored.comparisons is not None and not scored.comparisons.scores.any()
    assert any("6 pairs were not in the lists" in problem.says for problem in scored.problems)


def test_a_picture_that_had_to_be_changed_is_said_in_every_run(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path / "d", PEOPLE, PAIRS)
    data = cv2.imencode(".webp", np.zeros((40, 50, 3), np.uint8))[1].tobytes()
    plan.samples[3].path.write_bytes(data)
    plan = replace(plan, digests=(*plan.digests[:3], hashlib.sha256(data).hexdigest()))
    for _ in range(2):
        scored = score(endpoint, plan, tmp_path)
        (problem,) = scored.problems
        assert problem.where == "3.jpg" and "Sent as a JPEG" in problem.says


def test_an_endpoint_that_only_the_environment_names_is_not_taken_for_aws(
    tmp_path: Path, endpoint: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_REKOGNITION", endpoint.url)
    system = RekognitionSystem(None, "us-east-1", 5, tmp_path / "journal", Agreed())
    with pytest.raises(InvalidRequest, match="in place of AWS"):
        system.score(plan_of(tmp_path / "d", PEOPLE, PAIRS), lambda done, total: None)


@pytest.mark.parametrize(
    ("url", "region", "pace", "match"),
    [
        ("ftp://x", "us-east-1", 5, "not the address"),
        ("http://user:pass@x", "us-east-1", 5, "not the address"),
        ("http://[", "us-east-1", 5, "not the address"),
        (None, "no region", 5, "cannot be used"),
        (None, "us-east-1", 0, "calls a second"),
        (None, "us-east-1", float("nan"), "calls a second"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is(
    tmp_path: Path, endpoint: FakeEndpoint, url: str | None, region: str, pace: float, match: str
) -> None:
    with pytest.raises(InvalidRequest, match=match) as error:
        system = RekognitionSystem(url, region, pace, tmp_path / "journal", Agreed())
        system.score(plan_of(tmp_path / "d", PEOPLE, PAIRS), lambda done, total: None)
    assert "pass" not in str(error.value)


def test_what_was_agreed_to_before_is_not_brought_up_again(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    agreed = Agreed()
    system = RekognitionSystem(endpoint.url, "us-east-1", 1000, tmp_path / "journal", agreed)
    plan = plan_of(tmp_path / "d", PEOPLE, PAIRS)
    system.agree(plan)
    assert len(agreed.costs) == 1 and not endpoint.asked
    system.score(plan, lambda done, total: None)
    assert len(agreed.costs) == 1
    # Something else was not agreed to.
    system.score(plan_of(tmp_path / "d", PEOPLE, None), lambda done, total: None)
    assert len(agreed.costs) == 2


def test_what_is_not_agreed_to_is_not_asked(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    class Declined(Exception):
        pass

    def decline(cost: Cost) -> None:
        raise Declined

    for pairs in (PAIRS, None):
        with pytest.raises(Declined):
            score(endpoint, plan_of(tmp_path / "d", PEOPLE, pairs), tmp_path, confirm=decline)
    assert not endpoint.asked


def test_a_file_that_changed_or_went_is_a_failure(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "d", PEOPLE, [(0, 1), (1, 2), (2, 3)])
    plan.samples[0].path.unlink()
    plan.samples[3].path.write_bytes(picture("other"))
    scored = score(endpoint, plan, tmp_path)
    assert [number for number, _ in scored.failures] == [0, 3]
    assert "changed" in scored.failures[1][1]
    assert scored.comparisons is not None
    assert np.isfinite(scored.comparisons.scores).tolist() == [False, True, False]


def test_each_endpoint_has_a_journal_of_its_own(endpoint: FakeEndpoint, tmp_path: Path) -> None:
    plan = plan_of(tmp_path / "d", PEOPLE, PAIRS)
    score(endpoint, plan, tmp_path)
    with serving(FakeEndpoint()) as other:
        score(other, plan, tmp_path)
        assert other.count("CompareFaces") == 3
    assert endpoint.count("CompareFaces") == 3
    folders = sorted(folder.name for folder in (tmp_path / "journal").iterdir())
    assert len(folders) == 2
    assert all(name.startswith("rekognition-127.0.0.1-") for name in folders)


def test_ctrl_c_ends_a_run_soon_and_what_was_answered_stays(
    endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    plan = plan_of(tmp_path / "d", [f"p{n}" for n in range(60)], [(n, n + 1) for n in range(59)])
    endpoint.delay_s = 0.01

    def interrupt(done: int, total: int) -> None:
        if done == 20:
            raise KeyboardInterrupt

    system = RekognitionSystem(endpoint.url, "us-east-1", 1000, tmp_path / "journal", Agreed())
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        system.score(plan, interrupt)
    assert time.monotonic() - began < 5
    scored = system.score(plan, lambda done, total: None)
    assert scored.comparisons is not None and np.isfinite(scored.comparisons.scores).all()
    assert endpoint.count("CompareFaces") == 59


def test_calls_keep_their_pace() -> None:
    now = [100.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(4.0, lambda: now[0], sleep)
    for _ in range(9):
        pace.wait()
    assert now[0] - 100 == pytest.approx(8 / 4)
    pace.slow_down()
    pace.wait()
    before = now[0]
    for _ in range(4):
        pace.wait()
    assert now[0] - before == pytest.approx(4 / 2)
    for _ in range(100):
        pace.speed_up()
    pace.wait()
    before = now[0]
    for _ in range(4):
        pace.wait()
    assert now[0] - before == pytest.approx(4 / 4)
    # Nothing is saved up while nobody calls.
    now[0] += 100
    slept.clear()
    for _ in range(3):
        pace.wait()
    assert slept == [pytest.approx(0.25)] * 2
