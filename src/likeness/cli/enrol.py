"""`likeness enrol`: enrol people from pictures; `likeness import` does so with CompreFace's."""

import io
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Protocol

import typer

from likeness.app import Workload
from likeness.cli.acts import home_for
from likeness.cli.installation import prepare
from likeness.cli.terminal.answers import error_json, print_answer
from likeness.cli.terminal.exit_codes import ExitCode, code_of, warn
from likeness.cli.terminal.exit_codes import report as report_error
from likeness.cli.terminal.options import (
    AnyQuality,
    Artifacts,
    AsJson,
    DetectorSide,
    FootageStated,
    Foremost,
    PrecisionChoice,
    Threads,
    UnlikeOthers,
)
from likeness.cli.terminal.output_file import check_output, growing_output, name_beside
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.standard_input import STANDARD_INPUT, picture_path, read_picture
from likeness.cli.terminal.stopping import stopping
from likeness.cli.terminal.words import several
from likeness.errors import InvalidRequest, QualityTooLow, SeveralFaces, Unlike
from likeness.service.enrol.enrol import (
    Demands,
    Enroller,
    Outcome,
    Result,
    reported,
    row_of,
)
from likeness.service.enrol.sources import NamedPicture, read_source
from likeness.service.uses import Caller, Home, Stated

_CURES = {
    SeveralFaces.__name__: "`--foremost` takes the largest face of each",
    QualityTooLow.__name__: "`--any-quality` takes them as they are",
    Unlike.__name__: "`--unlike` takes what looks like none of a person's other pictures",
}
"""What would let rejected pictures be enrolled, by the kind of their rejection."""


def enrol(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="A picture (- is standard input); a folder with one folder or one picture a"
            " person; a CSV manifest.",
            parser=picture_path,
        ),
    ],
    collection: Annotated[str, typer.Option(metavar="NAME", help="Collection to enrol into.")],
    subject: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose picture it is, where it is one.")
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder that the manifest's paths start from. Default: the manifest's own folder.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.csv",
            help="Write one row per picture here. Default: next to the source.",
        ),
    ] = None,
    any_quality: AnyQuality = False,
    foremost: Foremost = False,
    unlike: UnlikeOthers = False,
    footage: FootageStated = None,
    as_json: AsJson = False,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Enrol people from pictures. Pictures that are already enrolled are skipped.

    If it is interrupted, run the same command again to continue.
    """
    installation = prepare(
        detector_side=detector_side,
        precision=precision,
        threads=threads,
        artifacts=artifacts,
    )
    pictures = _pictures(source, subject, root)
    alone = subject is not None
    if report is not None:
        check_output(report)
    elif not alone:
        report = _beside(source)
    if report is not None:
        _refuse_among_pictures(report, source)
    beside_server = "send the pictures to the server: IndexFaces"
    with home_for("enrol", installation, beside_server) as (home, caller):
        tally = enrol_all(
            home,
            replace(caller, stated=Stated(footage=footage)),
            collection,
            pictures,
            Demands(any_quality, foremost, unlike),
            report=report,
            workers=installation.workers(Workload.MANY),
        )
    if alone and tally.last is not None:
        _print_one(tally.last, as_json)
    elif report is not None:
        print_tally(tally, report, as_json)
    raise typer.Exit(tally.code)


def _pictures(source: Path, subject: str | None, root: Path | None) -> list[NamedPicture]:
    if source != STANDARD_INPUT:
        return read_source(source, subject, root)
    if subject is None:
        raise InvalidRequest("Standard input is one picture. Say whose: --subject NAME.")
    if root is not None:
        raise InvalidRequest("Standard input is no manifest. Leave out --root.")
    return [NamedPicture(str(source), partial(read_picture, source), subject)]


def _print_one(result: Result, as_json: bool) -> None:
    if result.error is not None:
        report_error(result.error, about=repr(result.picture.place))
    failed = {} if result.error is None else {"error": error_json(result.error)}
    already = " already" if result.outcome is Outcome.ALREADY else ""
    lines = [
        f"{result.picture.place}: enrolled{already} as {result.reference_id}",
        *(f"  {remark}" for remark in result.remarks),
    ]
    print_answer(as_json, {**row_of(result), **failed}, [] if failed else lines)


def _beside(source: Path) -> Path:
    """Name a report that lies beside a folder or a manifest, and never inside.

    Raises:
        InvalidRequest: it cannot be written there.
    """
    real = Path(os.path.realpath(source))
    report = real.parent / name_beside(real.name, ".enrol-report.csv")
    try:
        check_output(report)
    except InvalidRequest as error:
        raise InvalidRequest(f"{error} `--report` names another.") from error
    return report


def _refuse_among_pictures(report: Path, source: Path) -> None:
    """Refuse a report that would replace a picture or a manifest, or pass for a picture later."""
    if Path(os.path.realpath(report)).is_relative_to(os.path.realpath(source)):
        raise InvalidRequest(
            f"The report '{report}' would lie in '{source}'. Name a place outside."
        )


class Pictures(Protocol):
    """Pictures that are counted before they are read."""

    def __len__(self) -> int:
        """Count them."""

    def __iter__(self) -> Iterator[NamedPicture]:
        """Name one after the other."""


@dataclass(slots=True)
class Tally:
    """How many pictures of how many came to what."""

    total: int
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    remarks: int = 0
    worst: ExitCode = ExitCode.DONE
    last: Result | None = None
    seconds: float = 0.0

    @property
    def done(self) -> int:
        """How many came to anything."""
        return self.outcomes.total()

    @property
    def code(self) -> ExitCode:
        """What the shell is told."""
        return self.worst if self.done == self.total else ExitCode.INTERRUPTED

    def count(self, result: Result) -> None:
        """Count one more."""
        self.outcomes[result.outcome] += 1
        self.remarks += bool(result.remarks)
        self.last = result
        if result.error is not None:
            self.reasons[result.error.kind] += 1
            self.worst = max(self.worst, code_of(result.error))


def enrol_all(
    home: Home,
    caller: Caller,
    collection: str,
    pictures: Pictures,
    demands: Demands,
    *,
    report: Path | None,
    workers: int,
) -> Tally:
    """Enrol pictures and write what comes of each; Ctrl-C ends it where it can go on later."""
    enroller = Enroller(home, caller, collection, demands, workers=workers)
    tally = Tally(len(pictures))
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
                tell(tally.done, tally.total)
    finally:
        tally.seconds = time.perf_counter() - begun
        if 0 < tally.done < tally.total:
            warn(
                f"{tally.done} of {several(tally.total, 'picture')} are done. Run the same command"
                " again to continue."
            )
    return tally


def print_tally(tally: Tally, report: Path, as_json: bool) -> None:
    """Say how many came to what, how fast, and where each is told of."""
    counts = {outcome.value: tally.outcomes[outcome] for outcome in Outcome}
    document = {
        **counts,
        "reasons": dict(tally.reasons),
        "remarks": tally.remarks,
        "report": str(report),
    }
    reasons = ", ".join(f"{count} {reason}" for reason, count in tally.reasons.most_common())
    lines = [
        f"{several(tally.done, 'picture')} in {tally.seconds:.1f} s,"
        f" {tally.done / tally.seconds:.1f} a second: "
        + ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        + (f" ({reasons})" if reasons else ""),
        f"{report} says which",
        *(
            [f"{several(tally.remarks, 'picture')} with remarks: see the report"]
            if tally.remarks
            else []
        ),
        *(f"{n} {kind}: {cure}" for kind, cure in _CURES.items() if (n := tally.reasons[kind])),
    ]
    print_answer(as_json, document, lines)
