"""Commands, exit codes and the keys of answers are written down, and links between pages hold."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from likeness.cli.terminal.exit_codes import ExitCode

from .conftest import BLUE, RED, Outcome
from .disc_clips import clip_of

Command = Callable[..., Outcome]
REPOSITORY = Path(__file__).parents[2]
DOCUMENT = REPOSITORY / "docs" / "command-line.md"
PAGES = [
    REPOSITORY / "README.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
    *sorted((REPOSITORY / "docs" / "adr").glob("*.md")),
]


def prose(page: Path) -> str:
    return re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def listed(outcome: Outcome) -> list[str]:
    """The commands that a help lists; what goes on in a line is indented."""
    lines = outcome.out.partition("Commands")[2].split("\n\n")[0].splitlines()
    bare = [line[1:] for line in lines]
    return [line.split()[0] for line in bare if line[:1] == " " and line[1:2].strip()]


def test_every_command_is_documented(likeness: Command) -> None:
    documented = DOCUMENT.read_text()
    verbs = listed(likeness("--help"))
    assert verbs[:3] == ["detect", "compare", "identify"]
    for verb in verbs:
        if inside := listed(likeness(verb, "--help")):
            for inner in inside:
                assert any(
                    name in documented for name in (f"{verb} {inner}", f"`{inner}`", f"`{inner} ")
                )
        else:
            assert f"`likeness {verb}" in documented or f"`{verb}`" in documented


def test_every_exit_code_is_documented() -> None:
    documented = DOCUMENT.read_text()
    for code in ExitCode:
        assert f"\n| {code.value} | " in documented


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_pages_and_headings_that_exist(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        aim = page.parent / path if path else page
        assert aim.exists(), link
        assert not anchor or anchor in anchors(aim), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tags_of_examples_are_ones_that_aws_takes(page: Path) -> None:
    # TagValue of botocore's model.
    for value in re.findall(r'"likeness:[a-z]+": "([^"]*)"', page.read_text()):
        assert re.fullmatch(r"[\w\s.:/=+\-@]{0,256}", value), value


def test_every_page_is_listed_in_the_index() -> None:
    index = (REPOSITORY / "docs" / "README.md").read_text()
    for page in (REPOSITORY / "docs").glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index


def test_every_file_that_the_architecture_names_exists() -> None:
    named = re.findall(
        r"`([\w-]+/[\w./-]+\.\w+)`", (REPOSITORY / "docs" / "architecture.md").read_text()
    )
    assert named
    for path in set(named) - {"cli/NAME.py"}:
        assert (REPOSITORY / path).exists() or (REPOSITORY / "src" / "likeness" / path).exists(), (
            path
        )


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len((REPOSITORY / "README.md").read_text().split()) <= 900


ANSWERS = {
    "detect": ["detect", "probe.png", "gallery/bad.png"],
    "compare": ["compare", "probe.png", "gallery/red.png"],
    "identify": ["identify", "--gallery", "gallery", "probe.png"],
    "identify in a collection": ["identify", "--collection", "staff", "probe.png"],
    "detect in a clip": ["detect", "clip.mp4", "gallery/bad.mp4"],
    "identify in a clip": ["identify", "--gallery", "gallery", "clip.mp4"],
    "identify in a collection and a clip": ["identify", "--collection", "staff", "clip.mp4"],
    "cluster": ["cluster", "gallery", "probe.png"],
    "coverage": ["coverage", "people.csv"],
    "collections list": ["collections", "list"],
    "collections show": ["collections", "show", "staff"],
    "collections sweep": ["collections", "sweep"],
    "subject-report": ["subject-report", "red"],
    "collections certificates": ["collections", "certificates"],
    "subjects rename": ["subjects", "rename", "red", "Rosa", "--collection", "staff"],
    "subjects check": ["subjects", "check", "--collection", "staff"],
    "erase": ["erase", "--collection", "staff", "red", "--yes"],
    "jobs list": ["jobs", "list"],
    "keys create": ["keys", "create", "desk"],
    "keys list": ["keys", "list"],
    "keys password": ["keys", "password", "patrol", "--remove"],
    "policy list": ["policy", "list"],
    "policy show": ["policy", "show", "amazon-2020"],
    "policy explain": ["policy", "explain", "--each", "action"],
    "secrets list": ["secrets", "list"],
    "secrets rotate": ["secrets", "rotate"],
    "sources add": ["sources", "add", "gate", "rtsp://camera.example/main"],
}


@pytest.mark.parametrize("arguments", ANSWERS.values(), ids=list(ANSWERS))
def test_every_key_of_an_answer_is_documented(
    likeness: Command,
    picture: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    picture("probe.png", RED, BLUE)
    (picture("gallery/red.png", RED).parent / "bad.png").write_bytes(b"no picture")
    if "clip.mp4" in arguments:
        clip_of(tmp_path / "clip.mp4", [(RED, 0, 2, 100)], 2.0)
        Path("gallery/bad.mp4").write_bytes(b"no clip")
    Path("people.csv").write_text(
        "path,subject,sex,date\nprobe.png,a,f,2001\ngallery/red.png,a,f,2009\n"
    )
    likeness("collections", "create", "staff")
    likeness("keys", "create", "patrol")
    likeness("enrol", "--collection", "staff", "--any-quality", "gallery/red.png", "--subject=red")
    answer = json.loads(likeness(*arguments, "--json").out)
    documented = DOCUMENT.read_text()
    undocumented = {key for key in keys(answer) if f"`{key}`" not in documented} - {"x", "y"}
    assert {key for key in undocumented if f'"{key}"' not in documented} == set()
