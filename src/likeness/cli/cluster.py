"""`likeness cluster`: which unnamed faces of many pictures are likely one person's."""

from pathlib import Path
from typing import Annotated

import typer

from likeness.app import Workload
from likeness.cli.cluster_folder import check_folder, write_folder
from likeness.cli.installation import open_likeness, prepare
from likeness.cli.terminal.answers import Json, error_json, print_json
from likeness.cli.terminal.each_picture import each_picture
from likeness.cli.terminal.exit_codes import ExitCode, code_of
from likeness.cli.terminal.options import (
    Artifacts,
    AsJson,
    ChipsChoice,
    DetectorSide,
    Fmr,
    PrecisionChoice,
    Threads,
)
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.progress import counting
from likeness.cli.terminal.words import as_high, box_in_words, several, similarity_in_words
from likeness.errors import LikenessError
from likeness.service.enrol.sources import picture_files
from likeness.service.search.cluster import Likely, Proposal, UnnamedFace, propose, unnamed_faces
from likeness.service.search.documents import face_json, point_json, significant
from likeness.terms import Calibration, one_in


def cluster(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SOURCE...", help="Pictures, and folders with all that is in them."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write every face there, and a clusters.csv to name them in; a new folder.",
        ),
    ] = None,
    as_json: AsJson = False,
    fmr: Fmr = None,
    chips: ChipsChoice = None,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Group the faces of pictures by who they are likely of; exit code 1 when no two are alike.

    It proposes and enrols nobody. A bad picture is reported and the others are still done.
    """
    installation = prepare(
        fmr=fmr,
        chips=chips,
        detector_side=detector_side,
        precision=precision,
        threads=threads,
        artifacts=artifacts,
    )
    pictures = picture_files(sources)
    if out is not None:
        check_folder(out, sources)
    likeness = open_likeness(installation, Workload.MANY)

    def find(picture: Path) -> tuple[UnnamedFace, ...]:
        return unnamed_faces(picture, installation.sample(picture), likeness.finder)

    worst, failures = ExitCode.DONE, []
    faces: list[UnnamedFace] = []
    with counting("Pictures") as tell:
        found_in_each = each_picture(find, pictures, likeness.workers)
        for done, (picture, found) in enumerate(found_in_each, start=1):
            if isinstance(found, LikenessError):
                worst = max(worst, code_of(found))
                failures.append({"picture": str(picture), "error": error_json(found)})
            else:
                faces += found
            tell(done, len(pictures))
    proposal = propose(faces, likeness.calibration, installation.settings.fmr)
    if as_json:
        print_json({"pictures": len(pictures), "failures": failures, **_json(proposal)})
    else:
        _print(proposal, len(pictures), len(faces), likeness.calibration)
    if out is not None:
        with counting("Faces") as tell:
            write_folder(out, proposal, installation.sample, likeness.workers, tell)
        if not as_json:
            print(f"{plain(out / 'clusters.csv')} has a column to name them in")
    raise typer.Exit(max(worst, ExitCode.DONE if proposal.clusters else ExitCode.NO))


def _print(proposal: Proposal, pictures: int, faces: int, known: Calibration) -> None:
    point = proposal.point
    reached = as_high(max(point.fmr, known.lowest_fmr), known)
    print(
        f"{several(faces, 'face')} in {several(pictures, 'picture')}:"
        f" {several(len(proposal.clusters), 'cluster')},"
        f" {several(len(proposal.alone), 'face')} unlike all others. Faces are joined whose\n"
        f"mean score is {point.threshold:.2f}, which {reached} strangers"
        f" reach: at most {_count(proposal.expected_false)} false joins are to be\nexpected."
    )
    if not point.calibrated:
        print(f"{one_in(point.fmr)} was not measured with this model.")
    for number, likely in enumerate(proposal.clusters, start=1):
        print(
            f"cluster {number}: {several(len(likely.faces), 'face')}, cohesion"
            f" {likely.cohesion:.1f}, similarity {similarity_in_words(likely.similarity)};"
            f" {as_high(likely.fmr, known)} strangers score as high"
        )
        _print_faces(likely.faces)
    if proposal.alone:
        print(f"unlike all others: {several(len(proposal.alone), 'face')}")
        _print_faces(proposal.alone)


def _print_faces(faces: tuple[UnnamedFace, ...]) -> None:
    for each in faces:
        print(f"      {plain(each.picture)} box {box_in_words(each.face.box)}")


def _count(expected: float) -> str:
    return f"{expected:,.0f}" if expected >= 10 else f"{expected:.2g}"


def _json(proposal: Proposal) -> Json:
    return {
        "operating_point": {
            **point_json(proposal.point),
            "expected_false_joins": significant(proposal.expected_false),
        },
        "clusters": [_likely_json(likely) for likely in proposal.clusters],
        "alone": [_face_json(each) for each in proposal.alone],
    }


def _likely_json(likely: Likely) -> Json:
    return {
        "cohesion": {
            "score": round(likely.cohesion, 4),
            "similarity": round(likely.similarity, 2),
            "fmr": significant(likely.fmr),
        },
        "faces": [
            {**_face_json(each), "score": round(fit, 4)}
            for each, fit in zip(likely.faces, likely.fits, strict=True)
        ],
    }


def _face_json(each: UnnamedFace) -> Json:
    return {"picture": str(each.picture), "face": face_json(each.face)}
