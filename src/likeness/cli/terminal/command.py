"""The command itself: which verbs and nouns there are, and how each of them ends."""

import logging
import signal
import sys
from collections.abc import Sequence
from contextvars import copy_context
from itertools import takewhile
from keyword import iskeyword
from typing import Annotated

import typer

from likeness import __version__
from likeness.cli.terminal.exit_codes import (
    DOCUMENT_PRINTED,
    LAST_LINE,
    ExitCode,
    foreseen,
    kind_of,
    report,
    warn,
)
from likeness.cli.terminal.streams import OutputLost, take_streams
from likeness.cli.terminal.verbs import Verb, group_of

# Each lies in the module of its name, as a function or a group of that name; what is a word of
# Python's has an underscore after it there.
_COMMANDS = {
    "detect": "Find faces: boxes, five landmarks, confidence, pose and quality.",
    "compare": "Say whether two pictures, or many pairs, show the same person.",
    "identify": "Name the faces of pictures from a folder or a collection of known people.",
    "redact": "Hide faces in copies of pictures and clips for good.",
    "cluster": "Group the faces of many pictures by person.",
    "coverage": "Say what a set of pictures covers, and which error rates it could carry.",
    "collections": "Make, list, change and check collections of enrolled people.",
    "subjects": "Rename, merge, split and check the people of a collection.",
    "enrol": "Enrol people from pictures into a collection.",
    "subject-report": "Say what is held of somebody, who searched for them and why.",
    "erase": "Erase somebody from a collection for good.",
    "export": "Write a whole collection into one file.",
    "import": "Make a collection from an export or from CompreFace.",
    "evaluate": "Measure how well Likeness, or any other system, recognises people.",
    "audit": "Measure how evenly it does so across groups of people.",
    "watch": "Standing searches: get told when somebody is enrolled, or seen in a clip.",
    "sources": "Register cameras and streams, and look for people in them as it happens.",
    "jobs": "List, show, stop and cancel long work, such as searches of clips.",
    "review": "Look at cases and decide what the machine only suggests.",
    "serve": "Serve Amazon Rekognition's API to boto3, the AWS CLI and other SDKs.",
    "models": "List, fetch, add and measure models.",
    "keys": "Manage access keys: who may call the server, in which role, for which purposes.",
    "policy": "Show and change the rules, and stop uses at once.",
    "report": "Sign, verify and compare reports of evaluations, and accept their cards.",
    "ledger": "Show, verify and export the record of every use.",
    "secrets": "Show and rotate the installation's own keys.",
    "config": "Show the settings in force.",
    "doctor": "Check the installation and say what is missing and how to fix it.",
}


# Of commands that end by themselves: somebody was asked and said no, or pressed Ctrl-C.
_KINDS: dict[int, str] = {ExitCode.NO: "Refused", ExitCode.INTERRUPTED: "Interrupted"}


def _place(command: str) -> str:
    name = f"{command}_" if iskeyword(command) else command.replace("-", "_")
    return f"likeness.cli.{name}:{name}"


_likeness = typer.Typer(
    name="likeness",
    cls=group_of({name: Verb(_place(name), summary) for name, summary in _COMMANDS.items()}),
    help="Find, compare and name faces, with scores that carry their error rates.",
    epilog="Exit codes: 0 done, 1 the answer is no, 2 used wrongly, 3 failed, 130 interrupted.",
    add_completion=False,
    # Names in messages are not markup.
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command line and exit."""
    take_streams()
    end_as_interrupted()
    sys.exit(run(sys.argv[1:]))


def end_as_interrupted() -> None:
    """Let a signal to terminate end a command as Ctrl-C does, so that it clears up behind it.

    `likeness serve` has its own way to end.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def run(arguments: Sequence[str]) -> int:
    """Run one command; whatever goes wrong is one line on stderr and an exit code.

    With `--json` it is a JSON document on stdout, too.
    """
    return copy_context().run(_run, arguments, "--json" in takewhile("--".__ne__, arguments))


def _run(arguments: Sequence[str], as_json: bool) -> int:
    try:
        code, kind = _ended(arguments)
        if as_json and code not in (ExitCode.DONE, ExitCode.READER_LEFT):
            _print_error(kind)
        sys.stdout.flush()
        return code
    except (BrokenPipeError, OutputLost) as error:
        return report(error)


def _ended(arguments: Sequence[str]) -> tuple[int, str]:
    """Run one command, and give its exit code and the kind of what went wrong."""
    try:
        code = _likeness(list(arguments) or ["--help"], standalone_mode=False, prog_name="likeness")
        sys.stdout.flush()
        if code == ExitCode.INTERRUPTED and not LAST_LINE.get():
            # Typer makes a code of Ctrl-C, and nobody has said anything.
            warn("Interrupted.")
        return int(code or ExitCode.DONE), _KINDS.get(int(code or 0), "")
    except SystemExit:
        # The one case in which Typer exits by itself.
        return report(BrokenPipeError()), ""
    except OutputLost:
        raise  # nor is there a document of it
    except (Exception, KeyboardInterrupt) as caught:
        error = foreseen(caught)
        return report(error), kind_of(error)


def _print_error(kind: str) -> None:
    """Print why there is no answer, unless the command has printed its document."""
    if not DOCUMENT_PRINTED.get():
        from likeness.cli.terminal.answers import failure_json, print_json_line

        print_json_line({"error": failure_json(kind, LAST_LINE.get())})


def _version(wanted: bool) -> None:
    if wanted:
        print(f"likeness {__version__}")
        raise typer.Exit


@_likeness.callback()
def _globally(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Log what happens to stderr, with tracebacks.")
    ] = False,
) -> None:
    logging.basicConfig(level=logging.CRITICAL, format="%(name)s: %(message)s")
    if debug:
        # Ours alone: libraries log requests whole, with what callers named.
        logging.getLogger("likeness").setLevel(logging.DEBUG)
