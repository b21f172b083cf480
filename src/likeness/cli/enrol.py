"""`likeness enrol`: let a collection know people by their pictures."""

import io
import os
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Annotated

import typer

from likeness.app import Workload
from likeness.app.enrolment import enroller_of
from likeness.app.home import Home
from likeness.cli.answers import print_json
from likeness.cli.exit_codes import ExitCode, code_of, warn
from likeness.cli.exit_codes import report as report_error
from likeness.cli.opened import finder_opened, installation
from likeness.cli.options import AsJson, ChipsChoice, DetectorSide, PrecisionChoice, Threads
from likeness.cli.output_file import growing_output
from likeness.cli.plain_text import plain
from likeness.cli.progress import counting
from likeness.cli.stopping import stopping
from likeness.cli.words import several
from likeness.errors import InvalidRequest
from likeness.service.enrol import Demands, Enroller, Outcome, Result
from likeness.service.enrol_report import reported, row_of
from likeness.service.enrol_source import read_source
from likeness.service.named_picture import NamedPicture


@dataclass(slots=True)
class _Tally:
    """How many pictures came to what."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    worst: ExitCode = ExitCode.DONE
    last: Result | None = None
    seconds: float = 0.0

    @property
    def done(self) -> int:
        return self.outcomes.total()

    def count(self, result: Result) -> None:
        self.outcomes[result.outcome] += 1
        self.last = result
        if result.error is not None:
            self.reasons[type(result.error).__name__] += 1
            self.worst = max(self.worst, code_of(result.error))


def enrol(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="A picture; a folder with one folder or one picture a person; a CSV manifest.",
        ),
    ],
    collection: Annotated[str, typer.Option(metavar="NAME", help="Collection to enrol into.")],
    subject: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose picture it is, where it is one.")
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where a manifest's pictures lie; beside it without."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.csv",
            help="What came of every picture; beside the folder or manifest without.",
        ),
    ] = None,
    any_quality: Annotated[
        bool, typer.Option("--any-quality", help="Take faces that are not fit to enrol, too.")
    ] = False,
    foremost: Annotated[
        bool, typer.Option("--foremost", help="Take the foremost face where there are several.")
    ] = False,
    as_json: AsJson = False,
    chips: ChipsChoice = None,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
) -> None:
    """Let a collection know people by their pictures; pictures that it knows are skipped at once.

    Interrupted in whatever way, the same command goes on where it was.
    """
    settled = installation(
        chips=chips, detector_side=detector_side, precision=precision, threads=threads
    )
    pictures = read_source(source, subject, root)
    alone = subject is not None
    report = report or (None if alone else _beside(source))
    if report is not None:
        _refuse_among_pictures(report, source)
    with Home(settled) as home:
        home.gallery.collection(collection)  # said before networks are loaded
        finder = finder_opened(settled, Workload.MANY)
        enroller = enroller_of(home, collection, finder, Demands(any_quality, foremost))
        tally = _enrol(enroller, pictures, report)
    if alone and tally.last is not None:
        _print_one(tally.last, as_json)
    else:
        _print(tally, report, as_json)
    if tally.done < len(pictures):
        raise typer.Exit(ExitCode.INTERRUPTED)
    raise typer.Exit(tally.worst)


def _enrol(enroller: Enroller, pictures: Sequence[NamedPicture], report: Path | None) -> _Tally:
    tally = _Tally()
    begun = time.perf_counter()
    try:
        with (
            stopping() as stopped,
            growing_output(report) if report else nullcontext(io.StringIO()) as file,
            counting("Pictures") as tell,
        ):
            results = enroller.enrol(takewhile(lambda _: not stopped(), pictures))
            for result in reported(results, file):
                tally.count(result)
                tell(tally.done, len(pictures))
    finally:
        tally.seconds = time.perf_counter() - begun
        if 0 < tally.done < len(pictures):
            warn(
                f"{tally.done} of {several(len(pictures), 'picture')} are done: the same command"
                " goes on after them"
            )
    return tally


def _print_one(result: Result, as_json: bool) -> None:
    if result.error is not None:
        report_error(result.error, about=repr(result.picture.place))
    if as_json:
        print_json(row_of(result))
    elif result.error is None:
        already = " already" if result.outcome is Outcome.ALREADY else ""
        print(f"{plain(result.picture.place)}: enrolled{already} as {result.reference_id}")


def _print(tally: _Tally, report: Path | None, as_json: bool) -> None:
    counts = {outcome.value: tally.outcomes[outcome] for outcome in Outcome}
    if as_json:
        print_json({**counts, "reasons": dict(tally.reasons), "report": str(report)})
        return
    reasons = ", ".join(f"{count} {reason}" for reason, count in tally.reasons.most_common())
    print(
        f"{several(tally.done, 'picture')} in {tally.seconds:.1f} s,"
        f" {tally.done / tally.seconds:.1f} a second: "
        + ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        + (f" ({reasons})" if reasons else "")
        + f"\n{plain(report)} says which"
    )


def _beside(source: Path) -> Path:
    """Name a report that lies beside a folder or a manifest, and never inside."""
    real = Path(os.path.realpath(source))
    return real.parent / f"{real.name}.enrol-report.csv"


def _refuse_among_pictures(report: Path, source: Path) -> None:
    """Refuse a report that would replace a picture or a manifest, or pass for a picture later."""
    if Path(os.path.realpath(report)).is_relative_to(os.path.realpath(source)):
        raise InvalidRequest(
            f"a report outside of '{source}' was expected and '{report}' came: name another place"
        )
