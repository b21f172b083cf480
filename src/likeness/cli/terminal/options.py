"""Options that several commands have; those named like a setting go before its variable.

Their limits are the settings' own, so they are checked in one place: `config.Settings`.
"""

from pathlib import Path
from typing import Annotated

import typer

from likeness.cli.terminal.standard_input import picture_path
from likeness.terms import Footage

Pictures = Annotated[
    list[Path],
    typer.Argument(
        metavar="IMAGE...", help="Picture files; - is standard input.", parser=picture_path
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
AnyQuality = Annotated[
    bool, typer.Option("--any-quality", help="Enrol faces that fail the quality checks as well.")
]
Foremost = Annotated[
    bool, typer.Option("--foremost", help="Use only the largest face of a picture with several.")
]
AnnotateTo = Annotated[
    Path | None,
    typer.Option(
        "--annotate",
        metavar="OUT",
        help="Write a copy of the picture with its faces marked: a .jpg or .png file, or a folder"
        " for several pictures.",
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
        help="Sort of source that the pictures come from. It can only make rules stricter.",
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
