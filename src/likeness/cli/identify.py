"""`likeness identify`: who of a gallery the faces are, if anybody."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from likeness.app import Installation, Workload
from likeness.cli.installation import prepare
from likeness.cli.search_in_words import search_in_words, search_json
from likeness.cli.searched import Ready, collection_ready, folder_ready
from likeness.cli.terminal.annotation import Annotations
from likeness.cli.terminal.answers import Json, identification_json, print_json
from likeness.cli.terminal.each_picture import answer_each, picture_lines, sample_json
from likeness.cli.terminal.exit_codes import ExitCode, warn
from likeness.cli.terminal.options import (
    AnnotateTo,
    Artifacts,
    AsJson,
    ChipsChoice,
    DetectorSide,
    Fmr,
    FootageStated,
    Fpir,
    Pictures,
    PrecisionChoice,
    Threads,
)
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.standard_input import check_read_once, sample_of
from likeness.cli.terminal.words import as_high, box_in_words, similarity_in_words
from likeness.errors import InvalidRequest
from likeness.service.search.identify import Candidate, Identification, Identified
from likeness.service.search.naming import Naming
from likeness.terms import Footage
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
    footage: FootageStated = None,
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
    installation = prepare(
        fmr=fmr,
        fpir=fpir,
        chips=chips,
        detector_side=detector_side,
        precision=precision,
        threads=threads,
        artifacts=artifacts,
    )
    annotations = Annotations(pictures, annotate)
    with _ready(installation, gallery, collection, by, chips, footage) as ready:

        def name(picture: Path) -> Identified:
            named = ready.identify(partial(sample_of, installation, picture))
            annotations.write(
                picture,
                named.sample,
                [each.face for each in named.faces],
                [_WITHHELD if named.withheld else label_of(each) for each in named.faces],
                [mark_of(each) for each in named.faces],
            )
            matches.extend(each.match for each in named.faces if each.match)
            return named

        def lines_of(picture: Path, named: Identified) -> Iterator[str]:
            # Said when there is something to read it for: rules may refuse every search.
            yield from preamble
            preamble.clear()
            yield from _lines(picture, named, ready.naming)

        matches: list[Candidate] = []
        preamble = [ready.in_words, *search_in_words(ready.naming)]
        code, documents = answer_each(
            name,
            pictures,
            installation.workers(Workload.MANY),
            as_json=as_json,
            document_of=_json,
            lines_of=lines_of,
        )
        if as_json:
            described = {**ready.in_json, "operating_point": search_json(ready.naming)}
            print_json({ready.kind: described, "pictures": documents})
    raise typer.Exit(max(ready.code, code, ExitCode.DONE if matches else ExitCode.NO))


def _ready(
    installation: Installation,
    gallery: Path | None,
    collection: str | None,
    by: _By | None,
    chips: str | None,
    footage: Footage | None,
) -> AbstractContextManager[Ready]:
    if gallery is not None and collection is None and by is None:
        if footage is not None:
            raise InvalidRequest(
                "--footage is for --collection: no rules are asked about a folder. Leave it out."
            )
        return folder_ready(installation, gallery)
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
    return collection_ready(installation, collection, by or "best", footage)


def _lines(picture: Path, named: Identified, naming: Naming) -> Iterator[str]:
    yield from picture_lines(picture, named.sample, len(named.faces))
    for number, each in enumerate(named.faces, start=1):
        match, others = each.match, each.candidates
        if match:
            others = others[1:]
            yield f"{number:>4}  {_candidate_in_words(match, naming)}"
        else:
            yield f"{number:>4}  {_WITHHELD if named.withheld else 'no match'}"
        yield f"      box {box_in_words(each.face.box)}"
        for candidate in others:
            # That a face matches two people is for a person to notice.
            place = "also a match" if candidate.match else "next"
            yield f"      {place}: {_candidate_in_words(candidate, naming)}"
            if candidate.verdict.unnamed_because:
                yield f"      not named: {candidate.verdict.unnamed_because}"
    for case_id in named.case_ids:
        if named.withheld:
            warn(
                f"{picture}: who it is, if anybody, is withheld until people have decided case"
                f" {case_id}; then the same command answers: `likeness review show {case_id}`"
            )
        elif named.decided:
            yield f"      answered as people decided case {case_id}"
        else:
            yield f"      a person can decide case {case_id}: `likeness review show {case_id}`"


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


def _json(named: Identified) -> Json:
    return {
        **sample_json(named.sample),
        "faces": [identification_json(each) for each in named.faces],
        "withheld": named.withheld,
        "cases": [str(one) for one in named.case_ids],
    }
