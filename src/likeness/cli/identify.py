"""`likeness identify`: who of a gallery the faces are, if anybody."""

from pathlib import Path
from typing import Annotated

import typer

from likeness.app import Workload
from likeness.cli.annotation import Annotations
from likeness.cli.answers import Json, error_json, identification_json, point_json, print_json
from likeness.cli.each_picture import each_picture
from likeness.cli.exit_codes import ExitCode, code_of, warn
from likeness.cli.opened import installation, opened
from likeness.cli.options import (
    AnnotateTo,
    AsJson,
    ChipsChoice,
    DetectorSide,
    Fmr,
    Fpir,
    Pictures,
    PrecisionChoice,
    Threads,
)
from likeness.cli.plain_text import plain
from likeness.cli.progress import counting
from likeness.cli.words import as_high, box_in_words, one_in, several
from likeness.errors import LikenessError
from likeness.service.folder_gallery import FolderGallery
from likeness.service.identify import Candidate, Identification
from likeness.terms.calibration import OperatingPoint
from likeness.vision.decode import Sample
from likeness.vision.draw import Mark

Named = tuple[Sample, tuple[Identification, ...]]


def identify(
    pictures: Pictures,
    gallery: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="One folder, or one picture, for each person."),
    ],
    annotate: AnnotateTo = None,
    as_json: AsJson = False,
    fmr: Fmr = None,
    fpir: Fpir = None,
    chips: ChipsChoice = None,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
) -> None:
    """Name the faces of pictures from a folder of known people; exit code 1 when nobody is known.

    Every picture counts: a bad one is reported and the others are still done.
    """
    settled = installation(
        fmr=fmr,
        fpir=fpir,
        chips=chips,
        detector_side=detector_side,
        precision=precision,
        threads=threads,
    )
    annotations = Annotations(pictures, annotate)
    likeness = opened(settled, Workload.MANY)
    with counting("Gallery") as tell:
        enrolled = likeness.gallery(gallery, tell)
    for rejection in enrolled.rejections:
        warn(f"not enrolled, {rejection.reason}", about=repr(str(rejection.path)))
    identifier = likeness.identifier(enrolled)

    def name(picture: Path) -> Named:
        sample = settled.sample(picture)
        faces = identifier.identify(sample)
        annotations.write(
            picture,
            sample,
            [each.face for each in faces],
            [label_of(each) for each in faces],
            [mark_of(each) for each in faces],
        )
        return sample, faces

    worst, anybody, answers = ExitCode.DONE, False, []
    if not as_json:
        _print_gallery(enrolled, identifier.point)
    for picture, named in each_picture(name, pictures, likeness.workers):
        if isinstance(named, LikenessError):
            worst = max(worst, code_of(named))
        else:
            anybody |= any(each.match for each in named[1])
        if as_json:
            answers.append(_json(picture, named))
        elif not isinstance(named, LikenessError):
            _print(picture, *named, likeness.calibration.lowest_fmr)
    if as_json:
        print_json(
            {
                "gallery": _gallery_json(gallery, enrolled, identifier.point),
                "pictures": answers,
            }
        )
    raise typer.Exit(max(worst, ExitCode.DONE if anybody else ExitCode.NO))


def _print_gallery(gallery: FolderGallery, point: OperatingPoint) -> None:
    expected = point.fmr * len(gallery.subjects)
    people = "person" if len(gallery.subjects) == 1 else "people"
    print(
        f"Gallery of {len(gallery.subjects)} {people} in"
        f" {several(len(gallery.references), 'picture')}. A match needs score"
        f" {point.threshold:.2f}, which {one_in(point.fmr)}\nstrangers reach: {expected:.2g}"
        f" false candidates are to be expected in a search."
    )
    if not point.calibrated:
        print("That rate was not measured with this model, so nobody is called a match.")


def _print(
    picture: Path, sample: Sample, faces: tuple[Identification, ...], lowest_fmr: float
) -> None:
    print(
        f"{plain(picture)}: {several(len(faces), 'face')} in {sample.width}x{sample.height} pixels"
    )
    for number, each in enumerate(faces, start=1):
        match, others = each.match, each.candidates
        if match:
            others = others[1:]
            print(f"{number:>4}  {_candidate_in_words(match, lowest_fmr)}")
        else:
            print(f"{number:>4}  no match")
        print(f"      box {box_in_words(each.face.box)}")
        for candidate in others:
            print(f"      next: {_candidate_in_words(candidate, lowest_fmr)}")


def _candidate_in_words(candidate: Candidate, lowest_fmr: float) -> str:
    return (
        f"{plain(candidate.subject)}, similarity {candidate.similarity:.1f};"
        f" {as_high(candidate.fmr, lowest_fmr)} strangers score as high"
    )


def label_of(identification: Identification) -> str:
    """Say who a face is, in a picture."""
    match = identification.match
    return f"{plain(match.subject)} {match.similarity:.1f}" if match else "no match"


def mark_of(identification: Identification) -> Mark:
    """Choose the colour that a face is marked in."""
    return Mark.MATCHED if identification.match else Mark.UNMATCHED


def _gallery_json(folder: Path, gallery: FolderGallery, point: OperatingPoint) -> Json:
    return {
        "folder": str(folder),
        "subjects": len(gallery.subjects),
        "references": len(gallery.references),
        "rejections": [
            {"picture": str(rejection.path), "reason": rejection.reason}
            for rejection in gallery.rejections
        ],
        "operating_point": {
            **point_json(point),
            "expected_false_candidates": point.fmr * len(gallery.subjects),
        },
    }


def _json(picture: Path, named: Named | LikenessError) -> Json:
    if isinstance(named, LikenessError):
        return {"picture": str(picture), "error": error_json(named)}
    sample, faces = named
    return {
        "picture": str(picture),
        "width": sample.width,
        "height": sample.height,
        "faces": [identification_json(each) for each in faces],
    }
