"""Options that `evaluate` and `audit` share: the data, the systems under test, the figures."""

from pathlib import Path
from typing import Annotated

import typer

Root = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder that paths in DATA start from. Default: the folder of DATA.",
    ),
]
LabelsFile = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        metavar="FILE.csv",
        help="Whose pictures are, and their groups: path or subject, and any columns.",
    ),
]
Systems = Annotated[
    list[str] | None,
    typer.Option(
        "--system",
        metavar="SYSTEM",
        help="What to test: likeness (default), rekognition, or a file of scores. Twice to compare"
        " two.",
    ),
]
SystemNames = Annotated[
    list[str] | None,
    typer.Option(
        "--system-name", metavar="TEXT", help="What the report calls a file of scores; in order."
    ),
]
SystemVersions = Annotated[
    list[str] | None,
    typer.Option("--system-version", metavar="TEXT", help="Version of what made it; in order."),
]
Endpoint = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Rekognition endpoint to test. Default: Amazon's own of the region."
    ),
]
Region = Annotated[str, typer.Option(metavar="NAME", help="Region of the Rekognition endpoint.")]
CallsPerSecond = Annotated[
    float, typer.Option(metavar="N", help="Most calls to the endpoint in a second.")
]
Price = Annotated[
    float | None,
    typer.Option(metavar="USD", help="Price of one call. Default: Amazon's list for its own."),
]
ScoreColumn = Annotated[
    str, typer.Option(metavar="NAME", help="Column of a file of scores that has them.")
]
Distances = Annotated[
    bool, typer.Option("--distances", help="Scores in files are distances: lower is more alike.")
]
Search = Annotated[bool, typer.Option("--search", help="Search a gallery as well (1:N).")]
Unenrolled = Annotated[
    float,
    typer.Option(metavar="SHARE", help="Share of people left out of the gallery (open set)."),
]
TargetFmr = Annotated[
    float,
    typer.Option("--fmr", metavar="RATE", help="False match rate of the threshold for everybody."),
]
Threshold = Annotated[
    str | None,
    typer.Option(
        metavar="SCORE",
        help="Judge at this threshold instead: a score, or in-force for the one of Likeness.",
    ),
]
Resamples = Annotated[
    int, typer.Option(metavar="N", help="Resamples of the subjects, for the intervals.")
]
Seed = Annotated[int, typer.Option(metavar="N", help="Where draws start from.")]
Out = Annotated[
    Path,
    typer.Option(
        "--out", metavar="DIR", help="Folder for report.html and report.json; made if missing."
    ),
]
Name = Annotated[str, typer.Option("--name", metavar="TEXT", help="Name of the data.")]
DataVersion = Annotated[str, typer.Option(metavar="TEXT", help="Version of the data.")]
Provenance = Annotated[
    str, typer.Option(metavar="TEXT", help="Where the data come from, and on what terms.")
]
LabelledBy = Annotated[
    str, typer.Option(metavar="TEXT", help="Who gave the labels, and on which scale.")
]
