"""`likeness audit`: how evenly a system recognises people across groups."""

from pathlib import Path
from typing import Annotated

import typer

from likeness.cli.audit_attribute import audit_attribute
from likeness.cli.evaluated import EndpointChoice, Run, run
from likeness.cli.terminal import evaluation_options as options
from likeness.cli.terminal.options import (
    Artifacts,
    AsJson,
    ChipsChoice,
    DetectorSide,
    PrecisionChoice,
    Recogniser,
    Threads,
    Yes,
)
from likeness.errors import InvalidRequest
from likeness.service.evaluate.data import DataSource
from likeness.service.evaluate.questions import GROUPS_FMR, WARN_ABOVE, Questions
from likeness.service.evaluate.readers import DataDescription

Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="Manifest (CSV: path, subject if known, and columns of groups), or what `evaluate`"
        " takes, with --labels.",
    ),
]
Group = Annotated[
    list[str] | None,
    typer.Option(
        "--group",
        metavar="COLUMN",
        help="Column of groups; give it for each. Default: every column of up to 150 values.",
    ),
]
Crossed = Annotated[
    bool, typer.Option("--crossed/--not-crossed", help="Look at intersections of groups, too.")
]
ReferenceGroup = Annotated[
    str,
    typer.Option(
        metavar="GROUP",
        help="Set the threshold where strangers of this group match at --fmr. Default: all pairs.",
    ),
]
Attribute = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Judge a system's answers about this column (sex, age) instead: --system rekognition,"
        " or a CSV file with path,predicted.",
    ),
]
Within = Annotated[
    float | None,
    typer.Option(metavar="YEARS", help="With --attribute: how far off an age may be."),
]
WarnAbove = Annotated[
    float,
    typer.Option(
        metavar="TIMES", help="Warn of groups whose FMR is more than so many times the target."
    ),
]
Keep = Annotated[
    bool,
    typer.Option(
        "--keep",
        help="Audit Likeness at the threshold in force for LIKENESS_FMR, and keep the rates of"
        " groups: answers warn by them from now on.",
    ),
]


def audit(
    data: Data,
    group: Group = None,
    reference_group: ReferenceGroup = "",
    attribute: Attribute = None,
    within: Within = None,
    crossed: Crossed = True,
    warn_above: WarnAbove = WARN_ABOVE,
    root: options.Root = None,
    labels: options.LabelsFile = None,
    system: options.Systems = None,
    system_name: options.SystemNames = None,
    system_version: options.SystemVersions = None,
    endpoint: options.Endpoint = None,
    region: options.Region = "us-east-1",
    calls_per_second: options.CallsPerSecond = 5.0,
    price: options.Price = None,
    score_column: options.ScoreColumn = "score",
    distances: options.Distances = False,
    search: options.Search = False,
    unenrolled: options.Unenrolled = 0.5,
    fmr: options.TargetFmr = GROUPS_FMR,
    threshold: options.Threshold = None,
    resamples: options.Resamples = 1000,
    seed: options.Seed = 0,
    name: options.Name = "",
    data_version: options.DataVersion = "not stated",
    provenance: options.Provenance = "not stated",
    labelled_by: options.LabelledBy = "not stated",
    out: options.Out = Path("audit"),
    keep: Keep = False,
    yes: Yes = False,
    as_json: AsJson = False,
    recogniser: Recogniser = None,
    chips: ChipsChoice = None,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Measure error rates, failures and answer times by group, at one threshold for everybody.

    The report follows ISO/IEC 19795-10: worst and best groups with intervals, the cross-group
    matrix, NIST's columns, yield lost beside evenness gained, and what the data cannot support.
    """
    description = DataDescription(name, data_version, provenance, labelled_by)
    asked = EndpointChoice(
        url=endpoint, region=region, calls_per_second=calls_per_second, price=price, yes=yes
    )
    if attribute is not None:
        if labels or search or threshold or reference_group or distances or keep:
            raise InvalidRequest(
                "--labels, --search, --threshold, --reference-group, --distances and --keep are"
                " about recognition, and --attribute is not. Leave out either."
            )
        raise typer.Exit(
            audit_attribute(
                data,
                attribute,
                systems=system or (),
                by=group or (),
                within=within,
                root=root,
                description=description,
                names=system_name or (),
                versions=system_version or (),
                endpoint=asked,
                out=out,
                as_json=as_json,
            )
        )
    if within is not None:
        raise InvalidRequest("--within goes with --attribute. Leave out either.")
    code = run(
        Run(
            title="Audit of face recognition across groups",
            keep=keep,
            source=DataSource(
                path=data,
                root=root,
                labels=labels,
                description=description,
                column=score_column,
                distances=distances,
                tests_pictures=bool(system),
            ),
            systems=system or (),
            names=system_name or (),
            versions=system_version or (),
            endpoint=asked,
            search=unenrolled if search else None,
            questions=Questions(
                fmr=fmr,
                groups=tuple(group or ()),
                crossed=crossed,
                reference_group=reference_group,
                resamples=resamples,
                seed=seed,
                warn_above=warn_above,
            ),
            all_groups=True,
            threshold=threshold,
            out=out,
            as_json=as_json,
            networks={
                "recogniser": recogniser,
                "chips": chips,
                "detector_side": detector_side,
                "precision": precision,
                "threads": threads,
                "artifacts": artifacts,
            },
        )
    )
    raise typer.Exit(code)
