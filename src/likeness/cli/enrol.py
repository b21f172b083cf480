"""`likeness enrol`: let a collection know people by their pictures."""

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from likeness.app import Workload
from likeness.app.collections import require_comparable
from likeness.app.enrolment import enroller_of
from likeness.cli.collections.finder import finder_of
from likeness.cli.enrolling import enrol_all, print_tally
from likeness.cli.home_alone import home_alone
from likeness.cli.opened import prepare
from likeness.cli.terminal.answers import error_json, print_json
from likeness.cli.terminal.exit_codes import report as report_error
from likeness.cli.terminal.options import (
    AnyQuality,
    Artifacts,
    AsJson,
    DetectorSide,
    Foremost,
    PrecisionChoice,
    Threads,
)
from likeness.cli.terminal.output_file import check_output, name_beside
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.standard_input import STANDARD_INPUT, picture_path, read_picture
from likeness.errors import InvalidRequest
from likeness.service.enrol.enrol import Demands, Outcome, Result
from likeness.service.enrol.enrol_report import row_of
from likeness.service.enrol.enrol_source import read_source
from likeness.service.enrol.named_picture import NamedPicture


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
        typer.Option(metavar="DIR", help="Where a manifest's pictures lie; beside it without."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT.csv",
            help="What came of every picture; beside the folder or manifest without.",
        ),
    ] = None,
    any_quality: AnyQuality = False,
    foremost: Foremost = False,
    as_json: AsJson = False,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Let a collection know people by their pictures; pictures that it knows are skipped at once.

    Interrupted in whatever way, the same command goes on where it was.
    """
    settled = prepare(
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
    with home_alone(settled, "send the pictures to the server: IndexFaces") as home:
        # Said before networks are loaded.
        known = home.gallery.collection(collection)
        require_comparable(home, known)
        finder = finder_of(home, known, Workload.MANY)
        enroller = enroller_of(home, collection, finder, Demands(any_quality, foremost))
        tally = enrol_all(enroller, pictures, report)
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
    if as_json:
        failed = {} if result.error is None else {"error": error_json(result.error)}
        print_json({**row_of(result), **failed})
    elif result.error is None:
        already = " already" if result.outcome is Outcome.ALREADY else ""
        print(f"{plain(result.picture.place)}: enrolled{already} as {result.reference_id}")
        for remark in result.remarks:
            print(f"  {remark}")


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
            f"a report outside of '{source}' was expected and '{report}' came: name another place"
        )
