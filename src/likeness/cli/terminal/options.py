"""Options that several commands have; those named like a setting go before its variable.

Their limits are the settings' own, so they are checked in one place: `config.Settings`.
"""

from pathlib import Path
from typing import Annotated

import typer

from likeness.terms import Footage

PicturesOrClips = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE...",
        help="Pictures (- is standard input), or clips: files, folders of them, s3://BUCKET/PREFIX.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
AnyQuality = Annotated[
    bool, typer.Option("--any-quality", help="Enrol faces that fail the quality checks as well.")
]
UnlikeOthers = Annotated[
    bool,
    typer.Option(
        "--unlike", help="Enrol faces that look like none of the person's others as well."
    ),
]
Foremost = Annotated[
    bool, typer.Option("--foremost", help="Use only the largest face of a picture with several.")
]
AnnotateTo = Annotated[
    Path | None,
    typer.Option(
        "--annotate",
        metavar="OUT",
        help="Write a copy with its faces marked: a .jpg or .png file for a picture, .mp4 for a"
        " clip, or a folder for several.",
    ),
]
Unblurred = Annotated[
    bool,
    typer.Option(
        "--unblurred",
        help="Write faces as they are, also where the purpose is the exploitation of children.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
CertificateTo = Annotated[
    Path | None,
    typer.Option(
        "--certificate", metavar="OUT.json", help="Write the certificate of the erasure here."
    ),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="File whose first line is the passphrase. Default: ask at the terminal.",
    ),
]
Every = Annotated[
    str | None,
    typer.Option(
        "--every",
        metavar="TIME",
        help="Of a clip: search for faces this often, such as 0.5s; 0 searches every frame."
        " Default: 0.1s.",
    ),
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="Of a clip: begin here, such as 90 or 1:30."),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="TIME", help="Of a clip: end here, such as 120 or 2:00."),
]
CsvTo = Annotated[
    Path | None,
    typer.Option(
        "--csv",
        metavar="OUT.csv",
        help="Of clips: write one row for each time that somebody is in view.",
    ),
]
ShotsTo = Annotated[
    Path | None,
    typer.Option(
        "--shots",
        metavar="FOLDER",
        help="Of clips: write the best shot of each person here, such as to enrol strangers.",
    ),
]
Detector = Annotated[str | None, typer.Option(help="Model that finds faces.", metavar="NAME")]
DetectorSide = Annotated[
    int | None,
    typer.Option(
        help="Shrink pictures for the detector to this many pixels on the longer side.", metavar="N"
    ),
]
Recogniser = Annotated[str | None, typer.Option(help="Model that makes templates.", metavar="NAME")]
ChipsChoice = Annotated[
    str | None,
    typer.Option(
        "--chips",
        help="Crops per face: auto, or one, mirrored or six, which need a cohort of your own.",
        metavar="CHIPS",
    ),
]
PrecisionChoice = Annotated[
    str | None,
    typer.Option("--precision", help="Arithmetic of the networks: auto, f32 or bf16.", metavar="P"),
]
Artifacts = Annotated[
    str | None,
    typer.Option(help="Folder to look for weights and samples in first.", metavar="DIR"),
]
Threads = Annotated[
    int | None, typer.Option(help="Number of processor threads. 0 uses all.", metavar="N")
]
FootageStated = Annotated[
    Footage | None,
    typer.Option(
        "--footage",
        help="Sort of source that pictures or clips come from. It can only make rules stricter.",
    ),
]
Fmr = Annotated[
    float | None,
    typer.Option(
        help="False match rate of the threshold: how often two strangers are called the same.",
        metavar="RATE",
    ),
]
Fnmr = Annotated[
    float | None,
    typer.Option(
        help="Most pairs of one person that may be answered with no, as a share of one.",
        metavar="RATE",
    ),
]
Fpir = Annotated[
    float | None,
    typer.Option(
        help="Most searches for a stranger that may name somebody, as a share of one.",
        metavar="RATE",
    ),
]
