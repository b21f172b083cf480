"""`likeness identify`: who of a gallery the people of pictures and clips are, if anybody."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from likeness.app import Installation, Workload
from likeness.cli.clips.options import ClipOptions, clip_options
from likeness.cli.clips.sources import ClipPlace, sources_of
from likeness.cli.installation import prepare
from likeness.cli.search_in_words import search_in_words, search_json
from likeness.cli.searched import Ready, collection_ready, folder_ready
from likeness.cli.terminal.annotation import Annotations
from likeness.cli.terminal.answers import print_json
from likeness.cli.terminal.each_picture import answer_each, picture_lines
from likeness.cli.terminal.exit_codes import ExitCode, warn
from likeness.cli.terminal.options import (
    AnnotateTo,
    Artifacts,
    AsJson,
    ChipsChoice,
    CsvTo,
    DetectorSide,
    Every,
    Fmr,
    FootageStated,
    Fpir,
    From,
    PicturesOrClips,
    PrecisionChoice,
    ShotsTo,
    Threads,
    To,
    Unblurred,
)
from likeness.cli.terminal.plain_text import plain
from likeness.cli.terminal.standard_input import check_read_once, sample_of
from likeness.cli.terminal.words import as_high, box_in_words, named_in_words, similarity_in_words
from likeness.errors import InvalidRequest, required
from likeness.service.search.documents import identified_json
from likeness.service.search.identify import Candidate, Identification, Identified
from likeness.service.search.naming import Naming
from likeness.terms import Footage
from likeness.vision.draw import Mark

_By = Literal["best", "subject", "reference"]

# In place of a name, and of "no match", which would be an answer.
_WITHHELD = "withheld"


def identify(
    sources: PicturesOrClips,
    gallery: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder to search, with one folder, or one picture, for each person.",
        ),
    ] = None,
    collection: Annotated[
        str | None, typer.Option(metavar="NAME", help="Collection to search, instead of a folder.")
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
    every: Every = None,
    from_: From = None,
    to: To = None,
    csv: CsvTo = None,
    shots: ShotsTo = None,
    unblurred: Unblurred = False,
    as_json: AsJson = False,
    fmr: Fmr = None,
    fpir: Fpir = None,
    chips: ChipsChoice = None,
    detector_side: DetectorSide = None,
    precision: PrecisionChoice = None,
    threads: Threads = None,
    artifacts: Artifacts = None,
) -> None:
    """Name the people of pictures and clips; exit code 1 when nobody is known.

    Those who are known are in a folder, or a collection. Every picture or clip counts: a bad one is
    reported and the others are still done. Of clips in a collection, an interrupted command goes on
    when it is run again.
    """
    options = clip_options(every, from_, to, csv, shots, unblurred=unblurred)
    installation = prepare(
        fmr=fmr,
        fpir=fpir,
        chips=chips,
        detector_side=detector_side,
        precision=precision,
        threads=threads,
        artifacts=artifacts,
    )
    found = sources_of(sources, installation.settings)
    known = _Known(gallery, collection, by, footage)
    known.require_one(chips)
    if found.clips:
        code = _identify_in_clips(
            installation, known, found.clips, options, annotate, as_json=as_json
        )
    else:
        options.require_unused()
        code = _identify_in_pictures(installation, known, found.pictures, annotate, as_json=as_json)
    raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class _Known:
    """Where those lie who are known, and how they are searched."""

    gallery: Path | None
    collection: str | None
    by: _By | None
    footage: Footage | None

    def require_one(self, chips: str | None) -> None:
        """Refuse options that name no gallery, or several, or do not go with the one."""
        if self.gallery is not None and self.collection is None and self.by is None:
            if self.footage is not None:
                raise InvalidRequest(
                    "--footage is for --collection: no rules are asked about a folder. Leave it"
                    " out."
                )
            return
        if self.collection is None or self.gallery is not None:
            raise InvalidRequest(
                "Not one gallery to search. Give --gallery FOLDER, or --collection NAME with or"
                " without --by."
            )
        if chips is not None:
            raise InvalidRequest(
                "--chips is for --gallery: a collection keeps its model and with it its chips."
                " Leave it out."
            )


def _identify_in_clips(
    installation: Installation,
    known: _Known,
    clips: Sequence[ClipPlace],
    options: ClipOptions,
    annotate: Path | None,
    *,
    as_json: bool,
) -> ExitCode:
    if known.by is not None:
        raise InvalidRequest(
            "--by is for pictures: a person seen in a clip is compared by the best. Leave it out."
        )
    # Whoever searches a folder does not wait for what a home takes.
    if known.gallery is not None:
        from likeness.cli.clips.identify import identify_in_folder

        return identify_in_folder(
            installation, known.gallery, clips, options, annotate=annotate, as_json=as_json
        )
    from likeness.cli.clips.identify_in_home import identify_in_collection

    return identify_in_collection(
        installation,
        required(known.collection, "a collection"),
        clips,
        options,
        known.footage,
        annotate=annotate,
        as_json=as_json,
    )


def _identify_in_pictures(
    installation: Installation,
    known: _Known,
    pictures: Sequence[Path],
    annotate: Path | None,
    *,
    as_json: bool,
) -> ExitCode:
    check_read_once(pictures)
    annotations = Annotations(pictures, annotate)
    with _ready(installation, known) as ready:

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
            document_of=identified_json,
            lines_of=lines_of,
        )
        if as_json:
            described = {**ready.in_json, "operating_point": search_json(ready.naming)}
            print_json({ready.kind: described, "pictures": documents})
    return max(ready.code, code, ExitCode.DONE if matches else ExitCode.NO)


def _ready(installation: Installation, known: _Known) -> AbstractContextManager[Ready]:
    if known.gallery is not None:
        return folder_ready(installation, known.gallery)
    name = required(known.collection, "a collection")
    return collection_ready(installation, name, known.by or "best", known.footage)


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
    who = named_in_words(candidate.name, candidate.subject, candidate.external_id)
    return (
        f"{who}, similarity {similarity_in_words(candidate.similarity)};"
        f" {as_high(candidate.fmr, naming.calibration)} strangers score as high{at_hand}"
    )


def label_of(identification: Identification) -> str:
    """Say who a face is, in a picture."""
    match = identification.match
    return f"{plain(match.name)} {similarity_in_words(match.similarity)}" if match else "no match"


def mark_of(identification: Identification) -> Mark:
    """Choose the colour that a face is marked in."""
    return Mark.MATCHED if identification.match else Mark.UNMATCHED
