"""A group of commands whose modules are imported when they are asked for.

So `--help` comes at once, and no command waits for what another one needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


@dataclass(frozen=True, slots=True)
class Verb:
    """Where a command or a group of commands is, as `module:name`, and what it does."""

    place: str
    summary: str


def group_of(verbs: Mapping[str, Verb]) -> type[TyperGroup]:
    """Make a group of commands, to be given to Typer; Typer's own types of them are private."""

    class Verbs(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            return list(verbs)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            if cmd_name not in verbs:
                return None
            module, _, name = verbs[cmd_name].place.partition(":")
            verb = getattr(import_module(module), name)
            if not isinstance(verb, typer.Typer):
                alone = typer.Typer(add_completion=False)
                alone.command(cmd_name)(verb)
                verb = alone
            # Names in help are not markup, and help looks alike everywhere.
            verb.rich_markup_mode = None
            return typer.main.get_command(verb)

        def format_commands(self, ctx: Any, formatter: Any) -> None:
            with formatter.section("Commands"):
                formatter.write_dl([(name, verb.summary) for name, verb in verbs.items()])

    return Verbs
