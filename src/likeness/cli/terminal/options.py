"""Options that several commands have; those named like a setting go before its variable.

Their limits are the settings' own, so they are checked in one place: `config.Settings`.
"""

from pathlib import Path
from typing import Annotated

import typer

from likeness.cli.terminal.standard_input import picture_path

Pictures = Annotated[
    list[Path],
    typer.Argument(
        metavar="IMAGE...", help="Picture files; - is standard input.", parser=picture_path
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
AnyQuality = Annotated[
    bool, typer.Option("--any-quality", help="Take faces that are not fit to enrol, too.")
]
Foremost = Annotated[
    bool, typer.Option("--foremost", help="Take the largest face where there are several.")
]
AnnotateTo = Annotated[
    Path | None,
    typer.Option(
        "--annotate",
        metavar="OUT",
        help="Write the picture with its faces marked: a .jpg or .png file; a folder for several.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without being asked.")]
CertificateTo = Annotated[
    Path | None,
    typer.Option("--certificate", metavar="OUT.json", help="Write the erasure's certificate."),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Its first line is the passphrase; it is asked for without."),
]
Detector = Annotated[str | None, typer.Option(help="Model that finds faces.", metavar="NAME")]
DetectorSide = Annotated[
    int | None,
    typer.Option(help="Pixels of the longer side shown to the detector, at most.", metavar="N"),
]
Recogniser = Annotated[str | None, typer.Option(help="Model that makes templates.", metavar="NAME")]
ChipsChoice = Annotated[
    str | None,
    typer.Option(
        "--chips",
        help="auto; one, mirrored or six with a cohort of yours.",
        metavar="CHIPS",
    ),
]
PrecisionChoice = Annotated[
    str | None, typer.Option("--precision", help="auto, f32 or bf16.", metavar="P")
]
Artifacts = Annotated[
    str | None,
    typer.Option(help="Folder in which weights and samples are looked for first.", metavar="DIR"),
]
Threads = Annotated[int | None, typer.Option(help="Processor threads; 0 is all.", metavar="N")]
Fmr = Annotated[
    float | None,
    typer.Option(help="False match rate at which two faces are called the same.", metavar="RATE"),
]
Fnmr = Annotated[
    float | None,
    typer.Option(help="Share of pairs of one person that may be answered with no.", metavar="RATE"),
]
Fpir = Annotated[
    float | None,
    typer.Option(
        help="Share of searches for a stranger that may name somebody, at most.", metavar="RATE"
    ),
]
