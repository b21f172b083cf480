"""`likeness identify`: who of a gallery the faces are, if anybody."""

from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from likeness.app import Installation, Workload
from likeness.cli.opened import prepare
from likeness.cli.search_in_words import search_in_words, search_json
from likeness.cli.searched import Ready, collection_ready, folder_ready
from likeness.cli.terminal.annotation import Annotations
from likeness.cli.terminal.answers import Json, error_json, identification_json, print_json
from likeness.cli.terminal.each_picture import each_picture
from likeness.cli.terminal.exit_codes import ExitCode, code_of, warn
from likeness.cli.terminal.options import (
    AnnotateTo,
    Artifacts,
    AsJson,
    ChipsChoice,
    DetectorSide,
    Fmr,
    Fpir,
    Pictures,
    PrecisionChoice,
    Threads,
)
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.standard_input import check_read_once, sample_of
from likeness.cli.terminal.words import as_high, box_in_words, several, similarity_in_words
from likeness.errors import InvalidRequest, LikenessError
from likeness.service.search.identify import Candidate, Identification, Identified
from likeness.service.search.naming import Naming
from likeness.vision.draw import Mark

_By = Literal["best", "subject", "reference"]

# In place of a name, and of "no match", which would be an answer.
_WITHHELD = "withheld"


def identify(
    pictures: Pictures,
    gallery: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="One folder, or one picture, for each person."),
    ] = None,
    collection: Annotated[
        str | None, typer.Option(metavar="NAME", help="A collection of the home instead.")
    ] = None,
    by: Annotated[
        _By | None,
        typer.Option(
            help="What of a collection is compared: each subject by the best reference (without"
            " this option), by all references as one, or each reference.",
        ),
    ] = None,
    annotate: AnnotateTo = None,
    as_json: AsJson = False,
    fmr: Fmr = None,
    fpir: Fpir = None,
    chips: ChipsChoice = None,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Name the faces of pictures from known people; exit code 1 when nobody is known.

    Those are in a folder, or a collection. Every picture counts: a bad one is reported and the
    others are still done.
    """
    check_read_once(pictures)
    settled = prepare(
        fmr=fmr,
        fpir=fpir,
        chips=chips,
        detector_side=detector_side,
        precision=precision,
        threads=threads,
        artifacts=artifacts,
    )
    annotations = Annotations(pictures, annotate)
    with _ready(settled, gallery, collection, by, chips) as ready:

        def name(picture: Path) -> Identified:
            named = ready.identify(partial(sample_of, settled, picture))
            annotations.write(
                picture,
                named.sample,
                [each.face for each in named.faces],
                [_WITHHELD if named.withheld else label_of(each) for each in named.faces],
                [mark_of(each) for each in named.faces],
            )
            return named

        naming = ready.naming
        worst, anybody, answers = ready.code, False, []
        # Said when there is something to read it for: rules may refuse every search.
        preamble = [ready.in_words, *search_in_words(naming)]
        for picture, named in each_picture(name, pictures, settled.workers(Workload.MANY)):
            if isinstance(named, LikenessError):
                worst = max(worst, code_of(named))
            else:
                anybody |= any(each.match for each in named.faces)
            if as_json:
                answers.append(_json(picture, named))
            elif not isinstance(named, LikenessError):
                for line in preamble:
                    print(line)
                preamble.clear()
                _print(picture, named, naming)
        if as_json:
            described = {**ready.in_json, "operating_point": search_json(naming)}
            print_json({ready.kind: described, "pictures": answers})
    raise typer.Exit(max(worst, ExitCode.DONE if anybody else ExitCode.NO))


def _ready(
    settled: Installation,
    gallery: Path | None,
    collection: str | None,
    by: _By | None,
    chips: str | None,
) -> AbstractContextManager[Ready]:
    if gallery is not None and collection is None and by is None:
        return folder_ready(settled, gallery)
    if collection is None or gallery is not None:
        raise InvalidRequest(
            "Not one gallery to search. Give --gallery FOLDER, or --collection NAME with or without"
            " --by."
        )
    if chips is not None:
        raise InvalidRequest(
            "--chips is for --gallery: a collection keeps its model and with it its chips. Leave it"
            " out."
        )
    return collection_ready(settled, collection, by or "best")


def _print(picture: Path, named: Identified, naming: Naming) -> None:
    sample, faces = named.sample, named.faces
    print(
        f"{plain(picture)}: {several(len(faces), 'face')} in {sample.width}x{sample.height} pixels"
    )
    for remark in sample.remarks:
        print(f"      {remark}")
    for number, each in enumerate(faces, start=1):
        match, others = each.match, each.candidates
        if match:
            others = others[1:]
            print(f"{number:>4}  {_candidate_in_words(match, naming)}")
        else:
            print(f"{number:>4}  {_WITHHELD if named.withheld else 'no match'}")
        print(f"      box {box_in_words(each.face.box)}")
        for candidate in others:
            # That a face matches two people is for a person to notice.
            place = "also a match" if candidate.match else "next"
            print(f"      {place}: {_candidate_in_words(candidate, naming)}")
            if candidate.verdict.unnamed_because:
                print(f"      not named: {candidate.verdict.unnamed_because}")
    for case_id in named.case_ids:
        if named.withheld:
            warn(
                f"{picture}: who it is, if anybody, is withheld until people have decided case"
                f" {case_id}; then the same command answers: `likeness review show {case_id}`"
            )
        elif named.decided:
            print(f"      answered as people decided case {case_id}")
        else:
            print(f"      a person can decide case {case_id}: `likeness review show {case_id}`")


def _candidate_in_words(candidate: Candidate, naming: Naming) -> str:
    verdict = candidate.verdict
    at_hand = ""
    if naming.at_hand is not None and verdict.fmr_at_hand is not None:
        at_hand = f", and {as_high(verdict.fmr_at_hand, naming.at_hand)} {naming.whose.in_words}"
    return (
        f"{plain(candidate.name)}, similarity {similarity_in_words(candidate.similarity)};"
        f" {as_high(candidate.fmr, naming.calibration)} strangers score as high{at_hand}"
    )


def label_of(identification: Identification) -> str:
    """Say who a face is, in a picture."""
    match = identification.match
    return f"{plain(match.name)} {similarity_in_words(match.similarity)}" if match else "no match"


def mark_of(identification: Identification) -> Mark:
    """Choose the colour that a face is marked in."""
    return Mark.MATCHED if identification.match else Mark.UNMATCHED


def _json(picture: Path, named: Identified | LikenessError) -> Json:
    if isinstance(named, LikenessError):
        return {"picture": str(picture), "error": error_json(named)}
    return {
        "picture": str(picture),
        "width": named.sample.width,
        "height": named.sample.height,
        "remarks": list(named.sample.remarks),
        "faces": [identification_json(each) for each in named.faces],
        "withheld": named.withheld,
        "cases": [str(one) for one in named.case_ids],
    }
