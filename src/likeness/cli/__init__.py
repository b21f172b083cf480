"""The command `likeness`: a verb or a noun each, one file each."""

from likeness.cli.terminal.command import main

__all__ = ["main"]
