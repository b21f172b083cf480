"""`audit --attribute`: answers of a file or an endpoint, judged by a manifest's labels."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from likeness.cli.audit_attribute import audit_attribute
from likeness.errors import InvalidRequest
from likeness.service.evaluate.readers import DataDescription
from tests.service.evaluate.fake_endpoint import FakeEndpoint, Refusal, picture, serving


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEndpoint]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with serving(FakeEndpoint()) as made:
        yield made


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Forty pictures, ten of nobody; half of the people are labelled female."""
    lines = ["path,sex,age,skin"]
    for number in range(40):
        who = "nobody" if number % 4 == 3 else f"p{number}"
        (tmp_path / f"{number}.jpg").write_bytes(picture(who, number))
        sex = "female" if number % 2 else "male"
        lines.append(f"{number}.jpg,{sex},{20 + number},{'dark' if number < 20 else 'light'}")
    path = tmp_path / "people.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def audit(people: Path, system: str, attribute: str = "sex", **chosen: Any) -> Any:
    out = people.parent / "audit"
    audit_attribute(
        people,
        attribute,
        systems=[system],
        description=DataDescription("a set", "1", "made up", "us"),
        out=out,
        **chosen,
    )
    assert not (out / "work").exists()
    assert "made up" in (out / "report.html").read_text()
    return json.loads((out / "report.json").read_text())


def asked(people: Path, endpoint: FakeEndpoint, attribute: str = "sex", **chosen: Any) -> Any:
    options = {"endpoint": endpoint.url, "calls_per_second": 1000.0, "yes": True} | chosen
    return audit(people, "rekognition", attribute, **options)


@pytest.mark.slow
def test_an_endpoint_is_asked_once_a_picture_and_judged(
    people: Path, endpoint: FakeEndpoint
) -> None:
    report = asked(people, endpoint, by=["skin"])
    assert endpoint.count("DetectFaces") == 40
    overall = report["overall"]
    # It says Female of everybody; nobody's pictures are all of odd numbers.
    assert (overall["wrong"]["errors"], overall["wrong"]["trials"]) == (20, 30)
    assert overall["failed"]["errors"] == 10
    assert report["system"]["kind"] == "rekognition"
    assert report["data"]["images"] == 40
    assert [axis["axis"] for axis in report["axes"]] == ["sex", "skin", "sex x skin"]


@pytest.mark.slow
def test_ages_of_an_endpoint_are_ranges(people: Path, endpoint: FakeEndpoint) -> None:
    report = asked(people, endpoint, "age")
    assert "among the ages" in report["rule"]
    assert report["overall"]["years_off"]["value"] is not None


@pytest.mark.slow
def test_an_interrupted_audit_goes_on_and_asks_nothing_twice(
    people: Path, endpoint: FakeEndpoint
) -> None:
    def refuse(operation: str, pictures: list[bytes]) -> None:
        if len(endpoint.asked) > 12:
            raise Refusal("AccessDeniedException", 403)

    endpoint.trouble = refuse
    with pytest.raises(InvalidRequest, match="does not allow"):
        asked(people, endpoint)
    answered = len(endpoint.asked)
    endpoint.trouble = lambda operation, pictures: None
    report = asked(people, endpoint)
    assert report["overall"]["failed"]["trials"] == 40
    assert answered > 12
    assert sum(endpoint.asked.values()) - len(endpoint.asked) <= 8  # those that were refused


@pytest.mark.parametrize(
    ("attribute", "chosen", "says"),
    [
        ("gender", {}, "No column 'gender'"),
        ("sex", {"by": ["race"]}, "No column 'race'"),
        ("sex", {"within": 3.0}, "holds words"),
    ],
)
def test_what_cannot_be_judged_is_not_asked(
    people: Path, endpoint: FakeEndpoint, attribute: str, chosen: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidRequest, match=says):
        asked(people, endpoint, attribute, **chosen)
    assert endpoint.count("DetectFaces") == 0


def test_nothing_is_asked_without_consent(people: Path, endpoint: FakeEndpoint) -> None:
    with pytest.raises(InvalidRequest, match="40 calls of DetectFaces"):
        asked(people, endpoint, yes=False)
    assert endpoint.count("DetectFaces") == 0


def test_a_file_of_answers_is_judged(people: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = people.parent / "answers.csv"
    rows = [f"{number}.jpg,Female" for number in range(39)]
    answers.write_text("\n".join(["path,predicted", *rows]) + "\n")
    report = audit(people, str(answers), system_name="a vendor", system_version="3")
    assert report["system"]["name"] == "a vendor"
    assert report["overall"]["wrong"]["errors"] == 20
    assert report["reasons"] == [["no answer", 1]]
    assert "Worst group by sex" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("system", "says"), [("likeness", "guesses nobody"), ("missing.csv", "No such system")]
)
def test_only_systems_that_answer_are_judged(people: Path, system: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        audit(people, system)
