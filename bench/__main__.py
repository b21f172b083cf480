"""Measure Likeness: prints every figure as it comes and writes `bench-out/results.json`.

The file holds what this run measured, after every figure anew. Exit codes: 0 done, targets missed
or not; 2 used wrongly; 3 a figure failed for no known reason; 130 interrupted.
"""

import argparse
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench.figure import Figure, Measurement, NotMeasured
from bench.figures import FIGURES
from bench.machine import Machine, this_machine
from bench.results import Result, print_table, results_of, write_results
from bench.workplace import OUT
from likeness.errors import LikenessError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "--only", metavar="NAME", help="measure one figure, or one group: its name's first words"
    )
    parser.add_argument("--full", action="store_true", help="do the long work too")
    options = parser.parse_args(arguments)

    figures = [figure for figure in FIGURES if _is_of(options.only, figure.name)]
    if not figures:
        names = ", ".join(figure.name for figure in FIGURES)
        print(f"no figure is called {options.only!r}: name one of {names}", file=sys.stderr)
        return 2
    try:
        return run(figures, this_machine(), OUT / "results.json", full=options.full)
    except KeyboardInterrupt:
        print(f"interrupted; {OUT / 'results.json'} holds what was measured", file=sys.stderr)
        return 130


def _is_of(only: str | None, name: str) -> bool:
    return only is None or f"{name}-".startswith(f"{only}-")


def run(figures: Sequence[Figure], machine: Machine, path: Path, *, full: bool = False) -> int:
    """Measure figures one after the other; what one of them lacks stops no other."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    print(f"{machine.description}\n{machine.versions}\n", flush=True)
    results: list[Result] = []
    failed = False
    for figure in figures:
        print(f"{figure.name} ...", flush=True)
        outcome: Measurement | str
        try:
            outcome = figure.measure(full)
        except (NotMeasured, LikenessError) as error:
            outcome = str(error)
        except Exception as error:
            traceback.print_exc()
            outcome = f"{type(error).__name__}: {error}"
            failed = True
        measured_at = datetime.now(UTC).isoformat(timespec="seconds")
        fresh = list(results_of(figure, outcome, machine, measured_at))
        for result in fresh:
            print(result.line(), flush=True)
        results += fresh
        write_results(path, results)
    print()
    print_table(console, results)
    print(f"Written to {path}")
    return 3 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
