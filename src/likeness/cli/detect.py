"""`likeness detect`: where the faces are, how they are turned, how good they look."""

from pathlib import Path

import typer

from likeness.app import Workload
from likeness.cli.opened import locator_opened, prepare
from likeness.cli.terminal.annotation import Annotations
from likeness.cli.terminal.answers import Json, error_json, face_json, print_json
from likeness.cli.terminal.each_picture import each_picture
from likeness.cli.terminal.exit_codes import ExitCode, code_of
from likeness.cli.terminal.options import (
    AnnotateTo,
    Artifacts,
    AsJson,
    Detector,
    DetectorSide,
    Pictures,
    PrecisionChoice,
    Threads,
)
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.standard_input import check_read_once, sample_of
from likeness.cli.terminal.words import face_in_words, several
from likeness.errors import LikenessError
from likeness.vision.decode import Sample
from likeness.vision.detect import SearchDetail
from likeness.vision.find import Located

Found = tuple[Sample, Located]

# Faces that a search may miss are worth a word from so many pixels on.
_WORTH_SAYING = 40


def detect(
    pictures: Pictures,
    annotate: AnnotateTo = None,
    as_json: AsJson = False,
    detector: Detector = None,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Find faces: boxes, five landmarks, confidence, pose and quality.

    Every picture counts: a bad one is reported and the others are still done.
    """
    check_read_once(pictures)
    settled = prepare(
        detector=detector,
        detector_side=detector_side,
        precision=precision,
        threads=threads,
        artifacts=artifacts,
    )
    annotations = Annotations(pictures, annotate)
    workload = Workload.ONE if len(pictures) == 1 else Workload.MANY
    locator = locator_opened(settled, workload)

    def find(picture: Path) -> Found:
        sample = sample_of(settled, picture)
        located = locator.locate(sample)
        labels = [f"{face.confidence:.2f}" for face in located.faces]
        annotations.write(picture, sample, located.faces, labels)
        return sample, located

    code, answers = ExitCode.DONE, []
    for picture, found in each_picture(find, pictures, settled.workers(workload)):
        if isinstance(found, LikenessError):
            code = max(code, code_of(found))
        if as_json:
            answers.append(_json(picture, found))
        elif not isinstance(found, LikenessError):
            _print(picture, *found)
    if as_json:
        print_json({"pictures": answers})
    raise typer.Exit(code)


def _print(picture: Path, sample: Sample, located: Located) -> None:
    faces = several(len(located.faces), "face")
    print(f"{plain(picture)}: {faces} in {sample.width}x{sample.height} pixels")
    for remark in (*sample.remarks, *_missed(located.search)):
        print(f"      {remark}")
    for number, face in enumerate(located.faces, start=1):
        first, *others = face_in_words(face)
        print(f"{number:>4}  {first}")
        for line in others:
            print(f"      {line}")


def _missed(search: SearchDetail) -> list[str]:
    """Say which faces a search of a large picture may miss."""
    if search.smallest_face < _WORTH_SAYING:
        return []
    return [
        f"Searched at {search.width}x{search.height} pixels: faces of less than"
        f" {search.smallest_face} pixels may be missed. A larger --detector-side finds them."
    ]


def _json(picture: Path, found: Found | LikenessError) -> Json:
    if isinstance(found, LikenessError):
        return {"picture": str(picture), "error": error_json(found)}
    sample, located = found
    search = located.search
    return {
        "picture": str(picture),
        "width": sample.width,
        "height": sample.height,
        "remarks": list(sample.remarks),
        "searched": {
            "width": search.width,
            "height": search.height,
            "smallest_face": search.smallest_face,
        },
        "faces": [face_json(face) for face in located.faces],
    }
