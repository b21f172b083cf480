"""The command itself: which verbs and nouns there are, and how each of them ends.

A command's file is imported when it is asked for, so that `--help` comes at once and no command
waits for what another one needs.
"""

import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from likeness import __version__
from likeness.cli.exit_codes import ExitCode, report

# Each lies in the module of its name, as a function or a group of that name; what is a word of
# Python's has an underscore after it there.
_COMMANDS = {
    "detect": "Find faces: boxes, five landmarks, confidence, pose and quality.",
    "compare": "Say whether two pictures, or many pairs, show the same person.",
    "identify": "Name the faces of pictures from a folder or a collection of known people.",
    "cluster": "Group the unnamed faces of pictures by who they are likely of.",
    "collections": "Collections: who is known, by which model, for how long.",
    "enrol": "Let a collection know people by their pictures.",
    "erase": "Take somebody out of a collection, for good.",
    "export": "Write everything of a collection into one file.",
    "import": "Make a collection of an export, or enrol what CompreFace keeps.",
    "watch": "Standing searches: whom to look for in what is enrolled later.",
    "review": "Cases: what machines suggest, and people decide.",
    "serve": "Answer Amazon Rekognition's clients: boto3, the AWS CLI and every SDK.",
    "models": "Models: what is here, on what terms, with what error rates.",
    "keys": "Access keys: who may call a server, as what, and for which purposes.",
    "policy": "Rules: who may do what, for which purpose, and what is stopped.",
    "ledger": "The ledger: what was done, and proof of it for others.",
    "secrets": "The installation's keys: which there are, and a new one for all.",
    "config": "Show the settings.",
    "doctor": "Say what is here, what is missing and what mends it.",
}


class _Verbs(TyperGroup):
    """Commands that are imported when they are asked for; Typer's own types of them are private."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        verb = getattr(import_module(f"likeness.cli.{name}"), name)
        if not isinstance(verb, typer.Typer):
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command(cmd_name)(verb)
            verb = alone
        return typer.main.get_command(verb)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


_likeness = typer.Typer(
    name="likeness",
    cls=_Verbs,
    help="Find, compare and name faces, with scores that carry their error rates.",
    epilog="Exit codes: 0 done, 1 the answer is no, 2 used wrongly, 3 failed, 130 interrupted.",
    add_completion=False,
    # Names in messages are not markup.
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command line and exit."""
    # What a terminal's encoding cannot show must not end a command half-way.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # text files
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; whatever goes wrong is one line on stderr and an exit code."""
    try:
        code = _likeness(list(arguments) or ["--help"], standalone_mode=False, prog_name="likeness")
        sys.stdout.flush()
        return int(code or ExitCode.DONE)
    except SystemExit:
        # The one case in which Typer exits by itself.
        return report(BrokenPipeError())
    except (Exception, KeyboardInterrupt) as error:
        return report(error)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"likeness {__version__}")
        raise typer.Exit


@_likeness.callback()
def _globally(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Log to stderr what is done, and where it failed.")
    ] = False,
) -> None:
    logging.basicConfig(level=logging.CRITICAL, format="%(name)s: %(message)s")
    if debug:
        # Ours alone: libraries log requests whole, with what callers named.
        logging.getLogger("likeness").setLevel(logging.DEBUG)
