"""The command `likeness`: a verb or a noun each, one file each."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit."""
    try:
        # It takes a while to import, in which somebody may press Ctrl-C.
        from likeness.cli.terminal import command
    except KeyboardInterrupt:
        sys.exit(130)
    command.main()
