"""`likeness detect`: where the faces are, how they are turned, how good they look."""

from collections.abc import Iterator
from pathlib import Path

import typer

from likeness.app import Workload
from likeness.cli.installation import load_locator, prepare
from likeness.cli.terminal.annotation import Annotations
from likeness.cli.terminal.answers import Json, face_json, print_json
from likeness.cli.terminal.each_picture import answer_each, picture_lines, sample_json
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
from likeness.cli.terminal.standard_input import check_read_once, sample_of
from likeness.cli.terminal.words import face_in_words
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
    installation = prepare(
        detector=detector,
        detector_side=detector_side,
        precision=precision,
        threads=threads,
        artifacts=artifacts,
    )
    annotations = Annotations(pictures, annotate)
    workload = Workload.ONE if len(pictures) == 1 else Workload.MANY
    locator = load_locator(installation, workload)

    def find(picture: Path) -> Found:
        sample = sample_of(installation, picture)
        located = locator.locate(sample)
        labels = [f"{face.confidence:.2f}" for face in located.faces]
        annotations.write(picture, sample, located.faces, labels)
        return sample, located

    code, documents = answer_each(
        find,
        pictures,
        installation.workers(workload),
        as_json=as_json,
        document_of=_json,
        lines_of=_lines,
    )
    if as_json:
        print_json({"pictures": documents})
    raise typer.Exit(code)


def _lines(picture: Path, found: Found) -> Iterator[str]:
    sample, located = found
    yield from picture_lines(picture, sample, len(located.faces), *_missed(located.search))
    for number, face in enumerate(located.faces, start=1):
        first, *others = face_in_words(face)
        yield f"{number:>4}  {first}"
        yield from (f"      {line}" for line in others)


def _missed(search: SearchDetail) -> list[str]:
    """Say which faces a search of a large picture may miss."""
    if search.smallest_face < _WORTH_SAYING:
        return []
    return [
        f"Searched at {search.width}x{search.height} pixels: faces of less than"
        f" {search.smallest_face} pixels may be missed. A larger --detector-side finds them."
    ]


def _json(found: Found) -> Json:
    sample, located = found
    search = located.search
    return {
        **sample_json(sample),
        "searched": {
            "width": search.width,
            "height": search.height,
            "smallest_face": search.smallest_face,
        },
        "faces": [face_json(face) for face in located.faces],
    }
