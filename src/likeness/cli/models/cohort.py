"""`likeness models cohort`: what evens scores out, made from pictures of many people."""

from pathlib import Path
from typing import Annotated

import typer

from likeness.app import Workload
from likeness.artifacts import write_whole
from likeness.cli.opened import networks_opened, prepare
from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.options import (
    Artifacts,
    ChipsChoice,
    PrecisionChoice,
    Threads,
)
from likeness.cli.terminal.output_file import check_output
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.words import several
from likeness.service.models.make_cohort import make_cohort


def cohort(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Pictures of 100 people or more, one each.")
    ],
    name: Annotated[
        str | None, typer.Option(help="Whose pictures they are, and under what terms.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there instead of using it.")
    ] = None,
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
    settled = prepare(chips=chips, precision=precision, threads=threads, artifacts=artifacts)
    locator, embedder = networks_opened(settled, Workload.MANY)
    with counting("Pictures") as tell:
        made = make_cohort(
            folder,
            locator,
            embedder,
            limits=settled.limits,
            workers=settled.workers(Workload.MANY),
            made_from=name or folder.resolve().name,
            tell=tell,
        )
    for rejection in made.rejections:
        warn(f"not used, {rejection.reason}", about=repr(str(rejection.path)))
    if out is None:
        kept = settled.standards.keep_cohort(made.cohort)
    else:
        kept = out
        write_whole(out, made.cohort.as_bytes())
    print(
        f"Cohort {made.cohort.version}: {len(made.cohort.vectors)} averages of"
        f" {several(made.people, 'face')}; {several(len(made.rejections), 'picture')} of no use."
        f"\nWritten to {plain(kept)}"
    )
