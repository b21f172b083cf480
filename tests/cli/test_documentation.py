"""What commands there are, and which keys their JSON has, is written down."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from likeness.cli.exit_codes import ExitCode

from .conftest import BLUE, RED, Outcome

Command = Callable[..., Outcome]
DOCUMENT = Path(__file__).parents[2] / "docs" / "command-line.md"


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def listed(outcome: Outcome) -> list[str]:
    lines = outcome.out.partition("Commands:\n")[2].split("\n\n")[0].splitlines()
    return [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]


def test_every_command_is_documented(likeness: Command) -> None:
    documented = DOCUMENT.read_text()
    verbs = listed(likeness("--help"))
    assert verbs[:3] == ["detect", "compare", "identify"]
    for verb in verbs:
        if verb in ("models", "config"):
            for inner in listed(likeness(verb, "--help")):
                assert f"`{verb} {inner}" in documented
        else:
            assert f"`likeness {verb}" in documented or f"`{verb}`" in documented


def test_every_exit_code_is_documented() -> None:
    documented = DOCUMENT.read_text()
    for code in ExitCode:
        assert f"\n| {code.value} | " in documented


@pytest.mark.parametrize("verb", ["detect", "compare", "identify"])
def test_every_key_of_an_answer_is_documented(
    likeness: Command, picture: Callable[..., Path], tmp_path: Path, verb: str
) -> None:
    probe = picture("probe.png", RED, BLUE)
    gallery = picture("gallery/red.png", RED).parent
    (gallery / "bad.png").write_bytes(b"no picture")
    arguments = {
        "detect": [probe, gallery / "bad.png"],
        "compare": [probe, gallery / "red.png"],
        "identify": ["--gallery", gallery, probe],
    }
    answer = json.loads(likeness(verb, *arguments[verb], "--json").out)
    documented = DOCUMENT.read_text()
    undocumented = {key for key in keys(answer) if f"`{key}`" not in documented} - {"x", "y"}
    assert {key for key in undocumented if f'"{key}"' not in documented} == set()
