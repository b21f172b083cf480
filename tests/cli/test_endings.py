"""How commands end: exit codes, one line on stderr, no traceback unless asked for."""

import errno
import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from likeness import errors
from likeness.cli.collections import VERBS
from likeness.cli.terminal.exit_codes import ExitCode, code_of

from .conftest import BLUE, RED, InstallationWithDiscs, Outcome
from .staff import make_home

Command = Callable[..., Outcome]
Make = Callable[..., Path]


def every(family: type[errors.LikenessError]) -> Iterator[type[errors.LikenessError]]:
    yield family
    for kind in family.__subclasses__():
        yield from every(kind)


def shell(*arguments: str, script: str = "from likeness.cli import main; main()") -> Outcome:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("family", "code"),
    [
        (errors.InputError, 2),
        (errors.StateError, 2),
        (errors.Refused, 1),
        (errors.Fault, 3),
    ],
)
def test_every_error_of_the_tree_has_its_familys_exit_code(
    family: type[errors.LikenessError], code: int
) -> None:
    assert {code_of(kind("...")) for kind in every(family)} == {code}


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["detect"],
        ["detect", "--nonsense", "x"],
        ["detect", "x.png", "--threads", "many"],
        ["models"],
        ["models", "show"],
        ["config"],
    ],
    ids=" ".join,
)
def test_a_command_used_wrongly_is_one_line_and_exit_code_2(
    likeness: Command, arguments: list[str]
) -> None:
    outcome = likeness(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    assert line.startswith("likeness: ")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["nonsense"], "likeness"),
        (["enrol"], "likeness enrol"),
        (["models", "show"], "likeness models show"),
    ],
)
def test_a_command_used_wrongly_names_its_own_help(
    likeness: Command, arguments: list[str], command: str
) -> None:
    assert f"`{command} --help` shows what there is" in likeness(*arguments).err


ID = "0bb263d5-115c-49d9-8c2a-850a6d4f1755"
ADD = "watch add a.png --collection c --purpose p --authority a --criteria b"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (f"{ADD} --expires 99999999-12-31", "is not a day such as"),
        (f"{ADD} --expires tomorrow", "is not a day such as"),
        ("watch end abc", "ID 'abc' is not an id such as"),
        ("review show abc", "CASE 'abc' is not an id such as"),
        ("erase --collection c --reference abc", "--reference 'abc' is not an id such as"),
        (f"review decide {ID} --verdict perhaps --reason r", "one of same, not-same, cannot-tell."),
        ("keys create a --role boss", "one of admin, operator, reviewer, auditor, client."),
        ("identify a.png --collection c --by nobody", "one of best, subject, reference."),
        ("keys rotate a --grace many", "--grace 'many' is not a whole number."),
        ("keys rotate a --grace -3", "is not at least 0."),
        ("policy explain --similarity 101", "is not at most 100."),
        ("policy explain --similarity high", "--similarity 'high' is not a number."),
    ],
)
def test_a_value_that_cannot_be_is_told_of_in_our_words(
    likeness: Command, arguments: str, said: str
) -> None:
    outcome = likeness(*arguments.split())
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    assert said in line
    assert " --help` shows what there is." in line
    for foreign in ("Input should", "Value error", "Invalid value", "formats"):
        assert foreign not in line


@pytest.mark.parametrize("error", [RuntimeError("broken\nin two lines"), MemoryError()])
def test_what_nobody_foresaw_is_one_line_and_exit_code_3(
    error: Exception, likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, *_: object) -> None:
        raise error

    monkeypatch.setattr(InstallationWithDiscs, "locator", fail)
    outcome = likeness("detect", picture("a.png", RED))
    assert (outcome.code, outcome.out) == (3, "")
    (line,) = outcome.err.splitlines()
    assert type(error).__name__ in line
    assert "--debug" in line


def test_a_path_that_is_closed_to_us_is_one_line_and_exit_code_2(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, *_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "closed/a.png")

    monkeypatch.setattr(InstallationWithDiscs, "locator", fail)
    outcome = likeness("detect", picture("a.png", RED))
    assert (outcome.code, outcome.out) == (2, "")
    assert "'closed/a.png' cannot be used (Permission denied). Check its" in outcome.err


def test_an_interrupt_is_exit_code_130(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: object, *_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(InstallationWithDiscs, "locator", interrupt)
    outcome = likeness("detect", picture("a.png", RED))
    assert outcome.code == 130
    assert "Traceback" not in outcome.err


def test_debug_shows_where_it_failed(
    likeness: Command, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        likeness("detect", tmp_path / "missing.png")
    (record,) = [each for each in caplog.records if each.name.startswith("likeness.cli")]
    assert record.exc_info is not None


@pytest.mark.slow
def test_debug_is_off_until_it_is_asked_for(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.png")
    assert "Traceback" not in shell("detect", missing).err
    outcome = shell("--debug", "detect", missing)
    assert outcome.code == ExitCode.USED_WRONGLY
    assert "Traceback" in outcome.err


def test_debug_logs_what_we_do_and_not_what_libraries_see() -> None:
    program = """
import logging, sys
from likeness.cli.terminal import command
command.run(["--debug", "config", "show"])
ours, theirs = (logging.getLogger(name) for name in ("likeness.cli", "botocore"))
sys.exit(not ours.isEnabledFor(logging.DEBUG) or theirs.isEnabledFor(logging.DEBUG))
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0


@pytest.mark.slow
def test_a_reader_that_has_read_enough_ends_a_command_quietly() -> None:
    command = f"'{sys.executable}' -c 'from likeness.cli import main; main()' config show"
    done = subprocess.run(
        ["bash", "-c", f"{command} | true; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (ExitCode.READER_LEFT, "")


def test_help_and_version_import_nothing_that_takes_time() -> None:
    script = (
        "import sys\n"
        "from likeness.cli.terminal.command import run\n"
        "code = run(sys.argv[1:])\n"
        "heavy = {'numpy', 'cv2', 'openvino', 'onnx', 'pydantic', 'rich.progress'}\n"
        "sys.exit(f'imported {heavy & set(sys.modules)}' if heavy & set(sys.modules) else code)"
    )
    for arguments in (["--help"], ["--version"], []):
        outcome = shell(*arguments, script=script)
        assert (outcome.code, outcome.err) == (0, "")
    assert "identify" in shell("--help", script=script).out


@pytest.mark.slow
def test_detect_imports_neither_onnx_nor_scipy_nor_progress_bars(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "import likeness.cli.detect\n"
        "sys.exit(str({'onnx', 'onnxruntime', 'scipy', 'rich.progress'} & set(sys.modules)))"
    )
    assert shell(script=script).err == "set()\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", ["collections list", "keys list", "policy list", "secrets list"]
)
def test_what_reads_rows_alone_imports_no_index_and_no_engine(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    assert shell("keys", "create", "first", "--sector", "charity").code == 0  # makes the home
    script = (
        "import sys\n"
        "from likeness.cli.terminal.command import run\n"
        "code = run(sys.argv[1:])\n"
        "heavy = {'faiss', 'pymilvus', 'openvino', 'onnx', 'botocore', 'fastapi'}\n"
        "sys.exit(f'imported {heavy & set(sys.modules)}' if heavy & set(sys.modules) else code)"
    )
    outcome = shell(*command.split(), script=script)
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize("name", sorted(VERBS))
def test_a_groups_help_says_of_each_command_what_that_says_of_itself(name: str) -> None:
    module, _, function = VERBS[name].place.partition(":")
    said = getattr(import_module(module), function).__doc__
    assert VERBS[name].summary == said.splitlines()[0]


@pytest.mark.slow
def test_names_that_an_encoding_lacks_do_not_end_a_command(
    picture: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    outcome = shell("detect", str(tmp_path / "Żółć.png"))
    assert outcome.code == 2
    assert "does not exist" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        ("compare missing.png missing.png --json", 2, "InvalidRequest"),
        ("compare --json --nonsense", 2, "InvalidRequest"),
        ("compare --json", 2, "InvalidRequest"),
        ("detect --threads many x.png --json", 2, "InvalidRequest"),
        ("identify missing.png --gallery nowhere --json", 2, "InvalidRequest"),
        ("cluster missing.png --json", 2, "NoFace"),
        ("enrol missing.png --collection c --json", 2, "InvalidRequest"),
        ("collections show nobody --json", 2, "NotFound"),
        ("watch add --json", 2, "InvalidRequest"),
        ("models show nothing --json", 2, "NotFound"),
        ("ledger receipt abc --out r.json --json", 2, "InvalidRequest"),
        ("policy explain --similarity 101 --json", 2, "InvalidRequest"),
    ],
)
def test_an_error_with_json_is_an_object_on_stdout_too(
    likeness: Command,
    arguments: str,
    code: int,
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    make_home()
    outcome = likeness(*arguments.split())
    error = json.loads(outcome.out)["error"]
    assert (outcome.code, error["type"], error["kind"]) == (code, kind, kind)
    assert outcome.err.splitlines()[-1] == f"likeness: {error['message']}"


def test_an_interrupt_and_a_mistake_of_ours_are_objects_with_json_too(
    likeness: Command, picture: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, code, kind in (
        (KeyboardInterrupt(), 130, "Interrupted"),
        (RuntimeError("broken"), 3, "Fault"),
    ):

        def fail(self: object, *_: object, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr(InstallationWithDiscs, "locator", fail)
        outcome = likeness("detect", picture("a.png", RED), "--json")
        said = json.loads(outcome.out)["error"]
        assert (outcome.code, said["type"]) == (code, kind)
        assert said["message"] and said["message"] in outcome.err


def test_a_document_that_was_printed_is_the_only_one(likeness: Command, picture: Make) -> None:
    a, b = picture("a.png", RED), picture("b.png", BLUE)
    assert json.loads(likeness("compare", a, b, "--json").out)["answer"] == "refer"
    assert json.loads(likeness("detect", "missing.png", "--json").out)["pictures"]
    assert likeness("compare", "missing.png", "missing.png", "--", "--json").out == ""


def test_who_says_no_when_asked_gets_an_object_with_json(
    likeness: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    likeness("collections", "create", "staff")
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    outcome = likeness("collections", "delete", "staff", "--json")
    error = json.loads(outcome.out)["error"]
    assert (outcome.code, error["type"], error["message"]) == (1, "Refused", "nothing was erased")


class Terminal(io.StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("path", ["x" * 300, "x/" * 3_000], ids=["name", "path"])
@pytest.mark.parametrize(
    "command",
    [
        "detect {}",
        "detect a.png --annotate {}",
        "compare --pairs {} --out -",
        "cluster a.png --out {}",
        "identify --gallery {} a.png",
        "import {}",
        "collections verify {}",
        "models cohort {}",
    ],
)
def test_a_path_that_is_too_long_is_one_line(likeness: Command, command: str, path: str) -> None:
    outcome = likeness(*command.format(path).split())
    assert (outcome.code, outcome.out, len(outcome.err.splitlines())) == (2, "", 1)
    assert "unforeseen" not in outcome.err


def test_a_signal_to_terminate_ends_a_command_as_an_interrupt(tmp_path: Path) -> None:
    half = tmp_path / "half"
    script = (
        "import os, signal, sys; from pathlib import Path;"
        "from likeness.cli.terminal.command import end_as_interrupted;"
        "end_as_interrupted();\n"
        "half = Path(sys.argv[1]); half.touch()\n"
        "try: os.kill(os.getpid(), signal.SIGTERM)\n"
        "finally: half.unlink()"
    )
    outcome = shell(str(half), script=script)
    assert "KeyboardInterrupt" in outcome.err
    assert not half.exists()
