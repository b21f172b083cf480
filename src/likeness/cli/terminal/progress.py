"""Progress of long work, on stderr; without a terminal there is none to see.

Bars come up when something is told, so work that is done at once shows none and imports nothing.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from likeness.artifacts import Progress
from likeness.cli.terminal.plain_text import plain

Tell = Callable[[int, int], None]
_TellBar = Callable[[str, int, int], None]


@contextmanager
def counting(what: str) -> Iterator[Tell]:
    """Show how many of how many are done."""
    with _bars(in_bytes=False) as tell:
        yield lambda done, total: tell(what, done, total)


@contextmanager
def fetching() -> Iterator[Progress]:
    """Show how much of each file has been fetched."""
    with _bars(in_bytes=True) as tell:

        def progress(what: str, done_bytes: int, total_bytes: int) -> None:
            tell(f"Fetching {plain(what)}", done_bytes, total_bytes)

        yield progress


@contextmanager
def _bars(*, in_bytes: bool) -> Iterator[_TellBar]:
    with ExitStack() as stack:
        bars: list[_TellBar] = []

        def tell(what: str, done: int, total: int) -> None:
            if not bars:
                bars.append(stack.enter_context(_drawn(in_bytes=in_bytes)))
            bars[0](what, done, total)

        yield tell if sys.stderr.isatty() else _silently


def _silently(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@contextmanager
def _drawn(*, in_bytes: bool) -> Iterator[_TellBar]:
    """Draw one bar for each text that is told, then how much of how much is done."""
    # It takes a tenth of a second to import, of every start.
    from rich import progress as rich
    from rich.console import Console
    from rich.text import Text

    class Rate(rich.ProgressColumn):
        def render(self, task: rich.Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.1f}/s")

    with rich.Progress(
        rich.TextColumn("{task.description}", markup=False),
        rich.BarColumn(),
        *([rich.DownloadColumn()] if in_bytes else [rich.MofNCompleteColumn(), Rate()]),
        rich.TimeElapsedColumn(),
        rich.TimeRemainingColumn(),
        console=Console(stderr=True, markup=False, highlight=False),
        transient=True,
    ) as progress:
        tasks: dict[str, rich.TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield tell
