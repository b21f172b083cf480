"""`likeness models cohort`: what evens scores out."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from likeness.app import Workload
from likeness.artifacts import write_whole
from likeness.cli.installation import load_networks, prepare
from likeness.cli.terminal.answers import print_answer
from likeness.cli.terminal.exit_codes import warn
from likeness.cli.terminal.options import (
    Artifacts,
    AsJson,
    ChipsChoice,
    PrecisionChoice,
    Threads,
)
from likeness.cli.terminal.output_file import check_output
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.words import several
from likeness.service.models.cohort import make_cohort
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
    as_json: AsJson = False,
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
        made = make_cohort(
            folder,
            locator,
            embedder,
            limits=installation.limits,
            workers=installation.workers(Workload.MANY),
            made_from=name or folder.resolve().name,
            tell=tell,
        )
    tell_of(made.rejections)
    if out is None:
        kept = installation.standards.keep_cohort(made.cohort)
    else:
        kept = out
        write_whole(out, made.cohort.as_bytes())
    document = {
        "cohort": made.cohort.version,
        "averages": len(made.cohort.vectors),
        "people": made.people,
        "rejected": len(made.rejections),
        "written": str(kept),
    }
    lines = [
        f"Cohort {made.cohort.version}: {len(made.cohort.vectors)} averages of"
        f" {several(made.people, 'face')}; {several(len(made.rejections), 'picture')} of no use.",
        f"Written to {kept}",
    ]
    print_answer(as_json, document, lines)


def tell_of(rejections: Iterable[Rejection]) -> None:
    """Name the pictures that were of no use."""
    for one in rejections:
        warn(f"not used, {one.reason}", about=repr(str(one.path)))
