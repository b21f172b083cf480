"""`likeness config`: what is set, and where that comes from."""

import textwrap
from dataclasses import asdict

import typer

from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.options import AsJson
from likeness.cli.terminal.plain_text import plain
from likeness.config import describe_settings

config = typer.Typer(help="Show the settings in force.", add_completion=False)


@config.callback()
def _group() -> None:
    """Keep `show` a command of its own while it is the only one."""


@config.command()
def show(as_json: AsJson = False) -> None:
    """List every setting: its variable, its value, where that comes from, what it may be.

    Values are shown as they are given, even those that a command would not accept.
    """
    settings = describe_settings()
    if as_json:
        print_json({"settings": [asdict(setting) for setting in settings]})
        return
    for setting in settings:
        source = "" if setting.source == "default" else f"  ({setting.source})"
        print(f"{setting.variable}={plain(setting.value)}{source}")
        words = f"{setting.description.rstrip('.')}: {setting.allowed}."
        print(textwrap.indent(textwrap.fill(words, 74), "    "))
