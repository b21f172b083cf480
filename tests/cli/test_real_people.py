"""A collection of real people, through the real command with the real networks."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from likeness.cli.terminal import command

pytestmark = pytest.mark.models

# From 30 on a collection measures its own strangers; fewer are held to strangers who are alike.
_PEOPLE = 35


@pytest.fixture
def people(shared_data: Callable[[str], Path]) -> list[list[Path]]:
    """The photographs of each of some people, two or more."""
    folders = sorted((shared_data("lfw_view1") / "images").iterdir())
    photographs = [sorted(folder.glob("*.jpg")) for folder in folders]
    several = [one for one in photographs if len(one) >= 2]
    return several[:: len(several) // (2 * _PEOPLE)][: 2 * _PEOPLE]


@pytest.fixture
def answer(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    cache_dir: Path,
) -> Callable[..., tuple[int, dict[str, object]]]:
    """Run a command in a home of its own; give its exit code and its JSON."""
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LIKENESS_CACHE", str(cache_dir))
    monkeypatch.setenv("LIKENESS_FPIR", "0.1")

    def run(*arguments: object) -> tuple[int, dict[str, object]]:
        capfd.readouterr()
        code = command.run([*map(str, arguments), "--json"])
        return code, json.loads(capfd.readouterr().out)

    return run


def test_known_people_are_named_strangers_are_not_and_the_erased_are_gone(
    people: list[list[Path]], answer: Callable[..., tuple[int, dict[str, object]]], tmp_path: Path
) -> None:
    known, strangers = people[:_PEOPLE], people[_PEOPLE:]
    manifest = tmp_path / "known.csv"
    rows = [f"{one[0].parent.name}/{one[0].name},{one[0].parent.name}" for one in known]
    manifest.write_text("\n".join(["path,subject", *rows]))
    root = known[0][0].parents[1]
    assert answer("collections", "create", "known")[0] == 0
    _, enrolled = answer(
        "enrol", "--collection", "known", "--any-quality", "--foremost", "--root", root, manifest
    )
    assert enrolled["enrolled"] == _PEOPLE

    def names(pictures: list[Path], by: str) -> list[set[str]]:
        _, said = answer("identify", "--collection", "known", "--by", by, *pictures)
        return [{face["match"] for face in one["faces"]} - {None} for one in said["pictures"]]  # type: ignore[attr-defined, misc]  # JSON

    for by in ("best", "subject", "reference"):
        named = names([one[1] for one in known], by)
        right = [one[1].parent.name in name for one, name in zip(known, named, strict=True)]
        assert sum(right) >= 0.75 * _PEOPLE
        assert sum(map(bool, names([one[0] for one in strangers], by))) <= 0.15 * _PEOPLE

    gone = known[0][0].parent.name
    code, erased = answer("erase", "--collection", "known", gone, "--yes")
    certificate = tmp_path / "certificate.json"
    certificate.write_text(json.dumps(erased))
    assert (code, answer("collections", "verify", certificate)[0]) == (0, 0)
    assert names([known[0][0]], "best") == [set()]
