"""`likeness detect`: where the faces of pictures are, how they look; when people are in clips."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from likeness.app import Installation, Workload
from likeness.cli.clips.options import clip_options
from likeness.cli.clips.sources import sources_of
from likeness.cli.installation import load_locator, prepare
from likeness.cli.terminal.annotation import Annotations
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.each_picture import answer_each, picture_lines
from likeness.cli.terminal.exit_codes import ExitCode
from likeness.cli.terminal.options import (
    AnnotateTo,
    Artifacts,
    AsJson,
    CsvTo,
    Detector,
    DetectorSide,
    Every,
    From,
    PicturesOrClips,
    PrecisionChoice,
    ShotsTo,
    Threads,
    To,
)
from likeness.cli.terminal.standard_input import check_read_once, sample_of
from likeness.cli.terminal.words import face_in_words
from likeness.service.search.documents import located_json
from likeness.vision.decode import Sample
from likeness.vision.detect import SearchDetail
from likeness.vision.find import Located

Found = tuple[Sample, Located]

# Faces that a search may miss are worth a word from so many pixels on.
_WORTH_SAYING = 40


def detect(
    sources: PicturesOrClips,
    annotate: AnnotateTo = None,
    every: Every = None,
    from_: From = None,
    to: To = None,
    csv: CsvTo = None,
    shots: ShotsTo = None,
    as_json: AsJson = False,
    detector: Detector = None,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Find faces: in pictures where they are and how they look, in clips when each is in view.

    Every picture or clip counts: a bad one is reported and the others are still done.
    """
    options = clip_options(every, from_, to, csv, shots)
    installation = prepare(
        detector=detector,
        detector_side=detector_side,
        precision=precision,
        threads=threads,
        artifacts=artifacts,
    )
    found = sources_of(sources, installation.settings)
    if found.clips:
        from likeness.cli.clips.detect import detect_in_clips

        code = detect_in_clips(
            installation, found.clips, options, annotate=annotate, as_json=as_json
        )
    else:
        options.require_unused()
        code = _detect_in_pictures(installation, found.pictures, annotate, as_json)
    raise typer.Exit(code)


def _detect_in_pictures(
    installation: Installation, pictures: Sequence[Path], annotate: Path | None, as_json: bool
) -> ExitCode:
    check_read_once(pictures)
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
        document_of=lambda found: located_json(*found),
        lines_of=_lines,
    )
    if as_json:
        print_json({"pictures": documents})
    return code


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
