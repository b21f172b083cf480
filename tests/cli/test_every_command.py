"""Every command, whatever the shell did to its streams and whatever it is asked for wrongly."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from likeness.cli.terminal import command
from likeness.cli.terminal.exit_codes import ExitCode

from .conftest import Outcome
from .every_command import COMMANDS, Ended, Runner, Shell

Command = Callable[..., Outcome]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, standards: Path) -> Iterator[Runner]:
    runner = Runner(tmp_path_factory.mktemp("every"), standards)
    yield runner
    runner.close()


def names(group: Any, path: str = "") -> Iterator[str]:
    if not hasattr(group, "list_commands"):
        yield path
        return
    for name in group.list_commands(None):
        yield from names(group.get_command(None, name), f"{path} {name}".strip())


def test_every_command_is_one_of_those_below() -> None:
    every = set(names(typer.main.get_command(command._likeness)))
    tried = {name for name in every if any(f"{one} ".startswith(f"{name} ") for one in COMMANDS)}
    assert every - tried == {"serve"}  # it never ends, and has tests of its own


def line_of(ended: Ended | Outcome) -> str:
    (line,) = ended.err.splitlines()
    assert line.startswith("likeness: ")
    return line


def test_a_command_used_wrongly_answers_with_an_object(likeness: Command) -> None:
    for name in (*COMMANDS, *sorted({one.split()[0] for one in COMMANDS}), "serve", "nonsense", ""):
        wrong = likeness(*name.split(), "--json", "--nonsense")
        error = json.loads(wrong.out)["error"]
        assert (wrong.code, error["type"]) == (ExitCode.USED_WRONGLY, "InvalidRequest")
        assert error["message"] in line_of(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS, ids=str)
def test_a_command_ends_rightly_whatever_its_streams_are(name: str, run: Runner) -> None:
    usual = run(name, "--json")
    if usual.code in (ExitCode.DONE, ExitCode.NO):
        assert all(isinstance(json.loads(one), dict) for one in documents(name, usual))
    else:
        assert usual.code == ExitCode.USED_WRONGLY
        assert json.loads(usual.out)["error"]["message"] in line_of(usual)

    full = run(name, "--json", shell=Shell(stdout="full"))
    assert full.code == ExitCode.FAILED
    assert "Standard output cannot be written (No space left" in full.err.splitlines()[-1]

    left = run(name, "--json", shell=Shell(stdout="left"))
    assert left.code == ExitCode.READER_LEFT
    assert "Traceback" not in left.err

    # A user without a name is another one than whoever began a case.
    nameless = not name.startswith("review")
    closed = run(name, shell=Shell(*["closed"] * 3, nameless=nameless))
    assert closed.code == usual.code
    assert closed.new == usual.new


def documents(name: str, ended: Ended) -> list[str]:
    return ended.out.splitlines() if name.startswith("sources watch") else [ended.out]
