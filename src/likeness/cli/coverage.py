"""`likeness coverage`: what a set of pictures covers, and which error rates it could carry."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from likeness import __version__
from likeness.app import Workload
from likeness.cli.installation import load_locator, prepare
from likeness.cli.terminal import evaluation_options as options
from likeness.cli.terminal.findings import write_and_print
from likeness.cli.terminal.options import (
    Artifacts,
    AsJson,
    Detector,
    DetectorSide,
    PrecisionChoice,
    Threads,
)
from likeness.cli.terminal.output_file import check_report_folder
from likeness.cli.terminal.progress import counting
from likeness.reports import coverage_at_terminal, write_coverage
from likeness.service.evaluate.coverage.cover import cover
from likeness.service.evaluate.coverage.findings import to_json
from likeness.service.evaluate.coverage.looks import Look, look_at
from likeness.service.evaluate.data import DataSource, read_data
from likeness.service.evaluate.readers import DataDescription
from likeness.service.evaluate.trials import PlannedSample


def coverage(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Manifest (CSV: path, subject if known, and columns of groups), a folder of"
            " people, or a list of pairs.",
        ),
    ],
    group: Annotated[
        list[str] | None,
        typer.Option(
            "--group",
            metavar="COLUMN",
            help="Column of groups; give it for each. Default: every column of labels.",
        ),
    ] = None,
    labels_only: Annotated[
        bool, typer.Option("--labels-only", help="Count labels, and look at no picture.")
    ] = False,
    root: options.Root = None,
    labels: options.LabelsFile = None,
    name: options.Name = "",
    data_version: options.DataVersion = "not stated",
    provenance: options.Provenance = "not stated",
    labelled_by: options.LabelledBy = "not stated",
    out: options.Out = Path("coverage"),
    as_json: AsJson = False,
    detector: Detector = None,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Say what a set of pictures covers, what is missing, and which error rates it could carry.

    Groups are the manifest's own columns. Pose, sharpness, light and size of the face are measured,
    and the year is the manifest's or the camera's. Nobody's sex, age or race is guessed.
    """
    check_report_folder(out)
    description = DataDescription(name, data_version, provenance, labelled_by)
    plan, _ = read_data(
        DataSource(
            path=data, root=root, labels=labels, description=description, tests_pictures=True
        )
    )
    made_by = f"Likeness {__version__}"
    if labels_only:
        report = cover(plan, None, by=group or (), made_at=datetime.now(UTC), made_by=made_by)
    else:
        installation = prepare(
            detector=detector,
            detector_side=detector_side,
            precision=precision,
            threads=threads,
            artifacts=artifacts,
        )
        locator = load_locator(installation, Workload.MANY)

        def look(sample: PlannedSample) -> Look:
            return look_at(installation.sample(sample.path), locator)

        with counting("Pictures") as tell:
            report = cover(
                plan,
                look,
                by=group or (),
                made_at=datetime.now(UTC),
                made_by=made_by,
                workers=installation.workers(Workload.MANY),
                tell=tell,
            )
    write_and_print(
        out,
        page=write_coverage(report),
        document=to_json(report),
        blocks=coverage_at_terminal(report),
        problems=report.problems,
        as_json=as_json,
    )
