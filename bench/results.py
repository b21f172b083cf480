"""What is printed and written of a run: a line a number, and `bench-out/results.json`."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figure import Figure, Measurement, Target
from bench.machine import Machine


@dataclass(frozen=True, slots=True)
class Result:
    """One row of the results.

    `value` and `met` are None where nothing was measured, `target` and `bound` where none is set;
    `command` measures this figure alone.
    """

    figure: str
    value: float | None
    unit: str
    target: float | None
    met: bool | None
    against: str
    command: str
    bound: str | None
    processor: str
    versions: str
    measured_at: str

    def line(self) -> str:
        """Say it on one line."""
        target = "" if self.target is None else f" ({self.verdict}, target {self.goal})"
        return f"{self.figure}: {self.shown} {self.unit}{target} - {self.against}"

    @property
    def shown(self) -> str:
        """The value to four significant digits."""
        return "-" if self.value is None else f"{self.value:.4g}"

    @property
    def goal(self) -> str:
        """The target in words."""
        return "" if self.target is None else f"{self.bound} {self.target:g}"

    @property
    def verdict(self) -> str:
        """Whether the target is met, in words; empty where none is set."""
        if self.target is None:
            return ""
        return "not measured" if self.met is None else "met" if self.met else "MISSED"


def results_of(
    figure: Figure, outcome: Measurement | str, machine: Machine, measured_at: str
) -> Iterator[Result]:
    """Make the rows of a figure from what came of it; a string says why nothing did."""

    def limit_of(target: Target) -> float:
        return target.limit_for(machine.has_amx, machine.has_bf16)

    def result(
        name: str, value: float | None, unit: str, against: str, target: Target | None = None
    ) -> Result:
        return Result(
            figure=name,
            value=value,
            unit=unit,
            target=None if target is None else limit_of(target),
            met=None if target is None or value is None else target.met(value, limit_of(target)),
            against=against,
            command=f"make bench ONLY={figure.name}",
            bound=None if target is None else target.bound,
            processor=machine.description,
            versions=machine.versions,
            measured_at=measured_at,
        )

    target = figure.target
    if isinstance(outcome, str):
        yield result(figure.name, None, figure.unit, f"not measured: {outcome}", target)
        return
    against = outcome.against
    if target and limit_of(target) != target.limit:
        against += (
            f"; with {target.assumes} the target is {target.limit:g}, this processor has none"
        )
    yield result(figure.name, outcome.value, figure.unit, against, target)
    for beside in outcome.beside:
        yield result(f"{figure.name}/{beside.name}", beside.value, beside.unit, beside.against)


def write_results(path: Path, results: Iterable[Result]) -> None:
    """Write the results whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")
    draft.replace(path)


def print_table(console: Console, results: Sequence[Result]) -> None:
    """Print all results at once."""
    table = Table(title="Likeness, measured", caption=_header(results), title_justify="left")
    for column in ("figure", "value", "unit", "target", ""):
        table.add_column(column, justify="right" if column == "value" else "left")
    table.add_column("against", overflow="fold")
    for result in results:
        table.add_row(
            result.figure, result.shown, result.unit, result.goal, result.verdict, result.against
        )
    console.print(table)


def _header(results: Sequence[Result]) -> str:
    first = results[0]
    return f"{first.processor}\n{first.versions}\n{first.measured_at}"
