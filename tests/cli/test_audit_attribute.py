"""`audit --attribute`: answers of a file or an endpoint, judged by a manifest's labels."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from likeness.cli.audit_attribute import audit_attribute
from likeness.cli.evaluated import EndpointChoice
from likeness.errors import InvalidRequest
from likeness.service.evaluate.readers import DataDescription
from tests.service.evaluate.fake_endpoint import FakeEndpoint, Refusal, picture, serving

from .conftest import Outcome

Command = Callable[..., Outcome]


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


def at(url: str, yes: bool = True) -> EndpointChoice:
    return EndpointChoice(url=url, region="us-east-1", calls_per_second=1000, price=None, yes=yes)


def audit(people: Path, *systems: str, attribute: str = "sex", **chosen: Any) -> Any:
    out = people.parent / "audit"
    audit_attribute(
        people,
        attribute,
        systems=systems,
        description=DataDescription("a set", "1", "made up", "us"),
        out=out,
        **({"endpoint": at("http://127.0.0.1:9")} | chosen),
    )
    assert "made up" in (out / "report.html").read_text()
    return json.loads((out / "report.json").read_text())


def asked(
    people: Path, endpoint: FakeEndpoint, attribute: str = "sex", yes: bool = True, **chosen: Any
) -> Any:
    where = at(endpoint.url, yes)
    return audit(people, "rekognition", attribute=attribute, endpoint=where, **chosen)


@pytest.mark.slow
def test_an_endpoint_is_asked_once_a_picture_and_judged(
    people: Path, endpoint: FakeEndpoint
) -> None:
    report = asked(people, endpoint, by=["skin"])
    assert endpoint.count("DetectFaces") == 40
    overall = report["findings"][0]["overall"]
    # It says Female of everybody; nobody's pictures are all of odd numbers.
    assert (overall["wrong"]["errors"], overall["wrong"]["trials"]) == (20, 30)
    assert overall["failed"]["errors"] == 10
    assert report["findings"][0]["system"]["kind"] == "rekognition"
    assert report["data"]["images"] == 40
    assert [axis["axis"] for axis in report["findings"][0]["axes"]] == ["sex", "skin", "sex x skin"]


@pytest.mark.slow
def test_ages_of_an_endpoint_are_ranges(people: Path, endpoint: FakeEndpoint) -> None:
    report = asked(people, endpoint, "age")
    assert "among the ages" in report["findings"][0]["rule"]
    assert report["findings"][0]["overall"]["years_off"]["value"] is not None


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
    assert report["findings"][0]["overall"]["failed"]["trials"] == 40
    assert answered > 12
    before = sum(endpoint.asked.values())
    assert asked(people, endpoint)["findings"] == report["findings"]
    assert sum(endpoint.asked.values()) == before
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
    report = audit(people, str(answers), names=["a vendor"])
    assert report["findings"][0]["system"]["name"] == "a vendor"
    assert report["findings"][0]["overall"]["wrong"]["errors"] == 20
    assert report["findings"][0]["reasons"] == [["no answer", 1]]
    assert "Worst group by sex" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("system", "says"), [("likeness", "guesses nobody"), ("missing.csv", "No such system")]
)
def test_only_systems_that_answer_are_judged(people: Path, system: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        audit(people, system)


@pytest.mark.slow
def test_an_endpoint_and_a_file_are_compared(people: Path, endpoint: FakeEndpoint) -> None:
    answers = people.parent / "answers.csv"
    answers.write_text("path,predicted\n0.jpg,Male\n1.jpg,Female\n")
    where = at(endpoint.url)
    report = audit(people, "rekognition", str(answers), endpoint=where)
    assert [one["system"]["kind"] for one in report["findings"]] == ["rekognition", "answers"]
    everybody = report["differences"][0]
    assert (everybody["a"]["errors"], everybody["b"]["errors"]) == (30, 38)


def test_the_command_judges_answers(
    likeness: Callable[..., Outcome], people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(people.parent)
    Path("answers.csv").write_text("path,predicted\n0.jpg,Male\n1.jpg,Male\n")
    chosen = ("--attribute", "sex", "--group", "skin", "--system", "answers.csv", "--json")
    outcome = likeness("audit", "people.csv", *chosen)
    assert (outcome.code, outcome.err) == (0, "")
    (found,) = json.loads(outcome.out)["findings"]
    assert (found["overall"]["wrong"]["errors"], found["overall"]["failed"]["errors"]) == (1, 38)
    refused = likeness("audit", "people.csv", "--attribute", "sex")
    assert refused.code == 2
    assert "guesses nobody's attributes" in refused.err


@pytest.mark.parametrize("option", [["--keep"], ["--distances"], ["--search"]])
def test_what_is_about_recognition_is_refused_and_not_passed_over(
    likeness: Command, tmp_path: Path, option: list[str]
) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text("path,sex\na.jpg,F\n")
    outcome = likeness("audit", manifest, "--attribute", "sex", "--system", "a.csv", *option)
    assert outcome.code == 2
    assert "about recognition, and --attribute is not" in outcome.err
