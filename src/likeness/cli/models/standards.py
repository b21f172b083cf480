"""`likeness models cohort` and `calibrate`: what evens scores out, and what they mean."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from likeness.app import Workload
from likeness.artifacts import write_whole
from likeness.cli.installation import load_finder, load_networks, prepare
from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.options import (
    Artifacts,
    ChipsChoice,
    PrecisionChoice,
    Threads,
)
from likeness.cli.terminal.output_file import check_output, write_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.words import one_in, several
from likeness.errors import InvalidRequest
from likeness.service.models import standards
from likeness.service.search.folder_gallery import Rejection

WrittenTo = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write it to this file instead of using it."),
]


def cohort(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Pictures of 100 people or more, one each.")
    ],
    name: Annotated[
        str | None, typer.Option(help="Whose pictures they are, and under what terms.")
    ] = None,
    out: WrittenTo = None,
    chips: ChipsChoice = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Make a cohort from pictures like yours; it holds averages of people, nobody's template.

    It is used from then on, so scores mean something else: run `likeness models calibrate` next.
    """
    if out is not None:
        check_output(out)
    installation = prepare(chips=chips, precision=precision, threads=threads, artifacts=artifacts)
    locator, embedder = load_networks(installation, Workload.MANY)
    with counting("Pictures") as tell:
        made = standards.make_cohort(
            folder,
            locator,
            embedder,
            limits=installation.limits,
            workers=installation.workers(Workload.MANY),
            made_from=name or folder.resolve().name,
            tell=tell,
        )
    _tell_of(made.rejections)
    if out is None:
        kept = installation.standards.keep_cohort(made.cohort)
    else:
        kept = out
        write_whole(out, made.cohort.as_bytes())
    print(
        f"Cohort {made.cohort.version}: {len(made.cohort.vectors)} averages of"
        f" {several(made.people, 'face')}; {several(len(made.rejections), 'picture')} of no use."
        f"\nWritten to {plain(kept)}"
    )


def calibrate(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="One folder a person.")],
    name: Annotated[
        str | None, typer.Option(help='What the pictures are, such as "LFW View 1, deep-funneled".')
    ] = None,
    leave_out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Names of mislabelled people to leave out, one a line."),
    ] = None,
    out: WrittenTo = None,
    chips: ChipsChoice = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Measure what scores mean with the models and the cohort in use, from all pairs of strangers.

    It is used from then on. Do not judge a model by pictures that its cohort was made from.
    """
    if out is not None:
        check_output(out)
    left_out = _names(leave_out) if leave_out else frozenset()
    installation = prepare(chips=chips, precision=precision, threads=threads, artifacts=artifacts)
    finder = load_finder(installation, Workload.MANY)
    with counting("Pictures") as tell:
        calibration, gallery = standards.calibrate(
            folder,
            finder,
            limits=installation.limits,
            workers=installation.workers(Workload.MANY),
            measured_on=name or folder.resolve().name,
            leave_out=left_out,
            tell=tell,
        )
    _tell_of(gallery.rejections)
    if out is None:
        kept = installation.standards.keep_calibration(calibration)
    else:
        kept = out
        write_output(out, json.dumps(calibration.as_json(), indent=1).encode())
    print(
        f"{several(len(gallery.references), 'picture')} of {len(gallery.subjects)} people,"
        f" {several(len(gallery.rejections), 'picture')} without a face; people left out:"
        f" {len(left_out)}.\n{calibration.pairs:,} pairs of strangers show rates down to"
        f" {one_in(calibration.least_counted)}, their tail down to"
        f" {one_in(calibration.lowest_fmr)}.\nWritten to {plain(kept)}"
    )


def _names(file: Path) -> frozenset[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"'{file}' cannot be read ({error}). Name a file of names, one a line."
        ) from error
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def _tell_of(rejections: Iterable[Rejection]) -> None:
    for one in rejections:
        warn(f"not used, {one.reason}", about=repr(str(one.path)))
