"""`likeness audit` of a server that speaks Rekognition's wire: Likeness's own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Outcome, Served
from tests.rekognition.operations.discs import BLUE, GREEN, RED, disc, grey

COLOURS = {"red": RED, "green": GREEN, "blue": BLUE, "yellow": (230, 220, 40)}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of people who are discs, two pictures each, and one that shows nobody."""
    folder = tmp_path / "people"
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for number, side in enumerate((96, 120)):
            (folder / name / f"{number}.png").write_bytes(disc(colour, side=side))
    (folder / "red" / "nobody.png").write_bytes(grey(100, 100))
    return folder


def test_a_server_is_evaluated_once_and_asked_nothing_again(
    serve: Callable[..., Served],
    likeness: Callable[..., Outcome],
    monkeypatch: pytest.MonkeyPatch,
    pictures: Path,
    tmp_path: Path,
) -> None:
    server = serve()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.admin.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.admin.secret)
    command = ("evaluate", pictures, "--system", "rekognition", "--endpoint", server.url)
    out = ("--out", tmp_path / "report", "--search", "--json")

    outcome = likeness(*command, *out)
    assert outcome.code == 2 and "11 calls of IndexFaces" in outcome.err

    outcome = likeness(*command, *out, "--yes")
    assert outcome.code == 0, outcome.err
    report: dict[str, Any] = json.loads(outcome.out)
    (findings,) = report["findings"]
    assert findings["system"]["kind"] == "rekognition"
    assert findings["system"]["name"] == server.url
    assert findings["system"]["version"] not in ("", "unknown")
    assert findings["verification"]["mated"] == 6 and findings["verification"]["nonmated"] == 30
    assert findings["failures"]["fta"]["errors"] == 1
    assert findings["failures"]["reasons"] == [["no face found", 1]]
    assert server.admin.rekognition().list_collections()["CollectionIds"] == []

    entries = len(server.entries())
    again = likeness(*command, *out)
    assert again.code == 0, again.err
    assert json.loads(again.out)["findings"] == report["findings"]
    assert len(server.entries()) == entries
