"""What a shell may have done to the streams of a command, and to what is around it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from likeness.cli.terminal import streams
from likeness.cli.terminal.exit_codes import ExitCode

_LIKENESS = f"{sys.executable} -c 'from likeness.cli import main; main()'"


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell, in which `likeness` is the command."""
    return subprocess.run(
        ["bash", "-c", f'likeness() {{ {_LIKENESS} "$@"; }}\n{line}'],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
    )


def test_an_answer_that_nobody_can_keep_is_a_fault_told_of_once() -> None:
    done = shell("likeness config show > /dev/full")
    (line,) = done.stderr.splitlines()
    assert done.returncode == ExitCode.FAILED
    assert line == (
        "likeness: Standard output cannot be written (No space left on device). Make room, or send"
        " it elsewhere. What was done until then stays done."
    )


def test_closed_streams_are_no_hindrance() -> None:
    done = shell("likeness config show <&- >&- 2>&-; likeness config show 2>&- | head -1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("LIKENESS_HOME=")


def test_remarks_that_nobody_can_keep_change_nothing() -> None:
    done = shell("likeness nonsense 2> /dev/full")
    assert (done.returncode, done.stdout) == (ExitCode.USED_WRONGLY, "")


def test_what_is_written_to_a_full_answer_is_no_error_of_the_system_nor_of_ours() -> None:
    with Path("/dev/full").open("wb") as full:
        answer = streams.stream(full.fileno(), streams.Answer, "utf-8")
        answer.write("words")
        with pytest.raises(streams.OutputLost, match="No space left on device"):
            answer.flush()
        remarks = streams.stream(full.fileno(), streams.Remarks, "utf-8")
        print("words", file=remarks)
        streams.drop(answer)
        answer.flush()


def test_a_reader_that_has_left_is_told_apart() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    answer = streams.stream(writes, streams.Answer, "utf-8")
    answer.write("words")
    with pytest.raises(BrokenPipeError):
        answer.flush()
    streams.drop(answer)
    os.close(writes)


def test_a_stream_that_does_not_wait_is_waited_for() -> None:
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    words = "words" * 100_000
    answer = streams.stream(writes, streams.Answer, "utf-8")
    reader = subprocess.Popen(["wc", "-c"], stdin=reads, stdout=subprocess.PIPE, text=True)
    os.close(reads)
    answer.write(words)
    answer.flush()
    os.close(writes)
    assert int(reader.communicate(timeout=60)[0]) == len(words)


@pytest.mark.slow
def test_a_user_without_a_name_and_a_home_folder_needs_neither(tmp_path: Path) -> None:
    script = """
import os, pwd, sys
def nobody(number): raise KeyError(number)
pwd.getpwuid = nobody
from likeness.cli import main
main()
"""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        return subprocess.run(
            [sys.executable, "-c", script, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env=kept | environment,
        )

    home = {"LIKENESS_HOME": str(tmp_path / "home")}
    assert run("collections", "create", "staff", **home).returncode == 0
    assert run("collections", "list", LC_ALL="C", **home).returncode == 0
    assert "LIKENESS_HOME=/nonexistent/likeness" in run("config", "show").stdout
    lost = run("collections", "list")
    assert (lost.returncode, lost.stdout) == (ExitCode.USED_WRONGLY, "")
    assert "set LIKENESS_HOME" in lost.stderr
    assert not Path("/nonexistent/likeness").exists()
