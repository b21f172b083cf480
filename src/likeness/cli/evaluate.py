"""`likeness evaluate`: how well a system recognises people, on one's own pictures."""

from pathlib import Path
from typing import Annotated

import typer

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
from likeness.service.evaluate.data import DataSource
from likeness.service.evaluate.questions import GROUPS_FMR, Questions
from likeness.service.evaluate.readers import DataDescription

Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="Folder of people, LFW's list of pairs, or CSV: path_a,path_b[,same] (pairs),"
        " path_a,path_b,score (scores), or path,subject (manifest).",
    ),
]


def evaluate(
    data: Data,
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
    out: options.Out = Path("evaluation"),
    yes: Yes = False,
    as_json: AsJson = False,
    recogniser: Recogniser = None,
    chips: ChipsChoice = None,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Measure how often a system takes strangers for one person, and misses people.

    Writes report.html and report.json into the folder of --out. An interrupted run continues when
    the same command is given again; no call to an endpoint is made twice.
    """
    questions = Questions(fmr=fmr, resamples=resamples, seed=seed)
    code = run(
        Run(
            title="Evaluation of face recognition",
            source=DataSource(
                path=data,
                root=root,
                labels=labels,
                description=DataDescription(name, data_version, provenance, labelled_by),
                column=score_column,
                distances=distances,
                tests_pictures=bool(system),
            ),
            systems=system or (),
            names=system_name or (),
            versions=system_version or (),
            endpoint=EndpointChoice(
                url=endpoint,
                region=region,
                calls_per_second=calls_per_second,
                price=price,
                yes=yes,
            ),
            search=unenrolled if search else None,
            questions=questions,
            all_groups=False,
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
